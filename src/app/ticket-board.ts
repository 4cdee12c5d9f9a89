import * as z from 'zod'
import { Name } from '../contract/ids.ts'
import { movesOf, NextAction, nextActionOf } from '../engine/index.ts'
import { PRIORITIES, RUNTIME_STATES, type Ticket, TICKET_STATES, TicketId, WORK_KINDS } from '../gates/dispatch/index.ts'

/** As much of a ticket as a board or a table shows: thousands of them are asked for at once. */
export const TicketRow = z.strictObject({
  id: TicketId,
  number: z.int().positive(),
  title: z.string(),
  state: z.enum(TICKET_STATES),
  reason: z.string().nullable(),
  next_action: NextAction,
  runtime: z.enum(RUNTIME_STATES),
  priority: z.enum(PRIORITIES),
  kind: z.enum(WORK_KINDS),
  project: Name,
  owner: z.string().nullable(),
  claimed_by: z.string().nullable(),
  items: z.int().describe('How many acceptance items it has.'),
  passed: z.int().describe('How many of them have passed.'),
  says: z.string().nullable().describe('The last word of its last turn.'),
  created_at: z.iso.datetime(),
  state_since: z.iso.datetime(),
  moves: z.array(z.enum(TICKET_STATES)),
})
export type TicketRow = Readonly<z.infer<typeof TicketRow>>

const MOST_WORDS = 300

export function ticketRow(ticket: Ticket, now: Date): TicketRow {
  const { id, number, title, state, reason, runtime, priority, kind, project, owner, claim, acceptance, terminal, created_at, state_since } = ticket
  return {
    id, number, title, state, reason, priority, kind, project, owner, created_at, state_since,
    next_action: nextActionOf(ticket, now), runtime: runtime.state, claimed_by: claim?.holder ?? null,
    items: acceptance.length, passed: acceptance.filter(({ verdict }) => verdict === 'pass').length,
    says: terminal === null ? null : (terminal.root_cause ?? terminal.summary).slice(0, MOST_WORDS),
    moves: [...movesOf(ticket)],
  }
}
