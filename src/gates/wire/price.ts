import type { z } from 'zod'
import { parseMoney } from '../../contract/units.ts'
import type { Price } from '../catalog/index.ts'
import type { TokenUsage } from './model-call.ts'

/**
 * What a call cost in US dollars; null without a price or without usage, because unknown is not zero. Cached input is charged
 * as input, so that the figure errs on the side that ends a run early.
 */
export function costOf(usage: TokenUsage | null, price: z.infer<typeof Price> | undefined): number | null {
  const input = price === undefined ? undefined : parseMoney(price.input)
  const output = price === undefined ? undefined : parseMoney(price.output)
  if (usage === null || input === undefined || output === undefined) return null
  const dollars = (usage.inputTokens * input + usage.outputTokens * output) / 1_000_000
  return Math.round(dollars * 1e9) / 1e9
}
