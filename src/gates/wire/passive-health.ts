import type { Reason } from '../../contract/reasons.ts'

/** From when on a pair counts as unhealthy (WIR-30). Each is optional in configuration; none is defaulted. */
export interface HealthThresholds {
  /** So many failures in a row. */
  readonly consecutiveErrors?: number | undefined
  /** So great a share of the last calls, once `window` of them are known; 0 to 1. */
  readonly errorRate?: number | undefined
  /** Median time to first byte of the last calls, once `window` of them are known, in milliseconds. */
  readonly firstByteMs?: number | undefined
  /** How many of the last calls are looked at for rate and latency. */
  readonly window: number
}

/** One forwarded call, as far as health is concerned. */
export interface HealthSample {
  readonly failed: boolean
  readonly firstByteMs: number | null
}

export interface PassiveHealth {
  readonly unhealthy: string | null
  readonly consecutiveErrors: number
  readonly recent: readonly HealthSample[]
}

/** Nothing is known, so nothing is held against the pair: it passed a probe when its run began. */
export const healthyAtFirst: PassiveHealth = { unhealthy: null, consecutiveErrors: 0, recent: [] }

export const isHealthy = (health: PassiveHealth): boolean => health.unhealthy === null

/**
 * Takes one call into account. Once unhealthy a pair stays so, whatever late answers say: only a probe brings it back,
 * because traffic that is still under way began before the trouble.
 */
export function sampled(health: PassiveHealth, sample: HealthSample, thresholds: HealthThresholds): PassiveHealth {
  const recent = [...health.recent, sample].slice(-thresholds.window)
  const consecutiveErrors = sample.failed ? health.consecutiveErrors + 1 : 0
  return { recent, consecutiveErrors, unhealthy: health.unhealthy ?? troubleOf(recent, consecutiveErrors, thresholds) }
}

/** A probe answered: what was held against the pair is forgotten. */
export const probedHealthy = (): PassiveHealth => healthyAtFirst

function troubleOf(recent: readonly HealthSample[], consecutiveErrors: number, thresholds: HealthThresholds): string | null {
  if (thresholds.consecutiveErrors !== undefined && consecutiveErrors >= thresholds.consecutiveErrors) return `${consecutiveErrors} calls in a row failed`
  if (recent.length < thresholds.window) return null
  const failed = recent.filter((sample) => sample.failed).length
  if (thresholds.errorRate !== undefined && failed / recent.length >= thresholds.errorRate) return `${failed} of the last ${recent.length} calls failed`
  const times = recent.flatMap(({ firstByteMs }) => (firstByteMs === null ? [] : [firstByteMs])).toSorted((a, b) => a - b)
  const median = times[Math.floor(times.length / 2)]
  return thresholds.firstByteMs !== undefined && median !== undefined && median >= thresholds.firstByteMs ? `the last ${times.length} answers took ${Math.round(median)} ms to begin, in the median` : null
}

/** Whether a failure says something about the pair's health. A refusal of ours, or an agent that left, says nothing. */
export const countsAgainst = (reason: Reason | null): boolean => reason !== null && !['interrupted', 'evidence_unavailable', 'provider_rejected', 'secret_leak'].includes(reason)
