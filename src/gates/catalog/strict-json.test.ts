import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readStrictJson } from './strict-json.ts'

const problemOf = (text: string): string => {
  const read = readStrictJson(text)
  assert.ok('problem' in read, `accepted ${text}`)
  return read.problem
}

test('valid JSON is read as JSON.parse reads it', () => {
  fc.assert(fc.property(fc.json({ noUnicodeString: false }), (text) => {
    if (text.includes('__proto__')) return
    assert.deepEqual(readStrictJson(text), { value: JSON.parse(text) as unknown })
  }))
})

test('a key that stands twice is refused, at any depth and however it is written', () => {
  assert.equal(problemOf('{"a":1,"a":1}'), 'a key that stands twice or is reserved, at line 1 column 8')
  assert.match(problemOf('{"x":[{"status":"revoked",\n "status":"admitted"}]}'), /line 2 column 2/)
  assert.match(problemOf('{"st\\u0061tus":1,"status":2}'), /twice/)
  assert.match(problemOf('{"a":{"b":1},"c":[1,{"d":","}],"a":2}'), /twice/)
  assert.match(problemOf('{"__proto__":1}'), /reserved/)
})

test('the same key in two objects, and a value that looks like a key, are not repetitions', () => {
  for (const text of ['[{"a":1},{"a":1}]', '{"a":"a","b":"a"}', '{"a":{"a":{"a":1}}}', '{"a":["a","a"],"b":"\\"a\\":"}', '{"a":[],"b":{}}']) assert.ok('value' in readStrictJson(text), text)
})

test('what is not JSON is refused without a word of its text', () => {
  for (const text of ['', 'secret-value', '{"a":1,}', '{"key":"secret-value" x}', '{"a":"secret-value', '\uFEFF{}']) {
    const problem = problemOf(text)
    assert.match(problem, /^not JSON/)
    assert.doesNotMatch(problem, /secret/)
  }
  assert.equal(problemOf('{"a":1,}'), 'not JSON (line 1 column 8)')
})

test('deep nesting neither overflows nor passes unseen', () => {
  assert.match(problemOf(`${'['.repeat(20_000)}{"a":1,"a":2}${']'.repeat(20_000)}`), /twice/)
})
