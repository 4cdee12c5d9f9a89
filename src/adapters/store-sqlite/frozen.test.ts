import assert from 'node:assert/strict'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { temporaryDirectory } from '../../../test/helpers/temporary-directory.ts'
import { PortcullisError } from '../../contract/errors.ts'
import { fillEmbedded, freezeEmbedded, type FrozenStore, openLedger } from './index.ts'

async function frozen(t: TestContext): Promise<{ readonly directory: string; readonly source: FrozenStore }> {
  const directory = temporaryDirectory(t)
  const ledger = await openLedger(join(directory, 'ledger.db'))
  const { runId } = await ledger.begin({ kind: 'task', taskId: 't', startedAt: new Date(0) })
  await ledger.append({ runId, events: [{ type: 'run_opened', at: new Date(0).toISOString(), data: {} }] })
  const source = await freezeEmbedded(join(directory, 'ledger.db'))
  // Written after that moment: no part of it.
  await ledger.append({ runId, state: { to: 'blocked', reason: 'mismatch', at: new Date(0) } })
  await ledger.close()
  t.after(() => source.close())
  return { directory, source }
}

async function digestsOf(path: string): Promise<FrozenStore['digests']> {
  const { digests, close } = await freezeEmbedded(path)
  await close()
  return digests
}

test('a store is frozen as it was, and nothing can be written into the copy', async (t) => {
  const { source } = await frozen(t)
  assert.deepEqual((await source.ledger.list()).map(({ state }) => state), ['open'])
  await assert.rejects(source.ledger.keep(), (error) => error instanceof PortcullisError && /readonly/.test(error.found))
  assert.equal(source.digests.find(({ name }) => name === 'entry')?.rows, 1)
})

test('a copy has its name only when it was found to be the same', async (t) => {
  const { directory, source } = await frozen(t)
  const path = join(directory, 'state', 'ledger.db')
  const thrown = new Error('other rows')
  await assert.rejects(fillEmbedded(path, source, () => { throw thrown }), (error) => error instanceof PortcullisError && error.cause === thrown)
  assert.deepEqual(readdirSync(join(directory, 'state')), [])
  await fillEmbedded(path, source, (written) => assert.deepEqual(written.digests, source.digests))
  assert.deepEqual(readdirSync(join(directory, 'state')), ['ledger.db'])
})

test('a copy takes the place of nothing, and is not made beside the log of another ledger', async (t) => {
  const { directory, source } = await frozen(t)
  const refused = (error: unknown): boolean => error instanceof PortcullisError && error.code === 'file_exists'
  const before = await digestsOf(join(directory, 'ledger.db'))
  await assert.rejects(fillEmbedded(join(directory, 'ledger.db'), source, () => undefined), refused)
  assert.deepEqual(await digestsOf(join(directory, 'ledger.db')), before)
  writeFileSync(join(directory, 'other.db-wal'), 'rows')
  await assert.rejects(fillEmbedded(join(directory, 'other.db'), source, () => undefined), refused)
  assert.ok(!existsSync(join(directory, 'other.db')))
})
