import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRunToken, looksLikeRunToken, Name, RunId, runIdOf } from './ids.ts'

test('the id of a run is the time in UTC, the task and a number', () => {
  assert.equal(runIdOf(new Date('2026-06-01T01:39:18.250Z'), 'r1-string-slugify', 1), '20260601T013918Z-r1-string-slugify-1')
  assert.equal(runIdOf(new Date('2026-06-01T03:39:18+02:00'), 'r1', 12), '20260601T013918Z-r1-12')
})

test('no run id is made of what could be a path, of no time or of no number', () => {
  for (const taskId of ['', '.', '..', '../etc', 'a/b', 'a\\b', 'a b', '-a', 'a\n']) assert.throws(() => runIdOf(new Date(0), taskId, 1), /expected/, JSON.stringify(taskId))
  assert.throws(() => runIdOf(new Date(Number.NaN), 'r1', 1), RangeError)
  assert.throws(() => runIdOf(new Date(0), 'r1', 1.5))
})

test('run ids sort by time', () => {
  const ids = ['2026-06-01T01:39:18Z', '2026-06-01T01:39:19Z', '2026-12-01T00:00:00Z', '2027-01-01T00:00:00Z'].map((time) => runIdOf(new Date(time), 'r1', 1))
  assert.deepEqual(ids.toReversed().toSorted(), ids)
})

test('a stored run id is one line of the expected form', () => {
  assert.equal(RunId.safeParse('20260601T013918Z-r1-1').success, true)
  for (const text of ['latest', '20260601T013918Z-r1', '2026-06-01T01:39:18Z-r1-1', '20260601T013918Z-r1-1\n', '20260601T013918Z-../r1-1', `20260601T013918Z-${'a'.repeat(160)}-1`]) {
    assert.equal(RunId.safeParse(text).success, false, JSON.stringify(text))
  }
})

test('a name is what can be the name of a file anywhere', () => {
  for (const text of ['a', 'claude_opus_1m_medium', 'qwen3.6-35b-a3b', '1']) assert.equal(Name.safeParse(text).success, true, text)
  for (const text of ['', '.hidden', '..', '-rf', '_a', 'a/b', 'a b', 'é', 'a\n', '__proto__', 'a'.repeat(101)]) assert.equal(Name.safeParse(text).success, false, JSON.stringify(text))
})

test('a run token is prefixed, long and never the same', () => {
  const tokens = new Set(Array.from({ length: 100 }, createRunToken))
  assert.equal(tokens.size, 100)
  for (const token of tokens) {
    assert.match(token, /^pcr_[A-Za-z0-9_-]{49}$/)
    assert.equal(looksLikeRunToken(token), true)
  }
})

test('a run token with any one character changed is seen to be wrong without a lookup', () => {
  const token = createRunToken()
  for (let index = 0; index < token.length; index += 1) {
    const typo = `${token.slice(0, index)}${token[index] === 'a' ? 'b' : 'a'}${token.slice(index + 1)}`
    assert.equal(looksLikeRunToken(typo), false, typo)
  }
  for (const text of ['', token.slice(1), `${token}\n`, ` ${token}`, `${token}${token}`, token.toUpperCase()]) assert.equal(looksLikeRunToken(text), false)
})
