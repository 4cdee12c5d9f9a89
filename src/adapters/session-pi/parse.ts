import * as z from 'zod'

const TextBlock = z.looseObject({ type: z.literal('text'), text: z.string() })
const Message = z.looseObject({
  role: z.string(),
  stopReason: z.string().optional(),
  errorMessage: z.string().optional(),
  content: z.unknown().optional(),
  usage: z.looseObject({ input: z.int().nonnegative().optional(), output: z.int().nonnegative().optional(), cacheRead: z.int().nonnegative().optional(), cacheWrite: z.int().nonnegative().optional() }).optional(),
})

/** What pi prints that a live session depends on. Unknown records and fields are let pass: pi gains both. */
export const PiRecord = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('response'), id: z.string().optional(), command: z.string(), success: z.boolean(), data: z.unknown().optional(), error: z.string().optional() }),
  z.looseObject({ type: z.literal('message_end'), message: Message }),
  z.looseObject({ type: z.literal('tool_execution_start'), toolCallId: z.string(), toolName: z.string() }),
  z.looseObject({ type: z.literal('agent_settled') }),
])
export type PiRecord = z.infer<typeof PiRecord>
export type PiResponse = Extract<PiRecord, { type: 'response' }>
export type PiMessage = z.infer<typeof Message>

export const PiIdle = z.looseObject({ isStreaming: z.literal(false), sessionId: z.string().optional() })

export function textOf(content: unknown): string {
  const blocks: readonly unknown[] = Array.isArray(content) ? content : []
  return blocks.flatMap((block) => {
    const read = TextBlock.safeParse(block)
    return read.success ? [read.data.text] : []
  }).join('\n')
}

/** What stood in the context when this message was made, and the message itself; undefined where pi counts nothing. */
export function contextTokens({ usage }: PiMessage): number | undefined {
  if (usage === undefined) return undefined
  return (usage.input ?? 0) + (usage.output ?? 0) + (usage.cacheRead ?? 0) + (usage.cacheWrite ?? 0)
}
