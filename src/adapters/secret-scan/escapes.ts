import type { PackedText } from './packed-text.ts'
import { type Needles, Search } from './search.ts'

/** So much is gone through at a time: small pieces cost no more than large ones, and large ones no more memory. */
const BLOCK_BYTES = 65_536
/** The longest escape, with the backslashes of JSON in JSON in JSON. */
const LONGEST_ESCAPE = 16
const MOST_BACKSLASHES = 8
/** Escapes of escapes are read so often. */
const DEEPEST = 3
const MARKS = ['%', '\\u', '\\x', '&#'] as const

/**
 * Finds characters that are written as escapes, `%41`, `\u0041`, `\x41`, `&#65;` or `&#x41;`, and hands on what stands
 * around them as it reads without, if there is a needle in it. Any character may be escaped, so no list of forms has them all.
 */
export class Escapes {
  readonly #open: () => PackedText
  readonly #needles: Needles
  /** How far around an escape a needle reaches. */
  readonly #reach: number
  #pieces: Buffer[] = []
  #waiting = 0
  /** What was gone through and may belong to an escape that is to come. */
  #carry: Buffer = Buffer.alloc(0)
  #base = 0

  constructor(open: () => PackedText, needles: Needles, reach: number) {
    this.#open = open
    this.#needles = needles
    this.#reach = reach
  }

  write(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; at += BLOCK_BYTES) {
      // A copy: the caller may use its chunk again.
      const piece = Buffer.from(chunk.subarray(at, at + BLOCK_BYTES))
      this.#pieces.push(piece)
      this.#waiting += piece.length
      if (this.#waiting >= BLOCK_BYTES) this.#next()
    }
  }

  end(): void {
    this.#next()
  }

  #next(): void {
    const [only] = this.#pieces
    const bytes = this.#carry.length === 0 && only !== undefined && this.#pieces.length === 1 ? only : Buffer.concat([this.#carry, ...this.#pieces])
    this.#pieces = []
    this.#waiting = 0
    if (this.#isWorthIt(bytes)) this.#goThrough(bytes)
    const keep = Math.max(0, bytes.length - LONGEST_ESCAPE * this.#reach)
    this.#carry = bytes.subarray(keep)
    this.#base += keep
  }

  /** Quick, because most texts have escapes and no needle in them. */
  #isWorthIt(bytes: Buffer): boolean {
    let text = bytes
    for (let depth = 0; depth < DEEPEST && MARKS.some((mark) => text.includes(mark)); depth += 1) {
      const length = text.length
      text = withoutEscapes(text, true)
      if (text.length === length) return false
      let found = false
      new Search(this.#needles).write(text, text.length, () => {
        found = true
      })
      if (found) return true
    }
    return false
  }

  /** Escapes that are near to one another are read together. */
  #goThrough(bytes: Buffer): void {
    let first = -1
    let last = -1
    for (let at = nextLead(bytes, 0); at < bytes.length; at = nextLead(bytes, at + 1)) {
      const escape = escapeAt(bytes, at)
      if (escape === undefined) continue
      if (first >= 0 && at - last > 2 * this.#reach) {
        this.#handOn(bytes, first, last)
        first = -1
      }
      if (first < 0) first = at
      at = escape.end - 1
      last = escape.end
    }
    if (first >= 0) this.#handOn(bytes, first, last)
  }

  #handOn(bytes: Buffer, first: number, last: number): void {
    const start = Math.max(0, first - this.#reach)
    const end = Math.min(bytes.length, last + this.#reach)
    const into = this.#open()
    into.write(withoutEscapes(bytes.subarray(start, end), false))
    into.end(this.#base + start, this.#base + end)
  }
}

const [PERCENT, BACKSLASH, AMPERSAND, HASH, SEMICOLON, LETTER_U, LETTER_X, LINE_END, RETURN] = [0x25, 0x5c, 0x26, 0x23, 0x3b, 0x75, 0x78, 0x0a, 0x0d] as const
const isLead = Uint8Array.from({ length: 256 }, (_none, byte) => (byte === PERCENT || byte === BACKSLASH || byte === AMPERSAND ? 1 : 0))
/** The value of a digit; 255 for what is none. */
const DIGIT = Uint8Array.from({ length: 256 }, (_none, byte) => {
  const value = Number.parseInt(String.fromCharCode(byte), 16)
  return Number.isNaN(value) ? 255 : value
})

interface Escape {
  /** A byte, or a character where `isByte` is false. */
  readonly value: number
  readonly isByte: boolean
  readonly end: number
}

/** Where the next byte stands with which an escape begins; the length if there is none. */
function nextLead(bytes: Buffer, from: number): number {
  let at = from
  while (at < bytes.length && isLead[bytes[at] ?? 0] === 0) at += 1
  return at
}

/** With `joined`, line ends that were escaped are taken out, as in base64 of several lines within an address. */
function withoutEscapes(bytes: Buffer, joined: boolean): Buffer {
  // No escape is shorter than what it stands for.
  const result = Buffer.allocUnsafe(bytes.length)
  let length = 0
  let from = 0
  for (let at = nextLead(bytes, 0); at < bytes.length; at = nextLead(bytes, at)) {
    const escape = escapeAt(bytes, at)
    if (escape === undefined || escape.value > 0x10ffff) {
      at += 1
      continue
    }
    length += bytes.copy(result, length, from, at)
    from = at = escape.end
    if (joined && (escape.value === LINE_END || escape.value === RETURN)) continue
    if (escape.isByte) result[length] = escape.value
    length += escape.isByte ? 1 : result.write(String.fromCodePoint(escape.value), length)
  }
  length += bytes.copy(result, length, from)
  return result.subarray(0, length)
}

/** The escape that begins at a byte; undefined if there is none. In JSON that stands in JSON, the backslash is there more than once. */
function escapeAt(bytes: Buffer, at: number): Escape | undefined {
  const byte = bytes[at]
  if (byte === PERCENT) return digitsAt(bytes, at + 1, 2, true)
  if (byte === AMPERSAND) return bytes[at + 1] === HASH ? referenceAt(bytes, at + 2) : undefined
  let letter = at + 1
  while (bytes[letter] === BACKSLASH && letter - at < MOST_BACKSLASHES) letter += 1
  if (bytes[letter] === LETTER_U) return digitsAt(bytes, letter + 1, 4, false)
  return bytes[letter] === LETTER_X ? digitsAt(bytes, letter + 1, 2, true) : undefined
}

function digitsAt(bytes: Buffer, start: number, count: number, isByte: boolean): Escape | undefined {
  let value = 0
  for (let at = start; at < start + count; at += 1) {
    const digit = DIGIT[bytes[at] ?? 0] ?? 255
    if (digit === 255) return undefined
    value = value * 16 + digit
  }
  return { value, isByte, end: start + count }
}

/** A character of HTML by its number. */
function referenceAt(bytes: Buffer, start: number): Escape | undefined {
  const base = bytes[start] === LETTER_X ? 16 : 10
  const first = base === 16 ? start + 1 : start
  let value = 0
  let at = first
  for (; at - first < 7; at += 1) {
    const digit = DIGIT[bytes[at] ?? 0] ?? 255
    if (digit >= base) break
    value = value * base + digit
  }
  return at > first && bytes[at] === SEMICOLON ? { value, isByte: false, end: at + 1 } : undefined
}
