import assert from 'node:assert/strict'
import { existsSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import * as z from 'zod'
import { type ServedApi, servedApi } from '../helpers/served-api.ts'
import { runCli } from '../helpers/run-cli.ts'
import { verifies } from '../verifies.ts'
import { runsOf, type Scenario, scenario } from './scenario.ts'

let made: Scenario
let served: ServedApi
const cleanUp: (() => void)[] = []

before(async () => {
  const context = { after: (act: () => void) => void cleanUp.push(act) }
  made = await scenario(context as Parameters<typeof scenario>[0])
  served = await servedApi(context, made.directory)
})
after(() => cleanUp.reverse().forEach((act) => act()))

const Checks = z.object({ ready: z.boolean(), checks: z.array(z.object({ name: z.string(), ready: z.boolean(), found: z.string() })) })

test('the server is live and ready, and says of what it is not', async () => {
  assert.deepEqual([(await served.ask('/livez')).status, (await served.ask('/livez')).json()], [200, { live: true }])
  const ready = await onceReady()
  assert.deepEqual([ready.status, Checks.parse(ready.json()).checks.map((check) => [check.name, check.ready])], [200, [['store', true], ['wire', true], ['configuration', true]]])
  const good = join(made.directory, 'portcullis.yaml')
  const kept = (await import('node:fs')).readFileSync(good, 'utf8')
  writeFileSync(good, 'version: 2')
  const broken = await served.ask('/readyz')
  const health = await served.ask('/healthz')
  writeFileSync(good, kept)
  assert.deepEqual([broken.status, health.status], [503, 503])
  assert.deepEqual(Checks.parse(broken.json()).checks.filter((check) => !check.ready), [{ name: 'configuration', ready: false, found: 'configuration_invalid' }])
  assert.equal((await onceReady()).status, 200)
})

/** The first answer that says it is ready. On a machine that is busy with other things a look may take longer than the server gives it, and then it is not. */
async function onceReady(): ReturnType<typeof served.ask> {
  for (const deadline = Date.now() + 20_000; ; ) {
    const answer = await served.ask('/readyz')
    if (answer.status === 200 || Date.now() > deadline) return answer
  }
}

verifies('AUT-04', 'the first token lies in a file that only its owner can read, and opens what an admin may', async () => {
  assert.equal(statSync(served.firstTokenPath).mode & 0o777, 0o600)
  assert.equal((await served.ask('/tokens', { token: served.admin })).status, 200)
})

test('the log is JSON lines with route, status and holder, and holds no token', async () => {
  await served.ask('/self', { token: served.admin, headers: { 'x-other': served.admin } })
  const lines = served.log().trim().split('\n').map((line): unknown => JSON.parse(line))
  assert.ok(lines.some((line) => z.object({ route: z.literal('/self'), status: z.literal(200), holder: z.string().startsWith('tok_') }).safeParse(line).success))
  assert.equal(served.log().includes(served.admin), false)
})

test('what Prometheus scrapes counts requests by route and denials by code', async () => {
  await served.ask('/runs')
  const metrics = await served.ask('/metrics', { token: served.admin })
  assert.match(metrics.text, /portcullis_access_denied_total\{surface="http",denial="access_denied"\} [1-9]/)
  assert.match(metrics.text, /portcullis_http_request_duration_seconds_count\{[^}]*route="\/runs"[^}]*status="401"\} [1-9]/)
  assert.match(metrics.text, /portcullis_calls_total/)
})

test('a run over the API is the run of the command: its report has the same bytes everywhere', async () => {
  const started = await served.ask('/runs', { method: 'POST', token: served.admin, body: { task: 'task.yaml' } })
  assert.equal(started.status, 202, started.text)
  const { run_id: run } = z.object({ run_id: z.string() }).parse(started.json())
  assert.equal(started.headers['location'], `/runs/${run}`)
  const View = z.object({ run: z.object({ state: z.string() }), running: z.boolean(), ending: z.object({ exit_code: z.int(), report_path: z.string() }).nullable() })
  let view = View.parse((await served.ask(`/runs/${run}`, { token: served.admin })).json())
  for (const deadline = Date.now() + 60_000; view.running && Date.now() < deadline; view = View.parse((await served.ask(`/runs/${run}`, { token: served.admin })).json())) await new Promise((resolve) => setTimeout(resolve, 50))
  assert.deepEqual([view.run.state, view.ending?.exit_code, existsSync(view.ending?.report_path ?? '')], ['accepted', 0, true])
  const [report, text] = await Promise.all(['report', 'report.md'].map((name) => served.ask(`/runs/${run}/${name}`, { token: served.admin })))
  assert.equal(report?.text, (await made.portcullis(['report', run, '--json'])).stdout)
  assert.equal(text?.text, (await made.portcullis(['report', run])).stdout)
  assert.equal((await served.ask(`/runs/${run}/verification`, { token: served.admin })).status, 200)
  assert.match((await served.ask(`/calls?run=${run}`, { token: served.admin })).text, /"servedModel": "coder-1"/)
  assert.match((await served.ask(`/runs/${run}/trace`, { token: served.admin })).text, /^\{.*\n/)
})

test('a run that is cancelled over the API ends, with its report', async () => {
  const slow = { ...made }
  slow.set('portcullis.yaml', ['profiles', 'slow'], { agent: 'command', command: ['node', '-e', 'setTimeout(() => {}, 60000)'], model: 'scripted/coder-1', permissions: 'bypass', purposes: ['ticket'], isolation: 'env', backgroundModels: 'refuse', limits: { total: '1m', idle: '50s', calls: 5, tokens: 1000, cost: 'USD 0' } })
  const before = runsOf(made).length
  const started = await served.ask('/runs', { method: 'POST', token: served.admin, body: { task: 'task.yaml', profile: 'slow' } })
  const { run_id: run } = z.object({ run_id: z.string() }).parse(started.json())
  assert.equal((await served.ask(`/runs/${run}/cancel`, { method: 'POST', token: served.admin })).status, 202)
  for (const deadline = Date.now() + 30_000; Date.now() < deadline; ) {
    const { running } = z.object({ running: z.boolean() }).parse((await served.ask(`/runs/${run}`, { token: served.admin })).json())
    if (!running) break
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  const report = z.object({ status: z.string(), reason: z.string() }).parse((await served.ask(`/runs/${run}/report`, { token: served.admin })).json())
  assert.equal(report.reason, 'interrupted')
  assert.equal(runsOf(made).length, before + 1)
  assert.equal((await served.ask(`/runs/${run}/cancel`, { method: 'POST', token: served.admin })).status, 404)
})

verifies('AUT-01', 'another address than loopback needs the explicit flag and a list of hosts, and nothing is defaulted', async () => {
  const start = (...words: string[]) => runCli(['serve', '--port', '0', '--wire-port', '0', '--drain', '1s', '--admin-expires', '1d', '--json', ...words], { cwd: made.directory })
  for (const words of [['--host', '0.0.0.0'], ['--host', '0.0.0.0', '--beyond-loopback'], ['--host', '0.0.0.0', '--allowed-host', 'x.example'], ['--host', '192.0.2.1', '--allowed-host', 'x.example']]) {
    const { code, stdout } = await start(...words)
    assert.equal(code, 2, words.join(' '))
    assert.match(stdout, /others reach it/)
  }
  const { code, stdout } = await runCli(['serve', '--json'], { cwd: made.directory })
  assert.equal(code, 2)
  assert.match(stdout, /nothing for port, wirePort, drain, adminExpires/)
})

test('it drains: told to end, it accepts nothing more, ends what runs, and ends with 0', async () => {
  const started = await served.ask('/runs', { method: 'POST', token: served.admin, body: { task: 'task.yaml' } })
  assert.equal(started.status, 202, started.text)
  const { run_id: run } = z.object({ run_id: z.string() }).parse(started.json())
  assert.equal(await served.end(), 0)
  await assert.rejects(served.ask('/livez'), { code: 'ECONNREFUSED' })
  const listed = z.array(z.object({ runId: z.string(), state: z.string() })).parse(JSON.parse((await made.portcullis(['runs', '--json'])).stdout))
  assert.equal(listed.find(({ runId }) => runId === run)?.state, 'accepted')
  rmSync(join(made.directory, '.portcullis'), { recursive: true })
})
