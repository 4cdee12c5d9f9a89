import type { Dialect } from '../../contract/model.ts'

/** One request as the provider saw it. Never holds a credential or a text of the conversation. */
export interface ProviderRequest {
  /** Order of arrival, from 1, over everything asked. */
  readonly number: number
  readonly method: string
  /** The path without its query. */
  readonly path: string
  /** Null for what belongs to no dialect, such as `HEAD /`. */
  readonly dialect: Dialect | null
  /** True for requests that ask a model for an answer. */
  readonly inference: boolean
  /** The model asked for, as it was written. */
  readonly model: string | null
  readonly stream: boolean
  /** The place of this request in its conversation, from 1. */
  readonly turn: number | null
  /** The row of the script that answered, as `turns[0]`. */
  readonly answeredBy: string | null
  /** The row that struck and what it did, as `faults[0]: status 429, retryAfter 2`. */
  readonly fault: string | null
  /** The status it was given; null if it was never given one. */
  readonly status: number | null
}
