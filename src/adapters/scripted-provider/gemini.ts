import * as z from 'zod'
import { describeProblem, type ReadConversation, summarise, tokensOf, type Utterance } from './conversation.ts'
import { type Answer, type AskedInPath, type Failure, idOf, piecesOf, type ServerEvent, type Speaker } from './dialect.ts'

const Part = z.looseObject({
  text: z.string().optional(),
  functionResponse: z.looseObject({ name: z.string(), response: z.record(z.string(), z.unknown()).optional() }).optional(),
})
const Contents = z.looseObject({ role: z.string().optional(), parts: z.array(Part).optional() })

const GenerateRequest = z.looseObject({
  contents: z.array(Contents).min(1),
  systemInstruction: Contents.optional(),
  tools: z.array(z.looseObject({ functionDeclarations: z.array(z.looseObject({ name: z.string() })).optional() })).optional(),
})
type GenerateRequest = z.infer<typeof GenerateRequest>

const CountRequest = z.union([z.looseObject({ generateContentRequest: GenerateRequest }), GenerateRequest])

const inputTokensOf = ({ contents, systemInstruction, tools = [] }: GenerateRequest): number => tokensOf([systemInstruction, contents, tools])

function read(body: unknown, { model, stream }: AskedInPath): ReadConversation {
  const request = GenerateRequest.safeParse(body)
  if (!request.success) return { problem: describeProblem(request.error) }
  const { contents, tools = [] } = request.data
  return {
    conversation: {
      model,
      stream,
      ...summarise(contents.flatMap(utterancesOf)),
      tools: tools.flatMap(({ functionDeclarations = [] }) => functionDeclarations.map(({ name }) => name)),
      inputTokens: inputTokensOf(request.data),
      streamUsage: true,
    },
  }
}

/** Results of tools come in a user's content, or in one of the role `function`; who has no role is the user. */
function utterancesOf({ role, parts = [] }: z.infer<typeof Contents>): readonly Utterance[] {
  const said = parts.flatMap(({ text }) => (text === undefined || text === '' ? [] : [text])).join('\n')
  if (role === 'model') return [{ role: 'assistant', text: said }]
  const results = parts.flatMap(({ functionResponse }): Utterance[] => (functionResponse === undefined ? [] : [{ role: 'tool', text: resultOf(functionResponse.response) }]))
  return said === '' ? results : [...results, { role: 'user', text: said }]
}

/** Google's clients wrap a result that is a text into an object. */
function resultOf(response: Readonly<Record<string, unknown>> | undefined): string {
  const [only, ...others] = Object.values(response ?? {})
  return typeof only === 'string' && others.length === 0 ? only : JSON.stringify(response ?? {})
}

/** The answer to `:countTokens`, or what is wrong with the request. */
export function countGeminiTokens(body: unknown): { readonly totalTokens: number } | { readonly problem: string } {
  const request = CountRequest.safeParse(body)
  if (!request.success) return { problem: describeProblem(request.error) }
  const whole = GenerateRequest.safeParse(request.data['generateContentRequest'] ?? request.data)
  return whole.success ? { totalTokens: inputTokensOf(whole.data) } : { problem: describeProblem(whole.error) }
}

const usageOf = (answer: Answer, outputTokens: number): unknown => ({
  promptTokenCount: answer.inputTokens,
  ...(outputTokens === 0 ? {} : { candidatesTokenCount: outputTokens }),
  totalTokenCount: answer.inputTokens + outputTokens,
  promptTokensDetails: [{ modality: 'TEXT', tokenCount: answer.inputTokens }],
})

const responseOf = (answer: Answer, parts: readonly unknown[], ended: boolean): unknown => ({
  candidates: [{ content: { parts, role: 'model' }, ...(ended ? { finishReason: 'STOP' } : {}), index: 0 }],
  usageMetadata: usageOf(answer, ended ? answer.outputTokens : 0),
  ...(answer.model === null ? {} : { modelVersion: answer.model }),
  responseId: idOf('', answer.seed, 'answer', 22),
})

const callsOf = (answer: Answer): readonly unknown[] => answer.toolCalls.map(({ name, arguments: args }) => ({ functionCall: { name, args } }))

const answerJson = (answer: Answer): unknown => responseOf(answer, [...(answer.text === '' ? [] : [{ text: answer.text }]), ...callsOf(answer)], true)

/** Each event is a whole answer by itself; the last one says why it ended. */
function streamEvents(answer: Answer): readonly ServerEvent[] {
  const parts = [...(answer.text === '' ? [] : piecesOf(answer.text).map((text) => ({ text }))), ...callsOf(answer)]
  return [...parts.map((part) => ({ event: null, data: responseOf(answer, [part], false), ends: false })), { event: null, data: responseOf(answer, [{ text: '' }], true), ends: true }]
}

const STATUS_NAMES: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  413: 'INVALID_ARGUMENT',
  429: 'RESOURCE_EXHAUSTED',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
}

const errorBody = ({ status, message }: Failure): unknown => ({ error: { code: status, message, status: STATUS_NAMES[status] ?? (status >= 500 ? 'INTERNAL' : 'FAILED_PRECONDITION') } })

/** Gemini: `POST /v1/models/<model>:generateContent` or `/v1beta/...`, and `:streamGenerateContent?alt=sse`. */
export const gemini: Speaker = {
  read,
  answer: answerJson,
  stream: streamEvents,
  error: errorBody,
  requestIdHeader: 'x-request-id',
}

const PATH = /^\/v1(?:beta)?\/models\/([^/]+):(generateContent|streamGenerateContent|countTokens)$/

export interface GeminiPath extends AskedInPath {
  readonly counts: boolean
}

/** What a path of Gemini asks; undefined for any other path. */
export function readGeminiPath(path: string): GeminiPath | undefined {
  const [, model, method] = PATH.exec(path) ?? []
  if (model === undefined) return undefined
  return { model: decoded(model), stream: method === 'streamGenerateContent', counts: method === 'countTokens' }
}

/** A name that cannot be decoded is the name of no model. */
function decoded(name: string): string {
  try {
    return decodeURIComponent(name)
  } catch (error) {
    if (error instanceof URIError) return name
    throw error
  }
}
