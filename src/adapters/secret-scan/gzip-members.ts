import { constants, inflateRawSync } from 'node:zlib'
import { systemCode } from '../../contract/errors.ts'
import { ScanIncomplete } from './incomplete.ts'
import type { PackedText } from './packed-text.ts'

const HEADER_BYTES = 10
const MAGIC = Buffer.from([0x1f, 0x8b, 0x08])
const MOST_PACKED_BYTES = 16 * 1_048_576
const MOST_MEMBERS = 64
/** So much behind a header tells whether it is one. */
const PROOF_BYTES = 4_096
/** Headers that are none. Bytes without order have one in a hundred million. */
const MOST_FALSE_HEADERS = 256

/** Finds what is packed with gzip, and hands it on unpacked. Packed bytes are kept until their end, up to a limit. */
export class GzipMembers {
  readonly #open: () => PackedText
  readonly #budget: () => number
  #carry = Buffer.alloc(0)
  #kept: Buffer[] = []
  #keptBytes = 0
  /** Where the kept bytes begin in the text, or else the carried ones. */
  #start = 0
  #members = 0
  #falseHeaders = 0
  #tried = 0

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
    const base = offset - this.#carry.length
    let from = Math.max(0, text.length - HEADER_BYTES + 1)
    for (let at = headerIn(text, 0); at >= 0; at = headerIn(text, at + 1)) {
      if (text.length - at < PROOF_BYTES) {
        from = Math.min(from, at)
        break
      }
      if (this.#isPacked(text.subarray(at, at + PROOF_BYTES), base + at)) {
        this.#start = base + at
        this.#keep(text.subarray(at))
        return
      }
    }
    this.#start = base + from
    // A copy: the caller may use its chunk again.
    this.#carry = Buffer.from(text.subarray(from))
  }

  #keep(bytes: Buffer): void {
    this.#keptBytes += bytes.length
    if (this.#keptBytes > MOST_PACKED_BYTES) throw new ScanIncomplete('it holds more that is packed with gzip than can be kept')
    this.#kept.push(Buffer.from(bytes))
  }

  /** True if it goes on behind these bytes. What ends in them, or has a fault in them, is looked into at once. */
  #isPacked(beginning: Buffer, at: number): boolean {
    const whole = unpack(beginning, this.#budget(), constants.Z_FINISH)
    if (whole === undefined && unpack(beginning, this.#budget()) !== undefined) return true
    if (whole === undefined) this.#falseHeaders += 1
    else this.#countMember()
    if (this.#falseHeaders > MOST_FALSE_HEADERS) throw new ScanIncomplete('it holds more that looks like gzip than is looked into')
    this.#handOn(whole ?? this.#salvage(beginning), at, at + beginning.length)
    return false
  }

  #countMember(): void {
    this.#members += 1
    if (this.#members > MOST_MEMBERS) throw new ScanIncomplete('it holds more files packed with gzip than are looked into')
  }

  end(): void {
    const packed = this.#kept.length > 0 ? Buffer.concat(this.#kept) : this.#carry
    this.#kept = []
    this.#carry = Buffer.alloc(0)
    for (let at = headerIn(packed, 0); at >= 0; at = headerIn(packed, at + 1)) {
      this.#countMember()
      const member = packed.subarray(at)
      this.#handOn(unpack(member, this.#budget()) ?? this.#salvage(member), this.#start + at, this.#start + packed.length)
    }
  }

  #handOn(content: Buffer, start: number, end: number): void {
    if (content.length === 0) return
    const into = this.#open()
    into.write(content)
    into.end(start, end)
  }

  /** What comes out before the fault: the longest beginning that unpacks. */
  #salvage(packed: Buffer): Buffer {
    let good = 0
    let bad = packed.length
    let content: Buffer = Buffer.alloc(0)
    // From the beginning on, in steps that double, and then between the last two: most faults come early.
    for (let step = HEADER_BYTES * 2; bad - good > 1; step *= 2) {
      const middle = step < bad ? step : good + Math.floor((bad - good) / 2)
      const unpacked = unpack(packed.subarray(0, middle), this.#budget())
      if (unpacked === undefined) bad = middle
      else [good, content] = [middle, unpacked]
      this.#tried += content.length
      if (this.#tried > this.#budget()) throw new ScanIncomplete('more is packed in it than may be unpacked')
    }
    return content
  }
}

/** Where the next header stands; -1 if there is none. Whoever unpacks it looks at no other field. */
function headerIn(bytes: Buffer, from: number): number {
  for (let at = bytes.indexOf(MAGIC, from); at >= 0; at = bytes.indexOf(MAGIC, at + 1)) {
    if ((bytes[at + 3] ?? 0) < 0x20) return at
  }
  return -1
}

/** Undefined for what has a fault in it, and with `Z_FINISH` also for what is cut short; else that gives what is there of it. What follows one is left alone. */
function unpack(packed: Buffer, mostBytes: number, finishFlush: number = constants.Z_SYNC_FLUSH): Buffer | undefined {
  try {
    return inflateRawSync(packed.subarray(contentOf(packed)), { maxOutputLength: Math.max(1, mostBytes), finishFlush })
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
