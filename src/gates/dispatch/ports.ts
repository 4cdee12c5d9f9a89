import type { SessionState } from './dispatch-facts.ts'

/** The session that a prompt is to enter, as far as this gate asks about it. */
export interface DispatchTarget {
  readonly pid: number
  state(): SessionState
}
