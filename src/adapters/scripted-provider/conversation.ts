import * as z from 'zod'

/** What a script can match on, the same for every dialect. */
export interface Conversation {
  readonly model: string
  readonly stream: boolean
  /** Answers of the assistant so far, plus 1. */
  readonly turn: number
  readonly lastUser: string | null
  /** The text of the tool results that the assistant has not answered yet; null when there are none. */
  readonly lastTool: string | null
  readonly tools: readonly string[]
  readonly inputTokens: number
  /** OpenAI Chat Completions reports usage in a stream only when asked to. */
  readonly streamUsage: boolean
}

/** A conversation, or what is wrong with the request, as a sentence for the client. */
export type ReadConversation = { readonly conversation: Conversation } | { readonly problem: string }

/** One message or item, whatever the dialect calls it. */
export interface Utterance {
  readonly role: 'system' | 'user' | 'assistant' | 'tool'
  readonly text: string
}

/** Items of the assistant that follow each other are one answer: a dialect may split a text and its tool calls. */
export function summarise(utterances: readonly Utterance[]): Pick<Conversation, 'turn' | 'lastUser' | 'lastTool'> {
  const spoken = utterances.filter(({ role }) => role !== 'system')
  const answers = spoken.filter(({ role }, index) => role === 'assistant' && spoken[index - 1]?.role !== 'assistant').length
  const unanswered = spoken.slice(spoken.findLastIndex(({ role }) => role === 'assistant') + 1)
  const results = unanswered.filter(({ role }) => role === 'tool').map(({ text }) => text)
  return {
    turn: answers + 1,
    lastUser: spoken.findLast(({ role }) => role === 'user')?.text ?? null,
    lastTool: results.length === 0 ? null : results.join('\n'),
  }
}

const CHARACTERS_PER_TOKEN = 4

/** A deterministic stand-in for a tokenizer: one token for four characters of JSON, at least one. */
export const tokensOf = (value: unknown): number =>
  Math.max(1, Math.ceil((typeof value === 'string' ? value : JSON.stringify(value ?? '')).length / CHARACTERS_PER_TOKEN))

/** Message content of any dialect: a text, or parts of which some have a text. */
export const Content = z.union([z.string(), z.null(), z.array(z.union([z.string(), z.looseObject({ type: z.string().optional(), text: z.string().optional() })]))])
export type Content = z.infer<typeof Content>

export function textOf(content: Content | undefined): string {
  if (content === undefined || content === null) return ''
  if (typeof content === 'string') return content
  return content.map((part) => (typeof part === 'string' ? part : (part.text ?? ''))).filter((text) => text !== '').join('\n')
}

/** The first thing wrong with a request, as `messages[2].role: expected string`. */
export function describeProblem(error: z.ZodError): string {
  const [issue] = error.issues
  if (issue === undefined) return 'the request is not valid'
  const path = issue.path.map((part, index) => (typeof part === 'number' ? `[${part}]` : `${index === 0 ? '' : '.'}${String(part)}`)).join('')
  return path === '' ? issue.message : `${path}: ${issue.message}`
}
