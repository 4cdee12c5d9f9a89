import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { bookForTest, DRAFT, OPERATOR } from '../../../test/helpers/ticket-book.ts'
import { verifies } from '../../../test/verifies.ts'
import { RUNTIME_STATES, TICKET_STATES } from '../../gates/dispatch/index.ts'
import { NEXT_ACTIONS, viewOf } from './view.ts'

const NOW = new Date('2026-06-01T12:00:00.000Z')

verifies('MC-012 MC-005', 'what comes next is computed of the ticket alone, and its sentence of its code', async (context) => {
  const { book } = await bookForTest(context)
  const ticket = await book.create(DRAFT, OPERATOR)
  const next = (change: Partial<typeof ticket>): string => {
    const { code, at } = viewOf({ ...ticket, ...change }, NOW).cards.next_action
    return at === null ? code : `${code} at ${at}`
  }
  assert.deepEqual(TICKET_STATES.map((state) => next({ state })), ['wait', 'wait', 'wait', 'wait', 'operator', 'operator', 'wait', 'closed'])
  assert.equal(next({ state: 'todo', retry_at: '2026-06-01T12:05:00.000Z' }), 'retry at 2026-06-01T12:05:00.000Z')
  assert.equal(next({ state: 'todo', retry_at: NOW.toISOString() }), 'wait')
  assert.deepEqual(['no_signal', 'review_waiting', 'review_ready'].map((reason) => next({ state: 'review', reason })), ['operator', 'operator', 'wait'])
  assert.equal(next({ state: 'triage', triage: { agent: null, confidence: 0, skill: null, reason: 'No rule fits.', assigned: false } }), 'operator')
  assert.deepEqual([...NEXT_ACTIONS], ['closed', 'wait', 'operator', 'retry'])
  const codes = TICKET_STATES.flatMap((state) => RUNTIME_STATES.map((runtime) => viewOf({ ...ticket, state, runtime: { ...ticket.runtime, state: runtime } }, NOW).status))
  for (const { code, sentence } of codes) assert.match(`${code}: ${sentence}`, /^ticket_[a-z_]+: Ticket .+\.$/)
  assert.equal(new Set(codes.map(({ code, sentence }) => `${code} ${sentence}`)).size, TICKET_STATES.length * RUNTIME_STATES.length)
  assert.deepEqual(viewOf({ ...ticket, state: 'done', runtime: { ...ticket.runtime, state: 'closed' } }, NOW).status.code, 'ticket_runtime_done')
})

verifies('MC-057', 'the text of a terminal record is written in one place, and read in none', () => {
  const root = join(import.meta.dirname, '../..')
  const naming = globSync('**/*.ts', { cwd: root }).filter((file) => !file.endsWith('.test.ts') && readFileSync(join(root, file), 'utf8').includes('RUNTIME TERMINAL STATE'))
  assert.deepEqual(naming, ['gates/dispatch/terminal-state.ts'])
})
