/** How deep a body may nest. Far above real tool schemas, far below what hurts a recursive parser behind us. */
export const MAX_JSON_DEPTH = 256
/** How many members the outermost object may have. */
export const MAX_TOP_LEVEL_MEMBERS = 1_024

/** Byte offsets of one member of the outermost object; `end` is one past the last byte. Quotes are inside. */
export interface Member {
  readonly keyStart: number
  readonly keyEnd: number
  readonly valueStart: number
  readonly valueEnd: number
  /** Some key in it, its own included, may name an address or content: it ends so, or is spelt with an escape. */
  readonly addressed: boolean
}

export type Scanned = { readonly ok: true; readonly members: readonly Member[] } | { readonly ok: false; readonly found: string }

/** The same bytes, to be read one by one and four at once. */
interface Source {
  readonly bytes: Uint8Array
  readonly view: DataView
  /** Where the next quote and the next backslash stand, as they were last looked for: looked for anew only behind them, so that each byte is gone through once. */
  quote: number
  backslash: number
  /** A string since this was last reset has an escape. */
  escaped: boolean
  /** A key since this was last reset may name an address. */
  addressed: boolean
}

const INVALID = -1
const TOO_DEEP = -2

const QUOTE = 0x22
const COMMA = 0x2c
const COLON = 0x3a
const OPEN_BRACKET = 0x5b
const BACKSLASH = 0x5c
const CLOSE_BRACKET = 0x5d
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/

/**
 * Walks one JSON object strictly (RFC 8259) and gives the byte offsets of its members, without building values.
 * The bytes must be valid UTF-8. It accepts exactly what `JSON.parse` accepts, within the two limits above: a walker that is
 * laxer than the provider's parser could be shown another model than the provider sees.
 */
export function scanObject(bytes: Uint8Array): Scanned {
  const walked = walkObject(sourceOf(bytes), afterSpace(bytes, 0))
  if (!walked.ok) return walked
  return afterSpace(bytes, walked.end) === bytes.length ? walked : { ok: false, found: 'bytes after the end of the JSON object' }
}

/**
 * The elements of the array that begins at `start`, in bytes that `scanObject` has walked: the members of each, or undefined for
 * one that is no object. Undefined if no array begins there.
 */
export function scanArray(bytes: Uint8Array, start: number): readonly (readonly Member[] | undefined)[] | undefined {
  if (bytes[start] !== OPEN_BRACKET) return undefined
  const source = sourceOf(bytes)
  const elements: (readonly Member[] | undefined)[] = []
  let position = afterSpace(bytes, start + 1)
  if (bytes[position] === CLOSE_BRACKET) return elements
  for (;;) {
    const walked = bytes[position] === OPEN_BRACE ? walkObject(source, position) : undefined
    if (walked?.ok === false) return undefined
    elements.push(walked?.members)
    position = afterSpace(bytes, walked?.end ?? endOfValue(source, position))
    if (bytes[position] === CLOSE_BRACKET) return elements
    if (bytes[position] !== COMMA) return undefined
    position = afterSpace(bytes, position + 1)
  }
}

/** As a Buffer, whose `indexOf` is fifty times as quick as that of other arrays. */
const sourceOf = (bytes: Uint8Array): Source => ({ bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), quote: -1, backslash: -1, escaped: false, addressed: false })

type Walked = { readonly ok: true; readonly members: readonly Member[]; readonly end: number } | { readonly ok: false; readonly found: string }

function walkObject(source: Source, start: number): Walked {
  const { bytes } = source
  let position = start
  if (bytes[position] !== OPEN_BRACE) return { ok: false, found: 'a body that is not a JSON object' }
  const members: Member[] = []
  position = afterSpace(bytes, position + 1)
  if (bytes[position] === CLOSE_BRACE) return { ok: true, members, end: position + 1 }
  for (;;) {
    const keyStart = position
    source.addressed = false
    const keyEnd = bytes[keyStart] === QUOTE ? keyStringEnd(source, keyStart) : INVALID
    if (keyEnd < 0) return notJson(keyStart)
    position = afterSpace(bytes, keyEnd)
    if (bytes[position] !== COLON) return notJson(position)
    const valueStart = afterSpace(bytes, position + 1)
    const valueEnd = endOfValue(source, valueStart)
    if (valueEnd === TOO_DEEP) return { ok: false, found: `a body that nests deeper than ${MAX_JSON_DEPTH}` }
    if (valueEnd < 0) return notJson(valueStart)
    members.push({ keyStart, keyEnd, valueStart, valueEnd, addressed: source.addressed })
    if (members.length > MAX_TOP_LEVEL_MEMBERS) return { ok: false, found: `a body with more than ${MAX_TOP_LEVEL_MEMBERS} members` }
    position = afterSpace(bytes, valueEnd)
    if (bytes[position] === CLOSE_BRACE) return { ok: true, members, end: position + 1 }
    if (bytes[position] !== COMMA) return notJson(position)
    position = afterSpace(bytes, position + 1)
  }
}

const notJson = (position: number): { readonly ok: false; readonly found: string } => ({ ok: false, found: `a body that is not valid JSON at or after byte ${position}` })

function afterSpace(bytes: Uint8Array, start: number): number {
  let position = start
  for (;;) {
    const byte = bytes[position]
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return position
    position += 1
  }
}

/** 1 for what a string cannot hold as it is: the quote, the backslash and control characters. */
const SPECIAL = Uint8Array.from({ length: 256 }, (_, byte) => (byte < 0x20 || byte === QUOTE || byte === BACKSLASH ? 1 : 0))

/** One past the closing quote of the string that opens at `start`, or INVALID. */
function stringEnd(source: Source, start: number): number {
  const { bytes } = source
  let position = start + 1
  for (;;) {
    position = afterPlain(source, position)
    const byte = bytes[position]
    if (byte === QUOTE) return position + 1
    if (byte !== BACKSLASH) return INVALID
    const length = escapeLength(bytes, position + 1)
    if (length === 0) return INVALID
    source.escaped = true
    position += 1 + length
  }
}

/** The same for a key, of which it is noted whether it may name an address: while it is at hand, that costs next to nothing. */
function keyStringEnd(source: Source, start: number): number {
  source.escaped = false
  const end = stringEnd(source, start)
  if (source.escaped || endsLikeAddress(source.bytes, end - 2)) source.addressed = true
  return end
}

const LOWER_CASE = 0x20

/** True for a key that ends in `url`, `uri` or `data` in any case, the last letter at `last`. */
function endsLikeAddress(bytes: Uint8Array, last: number): boolean {
  const [third, second, first] = [(bytes[last] ?? 0) | LOWER_CASE, (bytes[last - 1] ?? 0) | LOWER_CASE, (bytes[last - 2] ?? 0) | LOWER_CASE]
  if (third === 0x6c || third === 0x69) return second === 0x72 && first === 0x75
  return third === 0x61 && second === 0x74 && first === 0x61
}

/** A string of which so much is plain is likely a prompt, and long. */
const SHORT_BYTES = 512

/**
 * The first special byte from `start` on, or the length. Four bytes are tested at once: a byte of `x` is below `n` (or equal to
 * it, after an exclusive or) if subtracting `n` borrows into its highest bit. A borrow may also come from the byte before,
 * which only ends a loop early; the last one looks at each byte.
 */
function afterPlain(source: Source, start: number): number {
  const { bytes, view } = source
  let position = start
  for (const last = Math.min(start + SHORT_BYTES, bytes.length) - 4; position <= last; position += 4) {
    const four = view.getInt32(position, true)
    const quotes = four ^ 0x22222222
    const backslashes = four ^ 0x5c5c5c5c
    if (((((four - 0x20202020) & ~four) | ((quotes - 0x01010101) & ~quotes) | ((backslashes - 0x01010101) & ~backslashes)) & 0x80808080) !== 0) break
  }
  if (position - start >= SHORT_BYTES - 4) position = afterLong(source, position)
  while (position < bytes.length && SPECIAL[bytes[position] ?? 0] === 0) position += 1
  return position
}

/** The same where much is plain: up to the next quote or backslash, which are found quickest by themselves, only control characters are left to be looked for. May end early, never late. */
function afterLong(source: Source, start: number): number {
  const { bytes, view } = source
  if (source.quote < start) source.quote = nextOrEnd(bytes, QUOTE, start)
  if (source.backslash < start) source.backslash = nextOrEnd(bytes, BACKSLASH, start)
  const end = Math.min(source.quote, source.backslash)
  let position = start
  for (const last = end - 16; position <= last; position += 16) {
    const first = view.getInt32(position, true)
    const second = view.getInt32(position + 4, true)
    const third = view.getInt32(position + 8, true)
    const fourth = view.getInt32(position + 12, true)
    if (((((first - 0x20202020) & ~first) | ((second - 0x20202020) & ~second) | ((third - 0x20202020) & ~third) | ((fourth - 0x20202020) & ~fourth)) & 0x80808080) !== 0) break
  }
  return position
}

function nextOrEnd(bytes: Uint8Array, byte: number, start: number): number {
  const found = bytes.indexOf(byte, start)
  return found < 0 ? bytes.length : found
}

/** Bytes of the escape after its backslash: 1, 5 for `uXXXX`, 0 if it is none. */
function escapeLength(bytes: Uint8Array, position: number): number {
  const byte = bytes[position]
  if (byte === undefined) return 0
  if (byte !== 0x75) return '"\\/bfnrt'.includes(String.fromCharCode(byte)) ? 1 : 0
  for (let digit = position + 1; digit <= position + 4; digit += 1) {
    if (!isHexDigit(bytes[digit])) return 0
  }
  return 5
}

const isHexDigit = (byte: number | undefined): boolean =>
  byte !== undefined && ((byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x46) || (byte >= 0x61 && byte <= 0x66))

/** One past a string, number, `true`, `false` or `null`, or INVALID. */
function scalarEnd(source: Source, start: number): number {
  const { bytes } = source
  if (bytes[start] === QUOTE) return stringEnd(source, start)
  let end = start
  while (isWordByte(bytes[end])) end += 1
  const word = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1')
  return word === 'true' || word === 'false' || word === 'null' || NUMBER.test(word) ? end : INVALID
}

/** Bytes that numbers and the three literals are made of. */
const isWordByte = (byte: number | undefined): boolean =>
  byte !== undefined && ((byte >= 0x30 && byte <= 0x39) || (byte >= 0x61 && byte <= 0x7a) || byte === 0x2d || byte === 0x2b || byte === 0x2e || byte === 0x45)

/** What the walker may meet next inside a container. */
type Awaited = 'first key' | 'key' | 'first element' | 'element' | 'separator'

/** One past the value at `start`, INVALID or TOO_DEEP. No recursion: depth is a number here, not our stack. */
function endOfValue(source: Source, start: number): number {
  const { bytes } = source
  if (bytes[start] !== OPEN_BRACE && bytes[start] !== OPEN_BRACKET) return scalarEnd(source, start)
  const closers = new Uint8Array(MAX_JSON_DEPTH)
  let depth = 0
  let position = start
  let awaited: Awaited = 'element'
  for (;;) {
    position = afterSpace(bytes, position)
    const byte = bytes[position]
    const closes = depth > 0 && byte === closers[depth - 1] && (awaited === 'separator' || awaited === 'first key' || awaited === 'first element')
    if (closes) {
      depth -= 1
      position += 1
      awaited = 'separator'
    } else if (awaited === 'separator') {
      if (byte !== COMMA) return INVALID
      awaited = closers[depth - 1] === CLOSE_BRACE ? 'key' : 'element'
      position += 1
    } else if (awaited === 'key' || awaited === 'first key') {
      const colon = byte === QUOTE ? endOfKey(source, position) : INVALID
      if (colon < 0) return INVALID
      awaited = 'element'
      position = colon
    } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      if (depth === MAX_JSON_DEPTH - 1) return TOO_DEEP
      closers[depth] = byte === OPEN_BRACE ? CLOSE_BRACE : CLOSE_BRACKET
      awaited = byte === OPEN_BRACE ? 'first key' : 'first element'
      depth += 1
      position += 1
    } else {
      position = scalarEnd(source, position)
      if (position < 0) return INVALID
      awaited = 'separator'
    }
    if (depth === 0 && awaited === 'separator') return position
  }
}

/** One past the colon that follows the key at `start`, or INVALID. */
function endOfKey(source: Source, start: number): number {
  const { bytes } = source
  const end = keyStringEnd(source, start)
  if (end < 0) return INVALID
  const colon = afterSpace(bytes, end)
  return bytes[colon] === COLON ? colon + 1 : INVALID
}
