import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import * as z from 'zod'
import { queueForTest, type QueueForTest } from './queue-workers.ts'
import { until } from './served-wire.ts'

const LEASE_MS = 4_000
/** Within which, beside the lease, a claim must be taken over. */
const BESIDE_MS = 1_000
const Count = z.object({ count: z.int() })
const Entry = z.object({ id: z.string(), epoch: z.int() })

const count = ({ database }: QueueForTest, text: string): number => Count.parse(database.prepare(`SELECT count(*) AS count ${text}`).get()).count

/** Two workers carry so many runs, and one of them is killed midway while it holds one: none is lost, none counts twice, and what it held is taken over in time. */
export async function killAWorker(context: TestContext, runs: number): Promise<void> {
  const queue = await queueForTest(context)
  await queue.add(runs)
  const lease = `${LEASE_MS}ms`
  const [one, other] = [queue.worker('one', lease), queue.worker('other', lease, ['--until-empty'])]
  await until(() => count(queue, `FROM queued_run WHERE state = 'ended'`) >= runs / 2, 'half of the runs to end', 3_600_000)
  let held: z.infer<typeof Entry> | undefined
  // While a run of it goes on, and not between two.
  await until(() => {
    const row = queue.database.prepare(`SELECT q.id, q.epoch FROM queued_run q JOIN queue_attempt a ON a.item = q.id AND a.epoch = q.epoch JOIN run r ON r.run_id = a.run_id WHERE q.state = 'claimed' AND q.worker = 'one' AND r.state = 'started'`).get()
    held = row === undefined ? undefined : Entry.parse(row)
    if (held !== undefined) one.child.kill('SIGKILL')
    return held !== undefined
  }, 'the first worker to hold a run', 60_000)
  const killedAt = performance.now()
  assert.ok(held !== undefined)
  const { id, epoch } = held
  await until(() => count(queue, `FROM queued_run WHERE id = '${id}' AND epoch > ${epoch}`) === 1, 'the claim to be taken over', LEASE_MS * 5)
  const takenMs = performance.now() - killedAt
  assert.ok(takenMs <= LEASE_MS + BESIDE_MS, `taken over after ${Math.round(takenMs)} ms, with a lease of ${LEASE_MS} ms`)
  context.diagnostic(`taken over after ${Math.round(takenMs)} ms, with a lease of ${LEASE_MS} ms`)
  assert.equal(await other.ended, 0)
  const entries = await queue.queue.list(runs + 1)
  assert.equal(entries.length, runs)
  const results = entries.map((entry) => {
    assert.deepEqual([entry.state, entry.outcome], ['ended', 'accepted'], JSON.stringify(entry))
    return entry.result
  })
  assert.equal(new Set(results).size, runs, 'a result counts for two entries')
  // One run of each entry was accepted, and no run of the ledger belongs to none: nothing was recorded twice.
  assert.equal(count(queue, `FROM run WHERE kind = 'task' AND state = 'accepted'`), runs)
  assert.equal(count(queue, `FROM run WHERE kind = 'task'`), count(queue, 'FROM queue_attempt'))
  // What the killed worker left is visible, and has an end.
  const taken = entries.find((entry) => entry.id === id)
  assert.deepEqual(taken?.runs.map(({ epoch: of, state, reason }) => [of, state, reason]), [[epoch, 'failed', 'interrupted'], [epoch + 1, 'accepted', null]])
  assert.equal(count(queue, `FROM run WHERE kind = 'task' AND ended_at IS NULL`), 0)
  const verified = await queue.made.portcullis(['verify'])
  assert.equal(verified.code, 0, verified.stdout.slice(0, 2_000))
}
