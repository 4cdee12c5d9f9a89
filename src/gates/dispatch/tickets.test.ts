import assert from 'node:assert/strict'
import { test } from 'node:test'
import { verifies } from '../../../test/verifies.ts'
import { actorId, canMoveByHand, MOVES_BY_HAND, renderTerminalState, TICKET_STATES, TICKET_TRANSITIONS, TerminalState, terminalProblem, triage } from './index.ts'

const RECORD = {
  contract: 1, status: 'warning', summary: 'Ticket runtime send failed; parked for automatic recovery.',
  root_cause: 'HTTP 409 CONFLICT: Ticket runtime is not ready for input (status=running)', safe_retry: 'message pending, ticket todo', stop_condition: 'after 3 failures the ticket is blocked',
  human_input_required: false, next_actions: ['Pickup will retry the pending message in a fresh runtime.'], artifacts: ['ticket:T-12'],
} as const
const ABOUT = { ticket: 'T-12', state: 'todo' }

verifies('MC-051', 'a terminal record has exactly its nine fields: each that is missing, and any other, fails', () => {
  assert.equal(terminalProblem(RECORD, ABOUT), undefined)
  assert.equal(Object.keys(TerminalState.shape).length, 9)
  for (const field of Object.keys(RECORD)) {
    const { [field as keyof typeof RECORD]: _, ...without } = RECORD
    assert.match(terminalProblem(without, ABOUT) ?? '', new RegExp(field), field)
  }
  assert.match(terminalProblem({ ...RECORD, more: 1 }, ABOUT) ?? '', /Unrecognized key/)
})

verifies('MC-055', 'human input is required if and only if the ticket waits for a person', () => {
  for (const state of TICKET_STATES) {
    const waits = state === 'question' || state === 'blocked'
    assert.equal(terminalProblem({ ...RECORD, human_input_required: waits }, { ...ABOUT, state }), undefined)
    assert.match(terminalProblem({ ...RECORD, human_input_required: !waits }, { ...ABOUT, state }) ?? '', /human_input_required/)
  }
})

verifies('MC-056', 'artifacts are references that can be resolved, and never to another ticket', () => {
  for (const good of ['ticket:T-12', 'session:s-1', `evidence:${'a'.repeat(64)}`]) assert.equal(terminalProblem({ ...RECORD, artifacts: [good] }, ABOUT), undefined)
  assert.match(terminalProblem({ ...RECORD, artifacts: ['ticket:T-4462'] }, ABOUT) ?? '', /points at ticket:T-4462/)
  for (const bad of ['MC-4462', 'ticket:', 'file:/etc/passwd', 'evidence:abc']) assert.notEqual(terminalProblem({ ...RECORD, artifacts: [bad] }, ABOUT), undefined, bad)
})

test('the text for people holds every field of the record', () => {
  const text = renderTerminalState(TerminalState.parse(RECORD))
  for (const part of ['RUNTIME TERMINAL STATE (contract 1)', 'status: warning', RECORD.root_cause, RECORD.safe_retry, RECORD.stop_condition, 'human_input_required: no', `- ${RECORD.next_actions[0]}`, '- ticket:T-12']) assert.ok(text.includes(part), part)
})

const RULES = [
  { agent: 'luci', skill: 'code changes, bug fixes, new features', labels: ['code'], words: ['probe', 'alias', 'bug'] },
  { agent: 'scout', skill: 'research', labels: ['research'], words: ['compare'] },
]
const ticket = (title: string, labels: string[] = []) => ({ title, description: '', labels })

test('triage names agent, confidence, skill and reason; a label weighs more than a word; two agents that fit make it less sure', () => {
  assert.deepEqual(triage(ticket('Health probe and alias layer', ['Code']), RULES, 0.9), { agent: 'luci', confidence: 0.93, skill: RULES[0]?.skill, reason: 'label code, word probe, word alias fit the skill code changes, bug fixes, new features.', assigned: true })
  const word = triage(ticket('Add a probe'), RULES, 0.7)
  assert.deepEqual([word.agent, word.confidence, word.assigned], ['luci', 0.4, false])
  const both = triage(ticket('Compare probes', ['code', 'research']), RULES, 0.7)
  assert.deepEqual([both.agent, both.assigned], ['scout', false])
  assert.match(both.reason, /another agent fits as well/)
  assert.deepEqual(triage(ticket('Nothing of it'), RULES, 0.7), { agent: null, confidence: 0, skill: null, reason: 'No rule of triage fits the ticket.', assigned: false })
  assert.equal(triage(ticket('x', ['code']), [], 0.1).assigned, false)
})

test('what can be done by hand is legal, and reaches neither work nor its end', () => {
  for (const from of TICKET_STATES) {
    for (const to of MOVES_BY_HAND[from]) assert.ok((TICKET_TRANSITIONS[from] as readonly string[]).includes(to), `${from} to ${to}`)
    assert.equal(canMoveByHand(from, 'in_progress') || canMoveByHand(from, 'done'), false)
  }
})

test('a name is one actor in any writing', () => {
  for (const name of ['luci', 'Luci', ' LUCI ', 'Ｌuci']) assert.equal(actorId(name), 'luci')
  assert.equal(actorId('J. Doe'), 'j.-doe')
})
