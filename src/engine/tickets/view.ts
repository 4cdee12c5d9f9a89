import * as z from 'zod'
import { isLive, MOVES_BY_HAND, RUNTIME_STATES, type RuntimeState, TICKET_STATES, Ticket, type TicketState } from '../../gates/dispatch/index.ts'

/** What has to happen next: computed, never free text (MC-012). `retry` has the instant from which it is tried again. */
export const NEXT_ACTIONS = ['closed', 'wait', 'operator', 'retry'] as const
export const NextAction = z.strictObject({ code: z.enum(NEXT_ACTIONS), at: z.iso.datetime().nullable() })
export type NextAction = Readonly<z.infer<typeof NextAction>>

/** A ticket with what is computed of it: what every surface shows, from the same fields. */
export const TicketView = z.strictObject({
  ticket: Ticket,
  cards: z.strictObject({
    state: z.enum(TICKET_STATES),
    next_action: NextAction,
    owner: z.string().nullable(),
    runtime: z.enum(RUNTIME_STATES),
    created_at: z.iso.datetime().describe('Age is told from it by whoever shows it.'),
  }),
  status: z.strictObject({ code: z.string(), sentence: z.string(), profile: z.string().nullable(), cwd: z.string().nullable(), started_at: z.iso.datetime().nullable(), last_activity_at: z.iso.datetime().nullable(), duration_ms: z.int().nullable() }),
  working: z.boolean().describe('True only while the session runs a turn.'),
  buttons: z.strictObject({ message: z.boolean(), interrupt: z.boolean(), restart: z.boolean() }).describe('What can be done with the live session; all false where there is none.'),
  moves: z.array(z.enum(TICKET_STATES)).describe('Where a person may move it now; anything else is refused with 409.'),
})
export type TicketView = Readonly<z.infer<typeof TicketView>>

/** Where a person may move it by hand: with a live session attached to review alone, because the session would report into a ticket that nobody works on any more. */
export const movesOf = ({ state, runtime }: Pick<Ticket, 'state' | 'runtime'>): readonly TicketState[] => (MOVES_BY_HAND[state] as readonly TicketState[]).filter((to) => to === 'review' || !isLive(runtime.state))

export function nextActionOf(ticket: Ticket, now: Date): NextAction {
  const action = (code: NextAction['code'], at: string | null = null): NextAction => ({ code, at })
  switch (ticket.state) {
    case 'closed':
      return action('closed')
    case 'question':
    case 'blocked':
      return action('operator')
    case 'triage':
      return action(ticket.triage === null ? 'wait' : 'operator')
    case 'review':
      return action(ticket.reason === 'no_signal' || ticket.reason === 'review_waiting' ? 'operator' : 'wait')
    case 'todo':
      return ticket.retry_at !== null && Date.parse(ticket.retry_at) > now.getTime() ? action('retry', ticket.retry_at) : action('wait')
    case 'done':
      // No run speaks for what is left: a person judges it, or gives it up.
      return action(ticket.reason === 'item_unproven' ? 'operator' : 'wait')
    case 'in_progress':
      return action('wait')
  }
}

const LIVE_SENTENCES: Readonly<Record<RuntimeState, string>> = {
  none: 'no session is attached', starting: 'its session starts', ready: 'its session is ready', running: 'its session runs a turn', needs_input: 'its session waits for an answer', failed: 'its session failed', closed: 'its session is closed',
}
const STATE_SENTENCES: Readonly<Record<TicketState, string>> = {
  triage: 'Ticket waits for triage', todo: 'Ticket waits for a worker', in_progress: 'Ticket is worked on', review: 'Ticket is in review', question: 'Ticket waits for an answer', blocked: 'Ticket is blocked', done: 'Ticket is done', closed: 'Ticket is closed',
}

/** The code first, and its sentence from it alone (MC-005). `ticket_runtime_done`: done, and its session is closed. */
export function statusOf({ state, runtime, reason }: Ticket): { readonly code: string; readonly sentence: string } {
  const ended = runtime.state === 'closed' && (state === 'done' || state === 'closed')
  const code = ended ? `ticket_runtime_${state}` : runtime.state === 'none' ? `ticket_${state}` : `ticket_${state}_runtime_${runtime.state}`
  return { code, sentence: `${STATE_SENTENCES[state]}; ${LIVE_SENTENCES[runtime.state]}.${reason === null ? '' : ` (${reason})`}` }
}

export function viewOf(ticket: Ticket, now: Date): TicketView {
  const { runtime } = ticket
  const reachable = runtime.state === 'ready' || runtime.state === 'running' || runtime.state === 'needs_input'
  return {
    ticket,
    cards: { state: ticket.state, next_action: nextActionOf(ticket, now), owner: ticket.owner, runtime: runtime.state, created_at: ticket.created_at },
    status: { ...statusOf(ticket), profile: runtime.profile, cwd: runtime.cwd, started_at: runtime.started_at, last_activity_at: runtime.last_activity_at, duration_ms: runtime.duration_ms },
    working: runtime.state === 'running' && ticket.state === 'in_progress',
    buttons: { message: runtime.state === 'ready', interrupt: runtime.state === 'starting' || runtime.state === 'running' || runtime.state === 'needs_input', restart: reachable },
    moves: [...movesOf(ticket)],
  }
}
