import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as z from 'zod'
import { verifies } from '../../test/verifies.ts'
import { type Evidence, definePredicate, evidenceDigest } from './evidence.ts'
import { type Finding, type Gate, type Observed, defineGate, gateOf, isSealed, judge, runGate, sealFinding } from './gate.ts'
import { type Pass, permits, Verdict } from './verdict.ts'

const SECRET = 'sk-ant-api03-do-not-repeat'
const subject = { name: 'qwen-local/qwen3.6-35b-a3b', digest: { sha256: 'a'.repeat(64) } }
const policy = { name: 'admission/v1', digest: { sha256: 'b'.repeat(64) } }
const at = { runId: '20260601T000000Z-r1-1', sequence: 2, previous: 'e'.repeat(64), subject: [subject] as const }
const now = (): Date => new Date('2026-06-01T00:00:00Z')
const passing = { outcome: 'pass', message: 'admitted', evidence: ['c'.repeat(64)], expiresAt: new Date('2026-06-01T00:05:00Z') } as const satisfies Finding

const gate = (evaluate: Gate<null>['evaluate'], timeoutMs = 1_000): Gate<null> => ({ name: 'admission', policy, timeoutMs, evaluate })
/** A gate whose code, not checked by a compiler, answers with anything. */
const answering = (answer: unknown): Gate<null>['evaluate'] => async () => answer as Finding
const throwing = (thrown: unknown): Gate<null>['evaluate'] => async () => {
  throw thrown
}

function busy(milliseconds: number): void {
  const until = performance.now() + milliseconds
  while (performance.now() < until) Math.sqrt(until)
}

test('a pass permits its own subject until it expires, and carries what the runner adds', async () => {
  const verdict = await runGate(gate(async () => passing), null, at, now)
  assert.deepEqual(verdict, {
    outcome: 'pass',
    gate: 'admission',
    ...at,
    policy,
    decidedAt: '2026-06-01T00:00:00.000Z',
    message: 'admitted',
    evidence: passing.evidence,
    expiresAt: '2026-06-01T00:05:00.000Z',
  })
  assert.equal(permits(verdict, subject, now()), true)
  assert.equal(permits(verdict, subject, new Date('2026-06-01T00:05:00Z')), false)
})

class UnreadableName extends Error {
  override get name(): string {
    throw new Error(SECRET)
  }
}

class SymbolName extends Error {}
Object.defineProperty(SymbolName.prototype, 'name', { value: Symbol(SECRET) })

const unreadable = new Proxy(new Error(SECRET), {
  getPrototypeOf: () => {
    throw new Error(SECRET)
  },
})

const pretendsToPass = {
  get outcome(): 'pass' {
    throw new Error(SECRET)
  },
}

// Law 1: none of these permits. Each is a fail-open twin: a runner that let it through would turn the test red.
for (const [how, evaluate, reason] of [
  ['throws', throwing(new Error(SECRET)), 'gate_crashed'],
  ['throws before it returns a promise', () => { throw new Error(SECRET) }, 'gate_crashed'],
  ['throws a text', throwing(SECRET), 'gate_crashed'],
  ['throws nothing', throwing(undefined), 'gate_crashed'],
  ['throws null', throwing(null), 'gate_crashed'],
  ['throws a passing finding', throwing(passing), 'gate_crashed'],
  ['throws an error whose name is a secret', throwing(Object.assign(new Error('x'), { name: SECRET })), 'gate_crashed'],
  ['throws an error whose name throws', throwing(new UnreadableName(SECRET)), 'gate_crashed'],
  ['throws an error whose name is a symbol', throwing(new SymbolName(SECRET)), 'gate_crashed'],
  ['throws what cannot be looked at', throwing(unreadable), 'gate_crashed'],
  ['returns undefined', answering(undefined), 'gate_output_invalid'],
  ['returns null', answering(null), 'gate_output_invalid'],
  ['returns true', answering(true), 'gate_output_invalid'],
  ['returns a text', answering('pass'), 'gate_output_invalid'],
  ['returns a number', answering(1), 'gate_output_invalid'],
  ['returns a list', answering([passing]), 'gate_output_invalid'],
  ['returns nothing in an object', answering({}), 'gate_output_invalid'],
  ['returns an unknown outcome', answering({ ...passing, outcome: 'warn' }), 'gate_output_invalid'],
  ['returns the outcome true', answering({ ...passing, outcome: true }), 'gate_output_invalid'],
  ['returns an outcome in capitals', answering({ ...passing, outcome: 'PASS' }), 'gate_output_invalid'],
  ['returns what cannot be read', answering(pretendsToPass), 'gate_output_invalid'],
  ['passes without evidence', answering({ ...passing, evidence: [] }), 'gate_output_invalid'],
  ['passes with evidence left out', answering({ outcome: 'pass', message: 'ok', expiresAt: passing.expiresAt }), 'gate_output_invalid'],
  ['passes with evidence that is no digest', answering({ ...passing, evidence: ['trust me'] }), 'gate_output_invalid'],
  ['passes with an upper-case digest', answering({ ...passing, evidence: ['C'.repeat(64)] }), 'gate_output_invalid'],
  ['passes without an expiry', answering({ ...passing, expiresAt: undefined }), 'gate_output_invalid'],
  ['passes until never', answering({ ...passing, expiresAt: new Date(Number.NaN) }), 'gate_output_invalid'],
  ['passes until a text', answering({ ...passing, expiresAt: '2026-06-01T00:05:00Z' }), 'gate_output_invalid'],
  ['passes without a message', answering({ ...passing, message: '' }), 'gate_output_invalid'],
  ['passes with an extra key', answering({ ...passing, override: true }), 'gate_output_invalid'],
  ['passes and blocks', answering({ ...passing, reason: 'mismatch' }), 'gate_output_invalid'],
  ['blocks for an unknown reason', answering({ outcome: 'block', reason: 'because', message: 'm', asked: 'a', found: 'f', remedy: 'r' }), 'gate_output_invalid'],
  ['blocks without a remedy', answering({ outcome: 'block', reason: 'mismatch', message: 'm', asked: 'a', found: 'f' }), 'gate_output_invalid'],
  ['abstains without a reason', answering({ outcome: 'abstain', message: 'm' }), 'gate_output_invalid'],
] as const) {
  test(`a gate that ${how} blocks with ${reason}`, async () => {
    const verdict = await runGate(gate(evaluate), null, at, now)
    assert.equal(verdict.outcome, 'block')
    assert.equal(verdict.reason, reason)
    assert.equal(permits(verdict, subject, now()), false)
    assert.deepEqual(Verdict.parse(verdict), verdict)
    assert.doesNotMatch(JSON.stringify(verdict), /sk-ant/, 'a thrown text may hold a secret and is never repeated')
  })
}

test('a gate that never answers blocks with gate_timed_out, and is told to stop', async () => {
  let stopped = false
  const never: Gate<null>['evaluate'] = (_input, signal) => new Promise(() => signal.addEventListener('abort', () => { stopped = true }))
  const verdict = await runGate(gate(never, 5), null, at, now)
  assert.equal(verdict.outcome === 'block' && verdict.reason, 'gate_timed_out')
  assert.equal(verdict.outcome === 'block' && verdict.found, 'no verdict within 5 ms')
  assert.equal(stopped, true)
})

test('a pass that comes too late is no pass', async () => {
  const late: Gate<null>['evaluate'] = (_input, signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve(passing)))
  const verdict = await runGate(gate(late, 5), null, at, now)
  assert.equal(verdict.outcome === 'block' && verdict.reason, 'gate_timed_out')
})

test('a pass that keeps the thread busy past its limit, so that no timer can fire, is no pass', async () => {
  const hog: Gate<null>['evaluate'] = async () => {
    busy(30)
    return passing
  }
  const verdict = await runGate(gate(hog, 5), null, at, now)
  assert.equal(verdict.outcome === 'block' && verdict.reason, 'gate_timed_out')
})

test('a gate that fails because it was told to stop timed out; it did not crash', async () => {
  const obedient: Gate<null>['evaluate'] = (_input, signal) => new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))))
  const verdict = await runGate(gate(obedient, 5), null, at, now)
  assert.equal(verdict.outcome === 'block' && verdict.reason, 'gate_timed_out')
})

test('a limit of nothing lets nothing pass', async () => {
  const hog: Gate<null>['evaluate'] = async () => {
    busy(5)
    return passing
  }
  assert.equal((await runGate(gate(hog, 0), null, at, now)).outcome, 'block')
})

test('a finding cannot forge gate, run, order, subject, policy or time', async () => {
  const forged = {
    ...passing,
    gate: 'acceptance',
    runId: '20990101T000000Z-other-9',
    sequence: 99,
    previous: null,
    subject: [{ name: 'anything', digest: { sha256: 'f'.repeat(64) } }],
    policy: { name: 'none', digest: { sha256: '0'.repeat(64) } },
    decidedAt: '2099-01-01T00:00:00.000Z',
  }
  const verdict = await runGate(gate(answering(forged)), null, at, now)
  const { gate: name, runId, sequence, previous, subject: judged, policy: rules, decidedAt } = verdict
  assert.deepEqual(
    { name, runId, sequence, previous, judged, rules, decidedAt },
    { name: 'admission', runId: at.runId, sequence: 2, previous: at.previous, judged: [subject], rules: policy, decidedAt: '2026-06-01T00:00:00.000Z' },
  )
})

test('an abstention and a block do not permit, and say what the gate said', async () => {
  const abstention = await runGate(gate(async () => ({ outcome: 'abstain', reason: 'required_gate_abstained', message: 'diff not resolvable' })), null, at, now)
  assert.equal(permits(abstention, subject, now()), false)
  assert.equal(abstention.outcome === 'abstain' && abstention.message, 'diff not resolvable')
  const refusal = { outcome: 'block', reason: 'mismatch', message: 'm', asked: 'a', found: 'f', remedy: 'r' } as const
  const block = await runGate(gate(async () => refusal), null, at, now)
  assert.equal(permits(block, subject, now()), false)
  assert.deepEqual(block, { ...refusal, evidence: [], gate: 'admission', policy, decidedAt: '2026-06-01T00:00:00.000Z', ...at })
})

test('a pass that has already expired permits nothing', async () => {
  const verdict = await runGate(gate(async () => ({ ...passing, expiresAt: new Date('2026-05-31T23:59:59Z') })), null, at, now)
  assert.equal(permits(verdict, subject, now()), false)
})

test('a verdict cannot be changed after it was sealed, not even inside', async () => {
  const verdict = await runGate(gate(async () => passing), null, at, now)
  assert.throws(() => Object.assign(verdict, { outcome: 'pass' }), TypeError)
  assert.throws(() => verdict.evidence.push('d'.repeat(64)), TypeError)
  assert.throws(() => Object.assign(verdict.evidence, ['d'.repeat(64)]), TypeError)
  assert.throws(() => Object.assign(verdict.subject[0]?.digest ?? {}, { sha256: 'd'.repeat(64) }), TypeError)
})

test('only what runGate returned is sealed: not a copy, not a parsed one, not one that sealFinding made', async () => {
  const verdict = await runGate(gate(async () => passing), null, at, now)
  assert.equal(isSealed(verdict), true)
  assert.equal(isSealed({ ...verdict }), false)
  assert.equal(isSealed(Verdict.parse(verdict)), false)
  assert.equal(isSealed(sealFinding(passing, gate(async () => passing), at, now())), false)
})

test('a position that is no position is a fault of the caller, never a verdict', async () => {
  await assert.rejects(runGate(gate(async () => passing), null, { ...at, sequence: -1 }, now))
  await assert.rejects(runGate(gate(async () => passing), null, { ...at, runId: 'latest' }, now))
})

const Facts = z.strictObject({ holds: z.boolean(), observedAt: z.iso.datetime() })
const predicate = definePredicate('https://portcullis.dev/evidence/admission/v1', Facts)
const definition = defineGate({
  name: 'admission',
  facts: predicate,
  decide: (facts, evidence) =>
    facts.holds
      ? { outcome: 'pass', message: 'holds', evidence, expiresAt: new Date(Date.parse(facts.observedAt) + 60_000) }
      : { outcome: 'block', reason: 'mismatch', message: 'm', asked: 'a', found: 'f', remedy: 'r', evidence },
})
const facts = { holds: true, observedAt: '2026-06-01T00:00:00.000Z' }
const other: Evidence<unknown> = { ...predicate.state([subject], facts), predicateType: 'https://portcullis.dev/evidence/other/v1' }

function world(observe: () => Promise<{ facts: z.infer<typeof Facts>; supporting?: readonly Evidence<unknown>[] }>) {
  const kept: Observed[] = []
  const joined = gateOf(definition, { policy, timeoutMs: 1_000, subject: [subject], observe, keep: (observed) => { kept.push(observed) } })
  return { joined, kept }
}

verifies('EVD-10', 'the finding over stored statements is the one that was sealed, digests included', async () => {
  const { joined, kept } = world(async () => ({ facts, supporting: [other] }))
  const verdict = await runGate(joined, null, at, now)
  const stored: unknown = JSON.parse(JSON.stringify(kept[0]))
  const again = judge(definition, stored as Observed)
  assert.deepEqual(sealFinding(again, joined, at, now()), verdict)
  assert.deepEqual((verdict as Pass).evidence, [evidenceDigest(predicate.state([subject], facts)), evidenceDigest(other)])
})

test('the statements are kept before the judgement, so that a gate that crashes has left what it saw', async () => {
  const kept: Observed[] = []
  const crashing = gateOf(
    { ...definition, decide: () => { throw new Error(SECRET) } },
    { policy, timeoutMs: 1_000, subject: [subject], observe: async () => ({ facts }), keep: (observed) => { kept.push(observed) } },
  )
  const verdict = await runGate(crashing, null, at, now)
  assert.equal(verdict.outcome === 'block' && verdict.reason, 'gate_crashed')
  assert.deepEqual(kept, [[predicate.state([subject], facts)]])
})

test('evidence that cannot be kept is a block', async () => {
  const unkept = gateOf(definition, { policy, timeoutMs: 1_000, subject: [subject], observe: async () => ({ facts }), keep: () => { throw new Error('disk full') } })
  const verdict = await runGate(unkept, null, at, now)
  assert.equal(verdict.outcome === 'block' && verdict.reason, 'gate_crashed')
})

verifies('ACC-03', 'facts that do not validate are never judged: nothing is kept, and the gate is closed', async () => {
  const { joined, kept } = world(async () => ({ facts: { ...facts, holds: 'yes' as unknown as boolean } }))
  const verdict = await runGate(joined, null, at, now)
  assert.equal(verdict.outcome === 'block' && verdict.reason, 'gate_crashed')
  assert.deepEqual(kept, [])
})

for (const [what, observed] of [
  ['no statement', []],
  ['a statement of another type', [other]],
  ['a statement whose facts do not validate', [{ ...predicate.state([subject], facts), predicate: { holds: 'true' } }]],
  ['a statement with an extra fact', [{ ...predicate.state([subject], facts), predicate: { ...facts, admin: true } }]],
  ['a statement about nothing', [{ ...predicate.state([subject], facts), subject: [] }]],
  ['no object', [null as unknown as Evidence]],
] as const) {
  verifies('ACC-03', `${what} in the ledger is judged as evidence_invalid`, () => {
    const finding = judge(definition, observed)
    assert.equal(finding.outcome === 'block' && finding.reason, 'evidence_invalid')
  })
}
