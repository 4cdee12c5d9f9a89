import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { openLedger } from '../adapters/store-sqlite/index.ts'
import { temporaryDirectory } from '../../test/helpers/temporary-directory.ts'
import { ActBook, type PersonAct } from './acts.ts'

const act = (reason: string | null): PersonAct => ({ act: 'stop_agent', object: 'concierge', reason, actor: 'elmar', kind: 'operator', holder: 'tok_0123456789abcdef' })
const finding = { rule: 'some-key', hash: 'abc', offset: 0, length: 1 }
const clean = { scan: () => [] }

test('acts stand in one run of the chain, newest first, also when another process goes on with the book', async (context) => {
  const ledger = await openLedger(join(temporaryDirectory(context), 'ledger.db'))
  context.after(() => ledger.close())
  const book = new ActBook({ ledger, clock: () => new Date('2026-06-01T00:00:00.000Z'), scanner: clean })
  assert.deepEqual(await book.newest(10), [])
  await book.record(act('it answers in riddles'))
  await new ActBook({ ledger, clock: () => new Date('2026-06-02T00:00:00.000Z'), scanner: clean }).record(act(null))
  const found = await book.newest(10)
  assert.deepEqual(found.map(({ at, reason, actor, holder, object }) => [at, reason, actor, holder, object]), [
    ['2026-06-02T00:00:00.000Z', null, 'elmar', 'tok_0123456789abcdef', 'concierge'],
    ['2026-06-01T00:00:00.000Z', 'it answers in riddles', 'elmar', 'tok_0123456789abcdef', 'concierge'],
  ])
  assert.equal((await book.newest(1)).length, 1)
  assert.equal((await ledger.list()).filter(({ kind }) => kind === 'acts').length, 1)
})

test('a reason that holds a credential is refused, and nothing is stored', async (context) => {
  const ledger = await openLedger(join(temporaryDirectory(context), 'ledger.db'))
  context.after(() => ledger.close())
  const book = new ActBook({ ledger, clock: () => new Date(), scanner: { scan: () => [finding] } })
  await assert.rejects(book.record(act('because of a key')), { code: 'secret_withheld' })
  assert.deepEqual(await book.newest(10), [])
})
