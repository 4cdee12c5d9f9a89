import * as z from 'zod'

const Text = z.string().nullish()
const Count = z.int().nonnegative().nullish()
const Block = z.union([
  z.looseObject({ type: z.literal('text'), text: z.string() }),
  z.looseObject({ type: z.literal('tool_use'), id: z.string(), name: z.string() }),
  z.looseObject({ type: z.string() }),
])
const Usage = z.looseObject({ input_tokens: Count, output_tokens: Count, cache_read_input_tokens: Count, cache_creation_input_tokens: Count })

/** What it prints that a live session depends on. Unknown records and fields are let pass: the program gains both. */
export const ClaudeRecord = z.union([
  z.looseObject({ type: z.literal('control_response'), response: z.looseObject({ subtype: z.string(), request_id: z.string() }) }),
  z.looseObject({ type: z.literal('control_request'), request_id: z.string(), request: z.looseObject({ subtype: z.literal('can_use_tool'), tool_name: z.string(), input: z.record(z.string(), z.unknown()) }) }),
  // The first word about a message: the replay comes only with the model's answer.
  z.looseObject({ type: z.literal('command_lifecycle'), command_uuid: z.string(), state: z.literal('started') }),
  z.looseObject({ type: z.literal('user'), uuid: z.string(), isReplay: z.literal(true) }),
  z.looseObject({ type: z.literal('assistant'), parent_tool_use_id: Text, message: z.looseObject({ content: z.array(Block), usage: Usage.nullish() }) }),
  // Required: a result that does not say whether it is an error is none.
  z.looseObject({ type: z.literal('result'), subtype: z.string(), is_error: z.boolean(), num_turns: z.number(), result: Text, terminal_reason: Text, structured_output: z.unknown().optional() }),
])
export type ClaudeRecord = z.infer<typeof ClaudeRecord>
export type AssistantRecord = Extract<ClaudeRecord, { type: 'assistant' }>
export type ResultRecord = Extract<ClaudeRecord, { type: 'result' }>

export function tokensOf(usage: z.infer<typeof Usage>): number {
  return (usage.input_tokens ?? 0) + (usage.output_tokens ?? 0) + (usage.cache_read_input_tokens ?? 0) + (usage.cache_creation_input_tokens ?? 0)
}
