import { printPair, type Dialect, type ModelPair } from '../../contract/model.ts'
import { REASON_TABLE, type Reason } from '../../contract/reasons.ts'

/** A refusal as the wire tells it to an agent: what was asked, what is admitted, what was found, what to do. */
export interface WireRefusal {
  readonly reason: Reason
  /** The pair asked for, as far as it could be read. */
  readonly asked: string | null
  /** The pairs admitted for the run; empty if the run is not known. */
  readonly admitted: readonly ModelPair[]
  readonly found: string
  readonly remedy: string
}

export interface RefusalAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Refused before anything was forwarded: a status that clients of the dialect do not retry (WIR-05, measured). */
export function refusalAnswer(dialect: Dialect | null, refusal: WireRefusal): RefusalAnswer {
  return answer(dialect, refusalStatus(dialect, refusal.reason), refusal)
}

/** Forwarded, but there is no admitted answer: 504 for a late provider, 503 if the evidence failed, else 502. */
export function failureAnswer(dialect: Dialect | null, refusal: WireRefusal): RefusalAnswer {
  const status = refusal.reason === 'provider_timeout' ? 504 : refusal.reason === 'evidence_unavailable' ? 503 : 502
  return answer(dialect, status, refusal)
}

/** The same inside a stream that has begun: the event on which SDKs of the dialect raise. The connection is cut after it. */
export function failureEvent(dialect: Dialect | null, refusal: WireRefusal): string {
  const data = JSON.stringify(errorBody(dialect, 502, refusal))
  if (dialect === 'anthropic-messages') return `event: error\ndata: ${data}\n\n`
  if (dialect === 'openai-responses') return `event: error\ndata: ${JSON.stringify({ type: 'error', code: refusal.reason, message: refusalText(refusal), param: null })}\n\n`
  return `data: ${data}\n\n`
}

/** One sentence for whoever reads the agent's log. */
export function refusalText(refusal: WireRefusal): string {
  const asked = refusal.asked === null ? '' : ` Asked: ${refusal.asked}.`
  const admitted = refusal.admitted.length === 0 ? '' : ` Admitted: ${refusal.admitted.map(printPair).join(', ')}.`
  return `Portcullis: ${refusal.reason}. ${REASON_TABLE[refusal.reason].title}.${asked}${admitted} Found: ${refusal.found}. ${refusal.remedy}`
}

function answer(dialect: Dialect | null, status: number, refusal: WireRefusal): RefusalAnswer {
  return {
    status,
    headers: {
      'content-type': 'application/json; charset=utf-8',
      'x-portcullis-reason': refusal.reason,
      // Who asks for a WebSocket reads no body and waits for the end of the connection.
      ...(status === 426 ? { connection: 'close', upgrade: 'HTTP/1.1' } : {}),
      ...(REASON_TABLE[refusal.reason].retry === 'never' ? { 'x-should-retry': 'false' } : status === 503 ? { 'retry-after': '1' } : {}),
    },
    body: JSON.stringify(errorBody(dialect, status, refusal)),
  }
}

/**
 * Measured: Claude Code asks once after 403, six times after 400, for minutes after 401; Codex once after 400 or 404, six times
 * after 401 or 403. Clients of Chat Completions and of Gemini give up at once on any of them.
 */
function refusalStatus(dialect: Dialect | null, reason: Reason): number {
  if (reason === 'evidence_unavailable') return 503
  if (reason === 'websocket_refused') return 426
  const unreadable = reason === 'request_malformed' || reason === 'dialect_mismatch' || reason === 'run_ambiguous'
  switch (dialect) {
    case 'anthropic-messages':
      return 403
    case 'openai-responses':
      return unreadable || reason === 'request_too_large' ? 400 : 404
    case 'openai-chat':
      return reason === 'request_too_large' ? 413 : unreadable ? 400 : 403
    case 'gemini':
      return reason === 'request_too_large' ? 413 : reason === 'route_not_listed' ? 404 : unreadable ? 400 : 403
    case null:
      return REASON_TABLE[reason].http
  }
}

/** Google's name of a status. Its clients retry by the number, and by `UNAVAILABLE`, which is therefore said only where a retry helps. */
function googleStatus(status: number): string {
  switch (status) {
    case 400:
    case 413:
      return 'INVALID_ARGUMENT'
    case 404:
      return 'NOT_FOUND'
    case 503:
      return 'UNAVAILABLE'
    case 504:
      return 'DEADLINE_EXCEEDED'
    default:
      return status < 500 ? 'PERMISSION_DENIED' : 'INTERNAL'
  }
}

function errorBody(dialect: Dialect | null, status: number, refusal: WireRefusal): object {
  const message = refusalText(refusal)
  const portcullis = { reason: refusal.reason, asked: refusal.asked, admitted: refusal.admitted.map(printPair), found: refusal.found, remedy: refusal.remedy }
  switch (dialect) {
    case 'anthropic-messages':
      return { type: 'error', error: { type: status < 500 ? 'permission_error' : 'api_error', message }, portcullis }
    case 'gemini':
      return { error: { code: status, message, status: googleStatus(status) }, portcullis }
    case 'openai-chat':
    case 'openai-responses':
    case null:
      return { error: { message, type: status < 500 ? 'invalid_request_error' : 'server_error', param: refusal.reason === 'model_not_admitted' ? 'model' : null, code: refusal.reason }, portcullis }
  }
}
