import { createHash, hash as hashOnce } from 'node:crypto'

const hash = (...parts: readonly Uint8Array[]): Buffer => {
  const sum = createHash('sha256')
  for (const part of parts) sum.update(part)
  return sum.digest()
}

const LEAF = Buffer.from([0])
const NODE = Buffer.from([1])

/** One scratch area for all nodes: a ledger of a million rows hashes two million times. */
const pair = Buffer.alloc(65)
pair[0] = 1

const nodeOf = (left: Uint8Array, right: Uint8Array): Buffer => {
  if (left.length !== 32 || right.length !== 32) return hash(NODE, left, right)
  pair.set(left, 1)
  pair.set(right, 33)
  return hashOnce('sha256', pair, 'buffer')
}

/** RFC 6962 hash of one leaf. */
export const leafHash = (text: string): Buffer => hashOnce('sha256', `\u0000${text}`, 'buffer')

/** A hash as text, a character for each byte: node gives it out, and takes it, in half the time of a Buffer. */
export type HashText = string

/** The hash of a leaf whose text has the zero byte of RFC 6962 before it already. */
export const leafHashText = (prefixed: string): HashText => hashOnce('sha256', prefixed, 'binary')
export const bytesOf = (hashed: HashText): Buffer => Buffer.from(hashed, 'latin1')
export const hashTextOf = (bytes: Uint8Array): HashText => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')

function nodeText(left: HashText, right: HashText): HashText {
  pair.write(left, 1, 32, 'latin1')
  pair.write(right, 33, 32, 'latin1')
  return hashOnce('sha256', pair, 'binary')
}

/** RFC 6962 tree hash over rows as they are stored, lower-case hex. Any changed, removed, inserted or swapped row changes it. */
export function merkleRoot(rows: readonly string[]): string {
  const leaves = rows.map((row) => hash(LEAF, Buffer.from(row, 'utf8')))
  return rootOf(leaves).toString('hex')
}

/** RFC 6962 tree hash over the hashes of leaves. */
export function rootOf(leaves: readonly Uint8Array[]): Buffer {
  if (leaves.length === 0) return hash()
  const [only] = leaves
  if (leaves.length === 1 && only !== undefined) return Buffer.from(only)
  const split = splitOf(leaves.length)
  return nodeOf(rootOf(leaves.slice(0, split)), rootOf(leaves.slice(split)))
}

/** The largest power of two below `count`. */
function splitOf(count: number): number {
  let split = 1
  while (split * 2 < count) split *= 2
  return split
}

/** A tree that only grows, of which no more is kept than its right edge: one hash for each bit that is set in its size. */
export class GrowingTree {
  #size: number
  /** Roots of the complete trees it consists of, the largest first. */
  readonly #edge: HashText[]

  /** `edge` as `edge()` gave it. Throws RangeError if it is none of a tree of that size. */
  constructor(size = 0, edge: Uint8Array = new Uint8Array()) {
    if (edge.length !== 32 * bitsOf(size)) throw new RangeError(`the edge of a tree of ${size} leaves has ${bitsOf(size)} hashes, found ${edge.length} bytes`)
    this.#size = size
    this.#edge = hashesOf(edge).map(hashTextOf)
  }

  get size(): number {
    return this.#size
  }

  /** `completed` hears the root of each complete tree of 2^level leaves, and its number from 0, as it comes into being. */
  add(leaf: HashText, completed?: (level: number, number: number, root: HashText) => void): void {
    let root = leaf
    let level = 0
    completed?.(0, this.#size, root)
    for (let rest = this.#size; rest % 2 === 1; rest = (rest - 1) / 2) {
      root = nodeText(this.#edge.pop() ?? leaf, root)
      level += 1
      completed?.(level, (rest - 1) / 2, root)
    }
    this.#edge.push(root)
    this.#size += 1
  }

  root(): Buffer {
    const [last, ...before] = this.#edge.toReversed()
    return last === undefined ? hash() : bytesOf(before.reduce((right, left) => nodeText(left, right), last))
  }

  edge(): Buffer {
    return Buffer.concat(this.#edge.map(bytesOf))
  }
}

function bitsOf(size: number): number {
  let bits = 0
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) bits += rest % 2
  return bits
}

/** Hashes that stand one after the other, 32 bytes each. */
export const hashesOf = (bytes: Uint8Array): Buffer[] => Array.from({ length: Math.floor(bytes.length / 32) }, (_each, index) => Buffer.from(bytes.subarray(index * 32, index * 32 + 32)))

/** The root of the leaves from `start` up to, not including, `end`. */
export type SubtreeRoot = (start: number, end: number) => Buffer

/** What shows that leaf `index` is in the tree of the first `size` leaves (RFC 9162, 2.1.3.1). */
export function inclusionProof(index: number, size: number, subtree: SubtreeRoot): Buffer[] {
  const within = (start: number, end: number): Buffer[] => {
    if (end - start === 1) return []
    const middle = start + splitOf(end - start)
    return index < middle ? [...within(start, middle), subtree(middle, end)] : [...within(middle, end), subtree(start, middle)]
  }
  if (index < 0 || index >= size) throw new RangeError(`no leaf ${index} in a tree of ${size}`)
  return within(0, size)
}

/** True if `proof` shows that `leaf` is leaf `index` of the tree of `size` leaves with that root (RFC 9162, 2.1.3.2). */
export function verifyInclusion(leaf: Buffer, index: number, size: number, proof: readonly Buffer[], root: Buffer): boolean {
  if (index < 0 || index >= size || proof.some((hashed) => hashed.length !== 32)) return false
  let at = index
  let last = size - 1
  let found = leaf
  for (const sibling of proof) {
    if (last === 0) return false
    if (at % 2 === 1 || at === last) {
      found = nodeOf(sibling, found)
      while (at % 2 === 0 && at !== 0) {
        at = Math.floor(at / 2)
        last = Math.floor(last / 2)
      }
    } else found = nodeOf(found, sibling)
    at = Math.floor(at / 2)
    last = Math.floor(last / 2)
  }
  return last === 0 && found.equals(root)
}

/** What shows that the tree of `size` leaves continues the one of its first `from` leaves (RFC 9162, 2.1.4.1). */
export function consistencyProof(from: number, size: number, subtree: SubtreeRoot): Buffer[] {
  const within = (start: number, end: number, whole: boolean): Buffer[] => {
    if (end === from) return whole ? [] : [subtree(start, end)]
    const middle = start + splitOf(end - start)
    return from <= middle ? [...within(start, middle, whole), subtree(middle, end)] : [...within(middle, end, false), subtree(start, middle)]
  }
  if (from > size) throw new RangeError(`a tree of ${size} leaves does not continue one of ${from}`)
  return from === 0 ? [] : within(0, size, true)
}

export interface TreeHead {
  readonly size: number
  readonly root: Buffer
}

/** True if `proof` shows that the later tree continues the earlier one (RFC 9162, 2.1.4.2). */
export function verifyConsistency(earlier: TreeHead, later: TreeHead, proof: readonly Buffer[]): boolean {
  if (earlier.size > later.size || proof.some((hashed) => hashed.length !== 32)) return false
  if (earlier.size === later.size) return proof.length === 0 && earlier.root.equals(later.root)
  if (earlier.size === 0) return proof.length === 0 && earlier.root.equals(hash())
  const [first, ...rest] = bitsOf(earlier.size) === 1 ? [earlier.root, ...proof] : proof
  if (first === undefined) return false
  let at = earlier.size - 1
  let last = later.size - 1
  while (at % 2 === 1) {
    at = Math.floor(at / 2)
    last = Math.floor(last / 2)
  }
  let before = first
  let after = first
  for (const sibling of rest) {
    if (last === 0) return false
    if (at % 2 === 1 || at === last) {
      before = nodeOf(sibling, before)
      after = nodeOf(sibling, after)
      while (at % 2 === 0 && at !== 0) {
        at = Math.floor(at / 2)
        last = Math.floor(last / 2)
      }
    } else after = nodeOf(after, sibling)
    at = Math.floor(at / 2)
    last = Math.floor(last / 2)
  }
  return last === 0 && before.equals(earlier.root) && after.equals(later.root)
}
