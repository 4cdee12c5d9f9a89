import type { Answers } from './api.ts'
import type { TicketRow } from './questions.ts'

/** A whole ticket as a row of the board, as the server would give it. */
export function rowOf({ ticket, cards, moves }: Answers['showTicket']): TicketRow {
  const { id, number, title, state, reason, runtime, priority, kind, project, owner, claim, acceptance, terminal, created_at, state_since } = ticket
  return {
    id, number, title, state, reason, priority, kind, project, owner, created_at, state_since, moves,
    next_action: cards.next_action, runtime: runtime.state, claimed_by: claim?.holder ?? null,
    items: acceptance.length, passed: acceptance.filter(({ verdict }) => verdict === 'pass').length,
    says: terminal === null ? null : (terminal.root_cause ?? terminal.summary),
  }
}
