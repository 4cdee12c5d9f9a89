import { once } from 'node:events'
import { createServer, request, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { createCredentials, type Credentials, onlyWhile } from '../../src/adapters/credentials/index.ts'
import { startWire } from '../../src/adapters/wire-server/index.ts'
import { evidenceDigest } from '../../src/contract/evidence.ts'
import type { Dialect } from '../../src/contract/model.ts'
import { type Account, type CallRecorder, type Charge, type Grant, type GrantRequest, type HealthThresholds, type ModelCall, ModelCallEvidence, NOTHING_SPENT, plus, type Spending, type Wire } from '../../src/gates/wire/index.ts'

/** Resolves when the condition holds; fails after half a minute. For states that announce nothing. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + 30_000
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`waited in vain for ${what}`)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** Resolves with a figure that has not changed for a tenth of a second; fails after half a minute. */
export async function settled(figure: () => number): Promise<number> {
  const deadline = performance.now() + 30_000
  let last = figure()
  let since = performance.now()
  while (performance.now() - since < 100) {
    if (performance.now() > deadline) throw new Error('the figure never settled')
    await new Promise((resolve) => setTimeout(resolve, 5))
    if (figure() !== last) {
      last = figure()
      since = performance.now()
    }
  }
  return last
}

export interface Received {
  readonly method: string
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

export interface TestProvider {
  readonly url: string
  readonly received: readonly Received[]
  /** Requests whose client went away before the answer was complete. */
  aborted(): number
}

/** A provider of a test's own: `play` answers each request, counted from 1. */
export async function startProvider(context: Pick<TestContext, 'after'>, play: (response: ServerResponse, number: number) => void): Promise<TestProvider> {
  const received: Received[] = []
  let aborted = 0
  const server = createServer((incoming, response) => {
    response.on('close', () => {
      if (!response.writableFinished) aborted += 1
    })
    bodyOf(incoming).then(
      (body) => {
        received.push({ method: incoming.method ?? '', url: incoming.url ?? '', headers: incoming.headers, body })
        play(response, received.length)
      },
      () => response.destroy(),
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  context.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${portOf(server.address())}`, received, aborted: () => aborted }
}

export const portOf = (address: AddressInfo | string | null): number => {
  if (address === null || typeof address === 'string') throw new Error('a server without a port')
  return address.port
}

function bodyOf(incoming: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = []
    incoming.on('data', (piece: Buffer) => pieces.push(piece))
    incoming.once('end', () => resolve(Buffer.concat(pieces)))
    incoming.once('error', reject)
  })
}

/** A recorder that can be told to fail, or to wait until it is let go. */
export class TestRecorder implements CallRecorder {
  readonly calls: { readonly runId: string; readonly call: ModelCall }[] = []
  failing = false
  readonly charges: Charge[] = []
  #waiting: (() => void)[] = []
  holding = false

  charged({ profile, day }: Account): Promise<Spending> {
    if (this.failing) return Promise.reject(new Error('the disk is full'))
    return Promise.resolve(this.charges.filter((charge) => (profile ?? charge.profile) === charge.profile && (day ?? charge.day) === charge.day).reduce(plus, NOTHING_SPENT))
  }

  async record(runId: string, call: ModelCall, charge: Charge | undefined): Promise<string> {
    const statement = ModelCallEvidence.state([{ name: runId, digest: { sha256: '0'.repeat(64) } }], call)
    if (this.holding) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    if (this.failing) throw new Error('the disk is full')
    this.calls.push({ runId, call })
    if (charge !== undefined) this.charges.push(charge)
    return evidenceDigest(statement)
  }

  get waiting(): number {
    return this.#waiting.length
  }

  release(): void {
    this.holding = false
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  get only(): ModelCall {
    const [first, ...others] = this.calls
    if (first === undefined || others.length > 0) throw new Error(`expected one call, got ${this.calls.length}`)
    return first.call
  }
}

export const SECRET = 'sk-provider-secret/0123456789'

export interface Bench {
  readonly provider: TestProvider
  readonly wire: Wire
  readonly grant: Grant
  readonly recorder: TestRecorder
  readonly credentials: Credentials
  readonly request: GrantRequest
  clock: Date
}

export const ROUTE_OF: Readonly<Record<Dialect, string>> = { 'openai-chat': '/v1/chat/completions', 'openai-responses': '/v1/responses', 'anthropic-messages': '/v1/messages', gemini: '/v1beta/models/coder-1:generateContent' }

/** A wire with one grant in front of a provider that `play` plays. */
export async function startBench(context: Pick<TestContext, 'after'>, play: (response: ServerResponse, number: number) => void, change: Partial<GrantRequest> & { dialect?: Dialect; timeouts?: Partial<GrantRequest['provider']['timeouts']>; baseUrl?: string; credentials?: Credentials; thresholds?: HealthThresholds; current?: () => boolean } = {}): Promise<Bench> {
  const provider = await startProvider(context, play)
  const recorder = new TestRecorder()
  const credentials = change.credentials ?? createCredentials({ environment: { PROVIDER_KEY: SECRET }, homeDirectory: '/nowhere' })
  const { dialect = 'openai-chat', timeouts, baseUrl, credentials: _given, thresholds, current, ...grantChange } = change
  const request: GrantRequest = {
    runId: '20261120T213918Z-r1-1',
    purpose: 'agent',
    admitted: { provider: 'scripted', model: 'coder-1' },
    provider: {
      dialect,
      baseUrl: baseUrl ?? (dialect === 'anthropic-messages' || dialect === 'gemini' ? provider.url : `${provider.url}/v1`),
      networkClass: 'loopback',
      credential: { source: 'env', name: 'PROVIDER_KEY', class: 'provider-api-key' },
      timeouts: { connect: '1s', firstByte: '5s', idle: '5s', total: '10s', ...timeouts },
    },
    servedModelIds: ['coder-1'],
    admittedUntil: null,
    epoch: 1,
    aliases: [],
    byModelId: true,
    fallbacks: [],
    backgroundModels: 'refuse',
    settings: { effort: null, context: null },
    providerTools: [],
    profile: 'coder',
    budgets: [],
    limits: { calls: 100, tokens: 1_000_000, costUsd: null },
    expiresAt: new Date('2026-11-20T22:39:18Z'),
    ...grantChange,
  }
  const bench = { provider, recorder, credentials, request, clock: new Date('2026-11-20T21:39:18Z') }
  const wire = await startWire({ recorder, credentials: current === undefined ? credentials : onlyWhile(current, credentials), clock: () => bench.clock, port: 0, thresholds, ...(current === undefined ? {} : { current }) })
  context.after(() => {
    recorder.release()
    return wire.close()
  })
  return Object.assign(bench, { wire, grant: wire.grant(request) })
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
  /** False if the connection was cut before the answer's own end. */
  readonly complete: boolean
}

export interface Ask {
  readonly method?: string
  readonly path?: string
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly body?: string | Buffer
  readonly token?: string | null
  /** On the socket of a run, in place of the port. */
  readonly socketPath?: string
  /** Sends the body in chunks, without saying its length first. */
  readonly chunked?: true
  onHead?(answer: IncomingMessage): void
  onData?(soFar: string): void
  readonly signal?: AbortSignal
}

/** A question in Gemini, whose path names the model. */
const GEMINI_QUESTION = '{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}'
export const QUESTION = '{"model":"coder-1","messages":[{"role":"user","content":"hi"}]}'

/** What has to be known of a wire to ask it; a bench is one, and so is a wire in another process. */
export interface AskTarget {
  readonly wire: { readonly address: string }
  readonly grant: { readonly token: string }
  readonly request: { readonly provider: { readonly dialect: Dialect } }
}

/** Asks the wire as an agent would; rejects only if no answer began. */
export function ask(bench: AskTarget, question: Ask = {}): Promise<Answer> {
  const { token = bench.grant.token } = question
  const body = question.method === 'GET' || question.method === 'HEAD' ? '' : (question.body ?? (bench.request.provider.dialect === 'gemini' ? GEMINI_QUESTION : QUESTION))
  const headers: Record<string, string | string[]> = { ...(token === null ? {} : { authorization: `Bearer ${token}` }), ...(body === '' ? {} : { 'content-type': 'application/json', ...(question.chunked === true ? { 'transfer-encoding': 'chunked' } : { 'content-length': String(Buffer.byteLength(body)) }) }) }
  for (const [name, value] of Object.entries(question.headers ?? {})) headers[name] = typeof value === 'string' ? value : [...value]
  const path = question.path ?? ROUTE_OF[bench.request.provider.dialect]
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(bench.wire.address)
    const place = question.socketPath === undefined ? { hostname, port } : { socketPath: question.socketPath, host: `${hostname}:${port}` }
    const outgoing = request({ ...place, path, method: question.method ?? 'POST', headers, agent: false, ...(question.signal === undefined ? {} : { signal: question.signal }) }, (answer) => {
      question.onHead?.(answer)
      const pieces: Buffer[] = []
      answer.on('data', (piece: Buffer) => {
        pieces.push(piece)
        if (question.onData !== undefined) question.onData(Buffer.concat(pieces).toString())
      })
      const end = (): void => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(pieces).toString(), complete: answer.complete })
      answer.on('end', end)
      answer.on('error', end)
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

export const json = (response: ServerResponse, value: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): void => {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(typeof value === 'string' ? value : JSON.stringify(value))
}

/** A whole answer of each dialect, by a model. */
export const answerBy = (dialect: Dialect, model: string | undefined): object => {
  if (dialect === 'openai-chat') return { id: 'c', object: 'chat.completion', model, choices: [{ index: 0, message: { role: 'assistant', content: 'SECRET-TEXT' }, finish_reason: 'stop' }], usage: { prompt_tokens: 7, completion_tokens: 3 } }
  if (dialect === 'openai-responses') return { id: 'r', object: 'response', status: 'completed', model, output: [{ type: 'message', content: [{ type: 'output_text', text: 'SECRET-TEXT' }] }], usage: { input_tokens: 7, output_tokens: 3 } }
  if (dialect === 'gemini') return { candidates: [{ content: { role: 'model', parts: [{ text: 'SECRET-TEXT' }] }, finishReason: 'STOP', index: 0 }], usageMetadata: { promptTokenCount: 7, candidatesTokenCount: 3, totalTokenCount: 10 }, modelVersion: model, responseId: 'g' }
  return { id: 'm', type: 'message', model, content: [{ type: 'text', text: 'SECRET-TEXT' }], stop_reason: 'end_turn', usage: { input_tokens: 7, output_tokens: 3 } }
}

/** The events of a stream of each dialect, by a model. */
export function eventsBy(dialect: Dialect, model: string | undefined): readonly string[] {
  const plain = (value: object): string => `data: ${JSON.stringify(value)}\n\n`
  const typed = (value: { readonly type: string }): string => `event: ${value.type}\ndata: ${JSON.stringify(value)}\n\n`
  if (dialect === 'openai-chat') {
    return [
      plain({ id: 'c', model, choices: [{ index: 0, delta: { role: 'assistant' } }] }),
      plain({ id: 'c', model, choices: [{ index: 0, delta: { content: 'SECRET-TEXT' } }] }),
      plain({ id: 'c', model, choices: [{ index: 0, delta: {}, finish_reason: 'stop' }], usage: { prompt_tokens: 7, completion_tokens: 3 } }),
      'data: [DONE]\n\n',
    ]
  }
  if (dialect === 'openai-responses') {
    return [
      typed(Object.assign({ type: 'response.created' }, { response: { id: 'r', model, status: 'in_progress' } })),
      typed(Object.assign({ type: 'response.output_text.delta' }, { delta: 'SECRET-TEXT' })),
      typed(Object.assign({ type: 'response.completed' }, { response: { id: 'r', model, status: 'completed', usage: { input_tokens: 7, output_tokens: 3 } } })),
    ]
  }
  if (dialect === 'gemini') {
    const parts = (text: string): object => ({ content: { role: 'model', parts: [{ text }] }, index: 0 })
    return [
      plain({ candidates: [parts('')], usageMetadata: { promptTokenCount: 7, totalTokenCount: 7 }, modelVersion: model, responseId: 'g' }),
      plain({ candidates: [parts('SECRET-TEXT')], usageMetadata: { promptTokenCount: 7, candidatesTokenCount: 2, totalTokenCount: 9 }, modelVersion: model, responseId: 'g' }),
      plain({ candidates: [{ ...parts(''), finishReason: 'STOP' }], usageMetadata: { promptTokenCount: 7, candidatesTokenCount: 3, totalTokenCount: 10 }, modelVersion: model, responseId: 'g' }),
    ]
  }
  return [
    typed(Object.assign({ type: 'message_start' }, { message: { id: 'm', model, usage: { input_tokens: 7, output_tokens: 0 } } })),
    typed(Object.assign({ type: 'content_block_delta' }, { delta: { type: 'text_delta', text: 'SECRET-TEXT' } })),
    typed(Object.assign({ type: 'message_delta' }, { usage: { output_tokens: 3 } })),
    typed({ type: 'message_stop' }),
  ]
}

export const SSE = { 'content-type': 'text/event-stream' }
export const SPOKEN: readonly Dialect[] = ['openai-chat', 'openai-responses', 'anthropic-messages', 'gemini']
