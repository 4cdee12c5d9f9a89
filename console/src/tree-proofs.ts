import { type Bytes, join, same, sha256, type Tree } from './signed-lines.ts'

const nodeOf = (left: Uint8Array, right: Uint8Array): Promise<Bytes> => sha256(join(Uint8Array.of(1), left, right))

/** Whether a leaf is in a tree, by its proof (RFC 9162, 2.1.3.2). */
export async function included(leaf: Bytes, index: number, { size, root }: Tree, proof: readonly Uint8Array[]): Promise<boolean> {
  if (index < 0 || index >= size) return false
  let [node, last, hash] = [index, size - 1, leaf]
  for (const beside of proof) {
    if (last === 0) return false
    if (node % 2 === 1 || node === last) {
      hash = await nodeOf(beside, hash)
      while (node % 2 === 0 && node !== 0) [node, last] = [Math.floor(node / 2), Math.floor(last / 2)]
    } else hash = await nodeOf(hash, beside)
    ;[node, last] = [Math.floor(node / 2), Math.floor(last / 2)]
  }
  return last === 0 && same(hash, root)
}

const isPowerOfTwo = (size: number): boolean => Number.isInteger(Math.log2(size))

/** Whether a later tree continues an earlier one of the same ledger, by its proof (RFC 9162, 2.1.4.2). */
export async function continues(earlier: Tree, later: Tree, proof: readonly Uint8Array[]): Promise<boolean> {
  if (earlier.origin !== later.origin || earlier.size > later.size) return false
  if (earlier.size === later.size) return proof.length === 0 && same(earlier.root, later.root)
  if (earlier.size === 0) return proof.length === 0
  const [first, ...rest] = isPowerOfTwo(earlier.size) ? [earlier.root, ...proof] : proof
  if (first === undefined) return false
  let [node, last] = [earlier.size - 1, later.size - 1]
  while (node % 2 === 1) [node, last] = [Math.floor(node / 2), Math.floor(last / 2)]
  let [before, after] = [first, first]
  for (const beside of rest) {
    if (last === 0) return false
    if (node % 2 === 1 || node === last) {
      ;[before, after] = [await nodeOf(beside, before), await nodeOf(beside, after)]
      while (node % 2 === 0 && node !== 0) [node, last] = [Math.floor(node / 2), Math.floor(last / 2)]
    } else after = await nodeOf(after, beside)
    ;[node, last] = [Math.floor(node / 2), Math.floor(last / 2)]
  }
  return last === 0 && same(before, earlier.root) && same(after, later.root)
}
