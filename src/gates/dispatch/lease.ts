import * as z from 'zod'
import type { MachineMoment } from '../../contract/clock.ts'

/**
 * How long a claim or a turn is in force, by the time of the machine and not by a clock that somebody can set: until when, and since
 * which start of the machine. Every process of one start reads the same time, so each of them finds the same end (REL-07).
 */
export const Lease = z.strictObject({ boot: z.string().min(1).max(100), ends_ms: z.int().nonnegative(), length_ms: z.int().positive() })
export type Lease = Readonly<z.infer<typeof Lease>>

export const leaseOf = (lengthMs: number, { boot, ms }: MachineMoment): Lease => ({ boot, ends_ms: Math.ceil(ms + lengthMs), length_ms: Math.ceil(lengthMs) })

/**
 * Milliseconds until a lease ends; none or fewer once it has ended. One of another start was given before this one began, so a whole
 * length after the start it has ended for certain: later than it might, and never early. The same holds where a machine that names no
 * start has started again: nothing given since then has more left than its length.
 */
export function leftMs(lease: Lease, { boot, ms }: MachineMoment): number {
  const left = lease.ends_ms - ms
  return lease.boot === boot && left <= lease.length_ms + 1 ? left : lease.length_ms - ms
}

/** Whether something leased has ended. What an earlier version wrote has no lease, and ends at its instant by the wall clock; one that cannot be read as an instant has ended. */
export const hasLapsed = (lease: Lease | undefined, until: string, at: { readonly now: Date; readonly moment: MachineMoment }): boolean => (lease === undefined ? !(Date.parse(until) > at.now.getTime()) : leftMs(lease, at.moment) <= 0)
