import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRunToken } from '../../contract/ids.ts'
import { OPERATOR } from '../../../test/helpers/ticket-book.ts'
import { type DispatchForTest, dispatchForTest, HERMES, LUCI } from '../../../test/helpers/ticket-sessions.ts'
import { until } from '../../../test/helpers/served-wire.ts'
import { verifies } from '../../../test/verifies.ts'
import { releaseExpired } from './acts.ts'
import { type SessionChannel, SessionRefused } from './channel.ts'
import { removeMessage } from './queue.ts'
import { replay, terminalProblem, type TicketTurn } from '../../gates/dispatch/index.ts'

const message = (text: string, key = text.slice(0, 10) + text.slice(-10), onBusy: 'refuse' | 'queue' = 'refuse') => ({ text, key, onBusy })
const kinds = async (held: DispatchForTest, id: string) => (await held.book.store.events(id, 0, 1_000)).map(({ kind }) => kind)

/** What must hold of every ticket, whatever was done to it. */
async function holds(held: DispatchForTest, id: string): Promise<readonly TicketTurn[]> {
  const ticket = await held.book.get(id)
  assert.deepEqual(replay(await held.book.store.events(id, 0, 10_000)), ticket)
  const turns = await held.book.store.turns(id)
  for (const turn of turns) {
    if (turn.state === 'leased' || turn.state === 'delivered') continue
    assert.notEqual(turn.terminal, null, turn.id)
    assert.deepEqual(turn.terminal?.artifacts, [`ticket:${id}`, `session:${turn.session}`])
  }
  const last = (await held.book.store.events(id, 0, 10_000)).findLast(({ kind }) => kind === 'turn_ended')
  if (last?.set.state !== undefined) assert.equal(terminalProblem(last.data['terminal'], { ticket: id, state: last.set.state }), undefined)
  return turns
}

verifies('MC-030 MC-031 MC-032 MC-034', 'two dispatchers, one session: one turn, the other 409 before a byte is sent, stored whole, and no trace of it in the session', async (context) => {
  const held = await dispatchForTest(context)
  const { id } = await held.begin()
  const long = `slow ${'x'.repeat(5_000)}`
  const outcomes = await Promise.all([held.dispatcher.send(id, LUCI, message(`${long} one`)), held.dispatcher.send(id, HERMES, message(`${long} two`))])
  const lost = outcomes.find(({ ok }) => !ok)
  assert.ok(lost !== undefined && !lost.ok)
  assert.deepEqual([lost.refusal.reason, lost.refusal.found, lost.details], ['runtime_busy', 'Ticket runtime is not ready for input (status=running)', { observed: 'running', status: 'failed_to_inject', ways_out: ['wait', 'interrupt', 'restart'] }])
  await until(() => held.received().length === 1, 'the one message')
  const late = await held.dispatcher.send(id, HERMES, message('slow three'))
  assert.ok(!late.ok && late.refusal.reason === 'runtime_busy')
  await held.dispatcher.interrupt(id, OPERATOR, 'because')
  await held.dispatcher.settled()
  assert.equal(held.received().length, 1)
  const turns = await holds(held, id)
  const refused = turns.filter(({ state }) => state === 'refused')
  assert.deepEqual(refused.map(({ end, code, text }) => [end, code, text.length]), [['failed_to_inject', 'runtime_busy', 5_009], ['failed_to_inject', 'runtime_busy', 10]])
  assert.equal(new Set(turns.map(({ attempt }) => attempt)).size, 3)
})

verifies('MC-050 MC-052', 'the refused one leaves a terminal record that quotes the lowest error, and says what was not done', async (context) => {
  const held = await dispatchForTest(context)
  const { id } = await held.begin()
  await held.dispatcher.send(id, LUCI, message('slow one'))
  await held.dispatcher.send(id, HERMES, message('slow two'))
  const [, refused] = await held.book.store.turns(id)
  assert.equal(refused?.terminal?.root_cause, 'HTTP 409 CONFLICT: runtime_busy: Ticket runtime is not ready for input (status=running)')
  assert.match(refused?.terminal?.safe_retry ?? '', /no byte was sent; the message is stored whole as T-1\.2/)
})

verifies('MC-036 MC-037 MC-043', 'the same request sent again begins no second turn; it is delivered by the receipt, and kept with its text and who sent it', async (context) => {
  const held = await dispatchForTest(context)
  const { id } = await held.begin()
  const sent = await Promise.all(Array.from({ length: 5 }, () => held.dispatcher.send(id, LUCI, message('work on it', 'key-1'))))
  await held.dispatcher.settled()
  const again = await held.dispatcher.send(id, LUCI, message('work on it', 'key-1'))
  for (const outcome of [...sent, again]) assert.ok(outcome.ok && outcome.value.kind === 'turn' && outcome.value.turn.id === 'T-1.1')
  assert.deepEqual(held.received(), ['work on it'])
  const [turn] = await holds(held, id)
  assert.deepEqual([turn?.receipt, turn?.text, turn?.by.id, turn?.end], ['received 1', 'work on it', 'luci', 'completed'])
  assert.deepEqual((await kinds(held, id)).filter((kind) => kind.startsWith('turn_')), ['turn_began', 'turn_delivered', 'turn_ended'])
})

verifies('MC-035', 'queued messages are run in order, each as a turn of its own with its own nonce, and one that was removed never', async (context) => {
  const held = await dispatchForTest(context)
  const { id } = await held.begin()
  await held.dispatcher.send(id, LUCI, message('slow first'))
  await until(() => held.received().length === 1, 'the first')
  for (const text of ['slow second', 'slow third', 'slow fourth']) {
    const [queued] = await Promise.all([held.dispatcher.send(id, HERMES, message(text, text, 'queue')), held.dispatcher.send(id, HERMES, message(text, text, 'queue'))])
    assert.ok(queued.ok && queued.value.kind === 'queued')
  }
  const twice = await Promise.all(Array.from({ length: 3 }, () => held.dispatcher.send(id, HERMES, message('slow fourth', 'slow fourth', 'queue'))))
  assert.ok(twice.every((each) => each.ok && each.value.kind === 'queued'))
  const waiting = await held.book.store.messages(id)
  assert.deepEqual(waiting.map(({ text, state }) => [text, state]), [['slow second', 'pending'], ['slow third', 'pending'], ['slow fourth', 'pending']])
  assert.ok((await removeMessage(held.book, id, OPERATOR, waiting[1]?.id ?? '')).ok)
  assert.equal((await removeMessage(held.book, id, OPERATOR, waiting[1]?.id ?? '')).ok, false)
  assert.deepEqual(held.received(), ['slow first'])
  assert.equal((await held.book.store.turns(id)).length, 1)
  const go = () => held.children[0]?.stdin?.write(`${JSON.stringify({ type: 'go' })}\n`)
  for (const sent of [2, 3]) {
    go()
    await until(() => held.received().length === sent, 'the next one')
    // The one before has ended before this one was sent, and the ticket waits for no decision yet.
    assert.deepEqual((await held.book.store.turns(id)).map(({ end }) => end), [...Array.from({ length: sent - 1 }, () => 'no_signal'), null])
    assert.equal((await held.book.get(id)).state, 'in_progress')
  }
  go()
  await held.dispatcher.settled()
  assert.deepEqual(held.received(), ['slow first', 'slow second', 'slow fourth'])
  const turns = await holds(held, id)
  assert.deepEqual([new Set(turns.map(({ nonce_sha256 }) => nonce_sha256)).size, (await held.book.store.messages(id)).map(({ state }) => state)], [3, ['sent', 'removed', 'sent']])
  assert.deepEqual([(await held.book.get(id)).state, (await held.book.get(id)).reason], ['review', 'no_signal'])
})

verifies('MC-038 MC-039 MC-053', 'without a receipt the delivery is unknown: the message is pending again, the ticket todo, the session never gets anything more', async (context) => {
  const held = await dispatchForTest(context, { deliveryMs: 300 })
  const { id } = await held.begin()
  await held.dispatcher.send(id, LUCI, message('mute on it'))
  await held.dispatcher.settled()
  const ticket = await held.book.get(id)
  const [turn] = await holds(held, id)
  assert.deepEqual([turn?.state, turn?.end, ticket.state, ticket.reason, ticket.claim, ticket.runtime.state], ['unknown', 'delivery_unknown', 'todo', 'delivery_unknown', null, 'closed'])
  const waiting = (await held.book.store.messages(id)).map(({ text, state }) => [text, state])
  assert.deepEqual(waiting, [['mute on it', 'pending']])
  assert.equal(turn?.terminal?.safe_retry, 'message T-1.m1 is pending, ticket is todo; nothing is sent to this session again')
  const again = await held.dispatcher.send(id, LUCI, message('work'))
  assert.ok(!again.ok && again.refusal.reason === 'no_runtime')
  assert.throws(() => held.other.exec(`INSERT INTO ticket_turn SELECT 'T-1.9', ticket, 9, session, epoch, 'leased', 'other', '${'0'.repeat(64)}', 0, lease_until, json_set(body, '$.terminal', NULL) FROM ticket_turn`), /live session|may already have/)
  // The event, the message and the ticket are of one transaction: no version has one of them alone.
  const ended = (await held.book.store.events(id, 0, 100)).find(({ kind }) => kind === 'turn_ended')
  assert.equal(ended?.set.state, 'todo')
})

verifies('MC-040', 'a retry has a new session, a new process and a context below the bound, and sends what is pending; one that begins fuller is ended', async (context) => {
  let more = 0
  const held = await dispatchForTest(context, { deliveryMs: 300, startTokens: 120, around: (channel) => ({ ...channel, contextTokens: () => (channel.contextTokens() ?? 0) + more }) })
  const first = await held.begin()
  await held.dispatcher.send(first.id, LUCI, message('mute on it'))
  await held.dispatcher.settled()
  more = 21
  await assert.rejects(held.again(first.id), /121 tokens at the start, and 120 are the most/)
  const full = await held.book.get(first.id)
  assert.deepEqual([full.runtime.state, held.dispatcher.sessions], ['failed', []])
  await until(() => held.children[1]?.signalCode === 'SIGKILL', 'the process of the fuller one to end')
  held.wait(600_001)
  await releaseExpired(held.book, OPERATOR, 10)
  more = 20
  await held.again(first.id)
  await held.dispatcher.runQueue(first.id)
  await held.dispatcher.settled()
  const sessions = await held.book.store.sessions(first.id)
  assert.deepEqual([new Set(sessions.map(({ id }) => id)).size, new Set(sessions.flatMap(({ pid }) => pid ?? [])).size], [3, 2])
  assert.deepEqual(sessions.map(({ start_tokens }) => start_tokens), [100, null, 120])
  assert.deepEqual(held.received(), ['mute on it', 'mute on it'])
})

verifies('MC-041 MC-042', 'at the limit of failed dispatches the ticket is blocked for the operator, nothing more is sent, and rejections are counted apart', async (context) => {
  const held = await dispatchForTest(context, { limits: { dispatch: 2, review: 3 } })
  const { id } = await held.begin()
  await held.dispatcher.send(id, LUCI, message('gone at once'))
  await held.dispatcher.settled()
  assert.deepEqual([(await held.book.get(id)).state, (await held.book.get(id)).dispatch_failures], ['todo', 1])
  await held.again(id)
  await held.dispatcher.runQueue(id)
  await held.dispatcher.settled()
  const ticket = await held.book.get(id)
  assert.deepEqual([ticket.state, ticket.reason, ticket.dispatch_failures, ticket.review_rejections, ticket.terminal?.status, ticket.terminal?.human_input_required], ['blocked', 'retry_limit_reached', 2, 0, 'blocked', true])
  await assert.rejects(held.again(id), /is blocked/)
  assert.equal(held.received().length, 2)
  await holds(held, id)
})

verifies('MC-044', 'a session whose process is gone is runtime_dead, and a ticket without a session no_runtime', async (context) => {
  const held = await dispatchForTest(context)
  const { id } = await held.begin()
  held.children[0]?.kill('SIGKILL')
  await until(() => held.children[0]?.signalCode === 'SIGKILL', 'the process to end')
  const dead = await held.dispatcher.send(id, LUCI, message('work'))
  assert.ok(!dead.ok && dead.refusal.reason === 'runtime_dead')
  assert.deepEqual(held.received(), [])
  const other = await held.book.create({ title: 'x', description: '', priority: 'low', project: 'p', kind: 'code', labels: [], source: null, acceptance: [], repositories: [] }, OPERATOR)
  for (const outcome of [await held.dispatcher.send(other.id, LUCI, message('work')), await held.dispatcher.interrupt(other.id, OPERATOR, 'because'), await held.dispatcher.restart(other.id, OPERATOR, 'because')]) assert.ok(!outcome.ok && outcome.refusal.reason === 'no_runtime')
  await holds(held, id)
})

for (const [how, again] of [['interrupt', 0], ['restart', 1]] as const) {
  verifies('MC-027', `${how} is an act of an operator, with its own event and end; the ticket waits for a fresh session, and the message is pending for it ${again} times`, async (context) => {
    const held = await dispatchForTest(context)
    const { id } = await held.begin()
    await held.dispatcher.send(id, LUCI, message('slow on it'))
    await until(() => held.received().length === 1, 'the message')
    assert.equal((await kinds(held, id)).some((kind) => kind === 'interrupted' || kind === 'restarted'), false)
    const stopped = await held.dispatcher[how](id, OPERATOR, 'because')
    await held.dispatcher.settled()
    assert.ok(stopped.ok)
    assert.deepEqual([stopped.value.state, stopped.value.dispatch_failures, stopped.value.runtime.state], ['todo', 0, 'closed'])
    const told = (await held.book.store.events(id, 0, 100)).flatMap(({ kind, actor }) => (kind === 'interrupted' || kind === 'restarted' ? [[kind, actor.id]] : []))
    assert.deepEqual(told, [[`${how}ed`, 'elmar']])
    const [turn] = await holds(held, id)
    assert.deepEqual([turn?.end, (await held.book.store.messages(id)).map(({ text }) => text)], [`${how}ed`, ['slow on it'].slice(0, again)])
    assert.match(turn?.terminal?.safe_retry ?? '', again === 1 ? /^message T-1\.m1 is pending/ : /^the message is not sent again by itself/)
  })
}

verifies('MC-058', 'after a crash in the middle of a turn, start-up writes its terminal record before anything is dispatched', async (context) => {
  const held = await dispatchForTest(context)
  const { id } = await held.begin()
  await held.dispatcher.send(id, LUCI, message('slow on it'))
  await until(() => held.received().length === 1, 'the message')
  const next = held.reborn()
  await assert.rejects(next.send(id, LUCI, message('work')), /before the open turns/)
  assert.equal(await next.recover(), 1)
  const [turn] = await holds(held, id)
  assert.deepEqual([turn?.state, turn?.end], ['ended', 'supervisor_restart'])
  assert.match(turn?.terminal?.root_cause ?? '', /^supervisor_restart/)
  assert.deepEqual([(await held.book.get(id)).state, (await held.book.store.messages(id)).length], ['todo', 1])
  assert.equal(await next.recover(), 0)
})

verifies('MC-034 MC-058', 'the turn of another supervisor that is there is left alone until its lease is over; then it ends as that', async (context) => {
  const held = await dispatchForTest(context, { abandoned: () => false })
  const { id } = await held.begin()
  await held.dispatcher.send(id, LUCI, message('slow on it'))
  await until(() => held.received().length === 1, 'the message')
  const next = held.reborn()
  assert.equal(await next.recover(), 0)
  assert.equal((await held.book.get(id)).state, 'in_progress')
  held.wait(24_000)
  assert.equal(await next.recover(), 1)
  const [turn] = await holds(held, id)
  assert.deepEqual([turn?.end, (await held.book.get(id)).state], ['lease_expired', 'todo'])
})

verifies('MC-034 MC-050', 'a session that says nothing any more loses its turn when the lease is over, and its process with it', async (context) => {
  const held = await dispatchForTest(context, { turnMs: 1_500, around: (channel) => ({ ...channel, ending: () => new Promise(() => undefined) }) })
  const { id } = await held.begin()
  await held.dispatcher.send(id, LUCI, message('slow on it'))
  await until(() => held.received().length === 1, 'the message')
  assert.equal(await held.dispatcher.recover(), 0)
  held.wait(24_000)
  assert.equal(await held.dispatcher.recover(), 1)
  const [turn] = await holds(held, id)
  assert.deepEqual([turn?.end, (await held.book.get(id)).state, held.dispatcher.sessions], ['lease_expired', 'todo', []])
  assert.equal(held.children[0]?.signalCode, 'SIGKILL')
})

const SECRET = ['AKIA', 'Q3EGRIT5WZ7KPLMN'].join('')
const FAULTS: readonly (readonly [string, Partial<SessionChannel>, string, string])[] = [
  ['a hand-over that throws', { hand: () => Promise.reject(new Error('EPIPE')) }, 'turn_failed', 'todo'],
  ['a hand-over that hangs', { hand: () => new Promise(() => undefined) }, 'delivery_unknown', 'todo'],
  ['an end that throws', { ending: () => Promise.reject(new Error('EPIPE')) }, 'turn_failed', 'todo'],
  ['a receipt without an end', { hand: () => Promise.resolve({ kind: 'delivered', receipt: 'r'.repeat(5_000) }), ending: () => Promise.resolve({ kind: 'ended', said: null, finalMessage: null }) }, 'no_signal', 'review'],
  ['a finding that is too long', { hand: () => Promise.resolve({ kind: 'dead', found: 'f'.repeat(9_000) }) }, 'runtime_dead', 'todo'],
  ['a finding that holds a credential', { hand: () => Promise.resolve({ kind: 'unknown', found: `key ${SECRET}` }) }, 'delivery_unknown', 'todo'],
  ['last words that hold a credential', { hand: () => Promise.resolve({ kind: 'delivered', receipt: 'r' }), ending: () => Promise.resolve({ kind: 'ended', said: null, finalMessage: `key ${SECRET}` }) }, 'no_signal', 'review'],
]
for (const [what, change, end, state] of FAULTS) {
  verifies('MC-050', `whatever comes of a turn, it ends with one record and holds nothing any more: ${what}`, async (context) => {
    const held = await dispatchForTest(context, { deliveryMs: 300, around: (channel) => ({ ...channel, ...change }) })
    const { id } = await held.begin()
    await held.dispatcher.send(id, LUCI, message('slow on it'))
    await held.dispatcher.settled()
    const [turn] = await holds(held, id)
    assert.deepEqual([turn?.end, (await held.book.get(id)).state, held.dispatcher.sessions], [end, state, []])
    assert.equal((await kinds(held, id)).filter((kind) => kind === 'turn_ended').length, 1)
    assert.equal(JSON.stringify(held.other.prepare('SELECT body FROM entry').all()).includes(SECRET), false)
    assert.equal(held.children[0]?.signalCode, 'SIGKILL')
  })
}

verifies('MC-036', 'a key that was used for other words is refused, sent or queued, and nothing of it is sent', async (context) => {
  const held = await dispatchForTest(context)
  const { id } = await held.begin()
  await held.dispatcher.send(id, LUCI, message('slow one', 'key-1'))
  await held.dispatcher.send(id, LUCI, message('slow two', 'key-2', 'queue'))
  for (const key of ['key-1', 'key-2']) await assert.rejects(held.dispatcher.send(id, LUCI, message('slow other', key, 'queue')), { code: 'idempotency_key_reused' })
  await until(() => held.received().length === 1, 'the one message')
  assert.deepEqual([held.received(), (await held.book.store.messages(id)).length], [['slow one'], 1])
})

test('a session that comes up when its ticket is released already is ended, and the ticket keeps what it has', async (context) => {
  const late = Promise.withResolvers<void>()
  const held = await dispatchForTest(context, { around: (channel) => late.promise.then(() => channel) })
  const opening = held.begin()
  await until(() => held.children.length === 1, 'the process')
  held.wait(600_001)
  assert.equal(await releaseExpired(held.book, OPERATOR, 10), 1)
  const before = await held.book.get('T-1')
  late.resolve()
  await assert.rejects(opening, /came up too late/)
  assert.deepEqual(await held.book.get('T-1'), before)
  assert.deepEqual([held.children[0]?.signalCode, held.dispatcher.sessions], ['SIGKILL', []])
})

test('a session that cannot be written down is ended', async (context) => {
  const held = await dispatchForTest(context, { around: (channel) => ({ ...channel, triple: `key ${SECRET}` }) })
  await assert.rejects(held.begin(), { code: 'secret_withheld' })
  assert.deepEqual([held.children[0]?.signalCode, held.dispatcher.sessions, (await held.book.get('T-1')).runtime.state], ['SIGKILL', [], 'failed'])
})

test('a claim that ended takes its quiet session with it, and never one whose turn is open', async (context) => {
  const held = await dispatchForTest(context)
  const quiet = await held.begin()
  const busy = await held.begin()
  await held.dispatcher.send(busy.id, LUCI, message('slow on it'))
  held.wait(600_001)
  assert.equal(await releaseExpired(held.book, OPERATOR, 10), 1)
  const [released, kept] = [await held.book.get(quiet.id), await held.book.get(busy.id)]
  assert.deepEqual([released.state, released.runtime.state, kept.state], ['todo', 'closed', 'in_progress'])
  const late = await held.dispatcher.send(quiet.id, LUCI, message('work'))
  assert.ok(!late.ok && late.refusal.reason === 'no_runtime')
})

verifies('MC-069', 'a turn that ends without a signal leaves the ticket in review, whatever its last message says', async (context) => {
  const held = await dispatchForTest(context)
  const { id } = await held.begin()
  await held.dispatcher.send(id, LUCI, message('silent about it'))
  await held.dispatcher.settled()
  const ticket = await held.book.get(id)
  assert.deepEqual([ticket.state, ticket.reason], ['review', 'no_signal'])
  await holds(held, id)
})

test('a message that could not be read back is not written, and the ticket stays as it was', async (context) => {
  const held = await dispatchForTest(context)
  const before = await held.begin()
  await assert.rejects(held.dispatcher.send(before.id, LUCI, message('work', 'k'.repeat(201))))
  await assert.rejects(held.dispatcher.send(before.id, LUCI, message('', 'k')))
  assert.deepEqual(await held.book.get(before.id), before)
  assert.deepEqual(await held.book.store.turns(before.id), [])
})

test('a message that holds a credential is not kept, queued or sent', async (context) => {
  const held = await dispatchForTest(context)
  const { id } = await held.begin()
  const before = await held.book.get(id)
  await assert.rejects(held.dispatcher.send(id, LUCI, message(`use ${createRunToken()}`)), { code: 'secret_withheld' })
  assert.deepEqual([await held.book.get(id), await held.book.store.turns(id), held.received()], [before, [], []])
})

test('a result of the protocol completes as the call of the tool does', async (context) => {
  const held = await dispatchForTest(context)
  const { id } = await held.begin()
  await held.dispatcher.send(id, LUCI, message('result of it'))
  await held.dispatcher.settled()
  assert.deepEqual([(await held.book.get(id)).state, (await held.book.get(id)).terminal?.summary], ['done', 'by the result'])
})

verifies('MC-007 MC-008', 'the duration of a closed session is fixed, and nobody works on a ticket that is done', async (context) => {
  const held = await dispatchForTest(context)
  const { viewOf } = await import('./view.ts')
  const { id } = await held.begin()
  await held.dispatcher.send(id, LUCI, message('slow on it'))
  await until(() => held.received().length === 1, 'the message')
  assert.equal(viewOf(await held.book.get(id), new Date()).working, true)
  held.children[0]?.stdin?.write(`${JSON.stringify({ type: 'go' })}\n`)
  await held.dispatcher.settled()
  assert.equal(viewOf(await held.book.get(id), new Date()).working, false)
  await held.dispatcher.close()
  const first = viewOf(await held.book.get(id), new Date()).status
  held.wait(86_400_000)
  const second = viewOf(await held.book.get(id), new Date(Date.now() + 86_400_000)).status
  assert.deepEqual(first, second)
  assert.equal(typeof first.duration_ms, 'number')
})

const aborted = (signal: AbortSignal): Promise<unknown> => (signal.aborted ? Promise.resolve() : new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true })))

/** A session that has not come up when somebody no longer wants it, and says so. */
const untilEnded = async (channel: SessionChannel, ended: AbortSignal): Promise<SessionChannel> => {
  await aborted(ended)
  await channel.close()
  throw new SessionRefused({ reason: 'interrupted', message: 'It was told to end.', asked: 'a session', found: 'it was told to end while it started', remedy: 'Start another one.' }, '20261120T213918Z-r1-1', [])
}

for (const [who, end] of [
  ['its operator', (held: DispatchForTest, id: string) => held.dispatcher.interrupt(id, OPERATOR, 'it hangs')],
  ['who restarts it', (held: DispatchForTest, id: string) => held.dispatcher.restart(id, OPERATOR, 'it hangs')],
  ['the end of its supervisor', (held: DispatchForTest) => held.dispatcher.close()],
  ['whoever ends a session', (held: DispatchForTest) => held.dispatcher.endSession(held.dispatcher.sessions[0] ?? '')],
] as const) {
  verifies('MC-027', `a session on its way up is ended by ${who}, and its ticket waits for another`, async (context) => {
    const held = await dispatchForTest(context, { around: untilEnded })
    const began = held.begin()
    began.catch(() => undefined)
    await until(() => held.children.length === 1 && held.dispatcher.sessions.length === 1, 'the start')
    await end(held, 'T-1')
    await assert.rejects(began, /It was told to end/)
    const ticket = await held.book.get('T-1')
    assert.deepEqual([ticket.state, ticket.reason, ticket.claim, ticket.runtime.state, ticket.dispatch_failures, held.dispatcher.sessions], ['todo', 'interrupted', null, 'failed', 0, []])
    await holds(held, 'T-1')
  })
}

test('a session that comes up although it was told to end is ended then', async (context) => {
  const held = await dispatchForTest(context, { around: (channel, ended) => aborted(ended).then(() => channel) })
  const began = held.begin()
  await until(() => held.dispatcher.sessions.length === 1 && held.children.length === 1, 'the start')
  assert.ok((await held.dispatcher.interrupt('T-1', OPERATOR, 'it hangs')).ok)
  await began
  await until(() => held.children[0]?.exitCode !== null || held.children[0].signalCode !== null, 'its process to end')
  assert.deepEqual([(await held.book.get('T-1')).runtime.state, held.dispatcher.sessions], ['closed', []])
})
