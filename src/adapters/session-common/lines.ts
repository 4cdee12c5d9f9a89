import type * as z from 'zod'

const LF = 0x0a
/** Far above any true record; a longer line is dropped to its end, because memory is worth more than it. */
const LINE_LIMIT_BYTES = 16 * 1_048_576

/** Cuts a stream of bytes into lines at LF and nowhere else, and decodes whole lines only. Empty lines are left out. */
export function lineReader(onLine: (line: string) => void, limitBytes = LINE_LIMIT_BYTES): (chunk: Buffer) => void {
  let parts: Buffer[] = []
  let length = 0
  const keep = (part: Buffer): void => {
    length += part.length
    if (length > limitBytes) parts = []
    else if (part.length > 0) parts.push(Buffer.from(part))
  }
  const finish = (): void => {
    const line = length > limitBytes ? '' : Buffer.concat(parts).toString('utf8').trimEnd()
    parts = []
    length = 0
    if (line !== '') onLine(line)
  }
  return (chunk) => {
    let start = 0
    for (let end = chunk.indexOf(LF); end >= 0; end = chunk.indexOf(LF, start)) {
      keep(chunk.subarray(start, end))
      finish()
      start = end + 1
    }
    keep(chunk.subarray(start))
  }
}

/** The record of a line, or undefined: garbage on an output decides nothing. */
export function parseRecord<Schema extends z.ZodType>(schema: Schema, line: string): z.infer<Schema> | undefined {
  const value = parseJson(line)
  const read = value === undefined ? undefined : schema.safeParse(value)
  return read?.success === true ? read.data : undefined
}

export function parseJson(text: string): unknown {
  try {
    const parsed: unknown = JSON.parse(text)
    return parsed
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

const CLAIM_CHARACTERS = 16_000

/** What is kept of a text that an agent gave. */
export const clip = (text: string): string => text.slice(0, CLAIM_CHARACTERS).toWellFormed()
