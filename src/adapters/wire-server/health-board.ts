import { type ModelPair, printPair } from '../../contract/model.ts'
import { countsAgainst, healthyAtFirst, type HealthThresholds, isHealthy, type PassiveHealth, probedHealthy, sampled } from '../../gates/wire/index.ts'
import type { Conclusion } from './open-call.ts'

/** What the traffic of this wire says of each pair (WIR-30). Without thresholds in the configuration nothing is held against one. */
export class HealthBoard {
  readonly #thresholds: HealthThresholds | undefined
  readonly #pairs = new Map<string, PassiveHealth>()

  constructor(thresholds: HealthThresholds | undefined) {
    this.#thresholds = thresholds
  }

  /** Why a pair gets no traffic; undefined if it does. */
  troubleOf(pair: ModelPair): string | undefined {
    const health = this.#pairs.get(printPair(pair)) ?? healthyAtFirst
    return isHealthy(health) ? undefined : (health.unhealthy ?? '')
  }

  /** Takes a forwarded inference call into account. A health probe that was answered brings the pair back. */
  saw(pair: ModelPair, purpose: 'agent' | 'health', { outcome, fault, firstByteMs }: Pick<Conclusion, 'outcome' | 'fault' | 'firstByteMs'>): void {
    if (this.#thresholds === undefined) return
    const key = printPair(pair)
    if (purpose === 'health') {
      if (outcome === 'answered') this.#pairs.set(key, probedHealthy())
      return
    }
    const failed = countsAgainst(fault?.reason ?? null)
    if (outcome !== 'answered' && !failed) return
    this.#pairs.set(key, sampled(this.#pairs.get(key) ?? healthyAtFirst, { failed, firstByteMs }, this.#thresholds))
  }
}
