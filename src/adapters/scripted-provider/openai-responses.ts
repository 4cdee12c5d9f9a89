import * as z from 'zod'
import { Content, describeProblem, type ReadConversation, summarise, textOf, tokensOf, type Utterance } from './conversation.ts'
import { type Answer, idOf, openAiError, piecesOf, type ServerEvent, type Speaker } from './dialect.ts'

const Tool = z.looseObject({ type: z.string(), name: z.string().optional() })

const Item = z.looseObject({
  type: z.string().optional(),
  role: z.string().optional(),
  content: Content.optional(),
  output: Content.optional(),
  tools: z.array(Tool).optional(),
})
type Item = z.infer<typeof Item>

const ResponsesRequest = z.looseObject({
  model: z.string(),
  input: z.union([z.string(), z.array(Item).min(1)]),
  instructions: z.string().nullish(),
  tools: z.array(Tool).optional(),
  stream: z.boolean().nullish(),
  previous_response_id: z.string().nullish(),
})

function read(body: unknown): ReadConversation {
  const request = ResponsesRequest.safeParse(body)
  if (!request.success) return { problem: describeProblem(request.error) }
  const { model, input, instructions, tools = [], stream, previous_response_id: previous } = request.data
  if (previous !== undefined && previous !== null) return { problem: 'previous_response_id: nothing is stored here; send the whole conversation as `input`' }
  const items: readonly Item[] = typeof input === 'string' ? [{ role: 'user', content: input }] : input
  // Some agents hand their tools over inside the input (`additional_tools`) and leave `tools` empty.
  const offered = [...tools, ...items.flatMap((item) => item.tools ?? [])]
  return {
    conversation: {
      model,
      stream: stream === true,
      ...summarise(items.map(utteranceOf)),
      tools: offered.map((tool) => tool.name ?? tool.type),
      inputTokens: tokensOf([instructions, items, tools]),
      streamUsage: true,
    },
  }
}

function utteranceOf(item: Item): Utterance {
  const type = item.type ?? 'message'
  if (type.endsWith('_output')) return { role: 'tool', text: textOf(item.output) }
  if (type === 'reasoning' || type.endsWith('_call')) return { role: 'assistant', text: '' }
  const speaker = type === 'message' && (item.role === 'user' || item.role === 'assistant') ? item.role : 'system'
  return { role: speaker, text: textOf(item.content) }
}

const createdAt = (answer: Answer): number => Math.floor(answer.createdAt.getTime() / 1_000)

function responseObject(answer: Answer, state: { readonly status: 'in_progress' | 'completed'; readonly output: readonly unknown[] }): unknown {
  const usage = {
    input_tokens: answer.inputTokens,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: answer.outputTokens,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: answer.inputTokens + answer.outputTokens,
  }
  return {
    id: idOf('resp_', answer.seed, 'answer', 48),
    object: 'response',
    created_at: createdAt(answer),
    status: state.status,
    background: false,
    error: null,
    incomplete_details: null,
    instructions: null,
    max_output_tokens: null,
    metadata: {},
    ...(answer.model === null ? {} : { model: answer.model }),
    output: state.output,
    parallel_tool_calls: true,
    previous_response_id: null,
    reasoning: { effort: null, summary: null },
    service_tier: 'default',
    store: false,
    temperature: 1,
    text: { format: { type: 'text' } },
    tool_choice: 'auto',
    tools: [],
    top_p: 1,
    truncation: 'disabled',
    usage: state.status === 'completed' ? usage : null,
    user: null,
  }
}

const textPart = (text: string): unknown => ({ type: 'output_text', annotations: [], logprobs: [], text })

/** The items of the output: a message if there is a text, then one item for each tool call. */
function outputItems(answer: Answer): readonly { readonly id: string; readonly begun: unknown; readonly done: unknown; readonly body: (place: number) => readonly Event[] }[] {
  const messageId = idOf('msg_', answer.seed, 'message', 48)
  const message = {
    id: messageId,
    begun: { id: messageId, type: 'message', status: 'in_progress', role: 'assistant', content: [] },
    done: { id: messageId, type: 'message', status: 'completed', role: 'assistant', content: [textPart(answer.text)] },
    body: (place: number): readonly Event[] => messageEvents(answer.text, messageId, place),
  }
  const calls = answer.toolCalls.map((call, index) => {
    const id = idOf('fc_', answer.seed, `item ${index}`, 48)
    const base = { id, type: 'function_call', call_id: idOf('call_', answer.seed, `tool ${index}`), name: call.name }
    const text = JSON.stringify(call.arguments)
    return {
      id,
      begun: { ...base, status: 'in_progress', arguments: '' },
      done: { ...base, status: 'completed', arguments: text },
      body: (place: number): readonly Event[] => [
        ...piecesOf(text).map((delta): Event => ['response.function_call_arguments.delta', { item_id: id, output_index: place, delta }]),
        ['response.function_call_arguments.done', { item_id: id, output_index: place, name: call.name, arguments: text }],
      ],
    }
  })
  return answer.text === '' ? calls : [message, ...calls]
}

type Event = readonly [type: string, fields: Readonly<Record<string, unknown>>]

function messageEvents(text: string, id: string, place: number): readonly Event[] {
  const at = { item_id: id, output_index: place, content_index: 0 }
  return [
    ['response.content_part.added', { ...at, part: textPart('') }],
    ...piecesOf(text).map((delta): Event => ['response.output_text.delta', { ...at, delta, logprobs: [] }]),
    ['response.output_text.done', { ...at, text, logprobs: [] }],
    ['response.content_part.done', { ...at, part: textPart(text) }],
  ]
}

function streamEvents(answer: Answer): readonly ServerEvent[] {
  const items = outputItems(answer)
  const begun = { response: responseObject(answer, { status: 'in_progress', output: [] }) }
  const events: readonly Event[] = [
    ['response.created', begun],
    ['response.in_progress', begun],
    ...items.flatMap((item, place): readonly Event[] => [
      ['response.output_item.added', { output_index: place, item: item.begun }],
      ...item.body(place),
      ['response.output_item.done', { output_index: place, item: item.done }],
    ]),
    ['response.completed', { response: responseObject(answer, { status: 'completed', output: items.map((item) => item.done) }) }],
  ]
  return events.map(([type, fields], number) => ({ event: type, data: { type, sequence_number: number, ...fields }, ends: type === 'response.completed' }))
}

/** OpenAI Responses: `POST /v1/responses`. */
export const openAiResponses: Speaker = {
  read,
  answer: (answer) => responseObject(answer, { status: 'completed', output: outputItems(answer).map((item) => item.done) }),
  stream: streamEvents,
  error: openAiError,
  requestIdHeader: 'x-request-id',
}
