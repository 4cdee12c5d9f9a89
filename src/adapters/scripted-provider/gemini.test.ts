import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { ApiError, type Content, FinishReason, GoogleGenAI } from '@google/genai'
import { parseScript } from './load-script.ts'
import { type ScriptedProvider, startScriptedProvider } from './server.ts'

const TEXT = 'First I read the file; “quotes”, 한글 and 🔒 must survive the stream.'

const SCRIPT = `
version: 1
models: [gemini-1, tuned/one]
requireKey: the-right-key
turns:
  - when: { turn: 1, lastUser: read it }
    answer: { text: "${TEXT}", toolCalls: [{ name: read, arguments: { path: src/a.js } }, { name: read, arguments: { path: src/b.js } }] }
  - when: { turn: 2, lastTool: content of a.*content of b, offersTool: read }
    answer: { text: done, usage: { inputTokens: 1000, outputTokens: 7 } }
`

async function start(context: TestContext, faults = ''): Promise<ScriptedProvider> {
  const provider = await startScriptedProvider({ script: parseScript(SCRIPT + faults), port: 0 })
  context.after(() => provider.close())
  return provider
}

/** Its third major version asks below `v1`, the ones before below `v1beta`. */
const google = (provider: ScriptedProvider, apiKey = 'the-right-key', apiVersion = 'v1'): GoogleGenAI => new GoogleGenAI({ apiKey, apiVersion, httpOptions: { baseUrl: provider.url } })

const config = { tools: [{ functionDeclarations: [{ name: 'read', description: 'Reads a file', parametersJsonSchema: { type: 'object', properties: { path: { type: 'string' } } } }] }] }

const RESULTS: Content = {
  role: 'user',
  parts: [{ functionResponse: { name: 'read', response: { output: 'content of a' } } }, { functionResponse: { name: 'read', response: { output: 'content of b' } } }],
}

void test('the Google SDK holds a conversation with tools, not streaming', async (context) => {
  const provider = await start(context)
  const first = await google(provider).models.generateContent({ model: 'gemini-1', contents: 'read it', config })
  assert.deepEqual([first.text, first.modelVersion, first.candidates?.[0]?.finishReason], [TEXT, 'gemini-1', FinishReason.STOP])
  assert.deepEqual(first.functionCalls?.map(({ name, args }) => [name, args]), [['read', { path: 'src/a.js' }], ['read', { path: 'src/b.js' }]])
  const said = first.candidates?.[0]?.content ?? assert.fail('an answer without content')
  const second = await google(provider).models.generateContent({ model: 'gemini-1', contents: [{ role: 'user', parts: [{ text: 'read it' }] }, said, RESULTS], config })
  assert.equal(second.text, 'done')
  assert.deepEqual([second.usageMetadata?.promptTokenCount, second.usageMetadata?.candidatesTokenCount, second.usageMetadata?.totalTokenCount], [1000, 7, 1007])
  assert.notEqual(first.responseId, second.responseId)
  assert.deepEqual(provider.requests().map(({ dialect, model, turn, answeredBy, stream, inference }) => [dialect, model, turn, answeredBy, stream, inference]), [['gemini', 'gemini-1', 1, 'turns[0]', false, true], ['gemini', 'gemini-1', 2, 'turns[1]', false, true]])
})

void test('the Google SDK reads a stream, whose last event says why it ended', async (context) => {
  const provider = await start(context)
  const events = []
  for await (const event of await google(provider, 'the-right-key', 'v1beta').models.generateContentStream({ model: 'gemini-1', contents: 'read it', config })) events.push(event)
  assert.equal(events.flatMap((event) => event.candidates?.[0]?.content?.parts ?? []).map(({ text }) => text ?? '').join(''), TEXT)
  assert.equal(events.flatMap((event) => event.functionCalls ?? []).length, 2)
  assert.deepEqual(events.map((event) => event.candidates?.[0]?.finishReason), [...events.slice(1).map(() => undefined), FinishReason.STOP])
  assert.ok(events.every((event) => event.modelVersion === 'gemini-1') && (events.at(-1)?.usageMetadata?.candidatesTokenCount ?? 0) > 0)
  assert.equal(provider.requests()[0]?.stream, true)
})

void test('the Google SDK lists models and counts tokens, for the models that are served', async (context) => {
  const provider = await start(context)
  for (const version of ['v1', 'v1beta']) {
    const listed = []
    for await (const model of await google(provider, 'the-right-key', version).models.list()) listed.push(model.name)
    assert.deepEqual(listed, ['models/gemini-1', 'models/tuned/one'])
  }
  const few = await google(provider).models.countTokens({ model: 'gemini-1', contents: 'read it' })
  const many = await google(provider).models.countTokens({ model: 'gemini-1', contents: 'read it'.repeat(100) })
  assert.ok((few.totalTokens ?? 0) > 0 && (many.totalTokens ?? 0) > (few.totalTokens ?? 0))
  await assert.rejects(google(provider).models.countTokens({ model: 'gemini-2', contents: 'x' }), (error) => error instanceof ApiError && error.status === 404)
  const whole = await fetch(`${provider.url}/v1beta/models/tuned%2Fone:countTokens`, { method: 'POST', headers: { 'x-goog-api-key': 'the-right-key' }, body: '{"generateContentRequest":{"model":"models/tuned/one","contents":[{"parts":[{"text":"read it"}]}]}}' })
  const counted: unknown = await whole.json()
  assert.ok(typeof counted === 'object' && counted !== null)
  assert.deepEqual(Object.keys(counted), ['totalTokens'])
  assert.ok(provider.requests().every(({ inference }) => !inference))
})

void test('each fault reaches the Google SDK as its own kind of error', async (context) => {
  const provider = await start(context, 'faults:\n  - { on: { request: 3 }, fault: { status: 429, retryAfter: 2 } }\n  - { on: { request: 4 }, fault: { cut: true } }\n  - { on: { request: 5 }, fault: { noModel: true } }\n  - { on: { request: 6 }, fault: { servedModel: gemini-9 } }\n')
  const ask = (model = 'gemini-1', key = 'the-right-key'): Promise<{ readonly modelVersion?: string }> => google(provider, key).models.generateContent({ model, contents: 'read it' })
  await assert.rejects(ask('gemini-1', 'wrong'), (error) => error instanceof ApiError && error.status === 401 && error.message.includes('UNAUTHENTICATED'))
  await assert.rejects(ask('gemini-2'), (error) => error instanceof ApiError && error.status === 404 && error.message.includes('NOT_FOUND'))
  await assert.rejects(ask(), (error) => error instanceof ApiError && error.status === 429 && error.message.includes('RESOURCE_EXHAUSTED'))
  await assert.rejects(ask())
  assert.deepEqual([(await ask()).modelVersion, (await ask()).modelVersion, (await ask()).modelVersion], [undefined, 'gemini-9', 'gemini-1'])
  const array = await fetch(`${provider.url}/v1beta/models/gemini-1:streamGenerateContent`, { method: 'POST', headers: { 'x-goog-api-key': 'the-right-key' }, body: '{"contents":[{"parts":[{"text":"read it"}]}]}' })
  assert.equal(array.status, 400)
  assert.match(await array.text(), /ask with \?alt=sse/)
})
