import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Needles, Search } from './search.ts'

/** All places at which each needle stands, found the slow way. */
function naive(needles: readonly Buffer[], text: Buffer): string[] {
  const found: string[] = []
  for (const [index, needle] of needles.entries()) {
    for (let at = text.indexOf(needle); at >= 0; at = text.indexOf(needle, at + 1)) found.push(`${index} ${at + needle.length}`)
  }
  return found.sort()
}

function search(needles: readonly Buffer[], text: Buffer, pieces: readonly number[]): string[] {
  const found: string[] = []
  const running = new Search(new Needles(needles))
  let at = 0
  for (const size of [...pieces, text.length]) {
    const chunk = text.subarray(at, at + size)
    running.write(chunk, chunk.length, (needle, end) => found.push(`${needle} ${at + end}`))
    at += chunk.length
  }
  return found.sort()
}

// Few letters, so that needles overlap, contain and continue one another.
const letters = (alphabet: string, minLength: number, maxLength: number) => fc.array(fc.constantFrom(...alphabet), { minLength, maxLength }).map((all) => Buffer.from(all.join('')))

for (const [name, alphabet, shortest] of [['two letters', 'ab', 1], ['two letters, long needles', 'ab', 5], ['many letters', 'abcdefghij', 4]] as const) {
  test(`every needle is found at every place, however the text is cut: ${name}`, () => {
    fc.assert(
      fc.property(fc.uniqueArray(letters(alphabet, shortest, 30), { minLength: 1, maxLength: 8, selector: (needle) => needle.toString() }), letters(alphabet, 0, 200), fc.array(fc.integer({ min: 0, max: 40 })), (needles, noise, pieces) => {
        // Needles in the noise, whole and cut.
        const text = Buffer.concat([noise, ...needles.flatMap((needle) => [needle, noise.subarray(0, 7), needle.subarray(1)])])
        assert.deepEqual(search(needles, text, pieces), naive(needles, text))
      }),
      { numRuns: 300 },
    )
  })
}

test('needles of every byte are found in every byte', () => {
  const all = Buffer.from(Array.from({ length: 256 }, (_none, byte) => byte))
  assert.deepEqual(search([all, all.subarray(250)], Buffer.concat([all, all]), [300]), naive([all, all.subarray(250)], Buffer.concat([all, all])))
})

test('nothing is found of no needles', () => {
  assert.deepEqual(search([], Buffer.from('text'), []), [])
})
