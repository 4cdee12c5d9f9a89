import * as z from 'zod'
import { clip, parseLine } from '../agent-cli/index.ts'

const Message = z.looseObject({
  role: z.string(),
  stopReason: z.string().optional(),
  errorMessage: z.string().optional(),
  content: z.unknown().optional(),
})

/** The records of pi's RPC mode that anything here depends on. Unknown fields and unknown records are let pass: pi gains both. */
const PiRecord = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('response'), id: z.string().optional(), command: z.string(), success: z.boolean(), data: z.unknown().optional(), error: z.string().optional() }),
  z.looseObject({ type: z.literal('message_end'), message: Message }),
  z.looseObject({ type: z.literal('agent_settled') }),
])
export type PiRecord = z.infer<typeof PiRecord>
export type PiResponse = Extract<PiRecord, { type: 'response' }>

/** What `get_state` tells. Without a model pi has chosen none. */
export const PiState = z.looseObject({
  model: z.looseObject({ id: z.string(), provider: z.string() }).nullish(),
  thinkingLevel: z.string().optional(),
  isStreaming: z.boolean(),
})
export type PiState = z.infer<typeof PiState>

/** Reads one line. Undefined for anything that is no record we know: garbage on stdout decides nothing. */
export function parseRecord(line: string): PiRecord | undefined {
  const read = PiRecord.safeParse(parseLine(line))
  return read.success ? read.data : undefined
}

const TextBlock = z.looseObject({ type: z.literal('text'), text: z.string() })

/** The text of an assistant's message, cut. */
export function textOf(content: unknown): string {
  const blocks: readonly unknown[] = Array.isArray(content) ? content : []
  const text = blocks.flatMap((block) => {
    const read = TextBlock.safeParse(block)
    return read.success ? [read.data.text] : []
  })
  return clip(text.join('\n'))
}
