import type { Dialect } from '../../contract/model.ts'
import type { TokenUsage } from './model-call.ts'

/** The own member of an object, or undefined: never a throw, never something inherited. */
export function member(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined
  const found: unknown = Reflect.get(value, key)
  return found
}

/** The elements of an array; none for anything else. */
export const elements = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

/**
 * Token usage as a provider reports it. `inputTokens` is the whole input, cached parts included, in every dialect: Anthropic
 * reports the parts apart, so they are added. Undefined if the provider gave no usage that can be counted; unknown is not zero.
 */
export function readUsage(dialect: Dialect, raw: unknown): TokenUsage | undefined {
  if (dialect === 'gemini') return readGeminiUsage(raw)
  const [input, output] = dialect === 'openai-chat' ? ['prompt_tokens', 'completion_tokens'] : ['input_tokens', 'output_tokens']
  const inputTokens = count(member(raw, input))
  const outputTokens = count(member(raw, output))
  if (inputTokens === undefined || outputTokens === undefined) return undefined
  if (dialect === 'anthropic-messages') {
    const cacheReadTokens = count(member(raw, 'cache_read_input_tokens')) ?? 0
    const cacheWriteTokens = count(member(raw, 'cache_creation_input_tokens')) ?? 0
    return { inputTokens: inputTokens + cacheReadTokens + cacheWriteTokens, outputTokens, cacheReadTokens, cacheWriteTokens, reasoningTokens: 0 }
  }
  return {
    inputTokens,
    outputTokens,
    cacheReadTokens: count(member(member(raw, `${input}_details`), 'cached_tokens')) ?? 0,
    cacheWriteTokens: 0,
    reasoningTokens: count(member(member(raw, `${output}_details`), 'reasoning_tokens')) ?? 0,
  }
}

/**
 * Gemini counts thoughts beside the output, and the results of its own tools beside the prompt; both are charged. It leaves a
 * count of zero out, so output that is not reported follows from the total, and without a total nothing is known.
 */
function readGeminiUsage(raw: unknown): TokenUsage | undefined {
  const prompt = count(member(raw, 'promptTokenCount'))
  if (prompt === undefined) return undefined
  const inputTokens = prompt + (count(member(raw, 'toolUsePromptTokenCount')) ?? 0)
  const candidates = count(member(raw, 'candidatesTokenCount'))
  const reasoningTokens = count(member(raw, 'thoughtsTokenCount'))
  const total = count(member(raw, 'totalTokenCount'))
  const outputTokens = candidates === undefined && reasoningTokens === undefined ? (total ?? -1) - inputTokens : (candidates ?? 0) + (reasoningTokens ?? 0)
  if (outputTokens < 0) return undefined
  return { inputTokens, outputTokens, cacheReadTokens: count(member(raw, 'cachedContentTokenCount')) ?? 0, cacheWriteTokens: 0, reasoningTokens: reasoningTokens ?? 0 }
}

/** Counts far above any real one would overflow a sum; they count as not reported. */
const MAX_COUNT = 1e12

const count = (value: unknown): number | undefined => (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MAX_COUNT ? value : undefined)
