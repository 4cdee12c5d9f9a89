import type { Dialect } from '../../contract/model.ts'
import type { TokenUsage } from './model-call.ts'
import type { Fault } from './provider-fault.ts'

/** What an answer says about itself. `servedModel` is what it names, never what was asked for. */
export interface AnswerFacts {
  readonly servedModel: string | null
  readonly usage: TokenUsage | null
  readonly toolCalls: boolean
}

/** What may go to the agent after a chunk. With a fault nothing more may, ever. */
export interface AnswerStep {
  readonly release: readonly Uint8Array[]
  readonly fault: Fault | undefined
}

/** The verdict on a whole answer: `rest` are the bytes held until its evidence is durable. */
export interface AnswerEnd {
  readonly rest: readonly Uint8Array[]
  readonly fault: Fault | undefined
  /** True if the agent may have `rest`: an admitted answer, or the provider's own error report after an admitted beginning. */
  readonly passOn: boolean
}

/** Reads an answer as it comes in and holds back what is not proven. The bytes it lets through are exactly the bytes it got. */
export interface AnswerReader {
  push(chunk: Uint8Array): AnswerStep
  end(): AnswerEnd
  facts(): AnswerFacts
  /** The end of what the model said in words. Anything may stand in it: it is judged in memory, and is no part of the evidence. */
  words(): string
}

export interface AnswerRules {
  readonly dialect: Dialect
  readonly servedModelIds: readonly string[]
  /** True if the bytes hold the provider's credential, which must never reach an agent (WIR-41). */
  holdsCredential(bytes: Uint8Array): boolean
  /** The length in bytes of the longest form that `holdsCredential` looks for; 0 if there is none. */
  readonly longestCredential: number
}

/** The longest JSON answer; it is held whole. */
export const MAX_JSON_ANSWER_BYTES = 32 * 1_048_576
/** The longest single event of a stream: an image comes in one. */
export const MAX_EVENT_BYTES = 32 * 1_048_576
/** How much of a stream is held while it names no model, and how much may follow its last event. */
export const MAX_HELD_BYTES = 1_048_576

/** How much of a model's words is kept, from their end. */
export const WORDS_KEPT_CHARACTERS = 65_536

export const CREDENTIAL_IN_ANSWER: Fault = { reason: 'secret_leak', detail: 'the answer repeats the credential of the provider' }

/** Answers and events as their reader understands them. */
export type JsonRead = { readonly ok: true; readonly value: unknown } | { readonly ok: false }

export function readJson(text: string): JsonRead {
  try {
    const value: unknown = JSON.parse(text)
    return { ok: true, value }
  } catch (error) {
    if (error instanceof SyntaxError) return { ok: false }
    throw error
  }
}

/**
 * The same JSON without needless escapes. A credential can be spelt `\u0073k-...`; whoever parses the answer has it in plain.
 * What is no JSON as a whole, as an error that is sent as events, has its escapes decoded where they stand. Undefined if there are none.
 */
export function unescapedJson(text: string): string | undefined {
  if (!text.includes('\\u')) return undefined
  const read = readJson(text)
  return read.ok ? JSON.stringify(read.value) : text.replace(/\\u([0-9a-fA-F]{4})/g, (_escape, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
}
