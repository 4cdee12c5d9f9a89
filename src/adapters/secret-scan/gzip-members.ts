import { constants, inflateRawSync } from 'node:zlib'
import { systemCode } from '../../contract/errors.ts'
import { ScanIncomplete } from './incomplete.ts'
import type { PackedText } from './packed-text.ts'

const HEADER_BYTES = 10
const MAGIC = Buffer.from([0x1f, 0x8b, 0x08])
const MOST_PACKED_BYTES = 16 * 1_048_576
const MOST_MEMBERS = 64

/** Finds what is packed with gzip, and hands it on unpacked. Packed bytes are kept until their end, up to a limit. */
export class GzipMembers {
  readonly #open: () => PackedText
  readonly #budget: () => number
  #carry = Buffer.alloc(0)
  #kept: Buffer[] = []
  #keptBytes = 0
  #start = 0

  constructor(open: () => PackedText, budget: () => number) {
    this.#open = open
    this.#budget = budget
  }

  /** `offset` is the place of the chunk in the text. Throws `ScanIncomplete` for more packed bytes than may be kept. */
  write(chunk: Buffer, offset: number): void {
    if (this.#kept.length > 0) {
      this.#keep(chunk)
      return
    }
    const text = this.#carry.length === 0 ? chunk : Buffer.concat([this.#carry, chunk])
    const at = headerIn(text, 0)
    if (at < 0) {
      // A copy: the caller may use its chunk again.
      this.#carry = Buffer.from(text.subarray(Math.max(0, text.length - HEADER_BYTES + 1)))
      return
    }
    this.#start = offset - this.#carry.length + at
    this.#keep(text.subarray(at))
  }

  #keep(bytes: Buffer): void {
    this.#keptBytes += bytes.length
    if (this.#keptBytes > MOST_PACKED_BYTES) throw new ScanIncomplete('it holds more that is packed with gzip than can be kept')
    this.#kept.push(Buffer.from(bytes))
  }

  end(): void {
    const packed = Buffer.concat(this.#kept)
    this.#kept = []
    let members = 0
    for (let at = headerIn(packed, 0); at >= 0; at = headerIn(packed, at + 1)) {
      members += 1
      if (members > MOST_MEMBERS) throw new ScanIncomplete('it holds more files packed with gzip than are looked into')
      const content = unpack(packed.subarray(at), this.#budget())
      if (content === undefined) continue
      const into = this.#open()
      into.write(content)
      into.end(this.#start + at, this.#start + packed.length)
    }
  }
}

/** Where the next header stands whose fields are such as gzip writes them; -1 if there is none. */
function headerIn(bytes: Buffer, from: number): number {
  for (let at = bytes.indexOf(MAGIC, from); at >= 0; at = bytes.indexOf(MAGIC, at + 1)) {
    const [flags, extra, system] = [bytes[at + 3], bytes[at + 8], bytes[at + 9]]
    if (flags !== undefined && extra !== undefined && system !== undefined && flags < 0x20 && (extra === 0 || extra === 2 || extra === 4) && (system <= 13 || system === 255)) return at
  }
  return -1
}

/** Undefined for what only looks like gzip. A file that is cut short gives what is there of it; what follows one is left alone. */
function unpack(packed: Buffer, mostBytes: number): Buffer | undefined {
  try {
    return inflateRawSync(packed.subarray(contentOf(packed)), { maxOutputLength: Math.max(1, mostBytes), finishFlush: constants.Z_SYNC_FLUSH })
  } catch (error) {
    if (systemCode(error) === 'ERR_BUFFER_TOO_LARGE') throw new ScanIncomplete('more is packed in it than may be unpacked')
    return undefined
  }
}

/** Where the packed content begins, behind the header and the fields that its flags name (RFC 1952). */
function contentOf(packed: Buffer): number {
  const flags = packed[3] ?? 0
  let at = HEADER_BYTES
  if ((flags & EXTRA) !== 0) at += 2 + (packed[at] ?? 0) + 256 * (packed[at + 1] ?? 0)
  for (const field of [NAME, COMMENT]) {
    if ((flags & field) === 0) continue
    const end = packed.indexOf(0, at)
    at = end < 0 ? packed.length : end + 1
  }
  return (flags & CHECKSUM) === 0 ? at : at + 2
}

const CHECKSUM = 2
const EXTRA = 4
const NAME = 8
const COMMENT = 16
