import { createHash } from 'node:crypto'

const hash = (...parts: readonly Uint8Array[]): Buffer => {
  const sum = createHash('sha256')
  for (const part of parts) sum.update(part)
  return sum.digest()
}

const LEAF = Buffer.from([0])
const NODE = Buffer.from([1])

/** RFC 6962 tree hash over rows as they are stored, lower-case hex. Any changed, removed, inserted or swapped row changes it. */
export function merkleRoot(rows: readonly string[]): string {
  const leaves = rows.map((row) => hash(LEAF, Buffer.from(row, 'utf8')))
  return rootOf(leaves).toString('hex')
}

function rootOf(leaves: readonly Buffer[]): Buffer {
  if (leaves.length === 0) return hash()
  if (leaves.length === 1) return leaves[0] ?? hash()
  let split = 1
  while (split * 2 < leaves.length) split *= 2
  return hash(NODE, rootOf(leaves.slice(0, split)), rootOf(leaves.slice(split)))
}
