import * as z from 'zod'

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
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
  const read = PiRecord.safeParse(value)
  return read.success ? read.data : undefined
}

const LINE_LIMIT_BYTES = 64 * 1_048_576
const LF = 0x0a

/**
 * Cuts a stream of bytes into lines at LF and nowhere else (U+2028 may stand inside a record), and decodes whole lines, so
 * that a character torn between two chunks survives. A line beyond 64 MiB is dropped to its end: memory is worth more than it.
 */
export class LineReader {
  readonly #onLine: (line: string) => void
  readonly #limitBytes: number
  #parts: Buffer[] = []
  #length = 0
  #dropping = false

  constructor(onLine: (line: string) => void, limitBytes = LINE_LIMIT_BYTES) {
    this.#onLine = onLine
    this.#limitBytes = limitBytes
  }

  push(chunk: Buffer): void {
    let start = 0
    for (let end = chunk.indexOf(LF); end >= 0; end = chunk.indexOf(LF, start)) {
      this.#keep(chunk.subarray(start, end))
      this.#finishLine()
      start = end + 1
    }
    this.#keep(chunk.subarray(start))
  }

  #keep(part: Buffer): void {
    this.#length += part.length
    if (this.#length > this.#limitBytes) {
      this.#dropping = true
      this.#parts = []
    }
    // Copied: the chunk's memory belongs to the stream.
    if (!this.#dropping && part.length > 0) this.#parts.push(Buffer.from(part))
  }

  #finishLine(): void {
    const line = this.#dropping ? '' : Buffer.concat(this.#parts).toString('utf8').replace(/\r$/, '')
    this.#parts = []
    this.#length = 0
    this.#dropping = false
    if (line !== '') this.#onLine(line)
  }
}

const CLAIM_CHARACTERS = 4_000

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

export const clip = (text: string): string => text.slice(0, CLAIM_CHARACTERS).toWellFormed().trim()
