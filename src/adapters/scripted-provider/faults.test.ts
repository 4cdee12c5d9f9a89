import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { test, type TestContext } from 'node:test'
import { setImmediate as nextTick } from 'node:timers/promises'
import { startScriptedProvider, type ScriptedProvider } from './server.ts'
import type { Fault, FaultRule, ProviderScript } from './script.ts'

const KEY = 'sk-test-the-key'
const DIALECTS = ['openai-chat', 'openai-responses', 'anthropic-messages'] as const
type Spoken = (typeof DIALECTS)[number]

const PATHS: Readonly<Record<Spoken, string>> = { 'openai-chat': '/v1/chat/completions', 'openai-responses': '/v1/responses', 'anthropic-messages': '/v1/messages' }

/** What every complete stream of the dialect ends with. */
const LAST: Readonly<Record<Spoken, string>> = { 'openai-chat': 'data: [DONE]', 'openai-responses': 'event: response.completed', 'anthropic-messages': 'event: message_stop' }

async function start(context: TestContext, faults: readonly FaultRule[], more: Partial<ProviderScript> = {}): Promise<ScriptedProvider> {
  const script: ProviderScript = {
    version: 1,
    models: ['coder-1'],
    turns: [{ when: { always: true }, answer: { text: 'a text that is long enough to be cut into several pieces of a stream', toolCalls: [{ name: 'read', arguments: { path: 'a' } }] } }],
    faults: [...faults],
    ...more,
  }
  const provider = await startScriptedProvider({ script, port: 0 })
  context.after(() => provider.close())
  return provider
}

function ask(provider: ScriptedProvider, dialect: Spoken, stream: boolean, signal?: AbortSignal): Promise<Response> {
  const messages = [{ role: 'user', content: 'hi' }]
  const body = { model: 'coder-1', stream, ...(dialect === 'openai-responses' ? { input: messages } : { messages }), ...(dialect === 'anthropic-messages' ? { max_tokens: 256 } : {}) }
  const credential: Record<string, string> = dialect === 'anthropic-messages' ? { 'x-api-key': KEY, 'anthropic-version': '2023-06-01' } : { authorization: `Bearer ${KEY}` }
  return fetch(`${provider.url}${PATHS[dialect]}`, { method: 'POST', headers: { 'content-type': 'application/json', ...credential }, body: JSON.stringify(body), signal: signal ?? null })
}

/** Reads to the end, whether the end is in good order or not. */
async function read(response: Response): Promise<{ readonly text: string; readonly ended: boolean }> {
  const decoder = new TextDecoder()
  const body: AsyncIterable<Uint8Array> = response.body ?? new Blob([]).stream()
  let text = ''
  try {
    for await (const chunk of body) text += decoder.decode(chunk, { stream: true })
  } catch (error) {
    if (error instanceof TypeError) return { text, ended: false }
    throw error
  }
  return { text, ended: true }
}

const parses = (text: string): boolean => {
  try {
    JSON.parse(text)
    return true
  } catch (error) {
    if (error instanceof SyntaxError) return false
    throw error
  }
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 30_000
  while (!condition()) {
    if (performance.now() > deadline) assert.fail('the condition did not come true')
    await nextTick()
  }
}

const always = (fault: Fault): FaultRule[] => [{ on: { always: true }, fault }]

for (const dialect of DIALECTS) {
  for (const stream of [false, true]) {
    const name = `${dialect}, ${stream ? 'streaming' : 'not streaming'}`

    test(`${name}: without a fault the answer is complete`, async (context) => {
      const response = await ask(await start(context, []), dialect, stream)
      const { text, ended } = await read(response)
      assert.deepEqual([response.status, ended], [200, true])
      assert.equal(stream ? text.includes(LAST[dialect]) : parses(text), true)
      assert.match(text, /"model":"coder-1"/)
      assert.match(response.headers.get(dialect === 'anthropic-messages' ? 'request-id' : 'x-request-id') ?? '', /^req_/)
    })

    for (const [status, expected] of [
      [400, /invalid_request_error/],
      [401, dialect === 'anthropic-messages' ? /authentication_error/ : /invalid_api_key/],
      [404, dialect === 'anthropic-messages' ? /not_found_error.*coder-1/ : /coder-1.*model_not_found/],
      [429, dialect === 'anthropic-messages' ? /rate_limit_error/ : /rate_limit_exceeded/],
      [500, dialect === 'anthropic-messages' ? /api_error/ : /server_error/],
      [529, dialect === 'anthropic-messages' ? /overloaded_error/ : /overloaded/],
    ] as const) {
      test(`${name}: status ${status} in the shape of the dialect`, async (context) => {
        const provider = await start(context, always(status === 429 ? { status, retryAfter: 2 } : { status }))
        const response = await ask(provider, dialect, stream)
        const { text } = await read(response)
        assert.equal(response.status, status)
        assert.match(response.headers.get('content-type') ?? '', /json/)
        assert.equal(response.headers.get('retry-after'), status === 429 ? '2' : null)
        assert.match(text, expected)
        assert.ok(!text.includes(KEY))
        assert.deepEqual(provider.requests().map((request) => [request.status, request.stream, request.answeredBy]), [[status, stream, null]])
      })
    }

    test(`${name}: a hang takes the request and sends nothing`, async (context) => {
      const provider = await start(context, [{ on: { request: 1 }, fault: { hang: true } }])
      const giveUp = new AbortController()
      let settled = false
      const pending = ask(provider, dialect, stream, giveUp.signal).finally(() => (settled = true))
      pending.catch((error: unknown) => assert.ok(giveUp.signal.aborted, String(error)))
      await until(() => provider.requests().length === 1)
      // A whole answer to a later request shows that the provider works, and had the time to answer the first.
      assert.equal((await read(await ask(provider, dialect, stream))).ended, true)
      assert.equal(settled, false)
      assert.deepEqual(provider.requests()[0]?.status, null)
      giveUp.abort()
      await assert.rejects(pending, { name: 'AbortError' })
    })

    test(`${name}: a stall sends half and then keeps the connection open in silence`, async (context) => {
      const provider = await start(context, [{ on: { request: 1 }, fault: { stall: true } }])
      const giveUp = new AbortController()
      let settled = false
      const body: AsyncIterable<Uint8Array> = (await ask(provider, dialect, stream, giveUp.signal)).body ?? assert.fail('no body')
      let text = ''
      const drain = async (): Promise<void> => {
        for await (const chunk of body) text += Buffer.from(chunk).toString()
      }
      const pending = drain().finally(() => (settled = true))
      pending.catch((error: unknown) => assert.ok(giveUp.signal.aborted, String(error)))
      await until(() => text.includes('coder-1'))
      assert.equal((await read(await ask(provider, dialect, stream))).ended, true)
      assert.equal(settled, false)
      assert.ok(!text.includes(LAST[dialect]))
      giveUp.abort()
      await assert.rejects(pending, { name: 'AbortError' })
    })

    test(`${name}: a cut answer begins, and its connection breaks`, async (context) => {
      const response = await ask(await start(context, always({ cut: true })), dialect, stream)
      const { text, ended } = await read(response)
      assert.deepEqual([response.status, ended], [200, false])
      assert.match(text, /coder-1/)
      assert.ok(!text.includes(LAST[dialect]))
    })

    test(`${name}: an unfinished answer ends in good order without its end`, async (context) => {
      const response = await ask(await start(context, always({ unfinished: true })), dialect, stream)
      const { text, ended } = await read(response)
      assert.deepEqual([response.status, ended], [200, true])
      assert.equal(stream ? text.includes(LAST[dialect]) || /"finish_reason":"\w|message_delta/.test(text) : parses(text), false)
    })

    test(`${name}: garbage is a 200 that is not JSON`, async (context) => {
      const response = await ask(await start(context, always({ garbage: true })), dialect, stream)
      const { text, ended } = await read(response)
      assert.deepEqual([response.status, ended], [200, true])
      assert.equal(response.headers.get('content-type')?.split(';')[0], stream ? 'text/event-stream' : 'application/json')
      assert.equal(parses(text.replace(/^data: /, '')), false)
    })

    test(`${name}: another served model is named everywhere, and none when none is to be named`, async (context) => {
      const other = (await read(await ask(await start(context, always({ servedModel: 'cheap-1' })), dialect, stream))).text
      assert.match(other, /"model":"cheap-1"/)
      assert.ok(!other.includes('coder-1'))
      const none = (await read(await ask(await start(context, always({ noModel: true })), dialect, stream))).text
      assert.ok(!none.includes('"model"') && !none.includes('coder-1'))
    })

    test(`${name}: a slow answer is complete, and takes its time`, async (context) => {
      const provider = await start(context, always({ slow: '5ms' }))
      const startedAt = performance.now()
      const { text, ended } = await read(await ask(provider, dialect, stream))
      const events = stream ? text.split('\n\n').length - 1 : 1
      assert.equal(ended, true)
      assert.ok(performance.now() - startedAt >= events * 4, `${events} events in ${performance.now() - startedAt} ms`)
    })

    test(`${name}: the key received is echoed only by the fault that echoes it, in answers and in errors`, async (context) => {
      assert.ok(!(await read(await ask(await start(context, []), dialect, stream))).text.includes(KEY))
      const echoed = (await read(await ask(await start(context, always({ echoKey: true })), dialect, stream))).text
      // A stream may cut the key in two.
      const said = [...echoed.matchAll(/"(?:content|delta|text)":"([^"]*)"/g)].map(([, piece]) => piece).join('')
      assert.ok(said.includes(KEY))
      const error = await read(await ask(await start(context, always({ status: 401, echoKey: true })), dialect, stream))
      assert.ok(error.text.includes(KEY))
    })

    test(`${name}: a wrong or missing key is refused`, async (context) => {
      const provider = await start(context, [], { requireKey: 'another-key' })
      assert.equal((await ask(provider, dialect, stream)).status, 401)
      assert.equal((await fetch(`${provider.url}${PATHS[dialect]}`, { method: 'POST', body: '{}' })).status, 401)
    })
  }

  test(`${dialect}: what is no request is refused in the shape of the dialect`, async (context) => {
    const provider = await start(context, [])
    const post = (body: string): Promise<Response> => fetch(`${provider.url}${PATHS[dialect]}`, { method: 'POST', headers: { 'anthropic-version': '2023-06-01' }, body })
    for (const body of ['', 'not json', '[]', '{}', '{"model":1}', '{"model":"coder-1"}', '{"model":"coder-1","messages":[],"input":[],"max_tokens":1}']) {
      const response = await post(body)
      assert.equal(response.status, 400, body)
      assert.match(await response.text(), /"error":\{.*invalid_request_error/)
    }
  })
}

test('conditions of faults: the turn, a tool offered, what the user said, what a tool said, and how often', async (context) => {
  const provider = await start(context, [
    { on: { offersTool: 'probe' }, fault: { status: 500 } },
    { on: { lastUser: '^fail with 501$' }, fault: { status: 501 } },
    { on: { lastTool: 'boom' }, fault: { status: 502 } },
    { on: { turn: 3 }, fault: { status: 503 } },
    { on: { lastUser: 'twice' }, times: 2, fault: { status: 504 } },
  ])
  const status = async (messages: readonly unknown[], tools: readonly unknown[] = []): Promise<number> =>
    (await fetch(`${provider.url}/chat/completions`, { method: 'POST', body: JSON.stringify({ model: 'coder-1', messages, tools }) })).status
  const user = (content: string): unknown => ({ role: 'user', content })
  const assistant = { role: 'assistant', content: 'x' }
  const tool = (content: string): unknown => ({ role: 'tool', tool_call_id: 'c', content })
  assert.equal(await status([user('x')], [{ type: 'function', function: { name: 'probe' } }]), 500)
  assert.equal(await status([user('x')], [{ type: 'function', function: { name: 'prober' } }]), 200)
  assert.equal(await status([user('first line\nfail with 501')]), 501)
  assert.equal(await status([user('x'), assistant, tool('a'), tool('boom')]), 502)
  assert.equal(await status([user('x'), assistant, tool('boom'), assistant, user('y'), assistant, user('z')]), 200)
  assert.equal(await status([user('x'), assistant, user('y'), assistant, user('z')]), 503)
  assert.deepEqual([await status([user('twice')]), await status([user('twice')]), await status([user('twice')])], [504, 504, 200])
})

test('the same request gets the same words and usage every time, and different ids', async (context) => {
  const provider = await start(context, [])
  const answers = [await read(await ask(provider, 'openai-chat', false)), await read(await ask(provider, 'openai-chat', false))]
  const plain = answers.map(({ text }) => text.replaceAll(/"(id)":"[^"]*"|"created":\d+/g, ''))
  assert.equal(plain[0], plain[1])
  assert.notEqual(answers[0]?.text, answers[1]?.text)
})

test('HEAD / is answered, and other routes are not there', async (context) => {
  const provider = await start(context, [])
  assert.equal((await fetch(provider.url, { method: 'HEAD' })).status, 200)
  for (const [method, path] of [['GET', '/v1/chat/completions'], ['POST', '/v1/embeddings'], ['DELETE', '/v1/models/coder-1'], ['GET', '/v1/models/%zz'], ['POST', '/v1/v1/messages']] as const) {
    assert.equal((await fetch(`${provider.url}${path}`, { method })).status, 404, `${method} ${path}`)
  }
})

test('a message without a version of the API is refused, as the real one does', async (context) => {
  const provider = await start(context, [])
  const body = JSON.stringify({ model: 'coder-1', max_tokens: 1, messages: [{ role: 'user', content: 'hi' }] })
  const response = await fetch(`${provider.url}/v1/messages`, { method: 'POST', body })
  assert.equal(response.status, 400)
  assert.match(await response.text(), /anthropic-version/)
})

test('the log never holds a query, a key or a text of the conversation', async (context) => {
  const provider = await start(context, [])
  await read(await fetch(`${provider.url}/v1/messages?key=${KEY}`, { method: 'POST', headers: { 'x-api-key': KEY }, body: '{"model":"coder-1","secret":"hi"}' }))
  await read(await ask(provider, 'openai-chat', true))
  const log = JSON.stringify(provider.requests())
  assert.ok(!log.includes(KEY) && !log.includes('"hi"'))
  assert.equal(provider.requests()[0]?.path, '/v1/messages')
})

test('a taken port is port_taken, and closing frees it, open requests included', async (context) => {
  const other = createServer()
  other.listen(0, '127.0.0.1')
  await once(other, 'listening')
  context.after(() => other.close())
  const address = other.address()
  const port = typeof address === 'object' && address !== null ? address.port : assert.fail('no port')
  const script: ProviderScript = { version: 1, models: ['m'], turns: [], faults: always({ hang: true }) }
  await assert.rejects(startScriptedProvider({ script, port }), { code: 'port_taken' })
  const seen: string[] = []
  const provider = await startScriptedProvider({ script, port: 0, onRequest: ({ path }) => seen.push(path) })
  const pending = assert.rejects(ask(provider, 'openai-chat', false))
  await until(() => seen.length === 1)
  await provider.close()
  await pending
  const again = await startScriptedProvider({ script, port: provider.port })
  assert.equal(again.port, provider.port)
  await again.close()
})
