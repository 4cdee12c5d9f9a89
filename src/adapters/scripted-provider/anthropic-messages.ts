import * as z from 'zod'
import { Content, describeProblem, type ReadConversation, summarise, textOf, tokensOf, type Utterance } from './conversation.ts'
import { type Answer, type Failure, idOf, piecesOf, type ServerEvent, type Speaker } from './dialect.ts'

const Block = z.looseObject({ type: z.string(), text: z.string().optional(), content: Content.optional() })

const Countable = z.looseObject({
  model: z.string(),
  messages: z.array(z.looseObject({ role: z.string(), content: z.union([z.string(), z.array(Block)]) })).min(1),
  system: Content.optional(),
  tools: z.array(z.looseObject({ name: z.string() })).optional(),
  stream: z.boolean().nullish(),
})
type Countable = z.infer<typeof Countable>

const MessagesRequest = Countable.extend({ max_tokens: z.int().positive() })

const inputTokensOf = ({ messages, system, tools = [] }: Countable): number => tokensOf([system, messages, tools])

function read(body: unknown): ReadConversation {
  const request = MessagesRequest.safeParse(body)
  if (!request.success) return { problem: describeProblem(request.error) }
  const { model, messages, tools = [], stream } = request.data
  return {
    conversation: {
      model,
      stream: stream === true,
      ...summarise(messages.flatMap(utterancesOf)),
      tools: tools.map(({ name }) => name),
      inputTokens: inputTokensOf(request.data),
      streamUsage: true,
    },
  }
}

/** Results of tools come inside a user's message; what else stands in that message is the user's. */
function utterancesOf({ role, content }: Countable['messages'][number]): readonly Utterance[] {
  if (role !== 'user' && role !== 'assistant') return []
  if (typeof content === 'string') return [{ role, text: content }]
  if (role === 'assistant') return [{ role, text: textOf(content) }]
  const results = content.filter(({ type }) => type === 'tool_result').map(({ content: result }): Utterance => ({ role: 'tool', text: textOf(result) }))
  const said = textOf(content.filter(({ type }) => type === 'text'))
  return said === '' ? results : [...results, { role: 'user', text: said }]
}

/** The answer to `POST /v1/messages/count_tokens`, or what is wrong with the request. */
export function countTokens(body: unknown): { readonly model: string; readonly inputTokens: number } | { readonly problem: string } {
  const request = Countable.safeParse(body)
  return request.success ? { model: request.data.model, inputTokens: inputTokensOf(request.data) } : { problem: describeProblem(request.error) }
}

const stopReason = (answer: Answer): string => (answer.toolCalls.length > 0 ? 'tool_use' : 'end_turn')

const usageOf = (answer: Answer, outputTokens: number): Record<string, unknown> => ({
  input_tokens: answer.inputTokens,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
  output_tokens: outputTokens,
})

function messageOf(answer: Answer, state: { readonly content: readonly unknown[]; readonly stop: string | null; readonly outputTokens: number }): unknown {
  return {
    id: idOf('msg_01', answer.seed, 'answer', 22),
    type: 'message',
    role: 'assistant',
    ...(answer.model === null ? {} : { model: answer.model }),
    content: state.content,
    stop_reason: state.stop,
    stop_sequence: null,
    usage: { ...usageOf(answer, state.outputTokens), service_tier: 'standard' },
  }
}

const toolUse = (answer: Answer, index: number, input: unknown): unknown => ({
  type: 'tool_use',
  id: idOf('toolu_01', answer.seed, `tool ${index}`, 22),
  name: answer.toolCalls[index]?.name,
  input,
})

function answerJson(answer: Answer): unknown {
  const content = [
    ...(answer.text === '' ? [] : [{ type: 'text', text: answer.text }]),
    ...answer.toolCalls.map((call, index) => toolUse(answer, index, call.arguments)),
  ]
  return messageOf(answer, { content, stop: stopReason(answer), outputTokens: answer.outputTokens })
}

function streamEvents(answer: Answer): readonly ServerEvent[] {
  const blocks = [
    ...(answer.text === ''
      ? []
      : [{ start: { type: 'text', text: '' }, deltas: piecesOf(answer.text).map((text) => ({ type: 'text_delta', text })) }]),
    ...answer.toolCalls.map((call, index) => ({
      start: toolUse(answer, index, {}),
      deltas: ['', ...piecesOf(JSON.stringify(call.arguments))].map((piece) => ({ type: 'input_json_delta', partial_json: piece })),
    })),
  ]
  const event = (type: string, fields: Record<string, unknown>, ends = false): ServerEvent => ({ event: type, data: { type, ...fields }, ends })
  return [
    event('message_start', { message: messageOf(answer, { content: [], stop: null, outputTokens: 1 }) }),
    ...blocks.flatMap(({ start, deltas }, index) => [
      event('content_block_start', { index, content_block: start }),
      ...(index === 0 ? [event('ping', {})] : []),
      ...deltas.map((delta) => event('content_block_delta', { index, delta })),
      event('content_block_stop', { index }),
    ]),
    event('message_delta', { delta: { stop_reason: stopReason(answer), stop_sequence: null }, usage: usageOf(answer, answer.outputTokens) }, true),
    event('message_stop', {}, true),
  ]
}

const ERROR_TYPES: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  504: 'timeout_error',
  529: 'overloaded_error',
}

function errorBody({ status, message, requestId }: Failure): unknown {
  const type = ERROR_TYPES[status] ?? (status >= 500 ? 'api_error' : 'invalid_request_error')
  return { type: 'error', error: { type, message }, request_id: requestId }
}

/** Anthropic Messages: `POST /v1/messages`. */
export const anthropicMessages: Speaker = {
  read,
  answer: answerJson,
  stream: streamEvents,
  error: errorBody,
  requestIdHeader: 'request-id',
}
