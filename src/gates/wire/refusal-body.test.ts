import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as z from 'zod'
import { DIALECTS } from '../../contract/model.ts'
import { verifies } from '../../../test/verifies.ts'
import { failureAnswer, failureEvent, refusalAnswer, refusalText, type WireRefusal } from './refusal-body.ts'

const refusal: WireRefusal = {
  reason: 'model_not_admitted',
  asked: 'scripted/other',
  admitted: [{ provider: 'scripted', model: 'coder-1' }],
  found: 'a request for other, which no record admits for this run',
  remedy: 'Ask for coder-1.',
}
const OpenAiError = z.looseObject({ error: z.looseObject({ message: z.string(), type: z.string(), param: z.string().nullable(), code: z.string() }) })
const AnthropicError = z.looseObject({ type: z.literal('error'), error: z.looseObject({ type: z.string(), message: z.string() }) })
const GeminiError = z.looseObject({ error: z.looseObject({ code: z.int(), message: z.string(), status: z.string() }) })

verifies('WIR-02', 'a refusal has the shape of the client\'s dialect and says the reason, the pair asked and the pairs admitted', () => {
  const shapes = { 'openai-chat': OpenAiError, 'openai-responses': OpenAiError, 'anthropic-messages': AnthropicError, gemini: GeminiError }
  for (const dialect of DIALECTS) {
    const body = shapes[dialect].parse(JSON.parse(refusalAnswer(dialect, refusal).body))
    for (const part of ['model_not_admitted', 'scripted/other', 'scripted/coder-1', 'Ask for coder-1.']) assert.ok(body.error.message.includes(part), `${dialect}: ${part}`)
  }
  assert.equal(
    refusalText(refusal),
    'Portcullis: model_not_admitted. The model asked for is not admitted for this run. Asked: scripted/other. Admitted: scripted/coder-1. Found: a request for other, which no record admits for this run. Ask for coder-1.',
  )
})

verifies('WIR-05', 'a refusal has a status that its client does not retry, and says so', () => {
  assert.deepEqual([...DIALECTS, null].map((dialect) => refusalAnswer(dialect, refusal).status), [403, 404, 403, 403, 403])
  const malformed: WireRefusal = { ...refusal, reason: 'request_malformed' }
  assert.deepEqual([...DIALECTS, null].map((dialect) => refusalAnswer(dialect, malformed).status), [400, 400, 403, 400, 400])
  for (const reason of ['run_unknown', 'run_ambiguous', 'budget_exhausted', 'credential_unavailable', 'dialect_mismatch', 'route_not_listed', 'request_too_large'] as const) {
    for (const dialect of DIALECTS) {
      const answer = refusalAnswer(dialect, { ...refusal, reason })
      assert.equal(answer.headers['x-should-retry'], 'false')
      const quiet = dialect === 'anthropic-messages' ? [403] : dialect === 'openai-responses' ? [400, 404] : [400, 403, 404, 413]
      assert.ok(quiet.includes(answer.status), `${dialect} ${reason} ${answer.status}`)
    }
  }
})

void test('a failure says 502, a late provider 504, missing evidence 503 with a time to wait', () => {
  assert.equal(failureAnswer('openai-chat', { ...refusal, reason: 'served_model_mismatch' }).status, 502)
  assert.equal(failureAnswer('openai-chat', { ...refusal, reason: 'served_model_mismatch' }).headers['x-should-retry'], 'false')
  assert.equal(failureAnswer('openai-chat', { ...refusal, reason: 'provider_timeout' }).status, 504)
  const unavailable = failureAnswer('openai-chat', { ...refusal, reason: 'evidence_unavailable' })
  assert.equal(unavailable.status, 503)
  assert.equal(unavailable.headers['retry-after'], '1')
})

void test('inside a stream the failure is the event on which the dialect\'s SDK raises', () => {
  assert.match(failureEvent('anthropic-messages', refusal), /^event: error\ndata: \{"type":"error","error":\{"type":"api_error".*\}\n\n$/)
  assert.match(failureEvent('openai-chat', refusal), /^data: \{"error":\{"message":"Portcullis: .*\}\n\n$/)
  assert.match(failureEvent('openai-responses', refusal), /^event: error\ndata: \{"type":"error","code":"model_not_admitted".*\}\n\n$/)
})
