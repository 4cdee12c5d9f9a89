import type { Refusal } from '../../contract/gate.ts'
import type { Ticket } from '../../gates/dispatch/index.ts'
import type { Decision } from './book.ts'

/** What an operator can do about a session that is busy (MC-030). */
export const WAYS_OUT = ['wait', 'interrupt', 'restart'] as const

export const runtimeBusy = (id: string, observed: string): Refusal => ({ reason: 'runtime_busy', message: 'The session is running a turn; nothing was sent.', asked: `a message into the session of ${id}`, found: `Ticket runtime is not ready for input (status=${observed})`, remedy: 'Wait for the current turn to finish, interrupt it, or restart the session.' })

export const runtimeDead = (id: string, observed: string): Refusal => ({ reason: 'runtime_dead', message: 'The session has ended; nothing was sent.', asked: `a message into the session of ${id}`, found: `nothing reaches the session any more (status=${observed})`, remedy: 'Open a fresh session.' })

/** An act on a session where none is attached (MC-025). */
export const noRuntime = (id: string, observed: string, asked: string, remedy = 'Claim the ticket and open a session.'): Refusal => ({ reason: 'no_runtime', message: `No live session is attached to ${id}.`, asked, found: `a session that is ${observed}`, remedy })

export const busy = (ticket: Ticket, id: string, asked: string): Decision => ({ refusal: { ...runtimeBusy(id, ticket.runtime.state), asked: `${asked} for ${id}` }, details: { observed: ticket.runtime.state, ways_out: [...WAYS_OUT] } })

/** A session that was ready when the ticket was another's already, or nobody's. */
export const startedLate = (ticket: Ticket, session: string): Refusal => ({ reason: 'claim_stale', message: 'The session came up too late, and was ended.', asked: `the session ${session} for ${ticket.id}`, found: ticket.runtime.session === session ? `it is ${ticket.runtime.state}` : `the ticket has ${ticket.runtime.session ?? 'no session'}`, remedy: 'Claim the ticket again and open a fresh session.' })
