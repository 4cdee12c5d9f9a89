import { sha256 } from '../../contract/canonical.ts'
import type { ReadConversation } from './conversation.ts'

/** A tool that the model asks for. */
export interface ToolCall {
  readonly name: string
  readonly arguments: Readonly<Record<string, unknown>>
}

/** What is to be said, before a dialect puts it into its own words. */
export interface Answer {
  readonly text: string
  readonly toolCalls: readonly ToolCall[]
  /** The model it names; null names none. */
  readonly model: string | null
  readonly inputTokens: number
  readonly outputTokens: number
  readonly createdAt: Date
  /** Hex digits from which every id of the answer is made. Different for each request. */
  readonly seed: string
}

/** One server-sent event. `data` is JSON unless it is a text. `ends` marks the events without which the answer is not complete. */
export interface ServerEvent {
  readonly event: string | null
  readonly data: unknown
  readonly ends: boolean
}

/** Why a request gets no answer, before a dialect puts it into its own shape. */
export interface Failure {
  readonly status: number
  readonly message: string
  /** The code of OpenAI's errors; those of Anthropic and Google follow from the status alone. */
  readonly code: string | null
  readonly requestId: string
}

/** What the path of a request says. Only Gemini says it there. */
export interface AskedInPath {
  readonly model: string
  readonly stream: boolean
}

/** One API: how it asks, answers, streams and fails. */
export interface Speaker {
  read(body: unknown, path: AskedInPath): ReadConversation
  answer(answer: Answer): unknown
  stream(answer: Answer, options: { readonly usage: boolean }): readonly ServerEvent[]
  error(failure: Failure): unknown
  /** The header that carries the id of a request. */
  readonly requestIdHeader: string
}

/** An id that is unique for its seed and purpose, and the same whenever the same request comes as the same number. */
export const idOf = (prefix: string, seed: string, purpose: string, length = 24): string => `${prefix}${sha256(`${seed} ${purpose}`).slice(0, length)}`

const PIECE_CHARACTERS = 24

/** Cuts a text as a model streams it, never inside a code point. An empty text is one empty piece. */
export function piecesOf(text: string): readonly string[] {
  const characters = [...text]
  const pieces: string[] = []
  for (let start = 0; start < characters.length; start += PIECE_CHARACTERS) pieces.push(characters.slice(start, start + PIECE_CHARACTERS).join(''))
  return pieces.length === 0 ? [''] : pieces
}

/** The text of one event, as `text/event-stream` wants it. */
export function encodeEvent({ event, data }: ServerEvent): string {
  const text = typeof data === 'string' ? data : JSON.stringify(data)
  return `${event === null ? '' : `event: ${event}\n`}data: ${text}\n\n`
}

/** The error type and code that OpenAI's APIs use for a status. */
export function openAiError({ status, message, code }: Failure): unknown {
  const type = status === 429 ? 'rate_limit_error' : status >= 500 ? 'server_error' : 'invalid_request_error'
  return { error: { message, type, param: null, code } }
}
