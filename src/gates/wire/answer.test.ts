import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Dialect } from '../../contract/model.ts'
import { casesOf } from '../../../test/cases.ts'
import { verifies } from '../../../test/verifies.ts'
import { MAX_EVENT_BYTES, MAX_HELD_BYTES, type AnswerEnd, type AnswerFacts, type AnswerReader } from './answer.ts'
import { JsonAnswer } from './answer-json.ts'
import { StreamAnswer } from './answer-stream.ts'
import type { Fault } from './provider-fault.ts'

const SECRET = 'sk-provider-secret-0123456789'
const rulesOf = (dialect: Dialect) => ({ dialect, servedModelIds: ['coder-1', 'coder-1-2026-11-01'], holdsCredential: (bytes: Uint8Array) => Buffer.from(bytes).includes(SECRET), longestCredential: SECRET.length })

interface Read {
  readonly released: string
  readonly fault: Fault | undefined
  readonly end: AnswerEnd
  readonly facts: AnswerFacts
}

/** Plays chunks into a reader until a fault, as the server does. */
function play(reader: AnswerReader, chunks: readonly Uint8Array[]): Read {
  const released: Uint8Array[] = []
  for (const chunk of chunks) {
    const step = reader.push(chunk)
    released.push(...step.release)
    if (step.fault !== undefined) return { released: Buffer.concat(released).toString(), fault: step.fault, end: { rest: [], fault: step.fault, passOn: false }, facts: reader.facts() }
  }
  const end = reader.end()
  return { released: Buffer.concat(released).toString(), fault: end.fault, end, facts: reader.facts() }
}

const stream = (dialect: Dialect, ...chunks: string[]): Read => play(new StreamAnswer(rulesOf(dialect)), chunks.map((chunk) => Buffer.from(chunk)))
const json = (dialect: Dialect, body: unknown, asksModel = true): Read => play(new JsonAnswer(rulesOf(dialect), asksModel), [Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))])
const rest = (read: Read): string => Buffer.concat(read.end.rest).toString()

const data = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`
const named = (event: { readonly type: string } & Readonly<Record<string, unknown>>): string => `event: ${event.type}\n${data(event)}`

const CHAT = [
  ': a comment\n\n',
  data({ id: 'c', object: 'chat.completion.chunk', model: 'coder-1', choices: [{ index: 0, delta: { role: 'assistant', content: '' } }] }),
  data({ id: 'c', model: 'coder-1', choices: [{ index: 0, delta: { content: 'Grüße 🏰' } }] }),
  data({ id: 'c', model: 'coder-1', choices: [{ index: 0, delta: { tool_calls: [{ index: 0, id: 't', function: { name: 'read', arguments: '{"path":"a"}' } }] } }] }),
  data({ id: 'c', model: 'coder-1', choices: [{ index: 0, delta: {}, finish_reason: 'tool_calls' }] }),
  data({ id: 'c', model: 'coder-1', choices: [], usage: { prompt_tokens: 10, completion_tokens: 4, prompt_tokens_details: { cached_tokens: 3 }, completion_tokens_details: { reasoning_tokens: 2 } } }),
  'data: [DONE]\n\n',
]
const ANTHROPIC = [
  named({ type: 'message_start', message: { id: 'm', model: 'coder-1', content: [], usage: { input_tokens: 10, cache_read_input_tokens: 5, cache_creation_input_tokens: 2, output_tokens: 1 } } }),
  named({ type: 'ping' }),
  named({ type: 'content_block_start', index: 0, content_block: { type: 'tool_use', id: 't', name: 'read', input: {} } }),
  named({ type: 'content_block_delta', index: 0, delta: { type: 'input_json_delta', partial_json: '{}' } }),
  named({ type: 'message_delta', delta: { stop_reason: 'tool_use' }, usage: { output_tokens: 9, input_tokens: null } }),
  named({ type: 'message_stop' }),
]
const RESPONSES = [
  named({ type: 'response.created', response: { id: 'r', model: 'coder-1', status: 'in_progress', usage: null } }),
  named({ type: 'response.output_item.added', item: { type: 'function_call', name: 'read' } }),
  named({ type: 'response.output_text.delta', delta: 'hello' }),
  named({ type: 'response.completed', response: { id: 'r', model: 'coder-1', status: 'completed', usage: { input_tokens: 8, output_tokens: 3, input_tokens_details: { cached_tokens: 1 }, output_tokens_details: { reasoning_tokens: 2 } } } }),
]
const GEMINI = [
  data({ candidates: [{ content: { role: 'model', parts: [{ text: 'hmm', thought: true }] }, index: 0 }], modelVersion: 'coder-1', usageMetadata: { promptTokenCount: 10, totalTokenCount: 10 }, responseId: 'g' }),
  data({ candidates: [{ content: { role: 'model', parts: [{ functionCall: { name: 'read', args: { path: 'a' } }, thoughtSignature: 'c2ln' }] }, index: 0 }], modelVersion: 'coder-1' }),
  data({ candidates: [{ content: { role: 'model', parts: [{ text: '' }] }, finishReason: 'STOP', index: 0 }], modelVersion: 'coder-1', usageMetadata: { promptTokenCount: 10, candidatesTokenCount: 4, thoughtsTokenCount: 5, toolUsePromptTokenCount: 2, cachedContentTokenCount: 6, totalTokenCount: 21 } }),
]
const STREAMS: readonly (readonly [Dialect, readonly string[], AnswerFacts])[] = [
  ['openai-chat', CHAT, { servedModel: 'coder-1', toolCalls: true, usage: { inputTokens: 10, outputTokens: 4, cacheReadTokens: 3, cacheWriteTokens: 0, reasoningTokens: 2 } }],
  ['anthropic-messages', ANTHROPIC, { servedModel: 'coder-1', toolCalls: true, usage: { inputTokens: 17, outputTokens: 9, cacheReadTokens: 5, cacheWriteTokens: 2, reasoningTokens: 0 } }],
  ['openai-responses', RESPONSES, { servedModel: 'coder-1', toolCalls: true, usage: { inputTokens: 8, outputTokens: 3, cacheReadTokens: 1, cacheWriteTokens: 0, reasoningTokens: 2 } }],
  ['gemini', GEMINI, { servedModel: 'coder-1', toolCalls: true, usage: { inputTokens: 12, outputTokens: 9, cacheReadTokens: 6, cacheWriteTokens: 0, reasoningTokens: 5 } }],
]

void test('each dialect\'s stream gives its served model, usage and tool calls; its last event waits for the end', () => {
  for (const [dialect, events, facts] of STREAMS) {
    const read = stream(dialect, ...events)
    assert.equal(read.fault, undefined, dialect)
    assert.deepEqual(read.facts, facts)
    assert.equal(read.released, events.slice(0, -1).join(''))
    assert.equal(rest(read), events.at(-1))
  }
})

verifies('WIR-43', 'for arbitrary chunking, what is let through equals what came, and the facts are the same', () => {
  for (const [dialect, events, facts] of STREAMS) {
    for (const lineEnd of ['\n', '\r\n', '\r']) {
      const whole = Buffer.from(events.join('').replaceAll('\n', lineEnd))
      fc.assert(
        fc.property(fc.array(fc.integer({ min: 0, max: whole.length }), { maxLength: 40 }), (cuts) => {
          const edges = [0, ...cuts.toSorted((a, b) => a - b), whole.length]
          const read = play(new StreamAnswer(rulesOf(dialect)), edges.slice(1).map((edge, index) => whole.subarray(edges[index], edge)))
          assert.equal(read.fault, undefined)
          assert.equal(read.released + rest(read), whole.toString())
          assert.deepEqual(read.facts, facts)
        }),
        { numRuns: casesOf(400) },
      )
    }
  }
})

verifies('WIR-21', 'a stream that names another model lets not one byte through, in any chunking', () => {
  for (const [dialect, events] of STREAMS) {
    const whole = Buffer.from(events.join('').replaceAll('coder-1', 'coder-9'))
    for (const size of [1, 7, 64, whole.length]) {
      const chunks = Array.from({ length: Math.ceil(whole.length / size) }, (_, index) => whole.subarray(index * size, (index + 1) * size))
      const read = play(new StreamAnswer(rulesOf(dialect)), chunks)
      assert.equal(read.fault?.reason, 'served_model_mismatch')
      assert.equal(read.released, '')
      assert.equal(rest(read), '')
      assert.equal(read.facts.servedModel, 'coder-9')
    }
  }
})

verifies('WIR-21', 'a later event that names another model gets no byte through, not even its first half', () => {
  const evil = data({ model: 'coder-9', choices: [{ delta: { content: 'EVIL' } }] })
  const good = CHAT.slice(0, 3)
  for (const cut of [1, 10, evil.length - 1]) {
    const read = stream('openai-chat', ...good, evil.slice(0, cut), evil.slice(cut))
    assert.equal(read.fault?.reason, 'served_model_mismatch')
    assert.equal(read.released, good.join(''))
  }
  assert.equal(stream('openai-chat', CHAT.join(''), evil).fault?.reason, 'served_model_mismatch')
  assert.equal(stream('openai-chat', CHAT.join('') + evil.trimEnd()).fault?.reason, 'served_model_mismatch')
  assert.equal(stream('openai-chat', `\uFEFF${evil}`, ...CHAT).fault?.reason, 'served_model_mismatch')
})

verifies('WIR-21', 'a stream that names no model is unknown: nothing is let through, and the name is not filled in', () => {
  const unnamed = CHAT.map((event) => event.replace('"model":"coder-1",', '').replace('"model":"coder-1"', '"x":1'))
  const read = stream('openai-chat', ...unnamed)
  assert.equal(read.fault?.reason, 'served_model_unknown')
  assert.equal(read.released + rest(read), '')
  assert.equal(read.facts.servedModel, null)
  assert.equal(stream('openai-chat', ...CHAT.map((event) => event.replaceAll('coder-1', ''))).fault?.reason, 'served_model_unknown')
  assert.equal(stream('openai-chat', '').fault?.reason, 'served_model_unknown')
  const endless = stream('openai-chat', ...Array.from({ length: 40 }, () => `: ${'x'.repeat(MAX_HELD_BYTES / 16)}\n\n`))
  assert.equal(endless.fault?.reason, 'served_model_unknown')
})

void test('a dated snapshot that the record lists is admitted; a name that only begins alike is not', () => {
  assert.equal(stream('openai-chat', ...CHAT.map((event) => event.replaceAll('coder-1', 'coder-1-2026-11-01'))).fault, undefined)
  assert.equal(stream('openai-chat', ...CHAT.map((event) => event.replaceAll('coder-1', 'coder-1-2026-11-02'))).fault?.reason, 'served_model_mismatch')
})

verifies('WIR-25', 'a stream without its last event is truncated, wherever it was cut', () => {
  for (const [dialect, events] of STREAMS) {
    for (let kept = dialect === 'openai-chat' ? 2 : 1; kept < events.length; kept += 1) {
      const read = stream(dialect, ...events.slice(0, kept))
      assert.equal(read.fault?.reason, 'answer_truncated', `${dialect} ${kept}`)
      assert.equal(read.end.passOn, false)
    }
  }
})

void test('garbage inside a stream, and events after the last one, are malformed', () => {
  assert.equal(stream('openai-chat', ...CHAT.slice(0, 2), 'data: {oops\n\n').fault?.reason, 'provider_malformed')
  assert.equal(stream('openai-chat', ...CHAT, ...Array.from({ length: 20 }, () => `: ${'x'.repeat(MAX_HELD_BYTES / 8)}\n\n`)).fault?.reason, 'provider_malformed')
  assert.equal(stream('openai-chat', ...CHAT.slice(0, 2), `data: ${'x'.repeat(MAX_EVENT_BYTES)}`).fault?.reason, 'provider_malformed')
})

void test('an error that the provider reports inside a stream reaches the agent after an admitted beginning, and the call failed', () => {
  const cases: readonly (readonly [Dialect, readonly string[], string, string])[] = [
    ['anthropic-messages', ANTHROPIC.slice(0, 2), named({ type: 'error', error: { type: 'overloaded_error', message: 'x' } }), 'provider_overloaded'],
    ['openai-chat', CHAT.slice(0, 3), data({ error: { message: 'x', code: 'rate_limit_exceeded' } }), 'provider_rate_limited'],
    ['openai-responses', RESPONSES.slice(0, 1), named({ type: 'response.failed', response: { model: 'coder-1', status: 'failed', error: { code: 'server_error' } } }), 'provider_overloaded'],
    ['openai-responses', RESPONSES.slice(0, 1), named({ type: 'error', code: 'invalid_prompt' }), 'provider_rejected'],
    ['gemini', GEMINI.slice(0, 1), data({ error: { code: 429, message: 'x', status: 'RESOURCE_EXHAUSTED' } }), 'provider_rate_limited'],
    ['gemini', GEMINI.slice(0, 2), data({ error: { code: 503, message: 'x', status: 'UNAVAILABLE' } }), 'provider_overloaded'],
    ['gemini', GEMINI.slice(0, 2), data({ error: { code: 500, message: 'x', status: 'INTERNAL' } }), 'provider_overloaded'],
    ['gemini', GEMINI.slice(0, 2), data({ error: { code: 400, message: 'x' } }), 'provider_rejected'],
  ]
  for (const [dialect, events, error, reason] of cases) {
    const read = stream(dialect, ...events, error)
    assert.equal(read.fault?.reason, reason)
    assert.equal(read.end.passOn, true)
    assert.equal(read.released + rest(read), events.join('') + error)
    const alone = stream(dialect, error.replaceAll('coder-1', ''))
    assert.equal(alone.fault?.reason, reason)
    assert.equal(alone.end.passOn, false)
  }
})

verifies('WIR-41', 'an answer that repeats the provider\'s credential does not get through: whole, inside an event, or split over events', () => {
  assert.equal(json('openai-chat', { model: 'coder-1', choices: [{ message: { content: `key ${SECRET}` } }] }).fault?.reason, 'secret_leak')
  const part = (content: string): string => data({ model: 'coder-1', choices: [{ delta: { content } }] })
  assert.equal(stream('openai-chat', CHAT[1] ?? '', part(SECRET)).fault?.reason, 'secret_leak')
  const split = [...SECRET].map(part)
  const read = stream('openai-chat', CHAT[1] ?? '', ...split, 'data: [DONE]\n\n')
  assert.equal(read.fault?.reason, 'secret_leak')
  assert.equal(read.released, [CHAT[1], ...split.slice(0, -1)].join(''), 'the event that completes it is held')
  const anthropic = [...SECRET].map((text) => named({ type: 'content_block_delta', delta: { type: 'text_delta', text } }))
  assert.equal(stream('anthropic-messages', ANTHROPIC[0] ?? '', ...anthropic).fault?.reason, 'secret_leak')
  const responses = [...SECRET].map((delta) => named({ type: 'response.output_text.delta', delta }))
  assert.equal(stream('openai-responses', RESPONSES[0] ?? '', ...responses).fault?.reason, 'secret_leak')
})

verifies('WIR-41', 'a credential spelt with escapes, or as the name of the model, does not get through and stands in no fact', () => {
  const escaped = [...SECRET].map((letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')
  const bodies = [`{"model":"coder-1","choices":[{"message":{"content":"${escaped}"}}]}`, `{"model":"${escaped}"}`, `{"model":"${SECRET}"}`, `{"model":"coder-1","other":"${escaped}"}`]
  for (const body of bodies) {
    for (const read of [json('openai-chat', body), stream('openai-chat', `data: ${body}\n\n`, 'data: [DONE]\n\n')]) {
      assert.equal(read.fault?.reason, 'secret_leak')
      assert.equal(read.released + rest(read), '')
      assert.ok(!JSON.stringify([read.facts, read.fault]).includes(SECRET))
    }
  }
  const reported = json('openai-chat', { error: { code: 'sk-9f8e7d6c5b4a', type: 'not words: 1' } })
  assert.equal(reported.fault?.detail, 'the provider reported an error inside its answer')
})

const CHAT_ANSWER = { id: 'c', object: 'chat.completion', model: 'coder-1', choices: [{ message: { role: 'assistant', content: 'hi', tool_calls: [{ id: 't' }] } }], usage: { prompt_tokens: 5, completion_tokens: 2 } }

void test('a JSON answer is held whole, and each dialect\'s facts are read', () => {
  const chat = json('openai-chat', CHAT_ANSWER)
  assert.equal(chat.released, '')
  assert.equal(rest(chat), JSON.stringify(CHAT_ANSWER))
  assert.deepEqual(chat.facts, { servedModel: 'coder-1', toolCalls: true, usage: { inputTokens: 5, outputTokens: 2, cacheReadTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0 } })
  const anthropic = json('anthropic-messages', { type: 'message', model: 'coder-1', content: [{ type: 'tool_use' }], usage: { input_tokens: 5, output_tokens: 2 } })
  assert.equal(anthropic.facts.toolCalls, true)
  assert.equal(anthropic.facts.usage?.inputTokens, 5)
  const responses = json('openai-responses', { object: 'response', status: 'completed', model: 'coder-1', output: [{ type: 'function_call' }], usage: { input_tokens: 5, output_tokens: 2 } })
  assert.equal(responses.facts.toolCalls, true)
  assert.equal(responses.fault, undefined)
})

verifies('WIR-21', 'a JSON answer by another model, by no model or by two models does not get through', () => {
  assert.equal(json('openai-chat', { ...CHAT_ANSWER, model: 'coder-9' }).fault?.reason, 'served_model_mismatch')
  for (const model of [undefined, null, '']) assert.equal(json('openai-chat', { ...CHAT_ANSWER, model }).fault?.reason, 'served_model_unknown')
  assert.equal(json('openai-chat', '{"model":"coder-9","model":"coder-1"}').fault?.reason, 'provider_malformed')
  assert.equal(json('openai-chat', '{"model":"coder-1","Model":"coder-9"}').fault?.reason, 'provider_malformed')
  for (const body of ['', 'garbage', '[]', '<html>', '{"model":"coder-1"', '{"model":"coder-1"} x']) {
    const read = json('openai-chat', body)
    assert.equal(read.fault?.reason, 'provider_malformed', body)
    assert.equal(rest(read), '')
  }
  assert.equal(json('openai-chat', { ...CHAT_ANSWER, usage: { prompt_tokens: -1, completion_tokens: 2 } }).facts.usage, null)
})

void test('an error inside a 200 answer is a failure of the provider', () => {
  assert.equal(json('openai-chat', { error: { type: 'server_error' } }).fault?.reason, 'provider_overloaded')
  assert.equal(json('openai-responses', { model: 'coder-1', status: 'failed', error: { code: 'rate_limit_exceeded' } }).fault?.reason, 'provider_rate_limited')
})

void test('a token count asks no model, so it need not name one', () => {
  assert.equal(rest(json('anthropic-messages', { input_tokens: 3 }, false)), '{"input_tokens":3}')
  assert.equal(json('anthropic-messages', 'garbage', false).fault?.reason, 'provider_malformed')
})

const GEMINI_ANSWER = { candidates: [{ content: { role: 'model', parts: [{ functionCall: { name: 'read', args: {} } }] }, finishReason: 'STOP' }], modelVersion: 'coder-1', usageMetadata: { promptTokenCount: 5, candidatesTokenCount: 2, totalTokenCount: 7 } }

verifies('WIR-10 WIR-21', 'Gemini: the served model is `modelVersion`, once and as it is spelt, never a `model` beside it', () => {
  const read = json('gemini', GEMINI_ANSWER)
  assert.equal(rest(read), JSON.stringify(GEMINI_ANSWER))
  assert.deepEqual(read.facts, { servedModel: 'coder-1', toolCalls: true, usage: { inputTokens: 5, outputTokens: 2, cacheReadTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0 } })
  assert.equal(json('gemini', { ...GEMINI_ANSWER, modelVersion: 'coder-9' }).fault?.reason, 'served_model_mismatch')
  assert.equal(json('gemini', { ...GEMINI_ANSWER, modelVersion: undefined, model: 'coder-1' }).fault?.reason, 'served_model_unknown')
  assert.equal(json('gemini', '{"modelVersion":"coder-9","modelVersion":"coder-1"}').fault?.reason, 'provider_malformed')
  assert.equal(json('gemini', '{"modelVersion":"coder-1","model\\u0056ersion":"coder-9"}').fault?.reason, 'provider_malformed')
  assert.equal(json('gemini', '{"modelVersion":"coder-1","modelversion":"coder-9"}').fault?.reason, 'provider_malformed')
  assert.equal(json('gemini', '[{"modelVersion":"coder-1"}]').fault?.reason, 'provider_malformed')
  assert.equal(stream('gemini', ...GEMINI.map((event) => event.replaceAll('modelVersion', 'model'))).fault?.reason, 'served_model_unknown')
  assert.equal(json('gemini', { totalTokens: 4 }, false).fault, undefined)
})

void test('Gemini: a count of zero is left out of its usage; without a total, what is not reported is not known', () => {
  const usage = (usageMetadata: object): unknown => json('gemini', { ...GEMINI_ANSWER, usageMetadata }).facts.usage
  assert.deepEqual(usage({ promptTokenCount: 4, totalTokenCount: 4 }), { inputTokens: 4, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0 })
  assert.deepEqual(usage({ promptTokenCount: 4, thoughtsTokenCount: 3 }), { inputTokens: 4, outputTokens: 3, cacheReadTokens: 0, cacheWriteTokens: 0, reasoningTokens: 3 })
  for (const unknown of [{}, { promptTokenCount: 4 }, { candidatesTokenCount: 4, totalTokenCount: 8 }, { promptTokenCount: 4, totalTokenCount: 3 }, { promptTokenCount: '4', totalTokenCount: 8 }]) assert.equal(usage(unknown), null)
})

void test('Gemini: a prompt that is not taken ends the stream, an image may come with its end, and arguments that are split hide no credential', () => {
  const blocked = data({ promptFeedback: { blockReason: 'SAFETY' }, modelVersion: 'coder-1', usageMetadata: { promptTokenCount: 4, totalTokenCount: 4 } })
  assert.deepEqual([stream('gemini', blocked).fault, rest(stream('gemini', blocked))], [undefined, blocked])
  const image = data({ candidates: [{ content: { parts: [{ inlineData: { mimeType: 'image/png', data: 'A'.repeat(2 * MAX_HELD_BYTES) } }] }, finishReason: 'STOP' }], modelVersion: 'coder-1' })
  for (const chunks of [[image], [GEMINI[0] ?? '', image], [image.slice(0, 5_000), image.slice(5_000)]]) {
    const read = stream('gemini', ...chunks)
    assert.equal(read.fault, undefined)
    assert.equal(read.released + rest(read), chunks.join(''))
  }
  const piece = (stringValue: string): string => data({ candidates: [{ content: { parts: [{ functionCall: { name: 'f', partialArgs: [{ jsonPath: '$.a', stringValue }] } }] } }], modelVersion: 'coder-1' })
  assert.equal(stream('gemini', ...[...SECRET].map(piece)).fault?.reason, 'secret_leak')
  const said = (text: string): string => data({ candidates: [{ content: { parts: [{ text }] } }], modelVersion: 'coder-1' })
  assert.equal(stream('gemini', ...[...SECRET].map(said)).fault?.reason, 'secret_leak')
})
