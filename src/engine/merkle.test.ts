import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytesOf, consistencyProof, GrowingTree, hashTextOf, inclusionProof, leafHash, merkleRoot, rootOf, verifyConsistency, verifyInclusion } from './merkle.ts'

const rows = Array.from({ length: 70 }, (_each, index) => `row ${index} ä`)
const leaves = rows.map(leafHash)
const subtree = (start: number, end: number): Buffer => rootOf(leaves.slice(start, end))
const headOf = (size: number) => ({ size, root: subtree(0, size) })

test('the published hashes of an empty tree and of one empty leaf', () => {
  assert.equal(merkleRoot([]), 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
  assert.equal(merkleRoot(['']), '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d')
})

test('a tree that grows has the root of the whole, and can be taken up from its edge', () => {
  let tree = new GrowingTree()
  for (let size = 1; size <= leaves.length; size++) {
    tree.add(hashTextOf(leaves[size - 1] ?? Buffer.alloc(0)))
    assert.deepEqual(tree.root(), subtree(0, size))
    assert.equal(tree.root().toString('hex'), merkleRoot(rows.slice(0, size)))
    tree = new GrowingTree(tree.size, tree.edge())
  }
  assert.throws(() => new GrowingTree(3, Buffer.alloc(32)), RangeError)
})

test('a tree that grows tells each complete tree once', () => {
  const told = new Map<string, Buffer>()
  const tree = new GrowingTree()
  for (const leaf of leaves) tree.add(hashTextOf(leaf), (level, number, root) => {
    assert.ok(!told.has(`${level}/${number}`))
    told.set(`${level}/${number}`, bytesOf(root))
  })
  assert.deepEqual(told.get('3/1'), subtree(8, 16))
  assert.deepEqual(told.get('6/0'), subtree(0, 64))
  assert.equal(told.size, 70 + 35 + 17 + 8 + 4 + 2 + 1)
})

test('every leaf is shown to be in every tree, at its place and nowhere else', () => {
  for (let size = 1; size <= leaves.length; size++) {
    const { root } = headOf(size)
    for (let index = 0; index < size; index++) {
      const proof = inclusionProof(index, size, subtree)
      const leaf = leaves[index] ?? Buffer.alloc(0)
      assert.ok(verifyInclusion(leaf, index, size, proof, root), `${index} of ${size}`)
      assert.ok(!verifyInclusion(leaves[index + 1] ?? leafHash('other'), index, size, proof, root))
      if (size > 1) assert.ok(!verifyInclusion(leaf, (index + 1) % size, size, proof, root), `${index} of ${size} at another place`)
      assert.ok(!verifyInclusion(leaf, index, size, [...proof, leaf], root))
      assert.ok(!verifyInclusion(leaf, index, size, proof.slice(1), leafHash('other')))
    }
  }
})

test('every tree is shown to continue each earlier one, and no other', () => {
  for (let size = 1; size <= leaves.length; size++) {
    for (let from = 0; from <= size; from++) {
      const proof = consistencyProof(from, size, subtree)
      assert.ok(verifyConsistency(headOf(from), headOf(size), proof), `${from} to ${size}`)
      assert.ok(!verifyConsistency({ size: from, root: leafHash('other') }, headOf(size), proof), `${from} to ${size}, another start`)
      assert.ok(!verifyConsistency(headOf(from), { size, root: leafHash('other') }, proof) || from === 0)
    }
  }
  assert.ok(!verifyConsistency(headOf(9), headOf(8), []))
})
