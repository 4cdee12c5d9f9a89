import { createHash, type Hash } from 'node:crypto'
import { sha256 } from '../../contract/canonical.ts'

/** SHA-256 over bytes as they come. Most answers come in one piece, for which a hash object would cost more than the hash. */
export class RunningDigest {
  #first: Uint8Array | undefined
  #hash: Hash | undefined

  update(bytes: Uint8Array): void {
    if (this.#first === undefined) {
      this.#first = bytes
      return
    }
    this.#hash ??= createHash('sha256').update(this.#first)
    this.#hash.update(bytes)
  }

  /** Lower-case hex. Ends the digest. */
  hex(): string {
    return this.#hash?.digest('hex') ?? sha256(this.#first ?? new Uint8Array())
  }
}
