import type { z } from 'zod'
import type { Price } from '../catalog/index.ts'
import type { ModelCall, TokenUsage } from './model-call.ts'
import { costOf } from './price.ts'

/** What was used so far, by one grant or by all runs that share a budget. */
export interface Spending {
  /** Inference requests that were forwarded, the running ones included. */
  readonly calls: number
  readonly tokens: number
  readonly costUsd: number
  /** Forwarded calls of a model without a price. */
  readonly unpriced: number
}

export const NOTHING_SPENT: Spending = { calls: 0, tokens: 0, costUsd: 0, unpriced: 0 }

/** What may be used; null is no limit. */
export interface Allowance {
  readonly calls: number | null
  readonly tokens: number | null
  readonly costUsd: number | null
}

/** An allowance that runs share (WIR-23): those of one profile or of all (`profile` null), for ever or for one day. */
export interface SharedBudget {
  readonly profile: string | null
  readonly perDay: boolean
  readonly allowance: Allowance
}

/** What one call is charged with: it goes to its profile and to its day. A day is one of UTC, as in `2026-11-21`, so that no clock change makes it longer. */
export interface Charge extends Spending {
  readonly profile: string
  readonly day: string
}

/** Whose charges are asked for; null stands for all of them. */
export type Account = { readonly [Part in 'profile' | 'day']: Charge[Part] | null }

export const dayOf = (at: Date): string => at.toISOString().slice(0, 10)

export const accountOf = ({ profile, perDay }: SharedBudget, at: Date): Account => ({ profile, day: perDay ? dayOf(at) : null })

export const plus = (spending: Spending, more: Spending): Spending => ({
  calls: spending.calls + more.calls,
  tokens: spending.tokens + more.tokens,
  costUsd: spending.costUsd + more.costUsd,
  unpriced: spending.unpriced + more.unpriced,
})

/** What a forwarded inference call used, now that it has ended; the call itself counts too. An error status of the provider costs nothing. */
export function usedBy(call: UsedCall, price: z.infer<typeof Price> | undefined): Spending {
  if (call.providerStatus === null || call.providerStatus >= 300) return { ...NOTHING_SPENT, calls: 1 }
  const usage = call.usage ?? estimatedUsage(call)
  const cost = costOf(usage, price)
  return { calls: 1, tokens: usage.inputTokens + usage.outputTokens, costUsd: cost ?? 0, unpriced: cost === null ? 1 : 0 }
}

type UsedCall = Pick<ModelCall, 'providerStatus' | 'usage' | 'requestBytes' | 'responseBytes'>

/**
 * A stand-in, for the limits only, when the provider reported no usage: it is never written into evidence. Without it an agent could
 * lift its limits by not asking for usage; too high a figure only ends the run earlier.
 */
const estimatedUsage = (call: UsedCall): TokenUsage => ({
  inputTokens: Math.ceil(call.requestBytes / 4),
  outputTokens: Math.ceil(call.responseBytes / 4),
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  reasoningTokens: 0,
})

/** Why the next call is over budget, as a sentence part; undefined if it is not (WIR-23). A running call is never cut. */
export function overBudget({ calls, tokens, costUsd }: Allowance, spending: Spending): string | undefined {
  if (calls !== null && spending.calls >= calls) return `${spending.calls} of ${calls} calls used`
  if (tokens !== null && spending.tokens >= tokens) return `${spending.tokens} of ${tokens} tokens used`
  if (costUsd === null) return undefined
  if (spending.unpriced > 0) return `a cost limit of USD ${costUsd}, and a model without a price`
  return spending.costUsd > costUsd || (costUsd > 0 && spending.costUsd === costUsd) ? `USD ${spending.costUsd} of USD ${costUsd} used` : undefined
}

/** The same for a budget that runs share, with whose it is. */
export function overShared({ profile, perDay, allowance }: SharedBudget, spending: Spending): string | undefined {
  const over = overBudget(allowance, spending)
  return over === undefined ? undefined : `${over} by ${profile === null ? 'all runs' : `the runs of profile ${profile}`}${perDay ? ' today (UTC)' : ''}`
}

/** What the recorded calls of a licence have used: where an earlier process left off. */
export const spentBy = (calls: readonly ModelCall[], priceOf: (call: ModelCall) => z.infer<typeof Price> | undefined): Spending =>
  calls.filter((call) => call.inference && call.outcome !== 'refused').reduce((spending, call) => plus(spending, usedBy(call, priceOf(call))), NOTHING_SPENT)
