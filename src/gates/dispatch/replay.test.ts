import assert from 'node:assert/strict'
import { test } from 'node:test'
import { screenMark } from './screen-text.ts'
import { actorId, applyEvent, canFollow, canMoveByHand, hintOf, holdsSession, isLive, judgeSignal, leaseOf, leftMs, NO_RUNTIME, PageAddress, questionProblem, replay, RUNTIME_STATES, TICKET_STATES, TICKET_TRANSITIONS, type TicketEvent, triage, TURN_STATES } from './index.ts'

const AT = '2026-06-01T12:00:00.000Z'
const event = (sequence: number, change: Partial<TicketEvent> = {}): TicketEvent => ({ ticket: 'T-12', sequence, kind: 'commented', at: AT, actor: { id: actorId('luci'), kind: 'human', holder: 'local' }, origin: 'observed', text: null, data: {}, set: {}, ...change })
const created = event(1, {
  kind: 'created',
  set: {
    number: 12, title: 'A ticket', description: '', source: null, priority: 'low', project: 'main', kind: 'code', labels: [], requester: 'luci', owner: null, state: 'todo', reason: null, resolution: null, runtime: NO_RUNTIME, epoch: 0, claim: null, triage: null,
    acceptance: [], phases: null, phase: 0, repositories: [], dispatch_failures: 0, review_rejections: 0, findings: [], retry_at: null, terminal: null, attachments: [], evidence: [], runs: [], created_at: AT, state_since: AT,
  },
})

test('events make a ticket in their order, and none may be missing, come twice or be of another ticket', () => {
  assert.equal(replay([]), undefined)
  const ticket = replay([created, event(2, { set: { title: 'Another title' } })])
  assert.deepEqual([ticket?.id, ticket?.version, ticket?.title, ticket?.state], ['T-12', 2, 'Another title', 'todo'])
  assert.throws(() => replay([created, event(3)]), /^Error: event 3 of T-12 where 2 of T-12 was expected$/)
  assert.throws(() => replay([created, event(1)]), /where 2 of T-12/)
  assert.throws(() => replay([created, event(2, { ticket: 'T-13' })]), /event 2 of T-13 where 2 of T-12/)
  assert.throws(() => applyEvent(undefined, event(2)), /where 1 of T-12/)
})

test('a ticket moves along the table alone, by hand along a narrower one', () => {
  for (const from of TICKET_STATES) for (const to of TICKET_STATES) assert.equal(canFollow(from, to), (TICKET_TRANSITIONS[from] as readonly string[]).includes(to), `${from} to ${to}`)
  assert.deepEqual([canFollow('done', 'in_progress'), canMoveByHand('todo', 'blocked'), canMoveByHand('closed', 'todo')], [false, true, false])
})

test('a session can be reached from its start to its end, and is held by a turn that is leased or delivered', () => {
  assert.deepEqual(RUNTIME_STATES.filter(isLive), ['starting', 'ready', 'running', 'needs_input'])
  assert.deepEqual(TURN_STATES.filter(holdsSession), ['leased', 'delivered'])
})

test('an address is of a page', () => {
  for (const url of ['http://example.test/a', 'https://example.test/']) assert.equal(PageAddress.safeParse(url).success, true, url)
  for (const url of ['javascript:alert(1)', 'file:///etc/passwd', 'shttp://example.test/', 'httpsx://example.test/', 'data:text/html,x']) assert.equal(PageAddress.safeParse(url).success, false, url)
})

test('no final message is no hint, and a question that asks nothing hints nothing', () => {
  assert.equal(hintOf(null, 'x'), undefined)
  assert.equal(hintOf('QUESTION: I am blocked by the build.', 'Do the work'), undefined)
  assert.deepEqual(hintOf('QUESTION: Should the old table be kept?', 'Do the work'), { said: 'QUESTION', raises: 'review', text: 'Should the old table be kept?' })
  assert.equal(hintOf('DONE: ---', 'Do the work'), undefined)
  assert.deepEqual([questionProblem('Which one?', 'Do it'), questionProblem('Which ones?', 'Do it')], ['no sentence of it asks anything', undefined])
})

test('a rule assigns at the threshold', () => {
  const rules = [{ agent: 'luci', skill: 'code', labels: ['code'], words: [] }]
  const { confidence } = triage({ title: 'x', description: '', labels: ['code'] }, rules, 0)
  assert.deepEqual([triage({ title: 'x', description: '', labels: ['code'] }, rules, confidence).assigned, triage({ title: 'x', description: '', labels: ['code'] }, rules, confidence + 0.001).assigned], [true, false])
})

test('a refused completion says which of several things was wrong', () => {
  const facts = { said: { signal: 'DONE', ticket: 'T-12', nonce: 'n'.repeat(43), payload: 'all of it' }, ticket: { id: 'T-12', state: 'in_progress', epoch: 3, kind: 'code' }, turn: { epoch: 3, state: 'delivered', nonceSpent: false, nonceExpiresAt: '2026-06-01T12:10:00.000Z', nonceEnded: false, prompt: 'Do it' }, nonceFits: true, changed: true } as const
  const found = (change: Partial<Parameters<typeof judgeSignal>[0]>): string => {
    const judged = judgeSignal({ ...facts, ...change })
    return judged.ok ? 'ok' : judged.refusal.found
  }
  assert.equal(found({}), 'ok')
  assert.equal(found({ turn: undefined }), 'a session without an open turn')
  assert.equal(found({ turn: { ...facts.turn, epoch: 2 } }), 'a session of epoch 2, where 3 is current')
  assert.equal(found({ turn: { ...facts.turn, nonceSpent: true } }), 'a nonce that was used')
  assert.equal(found({ turn: { ...facts.turn, nonceExpiresAt: AT, nonceEnded: true } }), `a nonce that ended at ${AT}`)
  assert.deepEqual([found({ changed: null }), found({ changed: false })], ['nobody saw a change', 'no commit and no difference'])
})

test('a lease of another start of the machine never has the time that it had in its own', () => {
  const lease = leaseOf(60_000, { boot: 'a', ms: 5_000 })
  assert.deepEqual([leftMs(lease, { boot: 'a', ms: 10_000 }), leftMs(lease, { boot: 'b', ms: 10_000 })], [55_000, 50_000])
  assert.equal(leftMs({ boot: 'a', ends_ms: 60_001, length_ms: 60_000 }, { boot: 'a', ms: 0 }), 60_001)
})

test('a glyph beside stars is a spinner, and stars alone are none', () => {
  for (const line of ['·*', '*·', '*✻*']) assert.equal(screenMark(line), 'a spinner', line)
  for (const line of ['*', '***']) assert.equal(screenMark(line), undefined, line)
})
