import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LIFECYCLE } from './lifecycle.ts'
import { Digest, type Pass, permits, Subject, Verdict } from './verdict.ts'

const subject = { name: 'workspace', digest: { sha256: 'a'.repeat(64) } }
const pass: Pass = {
  outcome: 'pass',
  gate: 'acceptance',
  runId: '20260601T000000Z-r1-1',
  sequence: 7,
  subject: [subject],
  policy: { name: 'acceptance/v1', digest: { sha256: 'b'.repeat(64) } },
  decidedAt: '2026-06-01T00:00:00.000Z',
  evidence: ['c'.repeat(64)],
  previous: 'd'.repeat(64),
  message: '1 of 1 met',
  expiresAt: '2026-06-01T00:05:00.000Z',
}
const { expiresAt: _expiresAt, outcome: _outcome, ...rest } = pass
const block: Verdict = { ...rest, outcome: 'block', reason: 'probe_failed', asked: 'a', found: 'f', remedy: 'r' }
const abstention: Verdict = { ...rest, outcome: 'abstain', reason: 'required_gate_abstained' }
const beforeExpiry = new Date('2026-06-01T00:04:59.999Z')

test('a pass permits its subject before it expires', () => {
  assert.equal(permits(pass, subject, beforeExpiry), true)
  assert.equal(permits({ ...pass, subject: [{ ...subject, name: 'other' }, subject] }, subject, beforeExpiry), true)
})

const refused: readonly (readonly [what: string, verdict: Verdict, asked: Subject, now: Date])[] = [
  ['at the instant of expiry', pass, subject, new Date(pass.expiresAt)],
  ['after expiry', pass, subject, new Date('2027-01-01T00:00:00Z')],
  ['at no time at all', pass, subject, new Date(Number.NaN)],
  ['with an expiry that is no time', { ...pass, expiresAt: 'never' }, subject, beforeExpiry],
  ['for another digest', pass, { ...subject, digest: { sha256: 'e'.repeat(64) } }, beforeExpiry],
  ['for another name', pass, { ...subject, name: 'workspace2' }, beforeExpiry],
  ['for nothing', { ...pass, subject: [] }, subject, beforeExpiry],
  ['when it is a block', block, subject, beforeExpiry],
  ['when it is a block that carries an expiry', { ...block, expiresAt: pass.expiresAt } as Verdict, subject, beforeExpiry],
  ['when it is an abstention', abstention, subject, beforeExpiry],
  ['when it is an abstention that carries an expiry', { ...abstention, expiresAt: pass.expiresAt } as Verdict, subject, beforeExpiry],
]

for (const [what, verdict, asked, now] of refused) {
  test(`a verdict does not permit ${what}`, () => {
    assert.equal(permits(verdict, asked, now), false)
  })
}

test('the three shapes of a verdict are read back as they were written', () => {
  for (const verdict of [pass, block, abstention]) assert.deepEqual(Verdict.parse(JSON.parse(JSON.stringify(verdict))), verdict)
})

for (const [what, changes] of [
  ['an extra key', { override: true }],
  ['a gate that is not in the lifecycle', { gate: 'vibes' }],
  ['a negative sequence', { sequence: -1 }],
  ['a sequence that is no whole number', { sequence: 0.5 }],
  ['no subject', { subject: [] }],
  ['no evidence', { evidence: [] }],
  ['evidence that is no digest', { evidence: ['c'.repeat(63)] }],
  ['a previous verdict that is no digest', { previous: '' }],
  ['a time without a zone', { decidedAt: '2026-06-01T00:00:00' }],
  ['a time that is a number', { expiresAt: 1_780_272_300_000 }],
  ['an empty message', { message: '' }],
  ['a run id that could be a path', { runId: '../20260601T000000Z-r1-1' }],
  ['an unknown outcome', { outcome: 'warn' }],
] as const) {
  test(`a stored verdict with ${what} is refused`, () => {
    assert.equal(Verdict.safeParse({ ...pass, ...changes }).success, false)
  })
}

test('a refusal must say what was asked, what was found and what to do', () => {
  for (const key of ['reason', 'message', 'asked', 'found', 'remedy'] as const) {
    assert.equal(Verdict.safeParse({ ...block, [key]: '' }).success, false, key)
    assert.equal(Verdict.safeParse({ ...block, [key]: undefined }).success, false, key)
  }
})

test('every gate of the lifecycle can give a verdict', () => {
  for (const gate of LIFECYCLE) assert.equal(Verdict.safeParse({ ...pass, gate }).success, true)
})

test('a digest is 64 lower-case hex digits, and a subject is a name and a digest', () => {
  for (const text of ['', 'a'.repeat(63), 'a'.repeat(65), 'A'.repeat(64), `${'a'.repeat(64)}\n`, `sha256:${'a'.repeat(64)}`]) assert.equal(Digest.safeParse(text).success, false, JSON.stringify(text))
  assert.equal(Subject.safeParse({ ...subject, name: '' }).success, false)
  assert.equal(Subject.safeParse({ ...subject, digest: { sha256: subject.digest.sha256, md5: 'x' } }).success, false)
})
