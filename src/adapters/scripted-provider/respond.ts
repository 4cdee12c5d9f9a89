import type { IncomingMessage, ServerResponse } from 'node:http'
import { sha256 } from '../../contract/canonical.ts'
import { systemClock } from '../../contract/clock.ts'
import type { Dialect } from '../../contract/model.ts'
import { anthropicMessages, countTokens } from './anthropic-messages.ts'
import { type Conversation, tokensOf } from './conversation.ts'
import { deliverJson, deliverStream, sendJson } from './deliver.ts'
import { type Answer, idOf, type Speaker } from './dialect.ts'
import { countGeminiTokens, gemini, type GeminiPath, readGeminiPath } from './gemini.ts'
import { listModels } from './models.ts'
import { openAiChat } from './openai-chat.ts'
import { openAiResponses } from './openai-responses.ts'
import { describeFault, describeUnmatched, type Player } from './player.ts'
import type { ProviderRequest } from './provider-request.ts'
import { credentialOf, parseJson, readBody } from './receive.ts'
import type { Fault, ProviderScript, ScriptedAnswer } from './script.ts'

const SPEAKERS: Readonly<Record<Dialect, Speaker>> = { 'openai-chat': openAiChat, 'openai-responses': openAiResponses, 'anthropic-messages': anthropicMessages, gemini }

/** Paths are taken with and without `/v1`: some clients have it in their base URL, some put it in front themselves. */
const INFERENCE = new Map<string, Dialect>([
  ['/chat/completions', 'openai-chat'],
  ['/responses', 'openai-responses'],
  ['/codex/responses', 'openai-responses'],
  ['/messages', 'anthropic-messages'],
])

/** What answering a request takes, besides the request. */
export interface Stage {
  readonly script: ProviderScript
  readonly player: Player
  record(request: ProviderRequest): void
}

type Details = Partial<Omit<ProviderRequest, 'number' | 'method' | 'path'>>

/** One request while it is answered. */
interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** The path without its query and without `/v1`. */
  readonly route: string
  readonly dialect: Dialect
  /** What a path of Gemini asks; undefined for any other path. */
  readonly geminiPath: GeminiPath | undefined
  readonly query: URLSearchParams
  readonly speaker: Speaker
  readonly credential: string | null
  readonly requestId: string
  readonly headers: Readonly<Record<string, string>>
  readonly stage: Stage
  log(details: Details): void
}

/** Answers one request as the script says. Rejects only if the client goes away, or if this code is wrong. */
export async function respond(request: IncomingMessage, response: ServerResponse, number: number, stage: Stage): Promise<void> {
  const exchange = openExchange(request, response, number, stage)
  const { route } = exchange
  const method = request.method ?? 'GET'
  if (route === '/' && (method === 'HEAD' || method === 'GET')) {
    exchange.log({ status: 200 })
    response.writeHead(200, exchange.headers).end()
    return
  }
  if (method === 'GET' && (route === '/models' || route.startsWith('/models/'))) return answerModels(exchange)
  if (method === 'POST' && (route === '/messages/count_tokens' || exchange.geminiPath?.counts === true)) return answerCount(exchange)
  if (method === 'POST' && (INFERENCE.has(route) || exchange.geminiPath !== undefined)) return answerInference(exchange)
  return refuse(exchange, { status: 404, message: `There is no ${method} ${route} here.`, code: 'unknown_url' }, {})
}

function openExchange(request: IncomingMessage, response: ServerResponse, number: number, stage: Stage): Exchange {
  const [path = '/', query = ''] = (request.url ?? '/').split('?')
  const route = path.replace(/^\/v1(?:beta)?(?=\/)/, '')
  const geminiPath = readGeminiPath(path)
  const speaksAnthropic = route.startsWith('/messages') || request.headers['anthropic-version'] !== undefined
  const speaksGemini = geminiPath !== undefined || path.startsWith('/v1beta/') || request.headers['x-goog-api-key'] !== undefined
  const dialect = speaksGemini ? 'gemini' : INFERENCE.get(route) ?? (speaksAnthropic ? 'anthropic-messages' : 'openai-chat')
  const speaker = SPEAKERS[dialect]
  const requestId = idOf('req_', String(number), 'request')
  return {
    request,
    response,
    route,
    query: new URLSearchParams(query),
    geminiPath,
    dialect,
    speaker,
    credential: credentialOf(request.headers),
    requestId,
    headers: { [speaker.requestIdHeader]: requestId },
    stage,
    log: (details) =>
      stage.record({
        number,
        method: request.method ?? 'GET',
        path,
        dialect: null,
        inference: false,
        model: null,
        stream: false,
        turn: null,
        answeredBy: null,
        fault: null,
        status: null,
        ...details,
      }),
  }
}

interface Refusal {
  readonly status: number
  readonly message: string
  readonly code: string | null
  readonly retryAfterSeconds?: number | undefined
}

function refuse(exchange: Exchange, refusal: Refusal, details: Details): void {
  const { response, speaker, requestId, headers } = exchange
  exchange.log({ ...details, status: refusal.status })
  const retry = refusal.retryAfterSeconds === undefined ? {} : { 'retry-after': String(refusal.retryAfterSeconds) }
  sendJson(response, refusal.status, speaker.error({ ...refusal, requestId }), { ...headers, ...retry })
}

const keyIsRight = ({ stage, credential }: Exchange): boolean => stage.script.requireKey === undefined || credential === stage.script.requireKey

const WRONG_KEY: Refusal = { status: 401, message: 'Incorrect API key provided.', code: 'invalid_api_key' }

const unknownModel = (model: string): Refusal => ({
  status: 404,
  message: `The model \`${model}\` does not exist or you do not have access to it.`,
  code: 'model_not_found',
})

const LISTING = { 'openai-chat': 'openai', 'openai-responses': 'openai', 'anthropic-messages': 'anthropic', gemini: 'gemini' } as const

function answerModels(exchange: Exchange): void {
  if (!keyIsRight(exchange)) return refuse(exchange, WRONG_KEY, { dialect: exchange.dialect })
  const asked = exchange.route.slice('/models/'.length)
  const id = exchange.route === '/models' ? undefined : (exchange.stage.script.models.find((model) => encodeURIComponent(model) === asked) ?? asked)
  const listing = listModels(exchange.stage.script.models, LISTING[exchange.dialect], id)
  if (listing === undefined) return refuse(exchange, unknownModel(id ?? ''), { dialect: exchange.dialect, model: id ?? null })
  exchange.log({ dialect: exchange.dialect, model: id ?? null, status: 200 })
  sendJson(exchange.response, 200, listing, exchange.headers)
}

/** The parsed body, or the refusal that has been sent instead. */
async function bodyOf(exchange: Exchange, details: Details): Promise<{ readonly bytes: Buffer; readonly json: unknown } | undefined> {
  const bytes = await readBody(exchange.request)
  const refused = !keyIsRight(exchange)
    ? WRONG_KEY
    : bytes === undefined
      ? { status: 413, message: 'The request is larger than 32 MiB.', code: 'request_too_large' }
      : undefined
  const json = refused === undefined && bytes !== undefined ? parseJson(bytes.toString('utf8')) : undefined
  if (bytes === undefined || json === undefined) {
    refuse(exchange, refused ?? { status: 400, message: 'The body of the request is not JSON.', code: null }, details)
    return undefined
  }
  return { bytes, json }
}

async function answerCount(exchange: Exchange): Promise<void> {
  const body = await bodyOf(exchange, { dialect: exchange.dialect })
  if (body === undefined) return
  const count = countIn(exchange, body.json)
  if ('problem' in count) return refuse(exchange, { status: 400, message: count.problem, code: null }, { dialect: exchange.dialect })
  const details = { dialect: exchange.dialect, model: count.model }
  if (!exchange.stage.script.models.includes(count.model)) return refuse(exchange, unknownModel(count.model), details)
  exchange.log({ ...details, status: 200 })
  sendJson(exchange.response, 200, count.answer, exchange.headers)
}

/** The tokens of a request and the model they are counted for, in the words of its dialect. */
function countIn({ geminiPath }: Exchange, json: unknown): { readonly model: string; readonly answer: unknown } | { readonly problem: string } {
  const count = geminiPath === undefined ? countTokens(json) : countGeminiTokens(json)
  if ('problem' in count) return count
  return 'totalTokens' in count ? { model: geminiPath?.model ?? '', answer: count } : { model: count.model, answer: { input_tokens: count.inputTokens } }
}

async function answerInference(exchange: Exchange): Promise<void> {
  const { stage, speaker, dialect } = exchange
  const number = stage.player.nextRequest()
  const body = await bodyOf(exchange, { dialect, inference: true })
  if (body === undefined) return
  const reading = speaker.read(body.json, exchange.geminiPath ?? { model: '', stream: false })
  if ('problem' in reading) return refuse(exchange, { status: 400, message: reading.problem, code: null }, { dialect, inference: true })
  const { conversation } = reading
  const fault = stage.player.faultFor(conversation, number)
  const details: Details = {
    dialect,
    inference: true,
    model: conversation.model,
    stream: conversation.stream,
    turn: conversation.turn,
    fault: fault === undefined ? null : `${fault.name}: ${describeFault(fault.row)}`,
  }
  if (fault?.row.hang === true) return exchange.log(details)
  const refused = refusalOf(exchange, conversation, fault?.row)
  if (refused !== undefined) return refuse(exchange, refused, details)
  const turn = stage.player.turnFor(conversation, number)
  if (turn === undefined) return refuse(exchange, { status: 400, message: describeUnmatched(conversation, number), code: 'no_turn_matches' }, details)
  exchange.log({ ...details, answeredBy: turn.name, status: 200 })
  const seed = sha256(`${exchange.requestId} ${sha256(body.bytes)}`)
  await deliver(exchange, conversation, composeAnswer(turn.row.answer, conversation, { fault: fault?.row, credential: exchange.credential, seed }), fault?.row)
}

/** What a provider refuses before it thinks of an answer. */
function refusalOf(exchange: Exchange, conversation: Conversation, fault: Fault | undefined): Refusal | undefined {
  if (fault?.status !== undefined) return { ...describeStatus(fault.status, conversation.model, echoOf(fault, exchange.credential)), retryAfterSeconds: fault.retryAfter }
  if (exchange.dialect === 'anthropic-messages' && exchange.request.headers['anthropic-version'] === undefined) {
    return { status: 400, message: 'anthropic-version: header is required', code: null }
  }
  if (exchange.geminiPath?.stream === true && exchange.query.get('alt') !== 'sse') return { status: 400, message: 'A stream is played as events only; ask with ?alt=sse.', code: null }
  return exchange.stage.script.models.includes(conversation.model) ? undefined : unknownModel(conversation.model)
}

function describeStatus(status: number, model: string, echo: string): Refusal {
  const known: Readonly<Record<number, Omit<Refusal, 'status'>>> = {
    401: WRONG_KEY,
    403: { message: 'You may not use this model.', code: 'permission_denied' },
    404: unknownModel(model),
    429: { message: 'Rate limit reached. Slow down.', code: 'rate_limit_exceeded' },
    529: { message: 'Overloaded', code: 'overloaded' },
  }
  const row = known[status] ?? { message: `The script answers ${status}.`, code: null }
  return { status, code: row.code, message: `${row.message}${echo}` }
}

const echoOf = (fault: Fault | undefined, credential: string | null): string =>
  fault?.echoKey === true ? ` The key received was ${credential ?? 'none'}.` : ''

function composeAnswer(
  scripted: ScriptedAnswer,
  conversation: Conversation,
  from: { readonly fault: Fault | undefined; readonly credential: string | null; readonly seed: string },
): Answer {
  const text = `${scripted.text ?? ''}${echoOf(from.fault, from.credential)}`
  const toolCalls = scripted.toolCalls ?? []
  return {
    text,
    toolCalls,
    model: from.fault?.noModel === true ? null : (from.fault?.servedModel ?? conversation.model),
    inputTokens: scripted.usage?.inputTokens ?? conversation.inputTokens,
    outputTokens: scripted.usage?.outputTokens ?? tokensOf(`${text}${toolCalls.map((call) => `${call.name}${JSON.stringify(call.arguments)}`).join('')}`),
    createdAt: systemClock(),
    seed: from.seed,
  }
}

function deliver(exchange: Exchange, conversation: Conversation, answer: Answer, fault: Fault | undefined): Promise<void> {
  const { response, speaker, headers } = exchange
  return conversation.stream
    ? deliverStream(response, speaker.stream(answer, { usage: conversation.streamUsage }), fault, headers)
    : deliverJson(response, speaker.answer(answer), fault, headers)
}
