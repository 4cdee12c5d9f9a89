import type { RawRecord } from '../../engine/sessions/runtime.ts'

/** Keeps the first and the last bytes of what a session printed, bounded while it is read. */
export class RawKeeper {
  readonly #headBytes: number
  readonly #tailBytes: number
  #head: Buffer[] = []
  #headLength = 0
  #tail: Buffer = Buffer.alloc(0)
  #totalBytes = 0

  constructor({ headBytes, tailBytes }: { readonly headBytes: number; readonly tailBytes: number }) {
    this.#headBytes = headBytes
    this.#tailBytes = tailBytes
  }

  add(chunk: Buffer): void {
    this.#totalBytes += chunk.length
    const first = chunk.subarray(0, this.#headBytes - this.#headLength)
    if (first.length > 0) {
      this.#head.push(Buffer.from(first))
      this.#headLength += first.length
    }
    const rest = chunk.subarray(first.length)
    if (rest.length > 0) this.#tail = Buffer.from(Buffer.concat([this.#tail, rest]).subarray(-this.#tailBytes))
  }

  record(format: RawRecord['format']): RawRecord {
    const left = this.#totalBytes - this.#headLength - this.#tail.length
    // Said in the text too: two halves that are joined in silence would read as one.
    const gap = left > 0 ? Buffer.from(`\n[${left} bytes left out]\n`) : Buffer.alloc(0)
    return { format, content: Buffer.concat([...this.#head, gap, this.#tail]), totalBytes: this.#totalBytes, truncated: left > 0 }
  }
}
