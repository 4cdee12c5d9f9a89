import type { Reason } from '../contract/reasons.ts'
import { withinLimit } from '../contract/time-limit.ts'
import { milliseconds } from '../contract/units.ts'
import type { Profile } from '../gates/catalog/index.ts'

/** The signal of a run that is cancelled by whoever asked for it, or by the watchdog of its profile. A profile without `limits.run` has none, and one that is not there is refused by its gate. */
export function withinDeadline(cancelled: AbortSignal, profile: Profile | undefined): AbortSignal {
  const limit = profile?.limits.run
  if (limit === undefined) return cancelled
  return withinLimit(milliseconds(limit), cancelled)
}

/** Why a run with this signal was cut off: the watchdog and a person each have a code of their own (ACC-69). */
export function interruptionOf(cancelled: AbortSignal): Extract<Reason, 'interrupted' | 'run_timed_out'> {
  return cancelled.reason instanceof DOMException && cancelled.reason.name === 'TimeoutError' ? 'run_timed_out' : 'interrupted'
}

/** Undefined where it takes longer. */
export async function withLimit<Value>(work: Promise<Value>, limitMs: number): Promise<Value | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), limitMs)
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}
