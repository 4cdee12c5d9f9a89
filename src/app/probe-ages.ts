import type { Clock, SteadyClock } from '../contract/clock.ts'
import type { RunSummary } from '../engine/index.ts'

/**
 * How old probes are. The wall clock is asked once, when a probe of an earlier life is first seen: from then on ages grow as time
 * passes, whatever somebody sets the clock to, so that no probe is skipped or made twice (REL-07).
 */
export class ProbeAges {
  readonly #clock: Clock
  readonly #steadyMs: SteadyClock
  /** When each run began, on the steady clock. */
  readonly #beganMs = new Map<string, number>()
  readonly #waitsMs = new Map<string, { readonly before: string | null; readonly sinceMs: number }>()

  constructor(clock: Clock, steadyMs: SteadyClock) {
    this.#clock = clock
    this.#steadyMs = steadyMs
  }

  /** A probe that was made here. */
  began(runId: string, atMs: number): void {
    this.#beganMs.set(runId, atMs)
  }

  /** In milliseconds, and never less than none. */
  of({ runId, startedAt }: Pick<RunSummary, 'runId' | 'startedAt'>): number {
    const now = this.#steadyMs()
    const known = this.#beganMs.get(runId) ?? now - Math.max(0, this.#clock().getTime() - Date.parse(startedAt))
    this.#beganMs.set(runId, known)
    return now - known
  }

  /** How long a probe has been due that was to follow this one, since it was first asked here. */
  waiting(profile: string, before: string | null): number {
    const now = this.#steadyMs()
    const since = this.#waitsMs.get(profile)
    if (since !== undefined && since.before === before) return now - since.sinceMs
    this.#waitsMs.set(profile, { before, sinceMs: now })
    return 0
  }
}
