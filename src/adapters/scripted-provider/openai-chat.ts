import * as z from 'zod'
import { Content, describeProblem, type ReadConversation, summarise, textOf, tokensOf, type Utterance } from './conversation.ts'
import { type Answer, idOf, openAiError, piecesOf, type ServerEvent, type Speaker } from './dialect.ts'

const Tool = z.looseObject({
  function: z.looseObject({ name: z.string() }).optional(),
  custom: z.looseObject({ name: z.string() }).optional(),
})

const ChatRequest = z.looseObject({
  model: z.string(),
  messages: z.array(z.looseObject({ role: z.string(), content: Content.optional() })).min(1),
  tools: z.array(Tool).optional(),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
})

function read(body: unknown): ReadConversation {
  const request = ChatRequest.safeParse(body)
  if (!request.success) return { problem: describeProblem(request.error) }
  const { model, messages, tools = [], stream, stream_options: streamOptions } = request.data
  const utterances = messages.map(({ role, content }): Utterance => ({ role: role === 'user' || role === 'assistant' || role === 'tool' ? role : 'system', text: textOf(content) }))
  return {
    conversation: {
      model,
      stream: stream === true,
      ...summarise(utterances),
      tools: tools.flatMap((tool) => tool.function?.name ?? tool.custom?.name ?? []),
      inputTokens: tokensOf([messages, tools]),
      streamUsage: streamOptions?.include_usage === true,
    },
  }
}

const finishReason = (answer: Answer): string => (answer.toolCalls.length > 0 ? 'tool_calls' : 'stop')

const toolCallId = (answer: Answer, index: number): string => idOf('call_', answer.seed, `tool ${index}`)

const usageOf = ({ inputTokens, outputTokens }: Answer): unknown => ({
  prompt_tokens: inputTokens,
  completion_tokens: outputTokens,
  total_tokens: inputTokens + outputTokens,
  prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
  completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 0, accepted_prediction_tokens: 0, rejected_prediction_tokens: 0 },
})

const head = (answer: Answer, object: string): Record<string, unknown> => ({
  id: idOf('chatcmpl-', answer.seed, 'answer'),
  object,
  created: Math.floor(answer.createdAt.getTime() / 1_000),
  ...(answer.model === null ? {} : { model: answer.model }),
})

function answerJson(answer: Answer): unknown {
  const toolCalls = answer.toolCalls.map((call, index) => ({
    id: toolCallId(answer, index),
    type: 'function',
    function: { name: call.name, arguments: JSON.stringify(call.arguments) },
  }))
  const message = {
    role: 'assistant',
    content: answer.text === '' ? null : answer.text,
    refusal: null,
    annotations: [],
    ...(toolCalls.length > 0 ? { tool_calls: toolCalls } : {}),
  }
  return {
    ...head(answer, 'chat.completion'),
    choices: [{ index: 0, message, logprobs: null, finish_reason: finishReason(answer) }],
    usage: usageOf(answer),
    service_tier: 'default',
    system_fingerprint: idOf('fp_', 'scripted', 'fingerprint', 10),
  }
}

function streamEvents(answer: Answer, options: { readonly usage: boolean }): readonly ServerEvent[] {
  const chunk = (delta: Record<string, unknown>, finish: string | null): ServerEvent => ({
    event: null,
    data: {
      ...head(answer, 'chat.completion.chunk'),
      service_tier: 'default',
      system_fingerprint: idOf('fp_', 'scripted', 'fingerprint', 10),
      choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
      ...(options.usage ? { usage: null } : {}),
    },
    ends: finish !== null,
  })
  const usage: ServerEvent = { event: null, data: { ...head(answer, 'chat.completion.chunk'), choices: [], usage: usageOf(answer) }, ends: true }
  return [
    chunk({ role: 'assistant', content: answer.text === '' ? null : '', refusal: null }, null),
    ...(answer.text === '' ? [] : piecesOf(answer.text).map((content) => chunk({ content }, null))),
    ...answer.toolCalls.flatMap((call, index) => [
      chunk({ tool_calls: [{ index, id: toolCallId(answer, index), type: 'function', function: { name: call.name, arguments: '' } }] }, null),
      ...piecesOf(JSON.stringify(call.arguments)).map((piece) => chunk({ tool_calls: [{ index, function: { arguments: piece } }] }, null)),
    ]),
    chunk({}, finishReason(answer)),
    ...(options.usage ? [usage] : []),
    { event: null, data: '[DONE]', ends: true },
  ]
}

/** OpenAI Chat Completions: `POST /v1/chat/completions`. */
export const openAiChat: Speaker = {
  read,
  answer: answerJson,
  stream: streamEvents,
  error: openAiError,
  requestIdHeader: 'x-request-id',
}
