import type { Dialect } from '../../contract/model.ts'

/** Where the probe asks: the wire, with the licence of one run. */
export interface ProbeTarget {
  readonly token: string
  readonly baseUrl: Readonly<Record<Dialect, string>>
}

export interface ProbeRequest {
  readonly grant: ProbeTarget
  readonly dialect: Dialect
  /** The exact id, as a run would ask for it. */
  readonly model: string
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

/** What the probing client saw. Worth a line on a screen; what counts is what the wire recorded. */
export interface ProbeSight {
  readonly latencyMs: number
  /** Null when no complete answer came. */
  readonly httpStatus: number | null
  /** Why none came, as a system code or a few words; null when one did. */
  readonly failure: string | null
}

/** Makes one real, minimal model call. Never rejects: a provider that is down is a finding, not a fault. */
export type Probe = (request: ProbeRequest) => Promise<ProbeSight>
