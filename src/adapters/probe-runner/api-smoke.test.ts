import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { probe, SECRET, workspaceOf } from '../../../test/helpers/probed.ts'
import { verifies } from '../../../test/verifies.ts'
import { ApiSmokePayload, type ProbeRecord, type ProbeRequest } from '../../gates/acceptance/index.ts'
import { processIdentity } from '../process/index.ts'

/** A small service that does all it should. Each test breaks one line of it. */
const SERVICE = `import { createServer } from 'node:http'
const answer = (response, status, value) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
const server = createServer(async (request, response) => {
  if (request.url === '/health') return answer(response, 200, {})
  if (request.url !== '/notes' || request.method !== 'POST') return answer(response, 404, { error: 'no such path' })
  let text = ''
  for await (const chunk of request) text += chunk
  let note
  try { note = JSON.parse(text) } catch { return answer(response, 400, { error: 'no JSON' }) }
  answer(response, 201, { id: 1, text: note.text })
})
server.listen(Number(process.env.SERVICE_PORT), '127.0.0.1')
process.on('SIGTERM', () => server.close())
`
const DEFINITION = {
  kind: 'api_smoke',
  timeout: '20s',
  service: { command: [process.execPath, 'server.mjs'], portVariable: 'SERVICE_PORT', ready: { path: '/health', status: 200, within: '10s' }, stopWithin: '3s' },
  requests: [
    { method: 'GET', path: '/health', status: 200 },
    {
      method: 'POST', path: '/notes', body: { text: 'one' }, status: 201, headers: { 'Content-Type': '^application/json' },
      json: { type: 'object', properties: { id: { type: 'integer', minimum: 1 }, text: { type: 'string', const: 'one' } }, required: ['id', 'text'], additionalProperties: false },
    },
  ],
  unknownPath: '/no-such-path',
  malformedBody: { method: 'POST', path: '/notes' },
}

/** Has announced that it is deaf before the service goes on. */
const DEAF_CHILD = `;const { spawn } = await import('node:child_process')
const child = spawn('sh', ['-c', 'trap "" TERM; echo deaf; while :; do sleep 0.2; done'], { detached: true, stdio: ['ignore', 'pipe', 'ignore'] })
await (await import('node:events')).once(child.stdout, 'data')
child.stdout.destroy()
child.unref()
`

type Change = readonly [from: string | RegExp, to: string]

/** The record for a service with one line changed, and its payload, read strictly. */
async function smoke(context: TestContext, [from, to]: Change = ['', ''], definition: Record<string, unknown> = {}, change: Partial<ProbeRequest> = {}): Promise<ProbeRecord & { payload: ApiSmokePayload }> {
  const source = SERVICE.replace(from, to)
  if (from !== '') assert.notEqual(source, SERVICE, 'the change applies')
  const record = await probe(workspaceOf(context, { 'server.mjs': source }), { ...DEFINITION, ...definition }, change)
  return { ...record, payload: ApiSmokePayload.parse(record.payload) }
}

verifies('ACC-50', 'a service that answers as declared, refuses what it should and ends when asked to passes, on a port it was given', async (context) => {
  const { status, summary, payload } = await smoke(context)
  assert.deepEqual([status, payload.error, payload.declared], ['passed', null, 2])
  assert.match(summary, /^answered 5 requests as expected and ended cleanly, in /)
  assert.deepEqual(
    payload.exchanges.map(({ purpose, method, path, expected, status: found }) => [purpose, method, path, expected, found]),
    [['declared', 'GET', '/health', '200', 200], ['declared', 'POST', '/notes', '201', 201], ['unknown_path', 'GET', '/no-such-path', '404', 404], ['malformed_body', 'POST', '/notes', '4xx', 400], ['afterwards', 'GET', '/health', '200', 200]],
  )
  assert.deepEqual(payload.end, { asked: true, exit_code: 0, signal: null, leaked: false })
  assert.deepEqual(payload.environment, ['HOME', 'LANG', 'PATH', 'TMPDIR'])
})

verifies('ACC-50', 'a service that answers otherwise than declared, or takes what no service should, fails, in words that say so', async (context) => {
  const cases: readonly (readonly [what: string, change: Change, summary: string])[] = [
    ['another status than the declared one', ['answer(response, 201', 'answer(response, 200'], 'POST /notes: answered 200, not 201'],
    ['another header', [`'content-type': 'application/json'`, `'content-type': 'text/html'`], 'POST /notes: the header Content-Type is "text/html", which ^application/json does not match'],
    ['no such header', [`{ 'content-type': 'application/json' }`, '{}'], 'POST /notes: the header Content-Type is missing'],
    ['another shape', ['id: 1, text', `id: 'one', text`], 'POST /notes: /id is a string, not an integer'],
    ['a value that is not the expected one', ['text: note.text', 'text: note.text.toUpperCase()'], 'POST /notes: /text is not "one"'],
    ['less than it should', ['id: 1, text: note.text', 'id: 1'], 'POST /notes: /text is missing, not a string'],
    ['more than it should', ['id: 1,', 'id: 1, debug: process.env,'], 'POST /notes: the value has a property that nobody named'],
    ['a body that is no JSON', ['end(JSON.stringify(value))', `end('<html>')`], 'POST /notes: the body is no JSON'],
    ['every path', ['answer(response, 404', 'answer(response, 200'], 'GET /no-such-path: answered 200, not 404, for an unknown path'],
    ['a body that is no JSON as if it were one', [/catch {.*/, 'catch { note = {} }'], 'POST /notes: answered 201, not 4xx, to a body that is no JSON'],
    ['a body that is no JSON with a failure of its own', [/catch {.*/, 'catch { return answer(response, 500, {}) }'], 'POST /notes: answered 500, not 4xx, to a body that is no JSON'],
    ['a body that is no JSON by dying', [/catch {.*/, 'catch { process.exit(1) }'], 'POST /notes: no answer (ECONN…) to a body that is no JSON; and 1 more'],
    ['a body that is no JSON, and dies of it', [/catch {.*/, `catch { response.on('close', () => process.exit(0)); return answer(response, 400, {}) }`], 'GET /health: no answer (ECONN…) after a body that is no JSON'],
  ]
  const found = await Promise.all(cases.map(async ([what, change]) => [what, await smoke(context, change)] as const))
  // Whether a service that dies resets a connection or refuses the next one is a matter of moments.
  assert.deepEqual(found.map(([what, { status, summary }]) => [what, status, summary.replace(/ECONN(?:RESET|REFUSED)/, 'ECONN…')]), cases.map(([what, , summary]) => [what, 'failed', summary]))
})

verifies('ACC-50', 'a service that does not become ready fails within the limit for readiness, in words that say how', async (context) => {
  const cases: readonly (readonly [Change, string])[] = [
    [['server.listen(', 'process.exitCode = 3; void ('], 'the service ended with code 3 before it was ready'],
    [['return answer(response, 200, {})', 'return answer(response, 503, {})'], 'the service did not become ready within 2s: /health answered 503, not 200'],
    [['return answer(response, 200, {})', 'return undefined'], 'the service did not become ready within 2s: no answer (not in time)'],
    [['Number(process.env.SERVICE_PORT)', '0'], 'the service did not become ready within 2s: no answer (ECONNREFUSED)'],
  ]
  // All at once: each of them waits for its whole limit.
  const records = await Promise.all(cases.map(([change]) => smoke(context, change, { service: { ...DEFINITION.service, ready: { path: '/health', status: 200, within: '2s' } } })))
  for (const { status, payload } of records) assert.deepEqual([status, payload.exchanges, payload.ready_after_ms], ['failed', [], null])
  assert.deepEqual(records.map(({ summary }) => summary), cases.map(([, summary]) => summary))
})

verifies('ACC-50', 'a service that does not end as it should fails, although it answered as declared', async (context) => {
  const cases: readonly (readonly [what: string, change: Change, end: string])[] = [
    ['is deaf to SIGTERM', ['() => server.close()', '() => {}'], 'did not end within 1s of SIGTERM'],
    ['ends with a failure', ['() => server.close()', '() => process.exit(7)'], 'ended with code 7 when it was asked to end'],
    ['leaves a process behind', ['server.listen(', `${DEAF_CHILD}server.listen(`], 'left processes behind when it ended'],
  ]
  const found = await Promise.all(cases.map(async ([what, change]) => [what, await smoke(context, change, { service: { ...DEFINITION.service, stopWithin: '1s' } })] as const))
  assert.deepEqual(found.map(([what, { status, summary }]) => [what, status, summary]), cases.map(([what, , end]) => [what, 'failed', `the service answered as declared, but it ${end}`]))
})

test('a service that nothing tells to catch SIGTERM ends cleanly by it', async (context) => {
  const record = await smoke(context, ["process.on('SIGTERM', () => server.close())", ''])
  assert.deepEqual([record.status, record.payload.end], ['passed', { asked: true, exit_code: null, signal: 'SIGTERM', leaked: false }])
})

verifies('ACC-69 ACC-44', 'at its limit, or when it is cancelled, the service ends with everything it started, each under its own status', async (context) => {
  const pids = workspaceOf(context, {})
  const child = `;(await import('node:child_process')).spawn('sh', ['-c', 'trap "" TERM; echo $$ > ${pids}/NAME; while :; do sleep 0.2; done'], { detached: true, stdio: 'ignore' }); server.listen(`
  const hang: Record<string, unknown> = { requests: [{ method: 'GET', path: '/health', status: 200 }], unknownPath: '/hangs' }
  const hanging = (name: string): Change => [/if \(request\.url !== '\/notes'[^\n]*\n([^]*)server\.listen\(/, `if (request.url !== '/notes') return undefined\n$1${child.replace('NAME', name)}`]
  const limited = await smoke(context, hanging('limited'), { ...hang, timeout: '1500ms' })
  assert.deepEqual([limited.status, limited.summary], ['timed_out', 'did not end within 1500ms'])
  const cancel = new AbortController()
  const running = smoke(context, hanging('cancelled'), hang, { signal: cancel.signal })
  while (!existsSync(join(pids, 'cancelled')) || readFileSync(join(pids, 'cancelled'), 'utf8') === '') await wait(10)
  cancel.abort()
  assert.equal((await running).status, 'cancelled')
  for (const name of ['limited', 'cancelled']) assert.equal(processIdentity(Number(readFileSync(join(pids, name), 'utf8'))), undefined, name)
})

verifies('ACC-46', 'a service that is not there is an error on record', async (context) => {
  const record = await smoke(context, undefined, { service: { ...DEFINITION.service, command: ['no-such-program-anywhere'] } })
  assert.deepEqual([record.status, record.payload.error, record.summary], ['error', 'ENOENT', 'the service could not be started: ENOENT'])
})

verifies('ACC-48', 'a credential that a service is asked with, or answers with, is in no record', async (context) => {
  const asked = await smoke(context, undefined, { requests: [{ method: 'POST', path: '/notes', body: { text: SECRET }, status: 201 }] })
  assert.deepEqual([asked.status, asked.summary], ['error', 'was not begun: its definition holds a credential'])
  const answered = await smoke(context, [`'content-type': 'application/json' }`, `'content-type': ${JSON.stringify(SECRET)} }`])
  assert.equal(answered.status, 'failed')
  for (const record of [asked, answered]) assert.equal(JSON.stringify(record).includes(SECRET), false)
})

verifies('ACC-49', 'a service that writes into the workspace does not pass, unless its definition allows it', async (context) => {
  const writing: Change = ['server.listen(', `;(await import('node:fs')).writeFileSync('data.json', '[]'); server.listen(`]
  const flagged = await smoke(context, writing)
  assert.deepEqual([flagged.status, flagged.changed_workspace], ['failed', true])
  const allowed = await smoke(context, writing, { allowsWrites: true })
  assert.deepEqual([allowed.status, allowed.changed_workspace], ['passed', true])
})

test('an answer without end is cut off, and is none', async (context) => {
  const record = await smoke(context, ['answer(response, 201, { id: 1, text: note.text })', `response.writeHead(201); const more = () => response.write('x'.repeat(65536), more); more()`])
  assert.deepEqual([record.status, record.summary], ['failed', 'POST /notes: an answer of more than 1048576 bytes'])
})
