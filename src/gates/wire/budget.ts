import type { z } from 'zod'
import type { Price } from '../catalog/index.ts'
import type { ModelCall, TokenUsage } from './model-call.ts'
import type { GrantRequest } from './ports.ts'
import { costOf } from './price.ts'

/** What a grant has used so far. */
export interface Spending {
  /** Inference requests that were forwarded, the running ones included. */
  readonly calls: number
  readonly tokens: number
  readonly costUsd: number
  /** Forwarded calls of a model without a price. */
  readonly unpriced: number
}

export const NOTHING_SPENT: Spending = { calls: 0, tokens: 0, costUsd: 0, unpriced: 0 }

/** Spending after a forwarded inference call has ended. `calls` was counted when it began. An error status of the provider costs nothing. */
export function spend(spending: Spending, call: UsedCall, price: z.infer<typeof Price> | undefined): Spending {
  if (call.providerStatus === null || call.providerStatus >= 300) return spending
  const usage = call.usage ?? estimatedUsage(call)
  const cost = costOf(usage, price)
  return {
    calls: spending.calls,
    tokens: spending.tokens + usage.inputTokens + usage.outputTokens,
    costUsd: spending.costUsd + (cost ?? 0),
    unpriced: spending.unpriced + (cost === null ? 1 : 0),
  }
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
export function overBudget(limits: GrantRequest['limits'], spending: Spending): string | undefined {
  if (spending.calls >= limits.calls) return `${spending.calls} of ${limits.calls} calls used`
  if (spending.tokens >= limits.tokens) return `${spending.tokens} of ${limits.tokens} tokens used`
  if (limits.costUsd === null) return undefined
  if (spending.unpriced > 0) return `a cost limit of USD ${limits.costUsd}, and a model without a price`
  return spending.costUsd > limits.costUsd || (limits.costUsd > 0 && spending.costUsd === limits.costUsd) ? `USD ${spending.costUsd} of USD ${limits.costUsd} used` : undefined
}

/** What the recorded calls of a licence have used: where an earlier process left off. */
export const spentBy = (calls: readonly ModelCall[], priceOf: (call: ModelCall) => z.infer<typeof Price> | undefined): Spending =>
  calls.filter((call) => call.inference && call.outcome !== 'refused').reduce((spending, call) => spend({ ...spending, calls: spending.calls + 1 }, call, priceOf(call)), NOTHING_SPENT)
