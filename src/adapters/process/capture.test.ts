import assert from 'node:assert/strict'
import { isUtf8 } from 'node:buffer'
import { test } from 'node:test'
import fc from 'fast-check'
import { Capture, TextCheck } from './capture.ts'

test('whether a stream is UTF-8 does not depend on where it is cut', () => {
  const bytes = fc.oneof(fc.string({ unit: 'binary' }).map((text) => Buffer.from(text)), fc.uint8Array({ maxLength: 12 }).map((array) => Buffer.from(array)))
  fc.assert(
    fc.property(bytes, fc.array(fc.nat(12), { maxLength: 6 }), (whole, cuts) => {
      const check = new TextCheck()
      let from = 0
      for (const cut of [...cuts, whole.length].sort((a, b) => a - b)) {
        check.add(whole.subarray(from, cut))
        from = Math.max(from, Math.min(cut, whole.length))
      }
      assert.equal(check.end(), isUtf8(whole))
    }),
    { numRuns: 3_000 },
  )
})

test('head and tail hold the ends of a stream wherever it is cut', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.array(fc.nat(60), { maxLength: 6 }), fc.nat(20), fc.nat(20), (array, cuts, headBytes, tailBytes) => {
      const whole = Buffer.from(array)
      const capture = new Capture({ headBytes, tailBytes })
      let from = 0
      for (const cut of [...cuts, whole.length].sort((a, b) => a - b)) {
        capture.add(Buffer.from(whole.subarray(from, cut)))
        from = Math.max(from, Math.min(cut, whole.length))
      }
      const summary = capture.summary()
      assert.deepEqual(summary.head, whole.subarray(0, headBytes))
      const rest = whole.subarray(headBytes)
      assert.deepEqual(summary.tail, rest.subarray(Math.max(0, rest.length - tailBytes)))
      assert.deepEqual([summary.bytes, summary.truncated], [whole.length, rest.length > tailBytes])
    }),
  )
})
