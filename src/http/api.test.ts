import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { request } from 'node:http'
import { join, relative } from 'node:path'
import { after, before, test } from 'node:test'
import * as z from 'zod'
import { type InProcess, inProcessServer } from '../../test/helpers/in-process-server.ts'
import { ERROR_TABLE } from '../contract/errors.ts'
import { REASON_TABLE } from '../contract/reasons.ts'
import { Problem } from './problem.ts'
import { ROUTES } from './index.ts'

const cleanUp: (() => unknown)[] = []
let running: InProcess

before(async () => {
  running = await inProcessServer({ after: (act) => void cleanUp.push(act as () => unknown) })
})
after(async () => {
  for (const act of cleanUp.reverse()) await act()
})

const get = (path: string, headers: Readonly<Record<string, string>> = {}) => running.ask(path, { token: running.admin, headers })
const post = (path: string, body: unknown, headers: Readonly<Record<string, string>> = {}) => running.ask(path, { method: 'POST', token: running.admin, body, headers })

/** The problem of an answer, which must be a whole one, of its own status and by the table. */
function problemOf(answer: Awaited<ReturnType<typeof get>>): Problem {
  assert.equal(answer.headers['content-type'], 'application/problem+json')
  const read = Problem.parse(answer.json())
  const table: Readonly<Record<string, { readonly http: number; readonly title: string }>> = { ...ERROR_TABLE, ...REASON_TABLE }
  assert.deepEqual([read.status, read.status, read.title], [answer.status, table[read.code]?.http, table[read.code]?.title])
  for (const text of [read.detail, read.asked, read.found, read.remedy]) assert.notEqual(text, '')
  return read
}

test('a refusal of a gate and a fault are problems with their code, what was asked, what was found and what to do', async () => {
  const refused = problemOf(await get('/profiles/nobody/resolution?purpose=ticket'))
  assert.deepEqual([refused.status, refused.code], [404, 'profile_unknown'])
  assert.equal(problemOf(await get('/profiles/pi_scripted/resolution?purpose=preflight-x')).code, 'purpose_unknown')
  assert.equal(problemOf(await get('/runs/20260601T013918Z-nothing-1')).code, 'run_not_found')
  assert.equal(problemOf(await get('/runs/20260601T013918Z-nothing-1/bundle')).code, 'run_not_found')
  assert.equal(problemOf(await post('/runs', { task: 'gone.yaml' })).code, 'file_missing')
  assert.equal(problemOf(await post('/tokens/tok_0000000000000000/revoke', {})).code, 'token_not_found')
  assert.equal(problemOf(await get('/nowhere')).code, 'route_unknown')
})

test('what no shape describes is refused: unknown fields, parameters and ids, other JSON, too much', async () => {
  for (const [answer, found] of [
    [await post('/runs', { task: 'task.yaml', force: true }), /Unrecognized key/],
    [await post('/runs', {}), /the body\.task/],
    [await post('/runs', 'not json'), /not JSON/],
    [await post('/runs', '[1]'), /the body/],
    [await get('/runs?limit=0'), /the query\.limit/],
    [await get('/runs?limit=501'), /the query\.limit/],
    [await get('/runs?cursor=x'), /the query\.cursor/],
    [await get('/runs?all=1'), /Unrecognized key/],
    [await get('/runs?limit=1&limit=2'), /stands twice/],
    [await get('/runs/nonsense'), /the address\.run/],
    [await post('/probes', { profiles: [] }), /the body\.profiles/],
    [await get('/events', { 'last-event-id': '-1' }), /something else/],
  ] as const) {
    const told = problemOf(answer)
    assert.deepEqual([told.status, told.code], [422, 'request_invalid'])
    assert.match(told.found, found)
  }
  assert.equal(problemOf(await post('/runs', { task: 'x'.repeat(1_100_000) })).code, 'body_too_large')
  assert.equal(problemOf(await post('/runs', { task: 'x'.repeat(1_100_000) }, { 'transfer-encoding': 'chunked' })).code, 'body_too_large')
})

test('a task or record outside the project is not read', async () => {
  for (const task of ['/etc/passwd', '../task.yaml', '..', join(running.made.directory, '../x.yaml')]) {
    const told = problemOf(await post('/runs', { task }))
    assert.equal(told.code, 'usage')
    assert.match(told.asked, /below the directory of portcullis\.yaml/)
  }
  assert.match(problemOf(await post('/runs', { task: 'task.yaml', admission: '/etc/passwd' })).asked, /the admission record below/)
})

test('what an agent left in a workspace neither orders a run nor admits a model; nor does any file but those among the admissions', async () => {
  const { directory } = running.made
  const workspace = join(directory, '.portcullis/runs/2026-05-27-slugify-1/workspace')
  mkdirSync(join(workspace, 'admissions'), { recursive: true })
  for (const name of ['task.yaml', 'admissions/scripted--coder-1.json']) cpSync(join(directory, name), join(workspace, name))
  cpSync(join(directory, 'admissions/scripted--coder-1.json'), join(directory, 'record.json'))
  symlinkSync(join(directory, 'record.json'), join(directory, 'admissions/linked.json'))
  const left = relative(directory, workspace)
  assert.match(problemOf(await post('/runs', { task: join(left, 'task.yaml') })).asked, /outside the state directory/)
  for (const admission of [join(left, 'admissions/scripted--coder-1.json'), 'record.json', 'admissions/linked.json', 'admissions']) {
    const told = problemOf(await post('/runs', { task: 'task.yaml', admission }))
    assert.deepEqual([told.status, told.code], [400, 'usage'], admission)
  }
  for (const name of ['record.json', 'admissions/linked.json']) rmSync(join(directory, name))
})

const Page = z.object({ runs: z.array(z.object({ runId: z.string(), number: z.int() })), next: z.string().nullable() })

test('runs come in pages, newest first, and a run that begins in between moves none', async () => {
  const begin = (taskId: string) => running.server.ledger.begin({ kind: 'probe', taskId, startedAt: new Date(0) })
  for (let count = 0; count < 7; count += 1) await begin('page')
  const first = Page.parse((await get('/runs?limit=3')).json())
  await begin('late')
  const seen = [...first.runs]
  for (let { next } = first; next !== null; ) {
    const page = Page.parse((await get(`/runs?limit=3&cursor=${next}`)).json())
    seen.push(...page.runs)
    ;({ next } = page)
  }
  assert.deepEqual(seen.map(({ number }) => number), seen.map((_, index) => (first.runs[0]?.number ?? 0) - index))
  assert.equal(seen.at(-1)?.number, 1)
  assert.equal(seen.length, first.runs[0]?.number)
})

test('a write under an idempotency key is done once: the same request gets the same answer, another is refused', async () => {
  const key = { 'idempotency-key': randomUUID() }
  const { id } = z.object({ id: z.string() }).parse((await post('/tokens', { kind: 'reader', name: 'once', expires: '1h' })).json())
  const first = await post(`/tokens/${id}/revoke`, {}, key)
  const again = await post(`/tokens/${id}/revoke`, {}, key)
  assert.match(first.text, /"changed": true/)
  assert.deepEqual([again.status, again.text, again.headers['idempotency-replayed']], [200, first.text, 'true'])
  assert.match((await post(`/tokens/${id}/revoke`, {})).text, /"changed": false/)
  assert.equal(problemOf(await post(`/tokens/${id}/renew`, { expires: '1h' }, key)).code, 'idempotency_key_reused')
  assert.equal(problemOf(await post('/tokens/tok_1111111111111111/revoke', {}, key)).status, 422)
  const other = await running.token('admin')
  assert.match((await running.ask(`/tokens/${id}/revoke`, { method: 'POST', token: other, body: {}, headers: key })).text, /"changed": false/, 'a key belongs to its holder')
  assert.equal(problemOf(await post('/tokens', {}, { 'idempotency-key': 'ä'.repeat(3) })).code, 'request_invalid')
})

test('a refusal is given again under its key, and a token is not', async () => {
  const key = { 'idempotency-key': randomUUID() }
  const first = await post('/runs', { task: 'gone.yaml' }, key)
  const again = await post('/runs', { task: 'gone.yaml' }, key)
  assert.deepEqual([again.status, again.text, again.headers['idempotency-replayed']], [404, first.text, 'true'])
  const once = { 'idempotency-key': randomUUID() }
  const created = await post('/tokens', { kind: 'reader', name: 'shown-once', expires: '1h' }, once)
  assert.equal(created.status, 201)
  const { token } = z.object({ token: z.string() }).parse(created.json())
  assert.equal(problemOf(await post('/tokens', { kind: 'reader', name: 'shown-once', expires: '1h' }, once)).code, 'outcome_unknown')
  const database = running.database()
  assert.equal(JSON.stringify(database.prepare('SELECT * FROM kept_answer').all()).includes(token), false)
  database.close()
  assert.equal((await running.server.store.tokens()).filter(({ name }) => name === 'shown-once').length, 1)
})

test('two requests under one key at once are one', async () => {
  const key = { 'idempotency-key': randomUUID() }
  const before = (await running.server.ledger.list()).length
  const answers = await Promise.all([1, 2, 3].map(() => post('/probes', { profiles: ['pi_scripted'] }, key)))
  assert.equal((await running.server.ledger.list()).length, before + 1)
  assert.deepEqual(answers.map(({ status }) => String(status)).toSorted(), ['200', '409', '409'])
})

interface Seen {
  readonly id: number
  readonly event: string
  readonly data: { readonly run_id: string }
}

/** Events from the stream until `enough` holds; then the client leaves. */
function eventsUntil(path: string, headers: Readonly<Record<string, string>>, enough: (seen: readonly Seen[]) => boolean): Promise<readonly Seen[]> {
  return new Promise((resolve, reject) => {
    const sent = request(new URL(path, running.address), { headers: { authorization: `Bearer ${running.admin}`, ...headers }, agent: false }, (answer) => {
      assert.equal(answer.headers['content-type'], 'text/event-stream')
      let text = ''
      answer.on('data', (chunk: Buffer) => {
        text += chunk.toString('utf8')
        const seen = text.split('\n\n').slice(0, -1).flatMap((block) => {
          const match = /^id: (\d+)\nevent: (\S+)\ndata: (.*)$/.exec(block)
          return match === null ? [] : [{ id: Number(match[1]), event: match[2] ?? '', data: z.object({ run_id: z.string() }).parse(JSON.parse(match[3] ?? '')) }]
        })
        if (!enough(seen)) return
        sent.destroy()
        resolve(seen)
      })
    })
    sent.on('error', reject)
    sent.end()
  })
}

test('every change is told as it enters the ledger, and Last-Event-ID goes on behind what was seen, without a gap or a repetition', async () => {
  const live = eventsUntil('/events', {}, (seen) => seen.some(({ event }) => event === 'run_ended'))
  // The stream begins with what is to come, so it must stand before anything is asked.
  await until(() => running.log.some((line) => line.includes('"/events"')))
  await post('/probes', { profiles: ['pi_scripted'] })
  const seen = await live
  assert.deepEqual([...new Set(seen.map(({ event }) => event))], ['run_opened', 'verdict', 'run_ended'])
  assert.equal(seen.filter(({ event }) => event === 'verdict').length, 3)
  const middle = seen[1]?.id ?? 0
  const later = await eventsUntil('/events', { 'last-event-id': String(middle) }, (resumed) => resumed.some(({ event }) => event === 'run_ended'))
  assert.deepEqual(later, seen.slice(2))
  const all = await eventsUntil('/events?after=0', {}, (events) => events.some(({ id }) => id === seen.at(-1)?.id))
  assert.deepEqual(all.slice(-seen.length), seen)
})

async function until(condition: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 20_000; !condition(); ) {
    if (Date.now() > deadline) throw new Error('waited in vain')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

test('calls, admissions and the resolution are what the commands print', async () => {
  const calls = z.object({ calls: z.array(z.object({ run_id: z.string(), servedModel: z.string() })) }).parse((await get('/calls?limit=1')).json())
  assert.equal(calls.calls.length, 1)
  assert.match((await get('/admissions?soon_days=30')).text, /"scripted/)
  assert.equal((await get('/profiles/pi_scripted/admission?purpose=ticket')).status, 200)
  const { resolution } = z.object({ resolution: z.record(z.string(), z.unknown()) }).parse((await get('/profiles/pi_scripted/resolution?purpose=ticket')).json())
  assert.deepEqual(resolution, JSON.parse((await running.made.portcullis(['resolve', 'pi_scripted', '--purpose', 'ticket', '--json'])).stdout))
})

const Operation = z.looseObject({ operationId: z.string(), security: z.array(z.unknown()), responses: z.record(z.string(), z.unknown()), parameters: z.array(z.looseObject({ name: z.string(), in: z.string(), schema: z.looseObject({}) })) })
const Document = z.looseObject({ openapi: z.literal('3.1.0'), info: z.looseObject({ title: z.string(), version: z.string() }), paths: z.record(z.string().startsWith('/'), z.partialRecord(z.enum(['get', 'post', 'patch', 'delete']), Operation)) })

test('openapi.json is served as it is published, holds every route and no other, and names what its addresses hold', async () => {
  const published = readFileSync(join(import.meta.dirname, '../../spec/openapi.json'), 'utf8')
  assert.equal((await get('/openapi.json')).text, published)
  const { paths } = Document.parse(JSON.parse(published))
  const described = Object.entries(paths).flatMap(([path, operations]) => Object.entries(operations).map(([method, operation]) => ({ path, method, operation: Operation.parse(operation) })))
  assert.deepEqual(described.map(({ path, method }) => `${method.toUpperCase()} ${path}`).toSorted(), ROUTES.map(({ path, method }) => `${method} ${path}`).toSorted())
  for (const { path, operation } of described) {
    const route = ROUTES.find(({ id }) => id === operation.operationId)
    assert.deepEqual([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name), operation.parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name), path)
    assert.equal(operation.security.length === 0, route?.kinds === 'everybody', path)
    assert.ok('default' in operation.responses && String(route?.answer.status) in operation.responses)
    for (const { schema } of operation.parameters) z.fromJSONSchema(schema)
  }
})
