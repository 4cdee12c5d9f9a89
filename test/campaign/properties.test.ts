/** The properties of the wire's pure parts, with 10,000 cases each: every dialect, every line end, any bodies and any chunking (WIR-43). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CASES, casesOf } from '../cases.ts'

process.env[CASES] = '10000'

void test('the properties below are tried with ten thousand cases each', () => {
  assert.equal(casesOf(400), 10_000)
})

// Loaded after the number of cases is set: each file registers its tests here, as it does in `npm test` with fewer.
await import('../../src/gates/wire/model-field.test.ts')
await import('../../src/gates/wire/answer.test.ts')
