import * as z from 'zod'
import { parseLine } from '../agent-cli/index.ts'

const Text = z.string().nullish()

/** The records that anything here depends on. Unknown fields and unknown records are let pass: the program gains both. */
const SystemRecord = z.discriminatedUnion('subtype', [
  z.looseObject({ type: z.literal('system'), subtype: z.literal('init'), model: z.string(), claude_code_version: Text }),
  z.looseObject({ type: z.literal('system'), subtype: z.literal('hook_response'), hook_event: z.string(), stderr: Text, exit_code: z.number().nullish() }),
  z.looseObject({ type: z.literal('system'), subtype: z.literal('model_fallback'), original_model: Text, fallback_model: Text }),
])

const ResultRecord = z.looseObject({
  type: z.literal('result'),
  subtype: z.string(),
  // Required: a result that does not say whether it is an error is none.
  is_error: z.boolean(),
  num_turns: z.number(),
  result: Text,
  terminal_reason: Text,
})

const Record = z.union([
  SystemRecord,
  ResultRecord,
  z.looseObject({ type: z.literal('control_response'), response: z.looseObject({ subtype: z.string(), request_id: z.string(), error: Text }) }),
  z.looseObject({ type: z.literal('user'), uuid: z.string(), isReplay: z.literal(true) }),
])
export type ClaudeRecord = z.infer<typeof Record>
export type ResultRecord = z.infer<typeof ResultRecord>

/** Reads one line. Undefined for anything that is no record we know: garbage on stdout decides nothing. */
export function parseRecord(line: string): ClaudeRecord | undefined {
  const read = Record.safeParse(parseLine(line))
  return read.success ? read.data : undefined
}
