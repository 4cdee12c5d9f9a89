import * as z from 'zod'
import { parseLine } from '../agent-cli/index.ts'

/** The records that anything here depends on. Unknown fields and unknown records are let pass: the program gains both. */
const Record = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('turn.started') }),
  z.looseObject({ type: z.literal('turn.completed') }),
  z.looseObject({ type: z.literal('turn.failed'), error: z.looseObject({ message: z.string().nullish() }) }),
  z.looseObject({ type: z.literal('error'), message: z.string() }),
  z.looseObject({ type: z.literal('item.completed'), item: z.looseObject({ type: z.string(), text: z.string().nullish() }) }),
])
export type CodexRecord = z.infer<typeof Record>

/** Reads one line. Undefined for anything that is no record we know: garbage on stdout decides nothing. */
export function parseRecord(line: string): CodexRecord | undefined {
  const read = Record.safeParse(parseLine(line))
  return read.success ? read.data : undefined
}
