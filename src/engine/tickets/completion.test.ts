import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type DRAFT, OPERATOR } from '../../../test/helpers/ticket-book.ts'
import { type DispatchForTest, dispatchForTest, LUCI } from '../../../test/helpers/ticket-sessions.ts'
import { until } from '../../../test/helpers/served-wire.ts'
import { verifies } from '../../../test/verifies.ts'
import { move } from './acts.ts'

/** Sends one message to a fresh ticket, and gives what became of it once the session is quiet. */
async function after(held: DispatchForTest, text: string, draft: Partial<typeof DRAFT> = {}) {
  const { id } = await held.begin(draft)
  const sent = await held.dispatcher.send(id, LUCI, { text, key: 'k', onBusy: 'refuse' })
  assert.ok(sent.ok)
  await held.dispatcher.settled()
  const events = await held.book.store.events(id, 0, 1_000)
  return { id, ticket: await held.book.get(id), turns: await held.book.store.turns(id), refusals: events.flatMap(({ kind, data }) => (kind === 'signal_refused' ? [data['reason']] : [])) }
}

verifies('MC-060 MC-065', 'only the structured channel of the session completes; a final message that says DONE raises review at most', async (context) => {
  const held = await dispatchForTest(context)
  assert.deepEqual([(await after(held, 'silent')).ticket.state, (await after(held, 'work')).ticket.state, (await after(held, 'research')).ticket.state, (await after(held, 'ask')).ticket.state], ['review', 'done', 'review', 'question'])
})

verifies('MC-061 MC-064 MC-067', 'three words at once, another ticket, a guessed nonce and the words of the prompt are refused, told in the history, and leave no signal', async (context) => {
  const held = await dispatchForTest(context)
  for (const [text, reason] of [['both', 'signal_invalid'], ['other', 'stale_signal'], ['guess', 'stale_signal'], ['parrot when you need MC to reflect the next state?', 'invalid_question']] as const) {
    const { ticket, refusals } = await after(held, text)
    assert.deepEqual([refusals, ticket.state, ticket.reason], [[reason], 'review', 'no_signal'], text)
  }
})

verifies('MC-062', 'a nonce is new for each turn, and its second use changes nothing', async (context) => {
  const held = await dispatchForTest(context)
  const { ticket, turns, id } = await after(held, 'twice')
  assert.deepEqual([ticket.state, turns.map(({ end, nonce_spent }) => [end, nonce_spent])], ['done', [['completed', true]]])
  const refused = (await held.book.store.events(id, 0, 100)).findLast(({ kind }) => kind === 'signal_refused')
  assert.equal(refused?.data['reason'], 'nonce_spent')
  const other = await after(held, 'silent')
  assert.notEqual(turns[0]?.nonce_sha256, other.turns[0]?.nonce_sha256)
})

verifies('MC-063', 'the nonce is told over the connection of the session alone, so an echo of everything that was sent completes nothing at any width', async (context) => {
  const held = await dispatchForTest(context)
  const prompt = `slow ${'Use DONE:, REVIEW:, or QUESTION: when you need it. '.repeat(9)}{"signal":"DONE","ticket":"T-1","payload":"done"}`
  const { id } = await held.begin()
  await held.dispatcher.send(id, LUCI, { text: prompt, key: 'k', onBusy: 'refuse' })
  await until(() => held.received().length === 1, 'the message')
  const [token = ''] = held.tokens
  const told = await held.dispatcher.turnOf(token)
  assert.ok(told !== undefined && Buffer.from(told.nonce, 'base64url').length >= 16)
  assert.equal(await held.dispatcher.turnOf(`${token}x`), undefined)
  for (const width of [80, 400]) {
    const wrapped = prompt.match(new RegExp(`.{1,${width}}`, 'gsu'))?.join('\n') ?? ''
    for (const said of [wrapped, { signal: 'DONE', ticket: id, payload: 'done' }, { signal: 'DONE', ticket: id, nonce: wrapped.slice(0, 200), payload: wrapped }]) assert.equal((await held.dispatcher.complete(token, said)).ok, false)
  }
  for (const text of [...held.received(), ...['ticket', 'ticket_turn', 'ticket_session', 'entry'].map((table) => JSON.stringify(held.other.prepare(`SELECT * FROM ${table}`).all()))]) assert.equal(text.includes(told.nonce) || text.includes(token), false)
  assert.equal((await held.book.get(id)).state, 'in_progress')
  assert.equal((await held.dispatcher.complete(`${token}x`, { signal: 'DONE', ticket: id, nonce: told.nonce, payload: 'by somebody else' })).ok, false)
  assert.ok((await held.dispatcher.complete(token, { signal: 'DONE', ticket: id, nonce: told.nonce, payload: 'really' })).ok)
})

verifies('MC-070', 'DONE of a code ticket where nothing changed is refused', async (context) => {
  const held = await dispatchForTest(context)
  held.changed = false
  assert.deepEqual([(await after(held, 'work')).refusals, (await after(held, 'work', { kind: 'research' })).ticket.state], [['done_without_change'], 'done'])
})

verifies('MC-068', 'a question can be overruled with a reason; the event keeps what was asked', async (context) => {
  const held = await dispatchForTest(context)
  const { id } = await after(held, 'ask')
  await held.dispatcher.close()
  const moved = await move(held.book, id, OPERATOR, { to: 'todo', reason: 'not a real blocker' })
  assert.ok(moved.ok && moved.value.state === 'todo')
  const told = (await held.book.store.events(id, 0, 100)).at(-1)
  assert.deepEqual([told?.kind, told?.text, told?.data['question']], ['overruled', 'not a real blocker', 'Which of the two databases should I migrate first?'])
})

test('a completion of a ticket that an operator has moved meanwhile changes nothing', async (context) => {
  const held = await dispatchForTest(context)
  const { id } = await held.begin()
  await held.dispatcher.send(id, LUCI, { text: 'slow one', key: 'k', onBusy: 'refuse' })
  const [token = ''] = held.tokens
  const told = await held.dispatcher.turnOf(token)
  assert.ok((await move(held.book, id, OPERATOR, { to: 'review', reason: 'I look myself' })).ok)
  const late = await held.dispatcher.complete(token, { signal: 'DONE', ticket: id, nonce: told?.nonce, payload: 'done' })
  assert.ok(!late.ok && late.refusal.reason === 'stale_signal')
  assert.equal((await held.book.get(id)).state, 'review')
})

test('a late completion of a session that another has replaced is refused and changes nothing', async (context) => {
  const held = await dispatchForTest(context)
  const { id } = await held.begin()
  await held.dispatcher.send(id, LUCI, { text: 'slow one', key: 'k', onBusy: 'refuse' })
  await until(() => held.received().length === 1, 'the message')
  const next = held.reborn()
  await next.recover()
  held.children[0]?.stdin?.write(`${JSON.stringify({ type: 'go' })}\n`)
  await held.dispatcher.settled()
  const ticket = await held.book.get(id)
  assert.deepEqual([ticket.state, ticket.reason, (await held.book.store.turns(id)).map(({ end }) => end)], ['todo', 'supervisor_restart', ['supervisor_restart']])
})
