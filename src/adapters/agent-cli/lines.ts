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

/** Text of an agent, cut to what is kept of a claim. */
export const clip = (text: string): string => text.slice(0, CLAIM_CHARACTERS).toWellFormed().trim()

/** One line as JSON; undefined for anything else: garbage on stdout decides nothing. */
export function parseLine(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
