import type { Clock } from '../contract/clock.ts'

/** So many failed attempts from one address within a window, and the next is not looked at until it is over. */
export const MOST_FAILURES = 20
const WINDOW_MS = 60_000
const MOST_ADDRESSES = 10_000
const MOST_KNOWN = 10_000

/**
 * Counts failed attempts by address. On loopback everybody has the same one, so a holder who was let in before is known by
 * the hash of the token and never has to wait for somebody else's guesses.
 */
export class FailureCount {
  readonly #clock: Clock
  readonly #failures = new Map<string, { since: number; count: number }>()
  readonly #known = new Set<string>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Whole seconds until the next attempt is looked at; undefined if it is now. */
  secondsToWait(address: string): number | undefined {
    const entry = this.#failures.get(address)
    const left = entry === undefined ? 0 : entry.since + WINDOW_MS - this.#clock().getTime()
    return entry !== undefined && entry.count >= MOST_FAILURES && left > 0 ? Math.ceil(left / 1_000) : undefined
  }

  failed(address: string): void {
    const now = this.#clock().getTime()
    const entry = this.#failures.get(address)
    if (entry !== undefined && entry.since + WINDOW_MS > now) {
      entry.count += 1
      return
    }
    if (this.#failures.size >= MOST_ADDRESSES) this.#dropOld(now)
    this.#failures.set(address, { since: now, count: 1 })
  }

  isKnown(hash: string): boolean {
    return this.#known.has(hash)
  }

  know(hash: string): void {
    if (this.#known.size >= MOST_KNOWN) this.#known.clear()
    this.#known.add(hash)
  }

  #dropOld(now: number): void {
    for (const [address, { since }] of this.#failures) if (since + WINDOW_MS <= now) this.#failures.delete(address)
  }
}
