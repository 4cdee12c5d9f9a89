import { isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'
import { closeSync, openSync, writeSync } from 'node:fs'
import { systemCode } from '../../contract/errors.ts'
import type { StreamSummary } from './ports.ts'

/** The first and the last bytes of a stream, its length and its digest, in memory that does not grow with it (ACC-47). */
export class Capture {
  readonly #head: Buffer[] = []
  readonly #headBytes: number
  readonly #tailBytes: number
  readonly #hash = createHash('sha256')
  #headLength = 0
  #ring: Buffer | undefined
  #ringLength = 0
  #ringEnd = 0
  #bytes = 0
  readonly #text = new TextCheck()

  constructor(keep: { readonly headBytes: number; readonly tailBytes: number }) {
    this.#headBytes = keep.headBytes
    this.#tailBytes = keep.tailBytes
  }

  add(chunk: Buffer): void {
    this.#bytes += chunk.length
    this.#hash.update(chunk)
    this.#text.add(chunk)
    const forHead = Math.min(chunk.length, this.#headBytes - this.#headLength)
    if (forHead > 0) {
      // Copied: a slice would keep the whole 64 KiB of its chunk alive.
      this.#head.push(Buffer.from(chunk.subarray(0, forHead)))
      this.#headLength += forHead
    }
    if (forHead < chunk.length && this.#tailBytes > 0) this.#addToRing(chunk.subarray(Math.max(forHead, chunk.length - this.#tailBytes)))
  }

  #addToRing(bytes: Buffer): void {
    this.#ring ??= Buffer.allocUnsafe(this.#tailBytes)
    const first = Math.min(bytes.length, this.#tailBytes - this.#ringEnd)
    bytes.copy(this.#ring, this.#ringEnd, 0, first)
    bytes.copy(this.#ring, 0, first)
    this.#ringEnd = (this.#ringEnd + bytes.length) % this.#tailBytes
    this.#ringLength = Math.min(this.#tailBytes, this.#ringLength + bytes.length)
  }

  /** Ends the capture; it takes no more bytes after this. */
  summary(): StreamSummary {
    const ring = this.#ring ?? Buffer.alloc(0)
    const wrapped = this.#ringLength === this.#tailBytes
    const tail = wrapped ? Buffer.concat([ring.subarray(this.#ringEnd), ring.subarray(0, this.#ringEnd)]) : Buffer.from(ring.subarray(0, this.#ringLength))
    return {
      head: Buffer.concat(this.#head),
      tail,
      bytes: this.#bytes,
      sha256: this.#hash.digest('hex'),
      truncated: this.#bytes > this.#headLength + this.#ringLength,
      utf8: this.#text.end(),
    }
  }
}

/** Whether a stream is UTF-8, read chunk by chunk; a character may lie across two of them. */
export class TextCheck {
  #sound = true
  #open: Buffer = Buffer.alloc(0)

  add(chunk: Buffer): void {
    if (!this.#sound || chunk.length === 0) return
    // The open character is completed byte by byte, so that no chunk is copied for its sake.
    let at = 0
    while (this.#open.length > 0 && at < chunk.length) {
      this.#open = Buffer.concat([this.#open, chunk.subarray(at, ++at)])
      if (isUtf8(this.#open)) this.#open = Buffer.alloc(0)
      else if (this.#open.length >= 4) return void (this.#sound = false)
    }
    if (at === chunk.length) return
    const cut = at + completeLength(chunk.subarray(at))
    this.#sound = isUtf8(chunk.subarray(at, cut))
    this.#open = Buffer.from(chunk.subarray(cut))
  }

  /** An open character at the end is a broken one. */
  end(): boolean {
    return this.#sound && this.#open.length === 0
  }
}

/** The length without a character that begins in the last three bytes and needs more than there are. */
function completeLength(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0
    if ((byte & 0b1100_0000) === 0b1000_0000) continue
    const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1
    return needed > back ? bytes.length - back : bytes.length
  }
  return bytes.length
}

/** A log file that takes at most `maxBytes`. Written synchronously: what a crash leaves is in order, and no queue can grow. */
export class BoundedLog {
  readonly #descriptor: number
  #left: number

  /** Throws the system's error if the file cannot be created. */
  constructor(path: string, maxBytes: number) {
    this.#descriptor = openSync(path, 'w', 0o600)
    this.#left = maxBytes
  }

  /** Throws the system's error if the bytes cannot be written (a full disk). */
  add(chunk: Buffer): void {
    let rest = chunk.subarray(0, this.#left)
    while (rest.length > 0) {
      const written = writeSync(this.#descriptor, rest)
      this.#left -= written
      rest = rest.subarray(written)
    }
  }

  close(): void {
    closeSync(this.#descriptor)
  }
}

/** One output stream: captured, logged and shown to an observer. The first failure of any of them is kept; reading goes on. */
export class OutputReader {
  readonly #capture: Capture
  readonly #log: BoundedLog | undefined
  readonly #observe: ((chunk: Buffer) => void) | undefined
  #failure: string | null = null

  constructor(capture: Capture, log: BoundedLog | undefined, observe: ((chunk: Buffer) => void) | undefined) {
    this.#capture = capture
    this.#log = log
    this.#observe = observe
  }

  get failure(): string | null {
    return this.#failure
  }

  add(chunk: Buffer): void {
    this.#capture.add(chunk)
    this.#attempt('the log could not be written', () => this.#log?.add(chunk))
    if (this.#observe === undefined) release(chunk)
    else this.#attempt('the observer of the output threw', () => this.#observe?.(chunk))
  }

  end(): StreamSummary {
    this.#attempt('the log could not be closed', () => this.#log?.close())
    return this.#capture.summary()
  }

  /** Only the class or code of an error is kept: its text may quote what was read. */
  #attempt(what: string, act: () => void): void {
    try {
      act()
    } catch (error) {
      this.#failure ??= `${what} (${systemCode(error) ?? (error instanceof Error ? error.name : typeof error)})`
      return
    }
  }
}

/**
 * Gives the memory of a chunk back now. Left to the garbage collector, a program that prints 200 MB costs 30 to 65 MB,
 * because buffers outside the heap hurry no collection. Only where nobody else can hold the chunk and it owns its memory.
 */
function release(chunk: Buffer): void {
  const { buffer } = chunk
  if (buffer instanceof ArrayBuffer && buffer.byteLength === chunk.byteLength) buffer.transfer(0)
}
