import { Client } from 'undici'
import { systemCode } from '../../contract/errors.ts'
import type { Dialect } from '../../contract/model.ts'
import { withinLimit } from '../../contract/time-limit.ts'
import { milliseconds } from '../../contract/units.ts'
import type { ReviewTarget } from '../../gates/acceptance/index.ts'

const MAX_ANSWER_BYTES = 4_194_304

export interface QuestionLimits {
  readonly timeout: string
  readonly answerTokens: number
}

/** Models like to put JSON between fences. */
export const unfenced = (text: string): string => /^\s*```(?:json)?\s*\n([^]*?)\n\s*```\s*$/.exec(text)?.[1] ?? text

/** Sends one question through the wire and reads the answer to its end; what it says is known to the wire. Undefined if it came. */
export async function askQuestion(target: ReviewTarget, prompt: string, { timeout, answerTokens }: QuestionLimits, signal: AbortSignal): Promise<{ code: string; text: string } | undefined> {
  const limitMs = milliseconds(timeout)
  const deadline = withinLimit(limitMs, signal)
  const { path, headers, body } = messageOf(target, prompt, answerTokens)
  const url = new URL(`${target.baseUrl[target.dialect]}${path}`)
  // A client of its own: the global one may be configured to send everything, the run token included, to a proxy.
  const client = new Client(url.origin, { connectTimeout: limitMs, headersTimeout: limitMs, bodyTimeout: limitMs })
  try {
    const answer = await client.request({ path: url.pathname, method: 'POST', headers: { ...headers, 'content-type': 'application/json', accept: 'application/json' }, body: JSON.stringify(body), signal: deadline })
    let bytes = 0
    for await (const chunk of answer.body) {
      bytes += Buffer.from(chunk).length
      if (bytes > MAX_ANSWER_BYTES) return { code: 'answer_too_long', text: `its answer is longer than ${MAX_ANSWER_BYTES} bytes` }
    }
    return answer.statusCode === 200 ? undefined : { code: 'not_answered', text: `the wire answered ${answer.statusCode}` }
  } catch (error) {
    if (signal.aborted) return { code: 'cancelled', text: 'it was cancelled before it had answered' }
    if (deadline.aborted) return { code: 'timed_out', text: `it did not answer within ${timeout}` }
    // Only the class of the error: its text may hold an address with a token in it.
    return { code: 'not_answered', text: `the wire could not be asked (${systemCode(error) ?? (error instanceof Error ? error.name : typeof error)})` }
  } finally {
    await client.destroy()
  }
}

function messageOf({ dialect, model, token }: Pick<ReviewTarget, 'dialect' | 'model' | 'token'> & { readonly dialect: Dialect }, prompt: string, answerTokens: number): { path: string; headers: Record<string, string>; body: unknown } {
  switch (dialect) {
    case 'openai-chat':
      return { path: '/chat/completions', headers: { authorization: `Bearer ${token}` }, body: { model, messages: [{ role: 'user', content: prompt }], max_completion_tokens: answerTokens, stream: false } }
    case 'openai-responses':
      return { path: '/responses', headers: { authorization: `Bearer ${token}` }, body: { model, input: [{ role: 'user', content: prompt }], max_output_tokens: answerTokens, store: false, stream: false } }
    case 'anthropic-messages':
      return { path: '/v1/messages', headers: { 'x-api-key': token, 'anthropic-version': '2023-06-01' }, body: { model, max_tokens: answerTokens, messages: [{ role: 'user', content: prompt }], stream: false } }
    case 'gemini':
      return { path: `/v1beta/models/${encodeURIComponent(model)}:generateContent`, headers: { 'x-goog-api-key': token }, body: { contents: [{ role: 'user', parts: [{ text: prompt }] }], generationConfig: { maxOutputTokens: answerTokens } } }
  }
}
