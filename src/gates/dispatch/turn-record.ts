import * as z from 'zod'
import { Digest } from '../../contract/verdict.ts'
import { Lease } from './lease.ts'
import { TerminalState } from './terminal-state.ts'
import { Actor, TicketId } from './ticket.ts'
import { RUNTIME_MODES, RUNTIME_STATES } from './ticket-states.ts'

const Instant = z.iso.datetime()
export const SessionId = z.string().max(120).regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/)

/** A live session of a ticket, as the store keeps it. Its epoch is the ticket's when it was opened: an older one is a zombie's. */
export const TicketSession = z.strictObject({
  id: SessionId,
  ticket: TicketId,
  epoch: z.int().positive(),
  state: z.enum(RUNTIME_STATES),
  profile: z.string(),
  triple: z.string().nullable(),
  cwd: z.string(),
  mode: z.enum(RUNTIME_MODES),
  /** Of the process that was started; null where a runtime has none of its own. */
  pid: z.int().positive().nullable(),
  worker: z.string(),
  /** Of the token that the session's own connection shows; the token itself is nowhere. */
  token_sha256: Digest,
  started_at: Instant,
  last_activity_at: Instant,
  ended_at: Instant.nullable(),
  start_tokens: z.int().nonnegative().nullable(),
  /** The run in which its gates stand; null until it has passed them. */
  run: z.string().max(200).nullable(),
})
export type TicketSession = Readonly<z.infer<typeof TicketSession>>

/**
 * `leased`: nothing may be sent to the session but this. `delivered`: the runtime gave a receipt. The rest have ended:
 * `refused` before a byte was sent, `unknown` because no receipt came, `ended` by any other end.
 */
export const TURN_STATES = ['leased', 'delivered', 'refused', 'unknown', 'ended'] as const
export type TurnState = (typeof TURN_STATES)[number]
export const holdsSession = (state: TurnState): boolean => state === 'leased' || state === 'delivered'

export const TURN_ENDS = ['completed', 'failed_to_inject', 'delivery_unknown', 'runtime_dead', 'timed_out', 'interrupted', 'restarted', 'supervisor_restart', 'lease_expired', 'no_signal', 'signal_refused', 'turn_failed'] as const
export type TurnEnd = (typeof TURN_ENDS)[number]

/** One attempt to bring one message into one session. The text is stored whole, also of one that was refused (MC-032). */
export const TicketTurn = z.strictObject({
  id: z.string().max(60).regex(/^T-\d+\.\d+$/, 'expected the id of a turn, as in T-12.3'),
  ticket: TicketId,
  attempt: z.int().positive(),
  session: SessionId,
  epoch: z.int().positive(),
  state: z.enum(TURN_STATES),
  /** Stable over retries of the same request (MC-036). */
  key: z.string().min(1).max(200),
  text: z.string().min(1).max(200_000),
  by: Actor,
  code: z.string().max(100).nullable(),
  end: z.enum(TURN_ENDS).nullable(),
  receipt: z.string().max(1_024).nullable(),
  nonce_sha256: Digest,
  nonce_expires_at: Instant,
  nonce_spent: z.boolean(),
  /** When it ends if nobody sets the clock; what counts is `lease`. */
  lease_until: Instant,
  lease: Lease.optional(),
  began_at: Instant,
  delivered_at: Instant.nullable(),
  ended_at: Instant.nullable(),
  start_tokens: z.int().nonnegative().nullable(),
  end_tokens: z.int().nonnegative().nullable(),
  /** From its lease to its end (MC-130). */
  duration_ms: z.int().nonnegative().nullable(),
  /** As the runtime names it, else as the profile asks for it. */
  effort: z.string().max(100).nullable(),
  terminal: TerminalState.nullable(),
})
export type TicketTurn = Readonly<z.infer<typeof TicketTurn>>

/** A message that waits for the session to be free. Each becomes a turn of its own; none is merged with another (MC-035). */
export const QUEUED_STATES = ['pending', 'sent', 'removed'] as const
export const QueuedMessage = z.strictObject({
  id: z.string().max(60).regex(/^T-\d+\.m\d+$/),
  ticket: TicketId,
  number: z.int().positive(),
  state: z.enum(QUEUED_STATES),
  key: z.string().min(1).max(200),
  text: z.string().min(1).max(200_000),
  by: Actor,
  queued_at: Instant,
})
export type QueuedMessage = Readonly<z.infer<typeof QueuedMessage>>
