import type { PackedText } from './packed-text.ts'

/** Shorter than this, no credential is written in base64 twice. */
const SHORTEST_RUN = 16
/** So many separators may stand between two lines of one text, each of at most two characters. */
const WIDEST_GAP = 8
/** The first bytes in a run, of which is seen whether a text or gzip is in it. */
const SAMPLE_BYTES = 6

/** What continues a run: at once, behind a line end, or behind quotes and commas. */
const CONTINUED = new RegExp(`(?:\\\\[nrt]|\\\\(?![nrt])|[\\s"'\`,|]){0,${WIDEST_GAP}}([A-Za-z0-9+/_-]+)`, 'y')

/** 1 for each byte that base64 is written with, in either alphabet. */
const ALPHABET = Uint8Array.from({ length: 256 }, (_none, byte) => (/[A-Za-z0-9+/_-]/.test(String.fromCharCode(byte)) ? 1 : 0))

interface Run {
  readonly into: PackedText
  readonly start: number
  /** Its lines begin with the sign that a patch puts before them. */
  readonly signed: boolean
  end: number
  /** Characters that do not make whole bytes yet. */
  rest: string
  /** A short line is the last one: what follows it is other text. */
  last: boolean
}

/** Finds texts in base64, wrapped or not, and hands on what is in those that may hold a text or gzip. */
export class EncodedRuns {
  readonly #open: () => PackedText
  #run: Run | undefined
  #carry = Buffer.alloc(0)

  constructor(open: () => PackedText) {
    this.#open = open
  }

  /** `offset` is the place of the chunk in the text. */
  write(chunk: Buffer, offset: number): void {
    const bytes = this.#carry.length === 0 ? chunk : Buffer.concat([this.#carry, chunk])
    const base = offset - this.#carry.length
    let text: string | undefined
    let from = 0
    do {
      if (this.#run !== undefined) {
        text ??= bytes.toString('latin1')
        from = this.#goThrough(this.#run, text, base)
        if (!this.#run.last && text.length - from <= WIDEST_GAP * 2) {
          // More of it may come with the next chunk.
          this.#carry = Buffer.from(bytes.subarray(from))
          return
        }
        this.#close()
      }
      this.#openRun(bytes, base, from)
    } while (this.#run !== undefined)
    // A copy: the caller may use its chunk again.
    this.#carry = Buffer.from(bytes.subarray(Math.max(from, startOfTail(bytes) - 1)))
  }

  end(): void {
    this.#close()
  }

  /** Reads a run as far as it goes here. Returns where it stopped. */
  #goThrough(run: Run, text: string, base: number): number {
    let on = true
    while (on) on = this.#continueRun(run, text, base)
    return run.end - base
  }

  #continueRun(run: Run, text: string, base: number): boolean {
    if (run.last) return false
    CONTINUED.lastIndex = run.end - base
    const characters = CONTINUED.exec(text)?.[1]
    if (characters === undefined) return false
    const gap = CONTINUED.lastIndex - characters.length > run.end - base
    run.end = base + CONTINUED.lastIndex
    run.last = gap && characters.length < SHORTEST_RUN && CONTINUED.lastIndex < text.length
    this.#feed(run, gap && run.signed && characters.startsWith('+') ? characters.slice(1) : characters)
    return true
  }

  /** Opens the next run that is worth it, if there is one. */
  #openRun(bytes: Buffer, base: number, from: number): void {
    for (let start = startOfRun(bytes, from); start < bytes.length; ) {
      let end = start + SHORTEST_RUN
      while (end < bytes.length && ALPHABET[bytes[end] ?? 0] === 1) end += 1
      const signed = bytes[start] === PLUS && (start === 0 || bytes[start - 1] === LINE_END)
      // Behind a backslash, a letter is the end of a line.
      const escape = bytes[start - 1] === BACKSLASH && LINE_LETTERS.includes(bytes[start] ?? 0)
      const afterSign = signed || escape ? start + 1 : start
      const first = promising(bytes, afterSign) ? afterSign : startOfGzip(bytes, afterSign, end)
      if (first !== undefined) {
        this.#run = { into: this.#open(), start: base + start, signed, end: base + end, rest: '', last: false }
        this.#feed(this.#run, bytes.toString('latin1', first, end))
        return
      }
      start = startOfRun(bytes, end)
    }
  }

  #feed(run: Run, characters: string): void {
    const all = run.rest + characters
    const whole = all.length - (all.length % 4)
    run.rest = all.slice(whole)
    if (whole > 0) run.into.write(Buffer.from(all.slice(0, whole), 'base64'))
  }

  #close(): void {
    const run = this.#run
    this.#run = undefined
    if (run === undefined) return
    run.into.write(Buffer.from(run.rest, 'base64'))
    run.into.end(run.start, run.end)
  }
}

const SIX_BITS = Uint8Array.from({ length: 256 }, (_none, byte) => Math.max(0, 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'.indexOf(String.fromCharCode(byte).replace('-', '+').replace('_', '/'))))
const PLUS = 0x2b
const LINE_END = 0x0a
const BACKSLASH = 0x5c
const LINE_LETTERS = Buffer.from('nrt')
/** The beginning of gzip in base64. */
const GZIP = Buffer.from('H4sI')

/** Where the next run of enough characters begins; the length of the text if there is none. Looks at one byte in sixteen of what is none. */
function startOfRun(bytes: Buffer, from: number): number {
  let start = from
  while (start + SHORTEST_RUN <= bytes.length) {
    let at = start + SHORTEST_RUN - 1
    while (at >= start && ALPHABET[bytes[at] ?? 0] === 1) at -= 1
    if (at < start) return start
    start = at + 1
  }
  return bytes.length
}

/** True if what is in it begins like a text or like gzip. Paths, names and digests do not, so they cost next to nothing. */
function promising(bytes: Buffer, start: number): boolean {
  if (byteAt(bytes, start, 0) === 0x1f) return byteAt(bytes, start, 1) === 0x8b
  for (let each = 0; each < SAMPLE_BYTES; each += 1) if (!isText(byteAt(bytes, start, each))) return false
  return true
}

/** Where in a run gzip begins, with what was written right before it; undefined if it does nowhere. */
function startOfGzip(bytes: Buffer, start: number, end: number): number | undefined {
  const at = bytes.subarray(start, end).indexOf(GZIP)
  return at < 0 ? undefined : start + at
}

/** One of the bytes that the characters from `start` on stand for: six bits a character. */
function byteAt(bytes: Buffer, start: number, index: number): number {
  const bit = index * 8
  const at = start + Math.floor(bit / 6)
  const pair = ((SIX_BITS[bytes[at] ?? 0] ?? 0) << 6) | (SIX_BITS[bytes[at + 1] ?? 0] ?? 0)
  return (pair >> (4 - (bit % 6))) & 0xff
}

const isText = (byte: number): boolean => (byte >= 0x20 && byte < 0x7f) || (byte >= 0x09 && byte <= 0x0d)

/** Where the characters begin with which a text ends and which are too few to tell what they are; what stands before them tells how to read them. */
function startOfTail(bytes: Buffer): number {
  let start = bytes.length
  while (start > 0 && bytes.length - start < SHORTEST_RUN && ALPHABET[bytes[start - 1] ?? 0] === 1) start -= 1
  return start
}
