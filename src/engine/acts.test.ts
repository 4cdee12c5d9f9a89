import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { openAccessStore, openLedger } from '../adapters/store-sqlite/index.ts'
import { temporaryDirectory } from '../../test/helpers/temporary-directory.ts'
import { ActBook, type PersonAct } from './acts.ts'

const act = (reason: string | null): PersonAct => ({ act: 'stop_agent', object: 'concierge', reason, actor: 'elmar', kind: 'operator', holder: 'tok_0123456789abcdef' })
const finding = { rule: 'some-key', hash: 'abc', offset: 0, length: 1 }
const clean = { scan: () => [] }
const ALL = { before: undefined, most: 10 }

async function books(context: TestContext) {
  const path = join(temporaryDirectory(context), 'ledger.db')
  const [ledger, store] = [await openLedger(path), await openAccessStore(path)]
  context.after(async () => {
    await store.close()
    await ledger.close()
  })
  return { ledger, book: (at: string, scanner: ConstructorParameters<typeof ActBook>[0]['scanner'] = clean) => new ActBook({ ledger, store, clock: () => new Date(at), scanner }) }
}

test('acts stand in one run of the chain, newest first, also when another process goes on with the book', async (context) => {
  const { ledger, book } = await books(context)
  const first = book('2026-06-01T00:00:00.000Z')
  assert.deepEqual(await first.page(ALL), { acts: [], next: null })
  await first.record(act('it answers in riddles'))
  await book('2026-06-02T00:00:00.000Z').record(act(null))
  const { acts: found } = await first.page(ALL)
  assert.deepEqual(found.map(({ at, reason, actor, holder, object }) => [at, reason, actor, holder, object]), [
    ['2026-06-02T00:00:00.000Z', null, 'elmar', 'tok_0123456789abcdef', 'concierge'],
    ['2026-06-01T00:00:00.000Z', 'it answers in riddles', 'elmar', 'tok_0123456789abcdef', 'concierge'],
  ])
  assert.equal((await ledger.list()).filter(({ kind }) => kind === 'acts').length, 1)
})

test('each act has what came of it, its own and no other, and one that nobody told of has none', async (context) => {
  const { book } = await books(context)
  const one = book('2026-06-01T00:00:00.000Z')
  const ids = [await one.record(act('first')), await one.record(act('second')), await one.record(act('third'))] as const
  await one.ended(ids[1], { outcome: 'refused', code: 'nothing_stored' })
  await one.ended(ids[0], { outcome: 'done', code: null })
  const { acts } = await one.page(ALL)
  const at = '2026-06-01T00:00:00.000Z'
  assert.deepEqual(acts.map(({ reason, outcome }) => [reason, outcome]), [['third', null], ['second', { outcome: 'refused', code: 'nothing_stored', at }], ['first', { outcome: 'done', code: null, at }]])
})

test('a long book is read page by page: no act is left out or told twice, also while others are added, and each page has its outcomes', async (context) => {
  const { book } = await books(context)
  const one = book('2026-06-01T00:00:00.000Z')
  for (let number = 0; number < 7; number++) await one.ended(await one.record(act(`act ${number}`)), { outcome: 'done', code: null })
  const read: (string | null)[] = []
  let next: number | null = null
  do {
    const page: Awaited<ReturnType<ActBook['page']>> = await one.page({ before: next ?? undefined, most: 3 })
    assert.ok(page.acts.length <= 3 && page.acts.every(({ outcome }) => outcome?.outcome === 'done'))
    read.push(...page.acts.map(({ reason }) => reason))
    next = page.next
    await one.record(act('in between'))
  } while (next !== null)
  assert.deepEqual(read, [6, 5, 4, 3, 2, 1, 0].map((number) => `act ${number}`))
})

test('what a check found last is named by its digest, each check for itself', async (context) => {
  const { book } = await books(context)
  const one = book('2026-06-01T00:00:00.000Z')
  assert.equal(await one.lastChecked('drill'), undefined)
  await one.checked('drill', 'a'.repeat(64))
  await one.checked('drill', 'b'.repeat(64))
  await one.checked('doctor', 'c'.repeat(64))
  assert.deepEqual([await one.lastChecked('drill'), await one.lastChecked('doctor')], ['b'.repeat(64), 'c'.repeat(64)])
})

test('a reason that holds a credential is refused, and nothing is stored', async (context) => {
  const { book } = await books(context)
  const one = book('2026-06-01T00:00:00.000Z', { scan: () => [finding] })
  await assert.rejects(one.record(act('because of a key')), { code: 'secret_withheld' })
  assert.deepEqual(await one.page(ALL), { acts: [], next: null })
})
