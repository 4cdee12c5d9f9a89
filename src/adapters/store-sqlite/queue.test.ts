import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test, type TestContext } from 'node:test'
import { PortcullisError } from '../../contract/errors.ts'
import { type Fence, type HeldClaim, LeaseWatch, type QueuedRun, type RunEvent, type RunQueue } from '../../engine/index.ts'
import { temporaryDirectory } from '../../../test/helpers/temporary-directory.ts'
import { verifies } from '../../../test/verifies.ts'
import { openLedger, openRunQueue, type StoredLedger } from './index.ts'

const AT = new Date('2026-11-21T12:00:00.000Z')
const ORDER = { task: 'task.yaml', profile: null, purpose: null, backend: null, admission: null }
const EVENT: RunEvent = { type: 'run_opened', at: AT.toISOString(), data: { task: 't' } }
const fenceOf = ({ id, epoch }: QueuedRun): Fence => ({ item: id, epoch })
const entryOf = (entry: QueuedRun | undefined): QueuedRun => {
  assert.ok(entry !== undefined, 'Expected an entry, got none')
  return entry
}
const begin = (ledger: StoredLedger, fence?: Fence) => ledger.begin({ kind: 'task', taskId: 't', startedAt: AT, fence })
const lost = (error: unknown): boolean => error instanceof PortcullisError && error.code === 'claim_lost' && error.found.startsWith('stale_epoch: ')
const refusedByStore = (error: unknown): boolean => error instanceof PortcullisError && error.code === 'store_failed' && /stale_epoch/.test(error.found)

async function opened(context: TestContext): Promise<{ queue: RunQueue; other: RunQueue; ledger: StoredLedger; database: DatabaseSync; add(key?: string): Promise<QueuedRun> }> {
  const path = join(temporaryDirectory(context), 'ledger.db')
  const [queue, other, ledger] = [await openRunQueue(path), await openRunQueue(path), await openLedger(path)]
  const database = new DatabaseSync(path, { enableForeignKeyConstraints: true })
  context.after(async () => {
    database.close()
    for (const each of [queue, other, ledger]) await each.close()
  })
  return { queue, other, ledger, database, add: (key = 'k') => queue.add({ order: ORDER, attempts: 2, key, by: 'test', at: AT }) }
}

test('entries are claimed in their order, each by one worker; the same key twice is one entry, and for another order it is refused', async (context) => {
  const { queue, other, add } = await opened(context)
  const [first, again] = [await add('one'), await add('one')]
  assert.equal(first.id, again.id)
  await assert.rejects(queue.add({ order: { ...ORDER, task: 'else.yaml' }, attempts: 2, key: 'one', by: 'test', at: AT }), (error) => error instanceof PortcullisError && error.code === 'idempotency_key_reused')
  const second = await add('two')
  const claimed = await Promise.all([queue.claimNext('a', 1_000), other.claimNext('b', 1_000), queue.claimNext('a', 1_000)])
  assert.deepEqual(claimed.map((entry) => entry?.id), [first.id, second.id, undefined])
  assert.deepEqual((await queue.held()).map(({ epoch, beats, leaseMs }) => [epoch, beats, leaseMs]), [[1, 0, 1_000], [1, 0, 1_000]])
})

verifies('REL-05', 'after a claim was taken over, each act under its epoch is refused as stale_epoch, and changes nothing', async (context) => {
  const { queue, other, ledger, add } = await opened(context)
  await add()
  const old = fenceOf(entryOf(await queue.claimNext('zombie', 1_000)))
  const { runId } = await begin(ledger, old)
  await ledger.append({ runId, events: [EVENT], fence: old })
  const [seen] = await other.held()
  assert.ok(seen !== undefined)
  const fresh = entryOf(await other.takeOver(seen, 'next', 1_000))
  assert.equal(fresh.epoch, 2)
  for (const answer of [await queue.beat(old), await queue.standing(old), await queue.release(old), await queue.end(old, { outcome: 'given_up', result: null, at: AT })]) assert.equal(!answer.ok && answer.refusal.reason, 'stale_epoch')
  await assert.rejects(begin(ledger, old), lost)
  await assert.rejects(ledger.append({ runId, events: [EVENT], fence: old }), lost)
  await assert.rejects(ledger.append({ runId, state: { to: 'blocked', reason: 'interrupted', at: AT }, fence: old }), lost)
  // Among writes of others as well: what is refused takes none of them with it, and none of them takes it along.
  const mixed = await Promise.allSettled([ledger.append({ runId, events: [EVENT], fence: old }), ledger.append({ runId, events: [EVENT], fence: fenceOf(fresh) })])
  assert.deepEqual(mixed.map(({ status }) => status), ['rejected', 'fulfilled'])
  assert.equal((await ledger.history(runId))?.entries.length, 2)
  assert.deepEqual(await queue.find(fresh.id).then((entry) => [entry?.state, entry?.worker, entry?.runs.length]), ['claimed', 'next', 1])
})

verifies('REL-05', 'the store refuses a write without a claim into a run whose entry is held, whoever makes it', async (context) => {
  const { queue, ledger, database, add } = await opened(context)
  await add()
  const fence = fenceOf(entryOf(await queue.claimNext('a', 1_000)))
  const { runId } = await begin(ledger, fence)
  await assert.rejects(ledger.append({ runId, events: [EVENT] }), refusedByStore)
  assert.throws(() => database.prepare(`UPDATE run SET state = 'blocked', reason = 'interrupted', ended_at = '2026' WHERE run_id = ?`).run(runId), /stale_epoch/)
  // Nothing of the fence stays for whoever writes next.
  await ledger.append({ runId, events: [EVENT], fence })
  await assert.rejects(ledger.append({ runId, events: [EVENT] }), refusedByStore)
  assert.equal((await ledger.history(runId))?.entries.length, 1)
  const free = await begin(ledger)
  await ledger.append({ runId: free.runId, events: [EVENT] })
})

verifies('REL-10', 'one attempt at most is the result, and only as it ended in the ledger; an epoch has one attempt, and none is forgotten', async (context) => {
  const { queue, ledger, database, add } = await opened(context)
  const { id } = await add()
  const fence = fenceOf(entryOf(await queue.claimNext('a', 1_000)))
  const { runId } = await begin(ledger, fence)
  await assert.rejects(begin(ledger, fence), /UNIQUE/)
  const stranger = await begin(ledger)
  await ledger.append({ runId: stranger.runId, events: [EVENT], state: { to: 'blocked', reason: 'interrupted', at: AT } })
  for (const [outcome, result] of [['blocked', runId], ['accepted', runId], ['blocked', stranger.runId], ['accepted', null]] as const) await assert.rejects(queue.end(fence, { outcome, result, at: AT }), PortcullisError)
  await ledger.append({ runId, events: [EVENT], state: { to: 'blocked', reason: 'missing_admission', at: AT }, fence })
  await assert.rejects(queue.end(fence, { outcome: 'accepted', result: runId, at: AT }), PortcullisError)
  assert.deepEqual(await queue.end(fence, { outcome: 'blocked', result: runId, at: AT }), { ok: true })
  assert.equal((await queue.end(fence, { outcome: 'blocked', result: runId, at: AT })).ok, false)
  for (const change of [`UPDATE queued_run SET result = NULL, outcome = 'given_up' WHERE id = '${id}'`, `UPDATE queued_run SET state = 'queued', outcome = NULL, result = NULL, ended_at = NULL WHERE id = '${id}'`, 'DELETE FROM queued_run', 'DELETE FROM queue_attempt', 'UPDATE queue_attempt SET epoch = 9']) assert.throws(() => database.exec(change), /portcullis:|constraint/, change)
})

verifies('REL-07', 'a claim is taken over after a whole lease without a sign of life, by a clock that passes as time does: the wall clock has no say, and of two that take it over one succeeds', async (context) => {
  const { queue, other, add } = await opened(context)
  await add()
  const held = fenceOf(entryOf(await queue.claimNext('a', 10_000)))
  let steadyMs = 0
  const watch = new LeaseWatch(() => steadyMs)
  const lapsed = async (): Promise<readonly HeldClaim[]> => watch.lapsed(await queue.held())
  // The wall clock jumps: there is no time of day in a claim that it could reach.
  for (const jumpMs of [-3_600_000, 7_200_000]) {
    const wall = context.mock.method(Date, 'now', () => AT.getTime() + jumpMs)
    assert.deepEqual(await lapsed(), [])
    assert.deepEqual(await queue.standing(held), { ok: true })
    wall.mock.restore()
  }
  steadyMs = 9_999
  assert.deepEqual(await lapsed(), [])
  await queue.beat(held)
  steadyMs = 10_001
  assert.deepEqual(await lapsed(), [], 'a sign of life begins a whole lease')
  steadyMs = 20_000
  assert.deepEqual(await lapsed(), [])
  steadyMs = 20_001
  const [seen] = await lapsed()
  assert.ok(seen !== undefined)
  const both = await Promise.all([queue.takeOver(seen, 'b', 10_000), other.takeOver(seen, 'c', 10_000)])
  assert.equal(both.filter((entry) => entry !== undefined).length, 1)
  assert.deepEqual(await lapsed(), [], 'the new claim begins a lease of its own')
})

test('a claim that gave a sign of life since it was seen is not taken over', async (context) => {
  const { queue, other, add } = await opened(context)
  await add()
  const held = fenceOf(entryOf(await queue.claimNext('a', 1_000)))
  const [seen] = await other.held()
  await queue.beat(held)
  assert.ok(seen !== undefined)
  assert.equal(await other.takeOver(seen, 'b', 1_000), undefined)
  assert.deepEqual(await queue.standing(held), { ok: true })
})
