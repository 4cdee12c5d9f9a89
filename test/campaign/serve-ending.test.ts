import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import * as z from 'zod'
import { CONFIGURATION, type Scenario, scenario } from '../e2e/scenario.ts'
import { processLives } from '../helpers/process-lives.ts'
import { type ServedApi, servedApi } from '../helpers/served-api.ts'
import { until } from '../helpers/served-wire.ts'
import { assistantOf, handOver, servedAgents } from '../helpers/served-agents.ts'

const Runs = z.array(z.object({ runId: z.string(), kind: z.string(), state: z.string(), reason: z.string().nullable() }))

/** A server that carries a run whose agent never ends. */
async function carrying(context: TestContext, drain: string): Promise<{ readonly made: Scenario; readonly served: ServedApi; readonly pid: number; readonly run: string }> {
  const made = await scenario(context)
  const written = join(made.directory, 'agent.pid')
  made.set(CONFIGURATION, ['profiles', 'endless'], { agent: 'command', command: ['node', '-e', `require('node:fs').writeFileSync(${JSON.stringify(written)}, String(process.pid) + '.'); setInterval(() => {}, 1000)`], model: 'scripted/coder-1', permissions: 'bypass', purposes: ['ticket'], isolation: 'env', backgroundModels: 'refuse', limits: { total: '10m', idle: '9m', calls: 5, tokens: 1000, cost: 'USD 0' } })
  const served = await servedApi(context, made.directory, { arguments: ['--drain', drain] })
  const started = await served.ask('/runs', { method: 'POST', token: served.admin, body: { task: 'task.yaml', profile: 'endless' } })
  assert.equal(started.status, 202, started.text)
  await until(() => existsSync(written) && readFileSync(written, 'utf8').endsWith('.'), 'the agent to run')
  return { made, served, pid: Number.parseInt(readFileSync(written, 'utf8'), 10), run: z.object({ run_id: z.string() }).parse(started.json()).run_id }
}

const stateOf = async (made: Scenario, run: string) => Runs.parse(JSON.parse((await made.portcullis(['runs', '--json'])).stdout)).find(({ runId }) => runId === run)

test('a run that goes on at the limit of the drain is cut: its agent is ended, the ledger says so, and the server ends with 0', async (context) => {
  const { made, served, pid, run } = await carrying(context, '500ms')
  assert.equal(await served.end(), 0)
  assert.equal(processLives(pid), false)
  assert.partialDeepStrictEqual(await stateOf(made, run), { state: 'failed', reason: 'interrupted' })
  assert.equal((await made.portcullis(['verify', run])).code, 0)
})

test('a second signal ends the server at once: no agent is left, and what was cut is unfinished in the ledger, never accepted', async (context) => {
  const { made, served, pid, run } = await carrying(context, '10m')
  const ended = served.end()
  await until(() => served.log().includes('"ending"'), 'the server to drain')
  assert.ok(processLives(pid), 'it drains')
  served.process.kill('SIGTERM')
  assert.equal(await ended, 143)
  await until(() => !processLives(pid), 'the agent to be ended')
  assert.partialDeepStrictEqual(await stateOf(made, run), { state: 'started', reason: null })
  const next = await servedApi(context, made.directory)
  assert.equal((await next.ask('/readyz')).status, 200)
  assert.equal(await next.end(), 0)
})

test('an answer of an agent that is under way when the server is told to end is given within the drain, and cut at its limit', async (context) => {
  for (const [drain, whole] of [['20s', true], ['500ms', false]] as const) {
    const stage = await servedAgents(context, 'pull', { times: { recheck: '30s', reprove: '50s', answer: '30s', startup: '20s' }, arguments: ['--drain', drain] })
    const assistant = await assistantOf(context, stage)
    await handOver(await stage.act('start'), assistant)
    assert.equal(await stage.settled(), 'online')
    await assistant.set({ fault: 'holds' })
    const answer = stage.message('Good day').then(({ status }) => status, () => 'cut')
    while ((await assistant.heard()) === 0) await new Promise((resolve) => setTimeout(resolve, 20))
    const ended = stage.server.end()
    await until(() => stage.server.log().includes('"ending"'), 'the server to drain')
    if (whole) await assistant.set({ fault: 'none' })
    assert.equal(await answer, whole ? 200 : 'cut')
    assert.equal(await ended, 0)
    // Somebody else started it: it goes on, and proves itself to the next server.
    assert.equal(assistant.child.exitCode, null)
  }
})
