import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { test, type TestContext } from 'node:test'
import { Agent, getGlobalDispatcher, setGlobalDispatcher } from 'undici'
import * as z from 'zod'
import { type Dialect, DIALECTS } from '../../contract/model.ts'
import type { ProbeSight, ProbeTarget } from '../../gates/health/index.ts'
import { type Fault, type ProviderScript, type ScriptedProvider, startScriptedProvider } from '../scripted-provider/index.ts'
import { verifies } from '../../../test/verifies.ts'
import { probeHealth } from './probe-health.ts'
import { PROBE_TOOL } from './probe-message.ts'

const TOKEN = 'pcr_the-run-token'

const grantAt = (url: string): ProbeTarget => ({ token: TOKEN, baseUrl: { 'openai-chat': `${url}/v1`, 'openai-responses': `${url}/v1`, 'anthropic-messages': url, gemini: url } })

const probe = (url: string, dialect: Dialect, more: { readonly timeoutMs?: number; readonly signal?: AbortSignal } = {}): Promise<ProbeSight> =>
  probeHealth({ grant: grantAt(url), dialect, model: 'coder-1', timeoutMs: more.timeoutMs ?? 10_000, signal: more.signal ?? new AbortController().signal })

async function provider(context: TestContext, fault?: Fault): Promise<ScriptedProvider> {
  const script: ProviderScript = {
    version: 1,
    models: ['coder-1'],
    requireKey: TOKEN,
    turns: [{ when: { offersTool: PROBE_TOOL, turn: 1 }, answer: { toolCalls: [{ name: PROBE_TOOL, arguments: {} }] } }],
    ...(fault === undefined ? {} : { faults: [{ on: { always: true }, fault }] }),
  }
  const started = await startScriptedProvider({ script, port: 0 })
  context.after(() => started.close())
  return started
}

/** A server that stands where the wire would be. */
async function serve(context: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  context.after(() => {
    server.close()
    server.closeAllConnections()
  })
  const address = server.address()
  return typeof address === 'object' && address !== null ? `http://127.0.0.1:${address.port}` : assert.fail('no address')
}

for (const dialect of DIALECTS) {
  verifies('MC-100', `${dialect}: the probe is one real model call with the run's own token and exact model id, and offers a tool`, async (context) => {
    const started = await provider(context)
    const sight = await probe(started.url, dialect)
    assert.deepEqual({ ...sight, latencyMs: 0 }, { httpStatus: 200, failure: null, latencyMs: 0 })
    assert.ok(sight.latencyMs > 0)
    assert.deepEqual(
      started.requests().map((request) => ({ dialect: request.dialect, model: request.model, stream: request.stream, answeredBy: request.answeredBy })),
      [{ dialect, model: 'coder-1', stream: false, answeredBy: 'turns[0]' }],
    )
  })

  for (const status of [401, 404, 429, 500, 529]) {
    test(`${dialect}: status ${status} is told, and not retried`, async (context) => {
      const started = await provider(context, { status })
      assert.equal((await probe(started.url, dialect)).httpStatus, status)
      assert.equal(started.requests().length, 1)
    })
  }

  test(`${dialect}: a hang ends with the time limit, a cut with the connection; neither has a status`, async (context) => {
    const hanging = await probe((await provider(context, { hang: true })).url, dialect, { timeoutMs: 100 })
    assert.deepEqual([hanging.httpStatus, hanging.failure], [null, 'no answer within 100 ms'])
    const stalled = await probe((await provider(context, { stall: true })).url, dialect, { timeoutMs: 100 })
    assert.deepEqual([stalled.httpStatus, stalled.failure], [null, 'no answer within 100 ms'])
    const cut = await probe((await provider(context, { cut: true })).url, dialect)
    assert.equal(cut.httpStatus, null)
    assert.notEqual(cut.failure, null)
  })
}

const Body = z.looseObject({
  model: z.string(),
  stream: z.boolean(),
  tools: z.array(z.unknown()).length(1),
  tool_choice: z.looseObject({ type: z.string() }),
})

test('the probe asks for its tool, and leaves room for a model that reasons (WIR-34)', async (context) => {
  const limits = { 'openai-chat': 'max_completion_tokens', 'openai-responses': 'max_output_tokens', 'anthropic-messages': 'max_tokens' } as const
  for (const dialect of DIALECTS.filter((spoken) => spoken !== 'gemini')) {
    let received = ''
    let headers: Readonly<Record<string, unknown>> = {}
    const url = await serve(context, (request, response) => {
      headers = request.headers
      request.setEncoding('utf8').on('data', (chunk: string) => (received += chunk))
      request.on('end', () => response.end('{}'))
    })
    assert.equal((await probe(url, dialect)).httpStatus, 200)
    const body = Body.parse(JSON.parse(received))
    assert.equal(body.model, 'coder-1')
    assert.equal(body.stream, false)
    assert.equal(body[limits[dialect]], 256)
    assert.match(JSON.stringify(body.tools), new RegExp(PROBE_TOOL))
    assert.match(JSON.stringify(body.tool_choice), new RegExp(PROBE_TOOL))
    const anthropic = dialect === 'anthropic-messages'
    assert.equal(headers[anthropic ? 'x-api-key' : 'authorization'], anthropic ? TOKEN : `Bearer ${TOKEN}`)
    assert.equal(headers[anthropic ? 'authorization' : 'x-api-key'], undefined)
  }
})

test('the probe of Gemini asks for its tool in that dialect\'s own words (WIR-34)', async (context) => {
  let received = ''
  let asked: Readonly<Record<string, unknown>> = {}
  const url = await serve(context, (request, response) => {
    asked = { url: request.url, key: request.headers['x-goog-api-key'], bearer: request.headers.authorization }
    request.setEncoding('utf8').on('data', (chunk: string) => (received += chunk))
    request.on('end', () => response.end('{}'))
  })
  assert.equal((await probe(url, 'gemini')).httpStatus, 200)
  assert.deepEqual(asked, { url: '/v1beta/models/coder-1:generateContent', key: TOKEN, bearer: undefined })
  const body = z.looseObject({ tools: z.array(z.unknown()).length(1), toolConfig: z.unknown(), generationConfig: z.unknown() }).parse(JSON.parse(received))
  assert.match(JSON.stringify(body.tools), new RegExp(PROBE_TOOL))
  assert.deepEqual([body.toolConfig, body.generationConfig], [{ functionCallingConfig: { mode: 'ANY', allowedFunctionNames: [PROBE_TOOL] } }, { maxOutputTokens: 256 }])
})

test('nobody there is a finding, not a fault, and names no token', async () => {
  const started = await startScriptedProvider({ script: { version: 1, models: ['coder-1'], turns: [] }, port: 0 })
  await started.close()
  const sight = await probe(started.url, 'openai-chat')
  assert.deepEqual([sight.httpStatus, sight.failure], [null, 'ECONNREFUSED'])
  const nonsense = await probe('no url', 'openai-chat')
  assert.deepEqual([nonsense.httpStatus, nonsense.failure], [null, 'ERR_INVALID_URL'])
})

test('a probe that is cancelled ends at once', async (context) => {
  const cancel = new AbortController()
  const url = await serve(context, () => cancel.abort())
  const sight = await probe(url, 'openai-chat', { signal: cancel.signal })
  assert.deepEqual([sight.httpStatus, sight.failure], [null, 'cancelled'])
  assert.equal((await probe(url, 'openai-chat', { signal: cancel.signal })).failure, 'cancelled')
})

test('an answer without end is given up', async (context) => {
  const url = await serve(context, (_request, response) => {
    const more = (): void => {
      while (response.write('x'.repeat(65_536)));
    }
    response.on('drain', more)
    more()
  })
  const sight = await probe(url, 'openai-chat')
  assert.deepEqual([sight.httpStatus, sight.failure], [null, 'RangeError'])
})

test('a redirect is not followed: the token goes to the wire only', async (context) => {
  let asked = 0
  const elsewhere = await serve(context, (_request, response) => {
    asked++
    response.end()
  })
  const url = await serve(context, (_request, response) => response.writeHead(307, { location: `${elsewhere}/v1/chat/completions` }).end())
  assert.equal((await probe(url, 'openai-chat')).httpStatus, 307)
  assert.equal(asked, 0)
})

test('a dispatcher set for the whole process, such as a proxy, does not get the token', async (context) => {
  const before = getGlobalDispatcher()
  const closed = new Agent()
  await closed.close()
  setGlobalDispatcher(closed)
  context.after(() => setGlobalDispatcher(before))
  const started = await provider(context)
  assert.equal((await probe(started.url, 'openai-chat')).httpStatus, 200)
})
