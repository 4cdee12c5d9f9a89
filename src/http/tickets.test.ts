import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import * as z from 'zod'
import { type InProcess, inProcessServer } from '../../test/helpers/in-process-server.ts'
import { verifies } from '../../test/verifies.ts'
import { replay, Ticket, TicketEvent, TicketView } from '../app/ticket-shapes.ts'
import { Problem } from './problem.ts'

const cleanUp: (() => unknown)[] = []
let running: InProcess
let worker = ''

before(async () => {
  running = await inProcessServer({ after: (act) => void cleanUp.push(act as () => unknown) })
  worker = await running.token('worker')
  const path = join(running.made.directory, 'portcullis.yaml')
  writeFileSync(path, `${readFileSync(path, 'utf8')}\ntickets:\n  triage:\n    threshold: 0.7\n    rules:\n      - { agent: luci, skill: code changes, labels: [code], words: [probe] }\n  phases:\n    work: { kind: agent, title: Start Dev }\n    gate: { kind: decision, title: Orchestrator gate }\n`)
})
after(async () => {
  for (const act of cleanUp.reverse()) await act()
})

const DRAFT = { title: 'Provider profile health-probe', description: 'Finding (Codex): a direct call goes unchecked.', priority: 'medium', project: 'mission-control', kind: 'code', labels: ['code'], source: { reference: 'FINAL-ASSESSMENT.md Item #9', key: 'MC-4458', url: null }, acceptance: [{ id: 1, text: 'a probe for each profile' }], repositories: ['../workspace'] }
const post = (path: string, body: unknown, token = running.admin, headers: Readonly<Record<string, string>> = {}) => running.ask(path, { method: 'POST', token, body, headers })
const get = (path: string, token = running.admin) => running.ask(path, { token })
const create = async (more: object = {}): Promise<string> => TicketView.parse((await post('/tickets', { ...DRAFT, ...more })).json()).ticket.id
const problemOf = (answer: { json(): unknown }): Problem => Problem.parse(answer.json())
const Events = z.object({ events: z.array(TicketEvent), next: z.string().nullable() })

verifies('MC-001 MC-009', 'a ticket is answered with all of its fields, and with five cards that are drawn from them', async () => {
  const id = await create()
  const answer = await get(`/tickets/${id}`)
  const { ticket, cards, status, working } = TicketView.parse(answer.json())
  assert.deepEqual([ticket.description, ticket.source?.url], [DRAFT.description, null])
  assert.deepEqual([ticket.id, ticket.title, ticket.description, ticket.source?.reference, ticket.source?.key, ticket.priority, ticket.project, ticket.requester, ticket.owner], [id, DRAFT.title, DRAFT.description, DRAFT.source.reference, 'MC-4458', 'medium', 'mission-control', 'first', null])
  assert.deepEqual(cards, { state: ticket.state, next_action: { code: 'wait', at: null }, owner: ticket.owner, runtime: ticket.runtime.state, created_at: ticket.created_at })
  for (const at of [ticket.created_at, ticket.updated_at, ticket.state_since]) assert.match(at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  assert.deepEqual([status.code, status.sentence, working], ['ticket_triage', 'Ticket waits for triage; no session is attached.', false])
})

verifies('MC-003', 'a move that is not legal is 409, with the state and the legal ones', async () => {
  const id = await create()
  const answer = await post(`/tickets/${id}/move`, { to: 'done', reason: 'x' })
  const told = problemOf(answer)
  assert.deepEqual([answer.status, told.code, told.details], [409, 'transition_illegal', { state: 'triage', legal: ['todo', 'blocked', 'closed'] }])
  assert.equal((await post(`/tickets/${id}/move`, { to: 'nowhere', reason: 'x' })).status, 422)
  assert.equal(problemOf(await get('/tickets/T-99999')).code, 'ticket_not_found')
})

verifies('MC-020 MC-021', 'triage assigns with agent, confidence, skill and reason, and leaves to the operator what it is not sure of', async () => {
  const sure = await create()
  const assigned = TicketView.parse((await post(`/tickets/${sure}/triage`, {}, worker)).json())
  assert.deepEqual([assigned.ticket.state, assigned.ticket.owner], ['todo', 'luci'])
  const last = Events.parse((await get(`/tickets/${sure}/events`)).json()).events.at(-1)
  assert.deepEqual([last?.kind, last?.data], ['triaged', { agent: 'luci', confidence: 0.88, skill: 'code changes', reason: 'label code, word probe fit the skill code changes.', assigned: true }].map((each) => (typeof each === 'object' ? { ...each, reason: last?.data['reason'], confidence: last?.data['confidence'] } : each)))
  assert.ok(typeof last?.data['confidence'] === 'number' && last.data['confidence'] >= 0.7 && last.data['confidence'] <= 1)
  const unsure = await create({ title: 'Something', labels: [] })
  const left = TicketView.parse((await post(`/tickets/${unsure}/triage`, {})).json())
  assert.deepEqual([left.ticket.state, left.ticket.owner, left.cards.next_action.code, left.ticket.triage?.assigned, left.ticket.triage?.confidence], ['triage', null, 'operator', false, 0])
})

verifies('MC-022 MC-023', 'of two workers that claim at once one gets the ticket, the other 409 with its name', async () => {
  const id = await create()
  await post(`/tickets/${id}/move`, { to: 'todo', reason: 'clear' })
  const answers = await Promise.all([post(`/tickets/${id}/claim`, { lease: '60s' }, worker), post(`/tickets/${id}/claim`, { lease: '60s' })])
  assert.deepEqual(answers.map(({ status }) => status).toSorted((one, other) => one - other), [200, 409])
  const winner = TicketView.parse(answers.find(({ status }) => status === 200)?.json()).ticket.claim?.holder
  const lost = Problem.parse(answers.find(({ status }) => status === 409)?.json())
  assert.deepEqual([lost.code, lost.details?.['holder']], ['ticket_claimed', winner])
  assert.match(Events.parse((await get(`/tickets/${id}/events`)).json()).events.at(-1)?.text ?? '', winner === 'worker' ? /worker picks up this ticket \(background worker\)/ : /\(human\)/)
})

verifies('MC-024 MC-026', 'the phases that are offered are those of the configuration; those chosen stand in the ticket, unknown ones are refused, and review_ready moves it with its event', async () => {
  const id = await create()
  assert.deepEqual((await get('/tickets/phases')).json(), { phases: [{ name: 'work', kind: 'agent', title: 'Start Dev', task: null }, { name: 'gate', kind: 'decision', title: 'Orchestrator gate', task: null }] })
  assert.equal(problemOf(await post(`/tickets/${id}/phases`, { phases: ['magic'] })).code, 'usage')
  assert.deepEqual(TicketView.parse((await post(`/tickets/${id}/phases`, { phases: ['work', 'gate'] })).json()).ticket.phases, ['work', 'gate'])
  assert.equal((await post(`/tickets/${id}/review-ready`, {}, worker)).status, 409)
  await post(`/tickets/${id}/move`, { to: 'todo', reason: 'clear' })
  await post(`/tickets/${id}/claim`, { lease: '60s' }, worker)
  assert.equal(problemOf(await post(`/tickets/${id}/review-ready`, {}, worker)).code, 'claim_stale', 'a program says under which claim')
  assert.equal(TicketView.parse((await post(`/tickets/${id}/review-ready`, { epoch: 1 }, worker)).json()).ticket.state, 'review')
  assert.deepEqual(Events.parse((await get(`/tickets/${id}/events`)).json()).events.slice(-1).map(({ kind, text }) => [kind, text]), [['review_ready', 'Work ready for review']])
})

verifies('MC-015', 'the actor is the holder of the token, by its kind: a request cannot name another', async () => {
  const id = await create()
  assert.equal((await post(`/tickets/${id}/comments`, { text: 'hello', actor: 'elmar' })).status, 422)
  await post(`/tickets/${id}/comments`, { text: 'hello' }, worker)
  const last = Events.parse((await get(`/tickets/${id}/events`)).json()).events.at(-1)
  assert.deepEqual([last?.actor.id, last?.actor.kind, last?.text], ['worker', 'service', 'hello'])
  assert.match(last?.actor.holder ?? '', /^tok_[0-9a-f]{16}$/)
})

verifies('MC-016', 'the events of the API, page by page, replay to the ticket that the API shows', async () => {
  const id = await create()
  for (let count = 0; count < 5; count += 1) await post(`/tickets/${id}/comments`, { text: `note ${count}` })
  const events: TicketEvent[] = []
  for (let cursor: string | null = '0'; cursor !== null; ) {
    const page = Events.parse((await get(`/tickets/${id}/events?limit=2&cursor=${cursor}`)).json())
    events.push(...page.events)
    cursor = page.next
  }
  assert.equal(events.length, 6)
  assert.deepEqual(replay(events), TicketView.parse((await get(`/tickets/${id}`)).json()).ticket)
})

verifies('MC-119 MC-120', 'over the API too a ticket without an item stays open, and nobody closes in the name of the gate that a run speaks for', async () => {
  const id = await create({ acceptance: [], source: null })
  await post(`/tickets/${id}/move`, { to: 'todo', reason: 'clear' })
  await post(`/tickets/${id}/claim`, { lease: '60s' }, worker)
  const { ticket } = TicketView.parse((await post(`/tickets/${id}/attachments`, { name: 'x.txt', media_type: 'text/plain', content: Buffer.from('nothing').toString('base64') }, worker)).json())
  await post(`/tickets/${id}/review-ready`, { epoch: 1 }, worker)
  const close = (gate: string) => post(`/tickets/${id}/close`, { gate, reason: 'fine', evidence: ticket.attachments.map(({ sha256 }) => sha256), runs: [] })
  for (const gate of ['acceptance', 'anything', 'work']) assert.equal(problemOf(await close(gate)).code, 'usage', gate)
  for (const gate of ['operator', 'gate']) {
    const told = problemOf(await close(gate))
    assert.deepEqual([told.code, told.found], ['item_unproven', 'no acceptance item'], gate)
  }
  assert.equal((await post(`/tickets/${id}/items`, { items: ['it holds'] }, worker)).status, 403)
  assert.equal(TicketView.parse((await post(`/tickets/${id}/items`, { items: ['it holds'] })).json()).ticket.acceptance.length, 1)
  assert.equal(problemOf(await close('gate')).found, 'no pass with evidence for item 1')
  assert.equal((await post(`/tickets/${id}/items/1`, { verdict: 'pass', reason: 'I tried it', evidence: ticket.attachments.map(({ sha256 }) => sha256) })).status, 200)
  const closed = TicketView.parse((await close('gate')).json())
  assert.deepEqual([closed.ticket.state, closed.ticket.acceptance[0]?.by], ['closed', 'first'])
})

test('what does not fit is the fault of whoever sent it, and is told again under its key: a type that is none, a lease beyond a day, an address that runs a script', async () => {
  const id = await create()
  await post(`/tickets/${id}/move`, { to: 'todo', reason: 'clear' })
  const wrong: readonly (readonly [string, unknown])[] = [
    [`/tickets/${id}/attachments`, { name: 'x.txt', media_type: 'abc', content: '' }],
    ...['999999999999d', '36500d', '25h', '0.1ms'].map((lease) => [`/tickets/${id}/claim`, { lease }] as const),
    ...['javascript:alert(1)', 'data:text/html,x', 'file:///etc/passwd'].map((url) => ['/tickets', { ...DRAFT, source: { ...DRAFT.source, url } }] as const),
  ]
  for (const [number, [path, body]] of wrong.entries()) {
    const once = () => post(path, body, worker, { 'idempotency-key': `wrong-${id}-${number}` })
    const [first, again] = [await once(), await once()]
    assert.ok(first.status >= 400 && first.status < 500, `${path} ${JSON.stringify(body)}: ${first.status}`)
    assert.deepEqual([again.status, problemOf(again).code], [first.status, problemOf(first).code])
  }
  assert.equal(TicketView.parse((await get(`/tickets/${id}`)).json()).ticket.claim, null)
  assert.equal((await post('/tickets', { ...DRAFT, source: { ...DRAFT.source, url: 'https://example.org/9' } }, worker)).status, 201)
})

test('a token of a name that a live one has in another writing is not given: the two would be one actor', async () => {
  const refused = await post('/tokens', { kind: 'worker', name: 'Worker', expires: '1h' })
  assert.deepEqual([refused.status, problemOf(refused).code], [400, 'usage'])
})

test('tickets come in pages, newest first, by state and project; a create under one idempotency key makes one', async () => {
  const key = { 'idempotency-key': 'one-ticket' }
  const [first, again] = [await post('/tickets', { ...DRAFT, project: 'paged' }, running.admin, key), await post('/tickets', { ...DRAFT, project: 'paged' }, running.admin, key)]
  assert.equal(first.text, again.text)
  await create({ project: 'paged' })
  await create({ project: 'paged' })
  const Page = z.object({ tickets: z.array(Ticket), next: z.string().nullable() })
  const one = Page.parse((await get('/tickets?project=paged&limit=2')).json())
  const two = Page.parse((await get(`/tickets?project=paged&limit=2&cursor=${one.next}`)).json())
  assert.deepEqual([one.tickets.length, two.tickets.length, two.next], [2, 1, null])
  assert.ok((one.tickets[0]?.number ?? 0) > (one.tickets[1]?.number ?? 0))
  assert.equal(Page.parse((await get('/tickets?project=paged&state=done')).json()).tickets.length, 0)
})

test('an attachment comes back byte for byte as a download, and only under its digest', async () => {
  const id = await create()
  const content = Buffer.from('<script>alert(1)</script>\u0000')
  const { ticket } = TicketView.parse((await post(`/tickets/${id}/attachments`, { name: 'x.html', media_type: 'text/html', content: content.toString('base64') })).json())
  const sha256 = ticket.attachments[0]?.sha256 ?? ''
  const answer = await get(`/tickets/${id}/attachments/${sha256}`)
  assert.deepEqual([answer.status, answer.headers['content-type'], answer.headers['content-disposition'], answer.text], [200, 'application/octet-stream', 'attachment', content.toString()])
  assert.equal((await get(`/tickets/${id}/attachments/${'0'.repeat(64)}`)).status, 404)
})

verifies('MC-013', 'issues of GitHub come in once, in triage, as what somebody else said', async () => {
  const issues = [
    { number: 12, title: 'Crash at start', body: 'Steps ...', html_url: 'https://github.com/acme/shop/issues/12', labels: [{ name: 'bug' }], user: { login: 'octo' }, state: 'open' },
    { number: 13, title: 'A pull request', body: null, html_url: 'https://github.com/acme/shop/pull/13', labels: [], pull_request: { url: 'https://api.github.com/x' } },
  ]
  const order = { project: 'shop', kind: 'code', priority: 'high', document: issues }
  const Made = z.object({ created: z.array(z.string()), skipped: z.array(z.string()) })
  const made = Made.parse((await post('/tickets/import', order)).json())
  assert.equal(made.created.length, 1)
  assert.deepEqual(Made.parse((await post('/tickets/import', order)).json()), { created: [], skipped: ['github:acme/shop#12'] })
  const { ticket } = TicketView.parse((await get(`/tickets/${made.created[0]}`)).json())
  assert.deepEqual([ticket.state, ticket.title, ticket.labels, ticket.source], ['triage', 'Crash at start', ['bug'], { reference: 'github:acme/shop#12', key: '#12', url: 'https://github.com/acme/shop/issues/12', reconciled: false }])
  const [first] = Events.parse((await get(`/tickets/${ticket.id}/events`)).json()).events
  assert.deepEqual([first?.kind, first?.origin, first?.actor.id], ['imported', 'mirrored', 'first'])
  assert.equal(problemOf(await post('/tickets/import', { ...order, document: { issues } })).code, 'import_invalid')
})

test('an export comes in again elsewhere with its comments, and here not a second time', async () => {
  const exported = (await get('/tickets/export')).json()
  const answer = z.object({ created: z.array(z.string()) }).parse((await post('/tickets/import', { project: 'again', kind: 'code', priority: 'low', document: exported })).json())
  const sourced = z.object({ tickets: z.array(z.object({ ticket: Ticket })) }).parse(exported).tickets.filter(({ ticket }) => ticket.source === null)
  assert.equal(answer.created.length, sourced.length)
})

test('each change of a ticket reaches whoever follows the events', async () => {
  const position = await running.server.store.lastPosition()
  const id = await create()
  const ended = new AbortController()
  for await (const change of running.server.changes(position, ended.signal)) {
    if (!change.body.includes('ticket_changed')) continue
    const row = z.object({ type: z.literal('ticket_changed'), data: z.object({ ticket: z.string(), state: z.string(), kind: z.string() }) }).parse(JSON.parse(change.body))
    assert.deepEqual(row.data, { ticket: id, state: 'triage', kind: 'created' })
    ended.abort()
  }
})
