import assert from 'node:assert/strict'
import { test } from 'node:test'
import { verifies } from '../../../test/verifies.ts'
import { COMPLETION_SCHEMA, CompletionSignal, judgeSignal, questionProblem, type SignalFacts, signalOfAnswer, SIGNALS } from './index.ts'

const PROMPT = 'Work this ticket. Use DONE:, REVIEW:, or QUESTION: when you need MC to reflect the next state. Which repository holds the function? {"signal":"DONE|REVIEW|QUESTION","ticket":"T-12","payload":"<one-line summary>"}'
const SAID = { signal: 'DONE', ticket: 'T-12', nonce: 'n'.repeat(43), payload: 'all three items' }
const FACTS: SignalFacts = {
  said: SAID,
  ticket: { id: 'T-12', state: 'in_progress', epoch: 3, kind: 'code' },
  turn: { epoch: 3, state: 'delivered', nonceSpent: false, nonceExpiresAt: '2026-06-01T12:10:00.000Z', nonceEnded: false, prompt: PROMPT },
  nonceFits: true, changed: true,
}
const turn = (change: Partial<NonNullable<SignalFacts['turn']>>): Partial<SignalFacts> => ({ turn: { epoch: 3, state: 'delivered', nonceSpent: false, nonceExpiresAt: '2026-06-01T12:10:00.000Z', nonceEnded: false, prompt: PROMPT, ...change } })
const reasonOf = (change: Partial<SignalFacts>): string => {
  const judged = judgeSignal({ ...FACTS, ...change })
  return judged.ok ? judged.to : judged.refusal.reason
}
const said = (change: object): Partial<SignalFacts> => ({ said: { ...SAID, ...change } })

verifies('MC-061', 'a signal is exactly one of three words in exactly four fields; whatever else it is, it is refused', () => {
  assert.deepEqual(SIGNALS.map((signal) => reasonOf(said({ signal, payload: 'Shall I delete the old table, or keep it for a week?' }))), ['done', 'review', 'question'])
  for (const signal of ['DONE|REVIEW|QUESTION', 'done', 'DONE ', '', null, 1, ['DONE']]) assert.equal(reasonOf(said({ signal })), 'signal_invalid', JSON.stringify(signal))
  for (const field of Object.keys(SAID)) assert.equal(reasonOf(said({ [field]: undefined })), 'signal_invalid', field)
  for (const whole of [undefined, null, true, 'DONE: all three items', JSON.stringify(SAID), [SAID], { ...SAID, more: 1 }]) assert.equal(reasonOf({ said: whole }), 'signal_invalid')
})

verifies('MC-062', 'a nonce counts once, until it ends, and only for the turn it was made for', () => {
  assert.equal(reasonOf(turn({ nonceSpent: true })), 'nonce_spent')
  assert.equal(reasonOf(turn({ nonceEnded: true })), 'nonce_spent')
  assert.equal(reasonOf({ nonceFits: false }), 'stale_signal')
})

verifies('MC-064 MC-010', 'a signal for another ticket, of an older epoch or of a session without an open turn is stale', () => {
  assert.equal(reasonOf(said({ ticket: 'T-4462' })), 'stale_signal')
  assert.equal(reasonOf(turn({ epoch: 2 })), 'stale_signal')
  assert.equal(reasonOf({ turn: undefined }), 'stale_signal')
  for (const state of ['leased', 'refused', 'unknown', 'ended']) assert.equal(reasonOf(turn({ state })), 'stale_signal', state)
})

verifies('MC-067', 'a question must ask something that the prompt does not', () => {
  const question = (payload: string) => reasonOf(said({ signal: 'QUESTION', payload }))
  assert.equal(question('Should the alias layer read the override at every start?'), 'question')
  for (const payload of ['when you need MC to reflect the next state.', 'QUESTION: when you need MC to reflect the next state', 'Which repository holds the function?', 'which  repository\nholds the function ?', 'Why?', '???', 'I am blocked.']) assert.equal(question(payload), 'invalid_question', payload)
  assert.equal(questionProblem('when you need MC to reflect the next state?', PROMPT), 'what it asks stands in the prompt')
})

verifies('MC-070', 'DONE of a code ticket needs a change that somebody saw; of research it does not', () => {
  for (const changed of [false, null]) assert.equal(reasonOf({ changed }), 'done_without_change')
  assert.equal(reasonOf({ changed: null, ticket: { ...FACTS.ticket, kind: 'research' } }), 'done')
  assert.equal(reasonOf({ ...said({ signal: 'REVIEW' }), changed: null }), 'review')
})

test('every refusal leaves the ticket as it is, and says what was asked, found and what to do', () => {
  for (const change of [{ said: 'x' }, said({ ticket: 'T-1' }), turn({ nonceSpent: true }), { changed: false }]) {
    const judged = judgeSignal({ ...FACTS, ...change })
    assert.ok(!judged.ok)
    for (const text of [judged.refusal.asked, judged.refusal.found, judged.refusal.remedy]) assert.notEqual(text, '')
  }
})

verifies('MC-060 MC-061', 'an answer in the schema is a signal with the ticket and the nonce of its own turn; null, a missing answer and another form are none', () => {
  const own = { ticket: 'T-1', nonce: 'n'.repeat(43) }
  assert.deepEqual(signalOfAnswer({ signal: 'DONE', payload: 'It holds.' }, own), { signal: 'DONE', payload: 'It holds.', ...own })
  for (const nothing of [null, undefined, { signal: null, payload: 'I only looked.' }]) assert.equal(signalOfAnswer(nothing, own), null)
  for (const odd of [{ signal: 'DONE' }, { signal: 'done', payload: 'x' }, { signal: 'DONE|REVIEW|QUESTION', payload: 'x' }, { signal: 'DONE', payload: 'x', nonce: own.nonce }, { signal: 'DONE', payload: 'x', ticket: 'T-2' }, 'DONE', ['DONE'], { signal: ['DONE'], payload: 'x' }]) {
    const said = signalOfAnswer(odd, own)
    assert.equal(said, odd, 'handed on as it came')
    assert.equal(CompletionSignal.safeParse(said).success, false)
  }
  assert.deepEqual(Object.keys(COMPLETION_SCHEMA['properties'] as object), ['signal', 'payload'])
})
