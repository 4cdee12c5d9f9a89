import * as z from 'zod'
import type { SteadyClock } from '../contract/clock.ts'
import type { Refusal } from '../contract/gate.ts'
import { RunId } from '../contract/ids.ts'

/** What is to be run, as it was asked for: paths are from the directory of the configuration. */
export const RunOrder = z.strictObject({
  task: z.string().min(1).max(1_000),
  profile: z.string().nullable(),
  purpose: z.string().nullable(),
  backend: z.string().nullable(),
  admission: z.string().nullable(),
})
export type RunOrder = Readonly<z.infer<typeof RunOrder>>

/** How an entry of the queue ended: as the run did that counts as its result, or without one, because its attempts were used up. */
export const ORDER_OUTCOMES = ['accepted', 'failed', 'blocked', 'waiting', 'given_up'] as const
export type OrderOutcome = (typeof ORDER_OUTCOMES)[number]

export const ORDER_STATES = ['queued', 'claimed', 'ended'] as const

/** One entry of the queue. Each attempt is a run of its own, opened under an epoch of its own, and all of them stay visible; one at most is the result (REL-10). */
export const QueuedRun = z.strictObject({
  id: z.string(),
  number: z.int().positive(),
  state: z.enum(ORDER_STATES),
  order: RunOrder,
  /** How many attempts there may be. */
  attempts: z.int().positive(),
  by: z.string(),
  queued_at: z.iso.datetime(),
  /** Grows with each claim. What comes under an earlier one is refused. */
  epoch: z.int().nonnegative(),
  /** Grows with each sign of life of whoever holds the claim. */
  beats: z.int().nonnegative(),
  worker: z.string().nullable(),
  lease_ms: z.int().positive().nullable(),
  outcome: z.enum(ORDER_OUTCOMES).nullable(),
  result: RunId.nullable(),
  ended_at: z.iso.datetime().nullable(),
  runs: z.array(z.strictObject({ run: RunId, epoch: z.int().positive(), state: z.string(), reason: z.string().nullable() })),
})
export type QueuedRun = Readonly<z.infer<typeof QueuedRun>>

/** Under which claim something is written. */
export interface Fence {
  readonly item: string
  readonly epoch: number
}

/** A claim as somebody else can see it: while none of it changes, its holder gave no sign of life. */
export interface HeldClaim extends Fence {
  readonly beats: number
  readonly leaseMs: number
}

export type Fenced = { readonly ok: true } | { readonly ok: false; readonly refusal: Refusal }

/**
 * Runs that wait for a worker. A claim is in force until somebody takes it over, which the epoch tells and no clock: whoever takes it
 * over has watched it for a whole lease without a sign of life, by a clock of its own that never jumps (REL-07). Every act under an
 * earlier epoch is refused with `stale_epoch`. Rejects with a `store_*` PortcullisError if the store is down.
 */
export interface RunQueue {
  /** The same key twice is one entry. */
  add(asked: { readonly order: RunOrder; readonly attempts: number; readonly key: string; readonly by: string; readonly at: Date }): Promise<QueuedRun>
  find(id: string): Promise<QueuedRun | undefined>
  /** The newest first; with `before`, those with a smaller number. */
  list(most: number, before?: number): Promise<readonly QueuedRun[]>
  /** The oldest entry that waits, claimed by this worker alone; undefined if none waits. */
  claimNext(worker: string, leaseMs: number): Promise<QueuedRun | undefined>
  /** Every claim that is held. */
  held(): Promise<readonly HeldClaim[]>
  /** Takes over a claim that has not changed since it was seen so; undefined if it has, or somebody was faster. */
  takeOver(seen: HeldClaim, worker: string, leaseMs: number): Promise<QueuedRun | undefined>
  /** A sign of life. */
  beat(fence: Fence): Promise<Fenced>
  /** Whether the claim is in force, now. */
  standing(fence: Fence): Promise<Fenced>
  /** Lets go: the entry waits again. */
  release(fence: Fence): Promise<Fenced>
  /** Records what the entry came to, once. `result` is one of its own runs, as the store has it; null where it was given up. */
  end(fence: Fence, ended: { readonly outcome: OrderOutcome; readonly result: string | null; readonly at: Date }): Promise<Fenced>
  close(): Promise<void>
}

export const staleEpoch = ({ item, epoch }: Fence, found: string): Refusal => ({
  reason: 'stale_epoch',
  message: 'The claim was taken over; nothing that comes under it counts any more.',
  asked: `${item} in epoch ${epoch}`,
  found,
  remedy: 'Stop the work: another worker goes on with it.',
})

/** Watches claims by a clock that never jumps, and says which gave no sign of life for a whole lease since they were first seen so. */
export class LeaseWatch {
  readonly #steadyMs: SteadyClock
  readonly #seen = new Map<string, { readonly claim: HeldClaim; readonly sinceMs: number }>()

  /** `steadyMs`: milliseconds that pass as real time does, whatever happens to the wall clock. */
  constructor(steadyMs: SteadyClock) {
    this.#steadyMs = steadyMs
  }

  lapsed(held: readonly HeldClaim[]): readonly HeldClaim[] {
    const now = this.#steadyMs()
    for (const item of this.#seen.keys()) if (!held.some((claim) => claim.item === item)) this.#seen.delete(item)
    return held.filter((claim) => {
      const before = this.#seen.get(claim.item)
      if (before !== undefined && before.claim.epoch === claim.epoch && before.claim.beats === claim.beats) return now - before.sinceMs >= claim.leaseMs
      this.#seen.set(claim.item, { claim, sinceMs: now })
      return false
    })
  }
}
