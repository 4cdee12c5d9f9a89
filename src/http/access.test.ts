import assert from 'node:assert/strict'
import { request } from 'node:http'
import { after, before, test } from 'node:test'
import * as z from 'zod'
import { type InProcess, inProcessServer } from '../../test/helpers/in-process-server.ts'
import type { Asking } from '../../test/helpers/served-api.ts'
import { verifies } from '../../test/verifies.ts'
import { ACCESS_KINDS, type AccessKind } from '../contract/access.ts'
import { createAccessToken, createRunToken } from '../contract/ids.ts'
import { ROUTES } from './index.ts'
import type { Route } from './route.ts'

const LOOK = ['admin', 'operator', 'reader'] as const
const WORK = ['admin', 'operator'] as const
const RULE = ['admin'] as const
/** A live session completes its turn there, by the token of its own connection. */
const MCP = ['admin', 'operator', 'reader', 'run'] as const
/** A worker sees tickets, claims them and reports. */
const SEE = ['admin', 'operator', 'reader', 'worker'] as const
const DO = ['admin', 'operator', 'worker'] as const

/** Written by hand, beside the table of routes: a route that opens to more must be opened here as well. */
const EXPECTED: Readonly<Record<string, readonly AccessKind[] | 'everybody'>> = {
  livez: 'everybody', readyz: 'everybody', healthz: 'everybody', openapi: 'everybody',
  metrics: LOOK, self: ['admin', 'operator', 'reader', 'worker', 'run'], openSession: LOOK, closeSession: LOOK,
  listRuns: LOOK, startRun: WORK, showRun: LOOK, cancelRun: WORK, resumeRun: WORK, showReport: LOOK, showReportText: LOOK, showTrace: LOOK, showBundle: LOOK,
  listQueue: LOOK, showQueued: LOOK, queueRun: WORK,
  listProfiles: LOOK, resolveProfile: LOOK, probe: WORK, verifyRun: LOOK, listCalls: LOOK, listAdmissions: LOOK, checkAdmission: LOOK,
  listTokens: RULE, createToken: RULE, revokeToken: RULE, renewToken: RULE, listAccess: RULE,
  listAgents: LOOK, showAgent: LOOK, startAgent: WORK, restartAgent: WORK, wakeAgent: WORK, stopAgent: WORK, drainAgent: WORK, messageAgent: WORK,
  registerAgent: ['admin', 'operator', 'worker'], beatAgent: ['admin', 'operator', 'worker', 'run'],
  listTickets: SEE, createTicket: DO, exportTickets: LOOK, importTickets: WORK, claimNextTicket: DO, releaseExpiredClaims: WORK, listTicketPhases: SEE, showTicket: SEE, listTicketEvents: SEE, moveTicket: WORK, commentTicket: DO,
  claimTicket: DO, renewTicketClaim: DO, triageTicket: DO, chooseTicketPhases: WORK, ticketReviewReady: DO, attachToTicket: DO, showTicketAttachment: SEE, addTicketItems: WORK, judgeTicketItem: WORK, closeTicket: WORK,
  showTicketSession: SEE, showTicketTranscript: SEE, listTicketTurns: SEE, messageTicket: DO, editQueuedMessage: WORK, removeQueuedMessage: WORK, startTicketSession: WORK, interruptTicketSession: WORK, restartTicketSession: WORK, answerTicketSession: WORK,
  showOverview: LOOK, showMatrix: LOOK, listAliases: LOOK, listKeys: LOOK, listVerdicts: LOOK, showPatch: LOOK, listPictures: LOOK, listProbeOutputs: LOOK, showPicture: LOOK, approveRender: WORK,
  showTicketBoard: SEE, listActs: LOOK, showDrill: LOOK, beginDrill: WORK, showDoctor: LOOK, askDoctor: WORK,
  followEvents: LOOK, callMcp: MCP, listenMcp: MCP,
}

const MINUTE_MS = 61_000
const cleanUp: (() => unknown)[] = []
let running: InProcess
const tokens = new Map<AccessKind, string>()

before(async () => {
  running = await inProcessServer({ after: (act) => void cleanUp.push(act as () => unknown) })
  for (const kind of ACCESS_KINDS) tokens.set(kind, await running.token(kind))
})
after(async () => {
  for (const act of cleanUp.reverse()) await act()
})

/** A request that reaches the route and does nothing: its id, its body or its header is none. */
const harmless = (route: Route): [string, Asking] => [route.path.replace(/\{\w+\}/g, '~'), { method: route.method, headers: { 'last-event-id': '~' }, ...(route.method === 'GET' ? {} : { body: route.id === 'openSession' || route.id === 'closeSession' ? {} : { '~': 1 } }) }]
const isOpen = (status: number): boolean => status !== 401 && status !== 403 && status !== 429 && status < 500 && status !== 404

const decisions = () => running.server.store.decisionsAfter(0, 100_000)

verifies('AUT-03', 'every route is open to exactly the kinds that stand in the matrix, and to nobody without a token in force', async () => {
  assert.deepEqual(ROUTES.map(({ id }) => id).toSorted(), Object.keys(EXPECTED).toSorted())
  const expired = await running.token('admin', new Date(running.options.clock().getTime() + 1_000))
  const revoked = await running.token('admin')
  const [newest] = await running.server.store.tokens()
  const all = await running.server.store.tokens()
  const ofRevoked = all.find(({ name, revokedAt, expiresAt }) => name === 'admin' && revokedAt === null && expiresAt === newest?.expiresAt)
  assert.equal((await running.ask(`/tokens/${ofRevoked?.id}/revoke`, { method: 'POST', token: running.admin })).status, 200)
  const nobody: readonly (readonly [string, string | undefined])[] = [
    ['no token', undefined], ['an expired one', expired], ['a revoked one', revoked], ['an unknown one', createAccessToken()], ['an unknown run token', createRunToken()],
    ['a malformed one', `${running.admin}x`], ['an empty one', ''], ['a truncated one', running.admin.slice(0, -1)],
  ]
  for (const route of ROUTES) {
    const [path, asking] = harmless(route)
    const expected = EXPECTED[route.id]
    running.wait(MINUTE_MS)
    await Promise.all([
      ...ACCESS_KINDS.map(async (kind) => {
        const { status } = await running.ask(path, { ...asking, token: tokens.get(kind) })
        if (expected === 'everybody' || expected?.includes(kind) === true) assert.ok(isOpen(status), `${route.id} for ${kind}: ${status}`)
        else assert.equal(status, 403, `${route.id} for ${kind}`)
      }),
      ...nobody.map(async ([what, token]) => {
        const { status } = await running.ask(path, { ...asking, token })
        if (expected === 'everybody') assert.equal(status, 200, `${route.id} with ${what}`)
        else assert.equal(status, 401, `${route.id} with ${what}`)
      }),
    ])
  }
})

test('what is no route is answered to nobody, whatever the method', async () => {
  for (const [method, path] of [['GET', '/'], ['GET', '/runs/'], ['PUT', '/runs'], ['PATCH', '/tokens'], ['OPTIONS', '/runs'], ['TRACE', '/livez'], ['POST', '/livez'], ['GET', '/RUNS']] as const) {
    running.wait(MINUTE_MS)
    const { status, headers } = await running.ask(path, { method, token: running.admin })
    assert.ok(status === 404 || status === 405, `${method} ${path}: ${status}`)
    assert.equal(headers['access-control-allow-origin'], undefined)
  }
  assert.equal((await running.ask('/runs', { method: 'HEAD' })).status, 401)
  assert.equal((await running.ask('/runs', { method: 'HEAD', token: running.admin })).status, 200)
})

verifies('AUT-06', 'whatever was wrong, the answer is the same, and the ledger holds what it was', async () => {
  const session = 'c2Vzc2lvbg'
  const cases: readonly (readonly [string, Asking])[] = [
    ['no_token', {}],
    ['token_malformed', { token: 'nonsense' }],
    ['token_unknown', { token: createAccessToken() }],
    ['token_unknown', { token: createRunToken() }],
    ['session_unknown', { headers: { cookie: `__Host-portcullis=${session}`, origin: running.address, 'sec-fetch-site': 'same-origin' } }],
    ['two_tokens', { headers: { authorization: [`Bearer ${running.admin}`, `Bearer ${running.admin}`] } }],
  ]
  const bodies = new Set<string>()
  for (const [denial, asking] of cases) {
    running.wait(MINUTE_MS)
    const { status, text } = await running.ask('/tokens', asking)
    assert.equal(status, 401, denial)
    bodies.add(text)
    const last = (await decisions()).at(-1)
    assert.deepEqual([last?.permitted, last?.denial, last?.route, last?.method, last?.holder], [false, denial, '/tokens', 'GET', null])
  }
  assert.equal(bodies.size, 1)
})

verifies('AUT-06', 'each request leaves one decision in the ledger, permitted or not, and none of them holds a token', async () => {
  const count = (await decisions()).length
  await running.ask('/runs', { token: running.admin })
  await running.ask('/runs', { token: tokens.get('worker') })
  await running.ask('/runs')
  const added = (await decisions()).slice(count)
  assert.deepEqual(added.map(({ route, permitted, denial, kind }) => [route, permitted, denial, kind]), [['/runs', true, null, 'admin'], ['/runs', false, 'kind_not_permitted', 'worker'], ['/runs', false, 'no_token', null]])
  const database = running.database()
  const stored = JSON.stringify([database.prepare('SELECT * FROM access_decision').all(), database.prepare('SELECT * FROM access_token').all(), database.prepare('SELECT * FROM kept_answer').all()])
  assert.throws(() => database.exec('DELETE FROM access_decision'), /append-only/)
  assert.throws(() => database.exec('UPDATE access_decision SET permitted = 1, denial = NULL'), /append-only/)
  database.close()
  for (const token of [running.admin, ...tokens.values()]) assert.equal(stored.includes(token) || running.log.join('').includes(token), false)
})

verifies('AUT-06', 'failed attempts are limited by address; who was let in before goes on, and a guess that is right has to wait as well', async () => {
  running.wait(MINUTE_MS)
  assert.equal((await running.ask('/runs', { token: running.admin })).status, 200)
  const statuses: number[] = []
  for (let attempt = 0; attempt < 23; attempt += 1) statuses.push((await running.ask('/runs', { token: createAccessToken() })).status)
  assert.deepEqual(statuses, [...Array.from({ length: 20 }, () => 401), 429, 429, 429])
  const fresh = await running.token('reader')
  const limited = await running.ask('/runs', { token: fresh })
  assert.equal(limited.status, 429)
  assert.match(String(limited.headers['retry-after']), /^\d+$/)
  assert.equal((await running.ask('/runs', { token: running.admin })).status, 200)
  assert.equal((await decisions()).filter(({ denial }) => denial === 'attempts_limited').length, 4)
  running.wait(MINUTE_MS)
  assert.equal((await running.ask('/runs', { token: fresh })).status, 200)
})

verifies('AUT-02', 'every route refuses a request that a page of another origin may have caused, before it looks at the token', async () => {
  const { port } = new URL(running.address)
  const strange: readonly Readonly<Record<string, string | readonly string[]>>[] = [
    { host: 'evil.example' }, { host: `evil.example:${port}` }, { host: '127.0.0.1' }, { host: `127.0.0.1.evil.example:${port}` }, { host: `localhost:${Number(port) + 1}` },
    { origin: 'https://evil.example' }, { origin: 'null' }, { origin: `http://localhost:${port}` }, { 'sec-fetch-site': 'cross-site' }, { 'sec-fetch-site': 'same-site' }, { origin: [running.address, 'https://evil.example'] },
  ]
  for (const route of ROUTES) {
    const [path, asking] = harmless(route)
    await Promise.all(strange.map(async (headers) => {
      const { status } = await running.ask(path, { ...asking, token: running.admin, headers: { ...asking.headers, ...headers } })
      assert.equal(status, 403, `${route.id} ${JSON.stringify(headers)}`)
    }))
    const denials = (await decisions()).slice(-strange.length).map(({ permitted, denial }) => `${permitted} ${denial}`)
    assert.deepEqual(denials.toSorted(), [...Array.from({ length: 5 }, () => 'false host_refused'), ...Array.from({ length: 6 }, () => 'false origin_refused')])
  }
  assert.equal((await running.ask('/nowhere', { headers: { host: 'evil.example' } })).status, 403)
  for (const host of [`localhost:${port}`, `127.0.0.1:${port}`]) assert.equal((await running.ask('/runs', { token: running.admin, headers: { host, origin: `http://${host}`, 'sec-fetch-site': 'same-origin' } })).status, 200)
})

verifies('AUT-05', 'what changes something needs application/json, whatever the token', async () => {
  for (const route of ROUTES.filter(({ method }) => method !== 'GET')) {
    const [path, asking] = harmless(route)
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data', 'application/jsonx', '']) {
      assert.equal((await running.ask(path, { ...asking, token: running.admin, headers: { 'content-type': type } })).status, 415, `${route.id} ${type}`)
    }
  }
})

verifies('AUT-05', 'a session is a cookie that no script, no other host and no other site can use, and changes nothing without its own origin', async () => {
  const opened = await running.ask('/session', { method: 'POST', token: running.admin })
  assert.equal(opened.status, 204)
  const cookie = z.array(z.string()).parse(opened.headers['set-cookie'])[0] ?? ''
  assert.match(cookie, /^__Host-portcullis=[A-Za-z0-9_-]{43}; Path=\/; Secure; HttpOnly; SameSite=Strict$/)
  const headers = { cookie: cookie.split(';')[0] ?? '' }
  const own = { ...headers, origin: running.address, 'sec-fetch-site': 'same-origin' }
  const create = { method: 'POST', body: { kind: 'reader', name: 'by-session', expires: '1h' } }
  assert.equal((await running.ask('/tokens', { headers: own })).status, 200)
  assert.equal((await running.ask('/tokens', { headers: { ...headers, 'sec-fetch-site': 'same-origin' } })).status, 200)
  assert.equal((await running.ask('/tokens', { ...create, headers: own })).status, 201)
  for (const without of [headers, { ...headers, 'sec-fetch-site': 'same-origin' }, { ...headers, 'sec-fetch-site': 'none' }, { ...own, 'sec-fetch-site': 'cross-site' }, { ...own, origin: 'https://evil.example' }]) {
    assert.equal((await running.ask('/tokens', { ...create, headers: without })).status, 403, JSON.stringify(without))
  }
  assert.equal((await running.ask('/tokens', { headers })).status, 403, 'nothing says that our own page asks')
  assert.equal((await running.ask('/session', { method: 'POST', headers: own })).status, 422, 'a session makes no session')
  assert.equal((await running.ask('/session', { method: 'DELETE', headers: own })).status, 204)
  running.wait(MINUTE_MS)
  assert.equal((await running.ask('/tokens', { headers: own })).status, 401)
})

test('who signs out sees no further row on a stream that was open', async () => {
  const cookie = z.array(z.string()).parse((await running.ask('/session', { method: 'POST', token: running.admin })).headers['set-cookie'])[0]?.split(';')[0] ?? ''
  const own = { cookie, origin: running.address, 'sec-fetch-site': 'same-origin' }
  let seen = ''
  const { promise: ended, resolve: end, reject } = Promise.withResolvers<void>()
  const sent = request(new URL('/events', running.address), { headers: own, agent: false })
  sent.once('error', reject)
  await new Promise<void>((resolve) => {
    sent.once('response', (answer) => {
      assert.equal(answer.statusCode, 200)
      answer.on('data', (chunk: Buffer) => (seen += chunk.toString('utf8')))
      answer.once('end', () => end())
      resolve()
    })
    sent.end()
  })
  const { runId } = await running.server.ledger.begin({ kind: 'probe', taskId: 'signed-out', startedAt: new Date() })
  const row = (type: 'process_started' | 'process_ended') => running.server.ledger.append({ runId, events: [{ type, at: new Date().toISOString(), data: {} }] })
  await row('process_started')
  while (!seen.includes('event: process_started')) await new Promise((resolve) => setTimeout(resolve, 5))
  assert.equal((await running.ask('/session', { method: 'DELETE', headers: own })).status, 204)
  await row('process_ended')
  await ended
  assert.equal(seen.includes('event: process_ended'), false)
})

verifies('AUT-04 AUT-05', 'revoking a token ends its sessions, and its last use stands in the list', async () => {
  const { token, id } = z.object({ token: z.string(), id: z.string() }).parse((await running.ask('/tokens', { method: 'POST', token: running.admin, body: { kind: 'operator', name: 'to-end', expires: '1h' } })).json())
  const cookie = z.array(z.string()).parse((await running.ask('/session', { method: 'POST', token })).headers['set-cookie'])[0]?.split(';')[0] ?? ''
  const own = { cookie, origin: running.address, 'sec-fetch-site': 'same-origin' }
  assert.equal((await running.ask('/runs', { headers: own })).status, 200)
  const stored = (await running.server.store.token(id))
  assert.notEqual(stored?.lastUsedAt, null)
  assert.equal((await running.ask(`/tokens/${id}/revoke`, { method: 'POST', token: running.admin })).status, 200)
  running.wait(MINUTE_MS)
  assert.equal((await running.ask('/runs', { headers: own })).status, 401)
  assert.equal((await running.ask('/runs', { token })).status, 401)
  const database = running.database()
  assert.throws(() => database.exec(`UPDATE access_token SET revoked_at = NULL WHERE id = '${id}'`), /stays revoked/)
  assert.throws(() => database.exec(`UPDATE access_token SET kind = 'admin' WHERE id = '${id}'`), /final/)
  assert.throws(() => database.exec(`UPDATE access_token SET expires_at = '9999-01-01T00:00:00.000Z' WHERE id = '${id}'`), /final/)
  database.close()
})

test('nobody is let in while the decision cannot be stored', async () => {
  const other = running.database()
  other.exec('BEGIN IMMEDIATE')
  const { status, text } = await running.ask('/runs', { token: running.admin })
  other.exec('ROLLBACK')
  other.close()
  assert.equal(status, 503)
  assert.match(text, /"code": "store_busy"/)
  assert.equal((await running.ask('/runs', { token: running.admin })).status, 200)
})
