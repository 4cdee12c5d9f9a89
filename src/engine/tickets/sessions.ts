import type { TicketRuntime, TicketSession } from '../../gates/dispatch/index.ts'

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
