import type { MachineMoment } from '../../contract/clock.ts'
import type { Digest } from '../../contract/verdict.ts'
import { type Actor, leaseOf, type Ticket, type TicketRuntime, type TicketSession, type TicketTurn } from '../../gates/dispatch/index.ts'

/** A session that has ended, as its ticket shows it: the duration is fixed with the end, and grows no more (MC-007). */
export function closedRuntime(runtime: TicketRuntime, at: Date): TicketRuntime {
  if (runtime.ended_at !== null) return runtime
  const began = runtime.started_at === null ? at.getTime() : Date.parse(runtime.started_at)
  return { ...runtime, state: 'closed', ended_at: at.toISOString(), duration_ms: Math.max(0, at.getTime() - began) }
}

/** What the ticket shows of its session. */
export const runtimeOf = (session: TicketSession): TicketRuntime => ({
  state: session.state, session: session.id, profile: session.profile, triple: session.triple, cwd: session.cwd, mode: session.mode,
  started_at: session.started_at, last_activity_at: session.last_activity_at, ended_at: session.ended_at,
  duration_ms: session.ended_at === null ? null : Math.max(0, Date.parse(session.ended_at) - Date.parse(session.started_at)),
})

export interface Message {
  readonly text: string
  /** Stable over retries of the same request: sent twice, one turn begins (MC-036). */
  readonly key: string
  readonly onBusy: 'refuse' | 'queue'
}

interface Asked {
  readonly by: Actor
  readonly message: Message
  readonly attempt: number
  readonly nonceSha256: Digest
  readonly now: Date
  readonly moment: MachineMoment
  readonly untilMs: number
}

/** A turn as it begins: leased, and nothing sent yet. */
export function turnOf(ticket: Ticket, session: TicketSession, { by, message, attempt, nonceSha256, now, moment, untilMs }: Asked): TicketTurn {
  const until = new Date(now.getTime() + untilMs).toISOString()
  return {
    id: `${ticket.id}.${attempt}`, ticket: ticket.id, attempt, session: session.id, epoch: session.epoch, state: 'leased', key: message.key, text: message.text, by, code: null, end: null, receipt: null,
    nonce_sha256: nonceSha256, nonce_expires_at: until, nonce_spent: false, lease_until: until, lease: leaseOf(untilMs, moment), began_at: now.toISOString(), delivered_at: null, ended_at: null, start_tokens: null, end_tokens: null, duration_ms: null, effort: null, terminal: null,
  }
}
