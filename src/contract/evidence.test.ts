import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as z from 'zod'
import { verifies } from '../../test/verifies.ts'
import { digestOf } from './canonical.ts'
import { definePredicate, evidenceDigest } from './evidence.ts'

const Fields = z.strictObject({ passed: z.boolean(), durationMs: z.number().nonnegative(), note: z.string().optional() })
const predicate = definePredicate('https://portcullis.dev/evidence/example/v1', Fields)
const subject = { name: 'workspace', digest: { sha256: 'a'.repeat(64) } }
const fields = { passed: true, durationMs: 12 }

test('a statement is an in-toto Statement v1 that is read back as it was written', () => {
  const statement = predicate.state([subject], fields)
  assert.deepEqual(statement, {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [subject],
    predicateType: 'https://portcullis.dev/evidence/example/v1',
    predicate: fields,
  })
  assert.deepEqual(predicate.read(JSON.parse(JSON.stringify(statement))), statement)
})

verifies('EVD-02', 'a statement is stored by the digest of its canonical JSON, whatever the order of its keys', () => {
  const statement = predicate.state([subject], fields)
  const reordered = { predicate: { durationMs: 12, passed: true }, predicateType: statement.predicateType, subject: [subject], _type: statement._type }
  assert.equal(evidenceDigest(statement), digestOf(reordered))
  assert.notEqual(evidenceDigest(statement), evidenceDigest(predicate.state([subject], { ...fields, passed: false })))
})

for (const [what, wrong] of [
  ['a verdict that is no boolean', { ...fields, passed: 'true' }],
  ['a negative duration', { ...fields, durationMs: -1 }],
  ['a fact too many', { ...fields, admin: true }],
  ['a fact too few', { passed: true }],
] as const) {
  verifies('ACC-03', `facts with ${what} are refused when they are written and when they are read back`, () => {
    assert.throws(() => predicate.state([subject], wrong as unknown as typeof fields))
    assert.equal(predicate.read({ ...predicate.state([subject], fields), predicate: wrong }), undefined)
  })
}

for (const [what, changes] of [
  ['another predicate type', { predicateType: 'https://portcullis.dev/evidence/example/v2' }],
  ['another statement type', { _type: 'https://in-toto.io/Statement/v0.1' }],
  ['no subject', { subject: [] }],
  ['a subject without a digest', { subject: [{ name: 'workspace' }] }],
  ['an extra key', { signature: 'x' }],
  ['a predicate that is a list', { predicate: [] }],
] as const) {
  test(`a stored statement with ${what} is not read`, () => {
    assert.equal(predicate.read({ ...predicate.state([subject], fields), ...changes }), undefined)
  })
}

test('what is no statement at all is not read', () => {
  for (const value of [undefined, null, true, 'pass', 1, [], {}]) assert.equal(predicate.read(value), undefined)
})

test('a statement about nothing cannot be made', () => {
  assert.throws(() => predicate.state([], fields))
  assert.throws(() => predicate.state([{ ...subject, digest: { sha256: 'short' } }], fields))
})
