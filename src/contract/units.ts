import * as z from 'zod'

const DURATION = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/
const MILLISECONDS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** `250ms`, `30s`, `10m`, `24h`, `2d` as milliseconds; undefined for anything else, zero included. */
export function parseDuration(text: string): number | undefined {
  const match = DURATION.exec(text)
  if (match === null) return undefined
  const milliseconds = Number(match[1]) * MILLISECONDS[match[2] as keyof typeof MILLISECONDS]
  return Number.isFinite(milliseconds) && milliseconds > 0 ? milliseconds : undefined
}

const DURATION_EXPECTED = 'expected a duration greater than zero, as in 250ms, 30s, 10m or 24h'

const atMost = (longestMs: number, expected: string) => z.string(DURATION_EXPECTED).refine((text) => parseDuration(text) !== undefined, DURATION_EXPECTED).refine((text) => (parseDuration(text) ?? 0) <= longestMs, expected)

/** A timer that is set for longer fires at once: what was meant as a month would be a millisecond. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1
const DAY_MS = 86_400_000

/** A duration as people write it, short enough for a timer. Validated, kept as text, so that the schema describes the file and not our reading of it. */
export const Duration = atMost(LONGEST_TIMER_MS, 'expected a duration of at most 24d').meta({ pattern: DURATION.source, description: 'A duration: 250ms, 30s, 10m, 24h' })

/** How long something stays in force that no timer ends: its end is an instant that is compared. */
export const Lifetime = atMost(36_500 * DAY_MS, 'expected a duration of at most 36500d').meta({ pattern: DURATION.source, description: 'A duration: 10m, 24h, 30d' })

/** How long somebody may be silent who holds a thing that others wait for. */
export const LONGEST_LEASE_MS = DAY_MS
export const Lease = atMost(LONGEST_LEASE_MS, 'expected a duration of at most 24h').meta({ pattern: DURATION.source, description: 'A duration of at most a day: 30s, 10m, 24h' })

/** Milliseconds of a text that `Duration` has validated. Throws RangeError otherwise: a limit is never guessed. */
export function milliseconds(duration: string): number {
  const parsed = parseDuration(duration)
  if (parsed === undefined) throw new RangeError(`Expected a duration as in 30s, got ${JSON.stringify(duration)}`)
  return parsed
}

const SIZE = /^(\d+)(B|KiB|MiB|GiB)$/
const BYTES = { B: 1, KiB: 1_024, MiB: 1_048_576, GiB: 1_073_741_824 } as const

/** `512B`, `64KiB`, `10MiB` as bytes; undefined for anything else. */
export function parseSize(text: string): number | undefined {
  const match = SIZE.exec(text)
  return match === null ? undefined : finite(Number(match[1]) * BYTES[match[2] as keyof typeof BYTES])
}

const SIZE_EXPECTED = 'expected a size, as in 512B, 64KiB or 10MiB'

export const Size = z.string(SIZE_EXPECTED).refine((text) => parseSize(text) !== undefined, SIZE_EXPECTED).meta({ pattern: SIZE.source, description: 'A size: 512B, 64KiB, 10MiB' })

const MONEY = /^USD (\d+(?:\.\d{1,6})?)$/

/** `USD 20` or `USD 0.15` as a number of US dollars; undefined for anything else. */
export function parseMoney(text: string): number | undefined {
  const match = MONEY.exec(text)
  return match === null ? undefined : finite(Number(match[1]))
}

// A limit of so many digits that it becomes Infinity would be no limit.
const finite = (amount: number): number | undefined => (Number.isFinite(amount) ? amount : undefined)

const MONEY_EXPECTED = 'expected an amount, as in USD 20 or USD 0.15'

export const Money = z.string(MONEY_EXPECTED).refine((text) => parseMoney(text) !== undefined, MONEY_EXPECTED).meta({ pattern: MONEY.source, description: 'An amount: USD 20, USD 0.15' })

/** A duration for people: `2 ms`, `4.9 s`, `3 min 5 s`. */
export function printMilliseconds(elapsed: number): string {
  // The bounds are where rounding would print "1000 ms" and "60.0 s".
  if (elapsed < 999.5) return `${Math.max(1, Math.round(elapsed))} ms`
  if (elapsed < 59_950) return `${(elapsed / 1_000).toFixed(1)} s`
  const seconds = Math.round(elapsed / 1_000)
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}
