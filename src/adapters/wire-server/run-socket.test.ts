import assert from 'node:assert/strict'
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryDirectory } from '../../../test/helpers/temporary-directory.ts'
import { ask, startBench } from '../../../test/helpers/wire-harness.ts'
import { verifies } from '../../../test/verifies.ts'

const ANSWER = JSON.stringify({ id: 'x', model: 'coder-1', choices: [{ message: { role: 'assistant', content: 'hi' } }] })
const play = (response: { writeHead(status: number, headers: Record<string, string>): { end(body: string): unknown } }): void => void response.writeHead(200, { 'content-type': 'application/json' }).end(ANSWER)

verifies('ISO-03 WIR-01', 'the socket of a run says whose call it is: without its token the call is refused and stands in the record of this run, and no other run can be named there', async (t) => {
  const bench = await startBench(t, play)
  const socketPath = join(temporaryDirectory(t), 'wire.sock')
  await bench.grant.listen(socketPath)
  const other = bench.wire.grant({ ...bench.request, runId: '20261120T213918Z-r2-2' })
  const statusOf = async (token: string | null): Promise<number> => (await ask(bench, { socketPath, token })).status
  assert.deepEqual([await statusOf(null), await statusOf(bench.grant.token)], [403, 200])
  assert.deepEqual([await statusOf(other.token), await statusOf('sk-something')], [403, 403])
  assert.equal((await ask(bench, { socketPath, token: bench.grant.token, headers: { 'x-api-key': other.token } })).status, 400)
  assert.deepEqual(bench.recorder.calls.map(({ runId }) => runId), [bench.request.runId, bench.request.runId])
  assert.deepEqual(bench.recorder.calls.map(({ call: { outcome, reason, inference } }) => [outcome, reason, inference]), [['refused', 'run_unknown', true], ['answered', null, true]])
  assert.deepEqual([bench.wire.unboundRequests(), other.calls()], [3, []])
  // The port that all share goes by the token alone, as before.
  assert.equal((await ask(bench, { token: null })).status, 403)
})

test('only its owner can open the socket of a run, and it ends with the grant', async (t) => {
  const bench = await startBench(t, play)
  const socketPath = join(temporaryDirectory(t), 'wire.sock')
  await bench.grant.listen(socketPath)
  assert.equal(statSync(socketPath).mode & 0o777, 0o600)
  await bench.grant.revoke()
  assert.equal(existsSync(socketPath), false)
  await assert.rejects(ask(bench, { socketPath, token: null }), { code: 'ENOENT' })
})

test('the wire closes while a client still holds the socket of a run, and a socket that cannot be made is a rejection', async (t) => {
  const bench = await startBench(t, play)
  await assert.rejects(bench.grant.listen(join(temporaryDirectory(t), 'missing/wire.sock')), { code: 'EACCES' })
  const socketPath = join(temporaryDirectory(t), 'wire.sock')
  await bench.grant.listen(socketPath)
  let closed: Promise<void> | undefined
  const answer = await ask(bench, { socketPath, token: bench.grant.token, headers: { connection: 'keep-alive' }, onHead: () => void (closed = bench.wire.close()) }).catch(() => undefined)
  await closed
  assert.ok(answer === undefined || answer.status === 200)
  assert.equal(existsSync(socketPath), false)
})
