import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { verifies } from '../../test/verifies.ts'
import { ModelPair, parsePair, parseTriple, printPair, printTriple, samePair } from './model.ts'

verifies('MC-081', 'claude/anthropic/opus[1m] is runtime, provider and model, and is printed as the same text', () => {
  const triple = parseTriple('claude/anthropic/opus[1m]')
  assert.deepEqual(triple, { runtime: 'claude', provider: 'anthropic', model: 'opus[1m]' })
  assert.equal(triple && printTriple(triple), 'claude/anthropic/opus[1m]')
})

verifies('MC-081', 'every text that is read as a triple is printed as the same text', () => {
  const texts = fc.oneof(fc.string(), fc.array(fc.string({ minLength: 1 }), { minLength: 2, maxLength: 5 }).map((parts) => parts.join('/')))
  fc.assert(
    fc.property(texts, (text) => {
      const triple = parseTriple(text)
      if (triple !== undefined) assert.equal(printTriple(triple), text)
    }),
  )
  const names = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]*$/)
  fc.assert(
    fc.property(names, names, fc.stringMatching(/^[!-~]+$/), (runtime, provider, model) => {
      assert.deepEqual(parseTriple(`${runtime}/${provider}/${model}`), { runtime, provider, model })
    }),
  )
})

test('a model may contain slashes; a provider may not', () => {
  assert.deepEqual(parsePair('vllm/Qwen/Qwen3.6-35B-A3B'), { provider: 'vllm', model: 'Qwen/Qwen3.6-35B-A3B' })
  assert.equal(printPair({ provider: 'vllm', model: 'Qwen/Qwen3.6-35B-A3B' }), 'vllm/Qwen/Qwen3.6-35B-A3B')
})

test('what is not exactly a pair is no pair', () => {
  for (const text of ['', '/', 'sonnet', 'anthropic/', '/opus', 'anthropic/ opus', 'anthropic/opus 4', ' anthropic/opus', 'anthropic/opus\n', 'an thropic/opus', '-a/b']) {
    assert.equal(parsePair(text), undefined, JSON.stringify(text))
  }
  for (const text of ['', 'claude', 'claude/anthropic', 'claude/anthropic/', 'claude//opus', '/anthropic/opus', 'claude/anthropic/opus\n', 'claude/anthropic/a b']) {
    assert.equal(parseTriple(text), undefined, JSON.stringify(text))
  }
})

verifies('ADM-A4', 'a pair is the same only if both names are, letter by letter', () => {
  const pair = { provider: 'qwen-local', model: 'qwen3.6-35b-a3b' }
  assert.equal(samePair(pair, { ...pair }), true)
  for (const other of [
    { ...pair, provider: 'qwen' },
    { ...pair, provider: 'Qwen-local' },
    { ...pair, model: 'QWEN3.6-35b-a3b' },
    { ...pair, model: 'qwen3.6-35b-a3b ' },
    { ...pair, model: 'qwen3.6' },
    { ...pair, model: 'qwen3.6*' },
    { ...pair, model: '' },
    { provider: pair.model, model: pair.provider },
  ]) {
    assert.equal(samePair(pair, other), false, printPair(other))
    assert.equal(samePair(other, pair), false, printPair(other))
  }
})

test('a pair in a file has no third member', () => {
  assert.equal(ModelPair.safeParse({ provider: 'a', model: 'b', fallback: 'c' }).success, false)
})
