/**
 * What stands between the parts of a text that was wrapped, quoted, concatenated, listed, commented out, put into a patch
 * or written in UTF-16. Taken out of the text and out of what is searched in it alike, so nothing that is found whole is missed.
 */
const SEPARATORS = '\0\t\n\v\f\r "\'`+-,.:;&|()[]#*/_'

const BACKSLASH = 0x5c
const AFTER_BACKSLASH = 256

/** 1 for each byte that is kept; behind a backslash, 256 further on. */
const KEPT = keptTable()
/** 256 for a backslash. */
const ESCAPING = Uint16Array.from({ length: 256 }, (_none, byte) => (byte === BACKSLASH ? AFTER_BACKSLASH : 0))

function keptTable(): Uint8Array {
  const table = new Uint8Array(2 * AFTER_BACKSLASH).fill(1)
  for (const separator of [...SEPARATORS, '\\']) table[separator.charCodeAt(0)] = table[AFTER_BACKSLASH + separator.charCodeAt(0)] = 0
  // `\n` as two characters is a separator too: a text of several lines inside JSON.
  for (const letter of 'nrt') table[AFTER_BACKSLASH + letter.charCodeAt(0)] = 0
  return table
}

/** One area for all short pieces: it is read before the next one is written, and made anew for each it would cost more than the reading. */
const SCRATCH = new Uint8Array(65_537)

/** Takes the separators out of a text that comes in pieces. `kept` holds until the next piece of any text. */
export class Folding {
  /** What is left of the last piece: so many of these bytes. */
  kept = new Uint8Array(0)
  length = 0
  #escaped = 0
  #before = 0

  write(chunk: Uint8Array): void {
    this.kept = chunk.length < SCRATCH.length ? SCRATCH : this.kept.length <= chunk.length || this.kept === SCRATCH ? new Uint8Array(chunk.length + 1) : this.kept
    this.#before = this.#escaped
    this.length = chunk.includes(BACKSLASH) || this.#escaped !== 0 ? this.#takeOutEscapes(chunk) : takeOut(chunk, this.kept)
  }

  // Each byte is written, and counted only if it is kept: a branch for each would take far longer.
  #takeOutEscapes(chunk: Uint8Array): number {
    const { kept } = this
    let length = 0
    let escaped = this.#escaped
    for (let at = 0; at < chunk.length; at += 1) {
      const byte = chunk[at] ?? 0
      kept[length] = byte
      length += KEPT[escaped + byte] ?? 0
      escaped = ESCAPING[byte] ?? 0
    }
    this.#escaped = escaped
    return length
  }

  /** Where in the last piece each byte stands that was kept of it. */
  places(chunk: Uint8Array): Int32Array {
    const places = new Int32Array(chunk.length + 1)
    let length = 0
    let escaped = this.#before
    for (let at = 0; at < chunk.length; at += 1) {
      const byte = chunk[at] ?? 0
      places[length] = at
      length += KEPT[escaped + byte] ?? 0
      escaped = ESCAPING[byte] ?? 0
    }
    return places.subarray(0, length)
  }

  /** Where the last `count` of them stand, or as many as there are. */
  lastPlaces(chunk: Uint8Array, count: number): number[] {
    const places: number[] = []
    for (let at = chunk.length - 1; at >= 0 && places.length < count; at -= 1) {
      const escaped = at === 0 ? this.#before : (ESCAPING[chunk[at - 1] ?? 0] ?? 0)
      if (KEPT[escaped + (chunk[at] ?? 0)] === 1) places.push(at)
    }
    return places.reverse()
  }
}

/** The same where nothing is escaped. */
function takeOut(chunk: Uint8Array, kept: Uint8Array): number {
  let length = 0
  for (let at = 0; at < chunk.length; at += 1) {
    const byte = chunk[at] ?? 0
    kept[length] = byte
    length += KEPT[byte] ?? 0
  }
  return length
}

/** The bytes without separators. */
export function fold(bytes: Uint8Array): Buffer {
  const folding = new Folding()
  folding.write(bytes)
  return Buffer.from(folding.kept.subarray(0, folding.length))
}
