import type { Dialect } from '../../contract/model.ts'
import { faultOfError, type Fault } from './provider-fault.ts'
import { elements, member } from './usage.ts'

/** What one event of a stream, or one whole JSON answer, says. */
export interface AnswerEvent {
  /** Every model it names, wherever a dialect puts the name. */
  readonly models: readonly string[]
  /** The usage object as it stands. */
  readonly usage: unknown
  readonly toolCall: boolean
  /** True if nothing of the answer may follow. */
  readonly terminal: boolean
  readonly error: Fault | undefined
  /** The text a client would add to what it shows or runs. */
  readonly text: string
  /** The part of it that is the model's answer in words: neither its reasoning nor the arguments of a tool. */
  readonly words: string
}

/** Reads one parsed event. Total: an event of an unknown kind says nothing. */
export function readEvent(dialect: Dialect, event: unknown): AnswerEvent {
  const [nameKey, usageKey] = dialect === 'gemini' ? (['modelVersion', 'usageMetadata'] as const) : (['model', 'usage'] as const)
  const inner = dialect === 'anthropic-messages' ? member(event, 'message') : dialect === 'openai-responses' ? member(event, 'response') : undefined
  // An empty name is how some providers spell "none yet"; it names nothing.
  const models: string[] = []
  for (const model of [member(event, nameKey), member(inner, nameKey)]) if (typeof model === 'string' && model !== '') models.push(model)
  return {
    models,
    usage: member(event, usageKey) ?? member(inner, usageKey),
    ...READERS[dialect](event),
  }
}

type Reading = Pick<AnswerEvent, 'toolCall' | 'terminal' | 'error' | 'text' | 'words'>

const READERS: Readonly<Record<Dialect, (event: unknown) => Reading>> = {
  'openai-chat': (event) => {
    const error = member(event, 'error')
    let toolCall = false
    let text = ''
    let called = ''
    let said = ''
    for (const choice of elements(member(event, 'choices'))) {
      // A chunk has `delta`, a whole answer has `message`; they hold the same members.
      const part = member(choice, 'delta') ?? member(choice, 'message')
      const content = words(member(part, 'content'))
      said += content
      text += content + words(member(part, 'reasoning_content')) + words(member(part, 'reasoning'))
      for (const call of elements(member(part, 'tool_calls'))) {
        toolCall = true
        called += words(member(member(call, 'function'), 'arguments'))
      }
    }
    return { toolCall, terminal: false, error: error === undefined || error === null ? undefined : faultOfError(error), text: text + called, words: said }
  },
  'openai-responses': (event) => {
    const type = member(event, 'type')
    const response = member(event, 'response') ?? event
    const failed = type === 'response.failed' || member(response, 'status') === 'failed'
    const output = [...elements(member(response, 'output')), member(event, 'item')]
    return {
      toolCall: output.some((item) => isCallType(member(item, 'type'))),
      terminal: typeof type === 'string' && /^response\.(completed|incomplete|failed|cancelled)$/.test(type),
      error: failed ? faultOfError(member(response, 'error')) : type === 'error' ? faultOfError(member(event, 'error') ?? event) : undefined,
      text: joined([member(event, 'delta')]),
      words: type === 'response.output_text.delta' ? joined([member(event, 'delta')]) : type === undefined ? joined(output.flatMap((item) => elements(member(item, 'content')).map((part) => (member(part, 'type') === 'output_text' ? member(part, 'text') : undefined)))) : '',
    }
  },
  'anthropic-messages': (event) => {
    const type = member(event, 'type')
    const delta = member(event, 'delta')
    const blocks = [...elements(member(event, 'content')), ...elements(member(member(event, 'message'), 'content')), member(event, 'content_block')]
    return {
      toolCall: blocks.some((block) => isCallType(member(block, 'type'))),
      terminal: type === 'message_stop',
      error: type === 'error' ? faultOfError(member(event, 'error')) : undefined,
      text: joined([member(delta, 'text'), member(delta, 'partial_json'), member(delta, 'thinking')]),
      words: joined([...blocks.map((block) => (member(block, 'type') === 'text' ? member(block, 'text') : undefined)), member(delta, 'text')]),
    }
  },
  gemini: (event) => {
    const error = member(event, 'error')
    const candidates = elements(member(event, 'candidates'))
    const parts = candidates.flatMap((candidate) => elements(member(member(candidate, 'content'), 'parts')))
    const calls = parts.map((part) => member(part, 'functionCall')).filter((call) => call !== undefined)
    return {
      toolCall: calls.length > 0,
      // There is no last event as such: the candidate says why it ended, or the prompt why it was not taken.
      terminal: candidates.some((candidate) => typeof member(candidate, 'finishReason') === 'string') || typeof member(member(event, 'promptFeedback'), 'blockReason') === 'string',
      error: error === undefined || error === null ? undefined : faultOfError({ code: lowerCase(member(error, 'status')) }),
      text: joined([...parts.map((part) => member(part, 'text')), ...calls.flatMap((call) => elements(member(call, 'partialArgs')).map((piece) => member(piece, 'stringValue')))]),
      words: joined(parts.map((part) => (member(part, 'thought') === true ? undefined : member(part, 'text')))),
    }
  },
}

/** Google spells its codes `RESOURCE_EXHAUSTED`. */
const lowerCase = (value: unknown): unknown => (typeof value === 'string' ? value.toLowerCase() : value)

const words = (value: unknown): string => (typeof value === 'string' ? value : '')

const joined = (parts: readonly unknown[]): string => parts.filter((part) => typeof part === 'string').join('')

/** `tool_use`, `server_tool_use`, `function_call`, `custom_tool_call`, `local_shell_call` and their kind. */
const isCallType = (type: unknown): boolean => typeof type === 'string' && (/(?:^|_)tool_use$/.test(type) || type.endsWith('_call'))
