import * as z from 'zod'

/** The API a provider speaks. */
export const DIALECTS = ['openai-chat', 'openai-responses', 'anthropic-messages', 'gemini'] as const
export type Dialect = (typeof DIALECTS)[number]
export const Dialect = z.enum(DIALECTS)

/** One exact provider and model. Never a pattern, a prefix or an alias. */
export const ModelPair = z.strictObject({ provider: z.string(), model: z.string() })
export type ModelPair = Readonly<z.infer<typeof ModelPair>>

const PAIR = /^([A-Za-z0-9][A-Za-z0-9._-]*)\/(\S+)$/

/** Reads `provider/model`; the model may itself contain slashes. Returns undefined for anything else. */
export function parsePair(text: string): ModelPair | undefined {
  const match = PAIR.exec(text)
  return match?.[1] === undefined || match[2] === undefined ? undefined : { provider: match[1], model: match[2] }
}

export const printPair = (pair: ModelPair): string => `${pair.provider}/${pair.model}`

export const samePair = (a: ModelPair, b: ModelPair): boolean => a.provider === b.provider && a.model === b.model

/** `runtime/provider/model`, the triple an operator reads (`claude/anthropic/opus[1m]`, MC-081). */
export interface ModelTriple extends ModelPair {
  readonly runtime: string
}

const TRIPLE = /^([A-Za-z0-9][A-Za-z0-9._-]*)\/(.+)$/

/** Reads `runtime/provider/model`. `printTriple(parseTriple(text))` is the same text. */
export function parseTriple(text: string): ModelTriple | undefined {
  const match = TRIPLE.exec(text)
  const pair = match?.[2] === undefined ? undefined : parsePair(match[2])
  return match?.[1] === undefined || pair === undefined ? undefined : { runtime: match[1], ...pair }
}

export const printTriple = (triple: ModelTriple): string => `${triple.runtime}/${printPair(triple)}`
