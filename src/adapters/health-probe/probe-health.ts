import { Client } from 'undici'
import { systemCode } from '../../contract/errors.ts'
import { withinLimit } from '../../contract/time-limit.ts'
import type { Probe, ProbeSight } from '../../gates/health/index.ts'
import { probeMessage, type ProbeMessage } from './probe-message.ts'

/** Far above any answer of 256 tokens; whoever sends more is not answering. */
const MAX_ANSWER_BYTES = 1_048_576

/**
 * Makes one real, minimal model call through the wire, as a run would: same base URL, a run token, the exact model id.
 * Returns what the client saw. What counts is what the wire recorded: revoke the grant, so that the evidence of a call
 * that was given up is durable too, then read `grant.calls()` (see `probeCallOf` of the health gate).
 */
export const probeHealth: Probe = async ({ grant, dialect, model, timeoutMs, signal }) => {
  const startedAt = performance.now()
  const message = probeMessage(dialect, model, grant.token)
  const sight = (httpStatus: number | null, failure: string | null): ProbeSight => ({ latencyMs: performance.now() - startedAt, httpStatus, failure })
  const deadline = withinLimit(timeoutMs, signal)
  try {
    return sight(await exchange(grant.baseUrl[dialect], message, { timeoutMs, signal: deadline }), null)
  } catch (error) {
    if (signal.aborted) return sight(null, 'cancelled')
    if (deadline.aborted) return sight(null, `no answer within ${timeoutMs} ms`)
    // Only the class of the error: its text may hold an address with a token in it.
    return sight(null, systemCode(error) ?? (error instanceof Error ? error.name : typeof error))
  }
}

/** Sends the message, reads the answer to its end and returns its status. */
async function exchange(baseUrl: string, message: ProbeMessage, limits: { readonly timeoutMs: number; readonly signal: AbortSignal }): Promise<number> {
  const url = new URL(`${baseUrl}${message.path}`)
  // A client of its own: the global one may be configured to send everything, the run token included, to a proxy.
  const client = new Client(url.origin, { connectTimeout: limits.timeoutMs, headersTimeout: limits.timeoutMs, bodyTimeout: limits.timeoutMs })
  try {
    const { statusCode, body } = await client.request({
      path: url.pathname,
      method: 'POST',
      headers: { ...message.headers, 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify(message.body),
      signal: limits.signal,
    })
    let bytes = 0
    for await (const chunk of body) {
      bytes += Buffer.from(chunk).length
      if (bytes > MAX_ANSWER_BYTES) throw new RangeError(`The answer to the probe is larger than ${MAX_ANSWER_BYTES} bytes`)
    }
    return statusCode
  } finally {
    await client.destroy()
  }
}
