/** One complete server-sent event: its `data` (null for comments and the like) and its bytes exactly as they came. */
export interface ServerSentEvent {
  readonly data: string | null
  readonly bytes: readonly Uint8Array[]
}

const LINE_FEED = 0x0a
const CARRIAGE_RETURN = 0x0d
const LETTER_D = 0x64
const BYTE_ORDER_MARK = '\uFEFF'

/**
 * Splits bytes into server-sent events as browsers and SDKs do (WHATWG): lines end in LF, CRLF or CR, a blank line ends the event.
 * What it gives does not depend on how the bytes were cut into chunks. It keeps only the unfinished event; `heldBytes` says how much that is.
 */
export class EventStream {
  readonly #emit: (event: ServerSentEvent) => void
  #raw: Uint8Array[] = []
  #line: Uint8Array[] = []
  #lineLength = 0
  #data: string[] = []
  #afterCarriageReturn = false
  #firstLine = true
  #heldBytes = 0

  constructor(emit: (event: ServerSentEvent) => void) {
    this.#emit = emit
  }

  /** Bytes of the event that is not complete yet. */
  get heldBytes(): number {
    return this.#heldBytes
  }

  push(bytes: Uint8Array): void {
    const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    let lineStart = 0
    let rawStart = 0
    let position = 0
    let nextReturn = chunk.indexOf(CARRIAGE_RETURN)
    if (this.#afterCarriageReturn && chunk.length > 0) {
      this.#afterCarriageReturn = false
      if (chunk[0] === LINE_FEED) position = lineStart = 1
    }
    for (;;) {
      if (nextReturn >= 0 && nextReturn < position) nextReturn = chunk.indexOf(CARRIAGE_RETURN, position)
      const nextFeed = chunk.indexOf(LINE_FEED, position)
      const end = nextReturn < 0 ? nextFeed : nextFeed < 0 ? nextReturn : Math.min(nextFeed, nextReturn)
      if (end < 0) break
      let next = end + 1
      if (chunk[end] === CARRIAGE_RETURN) {
        if (next === chunk.length) this.#afterCarriageReturn = true
        else if (chunk[next] === LINE_FEED) next += 1
      }
      if (this.#takeLine(chunk, lineStart, end)) {
        this.#keepRaw(rawStart === 0 && next === chunk.length ? chunk : chunk.subarray(rawStart, next))
        this.#endEvent()
        rawStart = next
      }
      lineStart = position = next
    }
    if (lineStart < chunk.length) this.#keepLine(chunk.subarray(lineStart))
    if (rawStart < chunk.length) this.#keepRaw(chunk.subarray(rawStart))
  }

  /** The stream is over: what was not closed by a blank line counts as an event, because lenient clients take it for one. */
  end(): void {
    this.#readLine(this.#keptLine())
    if (this.#raw.length > 0) this.#endEvent()
  }

  #keepRaw(bytes: Uint8Array): void {
    this.#raw.push(bytes)
    this.#heldBytes += bytes.length
  }

  #keepLine(bytes: Uint8Array): void {
    this.#line.push(bytes)
    this.#lineLength += bytes.length
  }

  /** Takes in the line that ends at `end`; true if it was blank. Most lines arrive whole, and only those of data are of interest. */
  #takeLine(chunk: Buffer, start: number, end: number): boolean {
    if (this.#lineLength > 0) {
      if (start < end) this.#keepLine(chunk.subarray(start, end))
      return this.#readLine(this.#keptLine())
    }
    if (this.#firstLine) return this.#readLine(chunk.toString('utf8', start, end))
    if (start === end) return true
    if (chunk[start] === LETTER_D) this.#readLine(chunk.toString('utf8', start, end))
    return false
  }

  #keptLine(): string {
    const line = this.#lineLength === 0 ? '' : Buffer.concat(this.#line, this.#lineLength).toString()
    this.#line = []
    this.#lineLength = 0
    return line
  }

  /** True if the line was blank. */
  #readLine(read: string): boolean {
    const line = this.#firstLine && read.startsWith(BYTE_ORDER_MARK) ? read.slice(1) : read
    this.#firstLine = false
    if (line === '') return true
    if (line === 'data') this.#data.push('')
    else if (line.startsWith('data:')) this.#data.push(line.slice(line[5] === ' ' ? 6 : 5))
    return false
  }

  #endEvent(): void {
    const [only = null] = this.#data
    const event: ServerSentEvent = { data: this.#data.length < 2 ? only : this.#data.join('\n'), bytes: this.#raw }
    this.#data = []
    this.#raw = []
    this.#heldBytes = 0
    this.#emit(event)
  }
}
