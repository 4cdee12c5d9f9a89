import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import * as z from 'zod'
import { killAWorker } from '../helpers/kill-a-worker.ts'
import { queueForTest } from '../helpers/queue-workers.ts'
import { until } from '../helpers/served-wire.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { verifies } from '../verifies.ts'

// All five hundred of REL-04 are run by test/long/.
test('two workers, 8 runs, one killed midway: none lost, none recorded twice, taken over in time', (context) => killAWorker(context, 8))

const Late = z.object({ status: z.int(), body: z.string() })

verifies('REL-05 REL-10', 'a worker that was stopped past its lease and goes on is refused its late call, its late sign of life and its late end, all as stale_epoch, and its token opens nothing any more', async (context) => {
  const signs = temporaryDirectory(context)
  const queue = await queueForTest(context, { agent: 'outlived.mjs', agentArguments: [signs] })
  const [entry] = await queue.add(1)
  assert.ok(entry !== undefined)
  const asked = (): readonly string[] => readdirSync(signs).filter((name) => name.endsWith('.asked'))
  const zombie = queue.worker('zombie', '2s')
  await until(() => asked().length === 1, 'the first agent to ask its model')
  const agent = asked()[0]?.replace('.asked', '') ?? ''
  zombie.child.kill('SIGSTOP')
  const next = queue.worker('next', '2s', ['--until-empty'])
  await until(() => asked().length === 2, 'the second attempt to run', 60_000)
  const callsBefore = queue.made.provider.requests().length
  zombie.child.kill('SIGCONT')
  const late = join(signs, `${agent}.late`)
  await until(() => existsSync(late) && readFileSync(late, 'utf8').endsWith('}'), 'the late call of the first agent to be answered')
  const answered = Late.parse(JSON.parse(readFileSync(late, 'utf8')))
  assert.deepEqual([answered.status, /stale_epoch/.test(answered.body)], [403, true], answered.body)
  assert.equal(queue.made.provider.requests().length, callsBefore, 'the provider was asked by an attempt that had been taken over')
  const told = (message: string) => zombie.log().find(({ msg }) => msg === message)
  await until(() => told('a late write was refused') !== undefined, 'the late end of the first attempt')
  assert.match(String(told('a sign of life was refused')?.['reason']), /^stale_epoch$/)
  assert.match(String(told('a late write was refused')?.['found']), /stale_epoch/)
  writeFileSync(join(signs, 'go'), '')
  assert.equal(await next.ended, 0)
  const ended = await queue.queue.find(entry.id)
  assert.deepEqual(ended?.runs.map(({ epoch, state, reason }) => [epoch, state, reason]), [[1, 'failed', 'interrupted'], [2, 'accepted', null]])
  assert.equal(ended?.result, ended?.runs[1]?.run)
  for (const stale of [await queue.queue.end({ item: entry.id, epoch: 1 }, { outcome: 'failed', result: ended?.runs[0]?.run ?? null, at: new Date() }), await queue.queue.beat({ item: entry.id, epoch: 1 }), await queue.queue.release({ item: entry.id, epoch: 1 })]) assert.equal(!stale.ok && stale.refusal.reason, 'stale_epoch')
  assert.equal((await queue.made.portcullis(['verify'])).code, 0)
  // What an attempt leaves carries its run id and its epoch: each call of its agent, and the opening of its run.
  const epochs = (run: string | undefined, kind: string, path: string) => queue.database.prepare(`SELECT DISTINCT body ->> '${path}' AS epoch FROM entry WHERE run_id = ? AND kind = '${kind}' AND body ->> '${path}' IS NOT NULL AND coalesce(body ->> '$.predicate.purpose', 'agent') = 'agent'`).all(run ?? '').map((row) => row['epoch'])
  for (const { run, epoch } of ended?.runs ?? []) assert.deepEqual([epochs(run, 'event', '$.data.epoch'), epochs(run, 'evidence', '$.predicate.epoch')], [[epoch], [epoch]])
  // Both attempts stand in the report of the queue, the one that counts for nothing as well.
  const shown = await queue.made.portcullis(['queue', entry.id])
  for (const { run, epoch } of ended?.runs ?? []) assert.match(shown.stdout, new RegExp(`epoch ${epoch}  ${run}`))
})

test('a worker that is told to end lets its entry go, and the next attempt is the result', async (context) => {
  const signs = join(temporaryDirectory(context), 'signs')
  mkdirSync(signs)
  const queue = await queueForTest(context, { agent: 'outlived.mjs', agentArguments: [signs] })
  const [entry] = await queue.add(1, 2)
  const first = queue.worker('first', '30s')
  await until(() => readdirSync(signs).some((name) => name.endsWith('.asked')), 'the agent to ask its model')
  first.child.kill('SIGTERM')
  assert.equal(await first.ended, 0)
  assert.deepEqual(await queue.queue.find(entry?.id ?? '').then((found) => [found?.state, found?.runs.map(({ reason }) => reason)]), ['queued', ['interrupted']])
  writeFileSync(join(signs, 'go'), '')
  assert.equal(await queue.worker('second', '30s', ['--until-empty']).ended, 0)
  assert.deepEqual(await queue.queue.find(entry?.id ?? '').then((found) => [found?.outcome, found?.epoch]), ['accepted', 2])
})

test('run --queue adds an entry once for each key, and says what it lacks; a task that nobody can load is refused at once', async (context) => {
  const { made, queue, database } = await queueForTest(context)
  const added = ['run', 'task.yaml', '--queue', '--attempts', '2', '--key', 'k', '--json']
  const [first, again] = [await made.portcullis(added), await made.portcullis(added)]
  assert.deepEqual([first.code, again.code], [0, 0], first.stderr)
  assert.equal(first.stdout, again.stdout)
  assert.equal((await queue.list(10)).length, 1)
  for (const args of [['run', 'task.yaml', '--queue'], ['run', 'task.yaml', '--attempts', '2'], ['run', 'none.yaml', '--queue', '--attempts', '2'], ['worker', '--lease', '10ms'], ['worker'], ['queue', 'q-none']]) assert.equal((await made.portcullis(args)).code, 2, args.join(' '))
  assert.equal((await queue.list(10)).length, 1)
  assert.equal(database.prepare('SELECT count(*) AS count FROM run').get()?.['count'], 0)
})
