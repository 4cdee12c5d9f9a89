import type { DatabaseSync } from 'node:sqlite'
import { consistencyProof, hashesOf, inclusionProof, rootOf, type SubtreeRoot } from '../../engine/index.ts'
import { BLOCK_LEVEL } from './schema.ts'

const BLOCK = 2 ** BLOCK_LEVEL

/** Proofs from the hashes that the store keeps: each leaf, and each complete block of 256. */
export class StoredTree {
  readonly #leaves
  readonly #block
  readonly #known = new Map<number, Buffer>()

  constructor(database: DatabaseSync) {
    this.#leaves = database.prepare('SELECT hash FROM tree WHERE level = 0 AND number >= ? AND number < ? ORDER BY number')
    this.#block = database.prepare(`SELECT hash FROM tree WHERE level = ${BLOCK_LEVEL} AND number = ?`)
  }

  /** Proof of each row, by its position from 1, in the tree of the first `size` rows. Throws RangeError for a row beyond it or a hash that is missing. */
  inclusion(positions: readonly number[], size: number): Buffer[][] {
    // Rows of one run share most of their way to the root.
    const memory = new Map<string, Buffer>()
    const subtree: SubtreeRoot = (start, end) => {
      const known = memory.get(`${start}/${end}`) ?? this.#root(start, end)
      memory.set(`${start}/${end}`, known)
      return known
    }
    return positions.map((position) => inclusionProof(position - 1, size, subtree))
  }

  consistency(from: number, size: number): Buffer[] {
    return consistencyProof(from, size, (start, end) => this.#root(start, end))
  }

  #root(start: number, end: number): Buffer {
    const first = Math.ceil(start / BLOCK)
    const last = Math.floor(end / BLOCK)
    // A subtree of RFC 6962 begins at a multiple of its size, so one that is longer than a block begins with whole ones.
    if (end - start < BLOCK || start % BLOCK !== 0) return rootOf(this.#leafHashes(start, end))
    const blocks = Array.from({ length: last - first }, (_each, index) => this.#blockRoot(first + index))
    return this.#joined(blocks, this.#leafHashes(last * BLOCK, end))
  }

  /** The root over whole blocks and what follows them. */
  #joined(blocks: readonly Buffer[], rest: readonly Buffer[]): Buffer {
    return rootOf(rest.length === 0 ? blocks : [...blocks, rootOf(rest)])
  }

  #blockRoot(number: number): Buffer {
    const known = this.#known.get(number)
    if (known !== undefined) return known
    const hash = hashOf(this.#block.get(number)?.['hash'])
    this.#known.set(number, hash)
    return hash
  }

  #leafHashes(start: number, end: number): Buffer[] {
    if (start === end) return []
    const hashes = this.#leaves.all(start, end).map((row) => hashOf(row['hash']))
    if (hashes.length !== end - start) throw new RangeError(`hashes of the rows ${start + 1} to ${end}: ${hashes.length} of ${end - start}`)
    return hashes
  }
}

function hashOf(value: unknown): Buffer {
  const [hash] = value instanceof Uint8Array ? hashesOf(value) : []
  if (hash === undefined) throw new RangeError('a hash of the tree is missing')
  return hash
}
