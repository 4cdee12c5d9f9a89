import type { z } from 'zod'
import { milliseconds, parseMoney } from '../contract/units.ts'
import type { Budget, Profile, Provider, ResolvedProfile } from '../gates/catalog/index.ts'
import { BOUND_NAMES } from '../gates/launch/index.ts'
import type { Allowance, HealthThresholds, ModelSettings, SharedBudget } from '../gates/wire/index.ts'
import type { Configuration, HealthPolicy } from './configuration.ts'

/**
 * Bounds on our own work, in milliseconds: reading a few files and computing digests. They are not limits of an agent, a
 * provider or a probe; those come from the configuration and nowhere else (law 5).
 */
export const LOCAL_WORK_MS = 30_000
/** Beyond the limits of what a gate waits for, so that the gate reports the limit itself and is not cut off a moment before. */
export const MARGIN_MS = 5_000
/** Between asking a process group to end and killing it: cancel must reach everything within two seconds (ISO-05). */
export const STOP_GRACE_MS = 500
/** How long after a broken pipe the exit that broke it may be noticed. */
export const EXIT_NOTICE_MS = 2_000
/** How often the record of a running agent is read again, so that its end stops the next call within a second (WIR-04). */
export const ADMISSION_WATCH_MS = 300
/** How much of an agent's output is kept for people, from its start and from its end. */
export const KEPT_OUTPUT = { headBytes: 65_536, tailBytes: 65_536 }
/** How much of an agent's output goes to its log at most. */
export const LOG_BYTES = 16 * 1_048_576

/** How long a probe of this provider can take at most. */
export const probeLimitMs = (provider: Provider): number => milliseconds(provider.timeouts.total)

/** What a run's licence on the wire may use, of its own and of what it shares with others (WIR-23). */
export function wireBudgets({ profileName, profile }: Pick<ResolvedProfile, 'profileName' | 'profile'>, configuration: Pick<Configuration, 'budget'>) {
  const shared = (budget: Budget | undefined, owner: string | null, perDay: boolean): SharedBudget[] => (budget === undefined ? [] : [{ profile: owner, perDay, allowance: allowanceOf(budget) }])
  return {
    profile: profileName,
    limits: allowanceOf(profile.limits),
    budgets: [...shared(profile.budget?.total, profileName, false), ...shared(profile.budget?.perDay, profileName, true), ...shared(configuration.budget?.perDay, null, true)],
  }
}

/** What the calls of a profile's agent must ask for, beside the model. */
export const settingsOf = ({ effort, context }: Pick<ResolvedProfile['profile'], 'effort' | 'context'>): ModelSettings => ({ effort: effort ?? null, context: context ?? null })

const allowanceOf = ({ calls, tokens, cost }: Budget): Allowance => ({ calls: calls ?? null, tokens: tokens ?? null, costUsd: cost === undefined ? null : amountOf(cost) })

/** A limit that cannot be read is no limit of zero and none of everything. */
function amountOf(cost: string): number {
  const amount = parseMoney(cost)
  if (amount === undefined) throw new RangeError(`Expected an amount as in USD 20, got ${JSON.stringify(cost)}`)
  return amount
}

/** Limits of the profile that nothing here can hold a run to. A limit that is only written down is worse than none. */
export function unenforceableLimits(profile: Profile, configuration: Pick<Configuration, 'budget'>, provider: Provider, model: string): string[] {
  const unheld = profile.isolation === 'fs' || profile.isolation === 'network' ? [] : BOUND_NAMES.filter((name) => profile.limits[name] !== undefined).map((name) => `limits.${name} ${profile.limits[name]}: it is held at isolation fs and network only`)
  return [...unheld, ...unpriced(profile, configuration, provider, model)]
}

function unpriced(profile: Profile, configuration: Pick<Configuration, 'budget'>, provider: Provider, model: string): string[] {
  if (provider.prices?.[model] !== undefined) return []
  const costs = { 'limits.cost': profile.limits.cost, 'budget.total.cost': profile.budget?.total?.cost, 'budget.perDay.cost': profile.budget?.perDay?.cost, 'budget.perDay.cost of all profiles': configuration.budget?.perDay.cost }
  return Object.entries(costs).flatMap(([where, cost]) => (cost === undefined ? [] : [`${where} ${cost}: the provider has no price for ${model}, so its cost cannot be known`]))
}

/** From when on the traffic itself makes a pair unhealthy; undefined where the configuration says nothing. */
export function healthThresholds({ passive }: z.infer<typeof HealthPolicy>): HealthThresholds | undefined {
  if (passive === undefined) return undefined
  return { window: passive.window, consecutiveErrors: passive.consecutiveErrors, errorRate: passive.errorRate, firstByteMs: passive.firstByte === undefined ? undefined : milliseconds(passive.firstByte) }
}
