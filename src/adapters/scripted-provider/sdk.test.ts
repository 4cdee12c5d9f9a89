import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import Anthropic, { NotFoundError as AnthropicNotFound, AuthenticationError as AnthropicAuthentication } from '@anthropic-ai/sdk'
import OpenAI, { AuthenticationError, BadRequestError, NotFoundError, RateLimitError } from 'openai'
import { parseScript } from './load-script.ts'
import { type ScriptedProvider, startScriptedProvider } from './server.ts'

const TEXT = 'First I read the file; “quotes”, 한글 and 🔒 must survive the stream.'

const SCRIPT = `
version: 1
models: [coder-1]
requireKey: the-right-key
turns:
  - when: { turn: 1, lastUser: read it }
    answer: { text: "${TEXT}", toolCalls: [{ name: read, arguments: { path: src/a.js } }, { name: read, arguments: { path: src/b.js } }] }
  - when: { turn: 2, lastTool: content of a.*content of b }
    answer: { text: done, usage: { inputTokens: 1000, outputTokens: 7 } }
`

async function start(context: TestContext, script = SCRIPT): Promise<ScriptedProvider> {
  const provider = await startScriptedProvider({ script: parseScript(script), port: 0 })
  context.after(() => provider.close())
  return provider
}

const openAi = (provider: ScriptedProvider, apiKey = 'the-right-key'): OpenAI => new OpenAI({ apiKey, baseURL: `${provider.url}/v1`, maxRetries: 0 })
const anthropic = (provider: ScriptedProvider, apiKey = 'the-right-key'): Anthropic => new Anthropic({ apiKey, authToken: null, baseURL: provider.url, maxRetries: 0 })

const readTool = { name: 'read', description: 'Reads a file', parameters: { type: 'object' as const, properties: { path: { type: 'string' } } } }

test('the OpenAI SDK holds a conversation with tools over Chat Completions, not streaming', async (context) => {
  const provider = await start(context)
  const tools = [{ type: 'function' as const, function: readTool }]
  const first = await openAi(provider).chat.completions.create({ model: 'coder-1', messages: [{ role: 'user', content: 'read it' }], tools })
  const [choice] = first.choices
  assert.equal(first.model, 'coder-1')
  assert.match(first.id, /^chatcmpl-[0-9a-f]{24}$/)
  assert.equal(choice?.finish_reason, 'tool_calls')
  assert.equal(choice?.message.content, TEXT)
  const calls = choice?.message.tool_calls ?? []
  assert.deepEqual(calls.map((call) => call.type === 'function' && call.function), [
    { name: 'read', arguments: '{"path":"src/a.js"}' },
    { name: 'read', arguments: '{"path":"src/b.js"}' },
  ])
  assert.equal(new Set(calls.map(({ id }) => id)).size, 2)
  assert.equal(first.usage?.total_tokens, (first.usage?.prompt_tokens ?? 0) + (first.usage?.completion_tokens ?? 0))
  const second = await openAi(provider).chat.completions.create({
    model: 'coder-1',
    messages: [
      { role: 'user', content: 'read it' },
      { role: 'assistant', content: choice?.message.content ?? null, tool_calls: calls },
      { role: 'tool', tool_call_id: calls[0]?.id ?? '', content: 'content of a' },
      { role: 'tool', tool_call_id: calls[1]?.id ?? '', content: 'content of b' },
    ],
    tools,
  })
  assert.equal(second.choices[0]?.finish_reason, 'stop')
  assert.equal(second.choices[0]?.message.content, 'done')
  assert.deepEqual([second.usage?.prompt_tokens, second.usage?.completion_tokens], [1000, 7])
  assert.notEqual(second.id, first.id)
  assert.deepEqual(provider.requests().map(({ turn, answeredBy, status }) => [turn, answeredBy, status]), [[1, 'turns[0]', 200], [2, 'turns[1]', 200]])
})

test('the OpenAI SDK reads a streamed chat completion, with usage when it asks for it', async (context) => {
  const provider = await start(context)
  const stream = openAi(provider).chat.completions.stream({
    model: 'coder-1',
    messages: [{ role: 'user', content: 'read it' }],
    tools: [{ type: 'function', function: readTool }],
    stream_options: { include_usage: true },
  })
  const final = await stream.finalChatCompletion()
  assert.equal(final.choices[0]?.message.content, TEXT)
  assert.equal(final.choices[0]?.finish_reason, 'tool_calls')
  assert.deepEqual(final.choices[0]?.message.tool_calls?.map((call) => call.type === 'function' && call.function.arguments), ['{"path":"src/a.js"}', '{"path":"src/b.js"}'])
  assert.ok((final.usage?.completion_tokens ?? 0) > 0)
})

test('a streamed chat completion reports no usage that nobody asked for', async (context) => {
  const provider = await start(context)
  const stream = await openAi(provider).chat.completions.create({ model: 'coder-1', messages: [{ role: 'user', content: 'read it' }], stream: true })
  for await (const chunk of stream) assert.equal(chunk.usage, undefined)
})

test('the OpenAI SDK holds a conversation with tools over Responses, not streaming', async (context) => {
  const provider = await start(context)
  const tools = [{ type: 'function' as const, strict: false, ...readTool }]
  const first = await openAi(provider).responses.create({ model: 'coder-1', input: 'read it', tools })
  assert.equal(first.status, 'completed')
  assert.equal(first.model, 'coder-1')
  assert.equal(first.output_text, TEXT)
  const calls = first.output.filter((item) => item.type === 'function_call')
  assert.deepEqual(calls.map((call) => [call.name, call.arguments]), [['read', '{"path":"src/a.js"}'], ['read', '{"path":"src/b.js"}']])
  const outputs = calls.map((call, index) => ({ type: 'function_call_output' as const, call_id: call.call_id, output: index === 0 ? 'content of a' : 'content of b' }))
  const second = await openAi(provider).responses.create({ model: 'coder-1', input: [{ role: 'user', content: 'read it' }, { role: 'assistant', content: TEXT }, ...calls, ...outputs], tools })
  assert.equal(second.output_text, 'done')
  assert.deepEqual([second.usage?.input_tokens, second.usage?.output_tokens, second.usage?.total_tokens], [1000, 7, 1007])
})

test('the OpenAI SDK reads a streamed response', async (context) => {
  const provider = await start(context)
  const stream = openAi(provider).responses.stream({ model: 'coder-1', input: 'read it', tools: [{ type: 'function', strict: false, ...readTool }] })
  const numbers: number[] = []
  stream.on('event', (event) => numbers.push(event.sequence_number))
  const final = await stream.finalResponse()
  assert.deepEqual(
    final.output.map((item) => (item.type === 'message' ? item.content.map((part) => part.type === 'output_text' && part.text) : item.type === 'function_call' && item.arguments)),
    [[TEXT], '{"path":"src/a.js"}', '{"path":"src/b.js"}'],
  )
  assert.equal(final.usage?.output_tokens, (await openAi(provider).responses.create({ model: 'coder-1', input: 'read it' })).usage?.output_tokens)
  assert.deepEqual(numbers, numbers.map((_unused, index) => index))
})

test('tools that an agent hands over inside the input are offered too', async (context) => {
  const provider = await start(context, 'version: 1\nmodels: [coder-1]\nturns:\n  - when: { offersTool: exec }\n    answer: { text: seen }\n')
  const body = { model: 'coder-1', input: [{ type: 'additional_tools', tools: [{ type: 'custom', name: 'exec' }] }, { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'hi' }] }] }
  const response = await fetch(`${provider.url}/v1/codex/responses`, { method: 'POST', body: JSON.stringify(body) })
  assert.equal(response.status, 200)
})

test('the Anthropic SDK holds a conversation with tools, not streaming', async (context) => {
  const provider = await start(context)
  const tools = [{ name: 'read', input_schema: readTool.parameters }]
  const first = await anthropic(provider).messages.create({ model: 'coder-1', max_tokens: 100, messages: [{ role: 'user', content: 'read it' }], tools })
  assert.equal(first.model, 'coder-1')
  assert.match(first.id, /^msg_/)
  assert.equal(first.stop_reason, 'tool_use')
  assert.deepEqual(first.content.map((block) => (block.type === 'text' ? block.text : block.type === 'tool_use' && block.input)), [TEXT, { path: 'src/a.js' }, { path: 'src/b.js' }])
  assert.match(first._request_id ?? '', /^req_/)
  const results = first.content.filter((block) => block.type === 'tool_use').map(({ id }, index) => ({ type: 'tool_result' as const, tool_use_id: id, content: index === 0 ? 'content of a' : 'content of b' }))
  const second = await anthropic(provider).messages.create({
    model: 'coder-1',
    max_tokens: 100,
    messages: [{ role: 'user', content: 'read it' }, { role: 'assistant', content: first.content }, { role: 'user', content: results }],
    tools,
  })
  assert.equal(second.stop_reason, 'end_turn')
  assert.deepEqual(second.content, [{ type: 'text', text: 'done' }])
  assert.deepEqual([second.usage.input_tokens, second.usage.output_tokens], [1000, 7])
})

test('the Anthropic SDK reads a streamed message', async (context) => {
  const provider = await start(context)
  const stream = anthropic(provider).messages.stream({ model: 'coder-1', max_tokens: 100, messages: [{ role: 'user', content: 'read it' }] })
  const final = await stream.finalMessage()
  assert.equal(final.model, 'coder-1')
  assert.equal(final.stop_reason, 'tool_use')
  assert.deepEqual(final.content.map((block) => (block.type === 'text' ? block.text : block.type === 'tool_use' && block.input)), [TEXT, { path: 'src/a.js' }, { path: 'src/b.js' }])
})

test('the models are listed in the shape of each API, and one by one', async (context) => {
  const provider = await start(context)
  const listed: string[] = []
  for await (const model of openAi(provider).models.list()) listed.push(model.id)
  assert.deepEqual(listed, ['coder-1'])
  assert.equal((await openAi(provider).models.retrieve('coder-1')).object, 'model')
  await assert.rejects(openAi(provider).models.retrieve('coder-2'), NotFoundError)
  assert.deepEqual((await anthropic(provider).models.list()).data.map(({ id, type }) => [id, type]), [['coder-1', 'model']])
  await assert.rejects(openAi(provider, 'wrong').models.list(), AuthenticationError)
})

test('tokens are counted, for the models that are served', async (context) => {
  const provider = await start(context)
  const messages = [{ role: 'user' as const, content: 'read it' }]
  const count = (model: string, text: string): Promise<number> =>
    anthropic(provider).messages.countTokens({ model, messages: [{ role: 'user', content: text }] }).then(({ input_tokens: tokens }) => tokens)
  assert.ok((await count('coder-1', 'read it')) > 0)
  assert.ok((await count('coder-1', 'read it'.repeat(100))) > (await count('coder-1', 'read it')))
  assert.equal((await anthropic(provider).messages.create({ model: 'coder-1', max_tokens: 1, messages })).usage.input_tokens, await count('coder-1', 'read it'))
  await assert.rejects(count('coder-2', 'read it'), AnthropicNotFound)
  assert.deepEqual(new Set(provider.requests().filter(({ path }) => path.endsWith('count_tokens')).map(({ inference }) => inference)), new Set([false]))
})

test('each SDK shows a wrong key and an unknown model as its own kind of error', async (context) => {
  const provider = await start(context)
  const chat = (key: string, model: string): Promise<unknown> => openAi(provider, key).chat.completions.create({ model, messages: [{ role: 'user', content: 'read it' }] })
  const responses = (key: string, model: string): Promise<unknown> => openAi(provider, key).responses.create({ model, input: 'read it' })
  const messages = (key: string, model: string): Promise<unknown> => anthropic(provider, key).messages.create({ model, max_tokens: 1, messages: [{ role: 'user', content: 'read it' }] })
  for (const ask of [chat, responses]) {
    await assert.rejects(ask('wrong', 'coder-1'), (error) => error instanceof AuthenticationError && error.code === 'invalid_api_key')
    await assert.rejects(ask('the-right-key', 'coder-2'), (error) => error instanceof NotFoundError && error.code === 'model_not_found' && error.requestID?.startsWith('req_') === true)
  }
  await assert.rejects(messages('wrong', 'coder-1'), AnthropicAuthentication)
  await assert.rejects(messages('the-right-key', 'coder-2'), AnthropicNotFound)
  assert.ok(!JSON.stringify(provider.requests()).includes('wrong') && !JSON.stringify(provider.requests()).includes('the-right-key'))
})

test('a conversation without a turn is told what it looks like', async (context) => {
  const provider = await start(context)
  const asked = openAi(provider).chat.completions.create({
    model: 'coder-1',
    messages: [{ role: 'user', content: 'something else' }],
    tools: [{ type: 'function', function: readTool }],
  })
  await assert.rejects(asked, (error) => {
    assert.ok(error instanceof BadRequestError)
    assert.equal(error.code, 'no_turn_matches')
    assert.match(error.message, /turn 1, request 1; last user message "something else"; tool results none; tools offered: read\./)
    return true
  })
})

test('a fault on one request strikes that one, and the SDK sees Retry-After', async (context) => {
  const provider = await start(context, `${SCRIPT}faults:\n  - { on: { request: 2 }, fault: { status: 429, retryAfter: 2 } }\n`)
  const ask = (): Promise<unknown> => openAi(provider).chat.completions.create({ model: 'coder-1', messages: [{ role: 'user', content: 'read it' }] })
  await ask()
  await assert.rejects(ask(), (error) => error instanceof RateLimitError && error.headers.get('retry-after') === '2')
  await ask()
  assert.deepEqual(provider.requests().map(({ status, fault }) => [status, fault]), [[200, null], [429, 'faults[0]: status 429, retryAfter 2'], [200, null]])
})
