import assert from 'node:assert/strict'
import { test } from 'node:test'
import { evidenceDigest } from '../../contract/evidence.ts'
import { gateOf, runGate, type Finding } from '../../contract/gate.ts'
import type { Reason } from '../../contract/reasons.ts'
import { verifies } from '../../../test/verifies.ts'
import { WireFacts, wireGate, witnessed, type WitnessedCall } from './gate.ts'

const digest = (number: number): string => number.toString(16).padStart(64, '0')

const answered: WitnessedCall = {
  evidence: digest(1), number: 1, purpose: 'agent', inference: true, outcome: 'answered', reason: null, requestedModel: 'coder-1', servedModel: 'coder-1',
  providerStatus: 200, detail: null, inputTokens: 1_000, outputTokens: 100, costUsd: 0,
}
const calls = (...changes: Partial<WitnessedCall>[]): WitnessedCall[] => changes.map((change, index) => ({ ...answered, number: index + 1, evidence: digest(index + 1), ...change }))
const failed = (reason: Reason, detail = 'the provider answered so'): Partial<WitnessedCall> => ({ outcome: 'failed', reason, detail, servedModel: null, inputTokens: null, outputTokens: null, costUsd: null })
const refusedCall: Partial<WitnessedCall> = { ...failed('model_not_admitted'), outcome: 'refused', providerStatus: null }

const good: WireFacts = {
  observedAt: '2026-11-20T21:39:24.000Z', validForMs: 60_000, admitted: { provider: 'scripted', model: 'coder-1' }, servedModelIds: ['coder-1', 'coder-1-2026-11-01'],
  recordComplete: false, processRanMs: 4_900, unrecordedCalls: 0, calls: calls({}, {}, {}),
}
const decide = (change: Partial<WireFacts>): Finding => wireGate.decide(WireFacts.schema.parse({ ...good, ...change }), [digest(99)])

function blocks(change: Partial<WireFacts>, reason: Reason): Extract<Finding, { outcome: 'block' }> {
  const finding = decide(change)
  assert.equal(finding.outcome, 'block')
  if (finding.outcome !== 'block') throw new Error('unreachable')
  assert.equal(finding.reason, reason)
  assert.deepEqual(finding.evidence, [digest(99)])
  for (const part of [finding.message, finding.asked, finding.found, finding.remedy]) assert.notEqual(part, '')
  return finding
}

function passes(change: Partial<WireFacts>): Extract<Finding, { outcome: 'pass' }> {
  const finding = decide(change)
  if (finding.outcome !== 'pass') return assert.fail(JSON.stringify(finding))
  return finding
}

verifies('ADM-N9', 'a run whose calls were all served by the admitted model passes, with its evidence and an expiry', () => {
  assert.deepEqual(passes({}), { outcome: 'pass', message: '3 calls, all served by coder-1, 3,300 tokens, USD 0.00', evidence: [digest(99)], expiresAt: new Date('2026-11-20T21:40:24.000Z') })
})

void test('the message leaves out what is not known, and counts what was not answered', () => {
  assert.equal(passes({ calls: calls({ costUsd: null }) }).message, '1 call, all served by coder-1, 1,100 tokens')
  assert.equal(passes({ calls: calls({ outputTokens: null, costUsd: null }) }).message, '1 call, all served by coder-1')
  assert.equal(passes({ calls: calls({ ...refusedCall, reason: 'websocket_refused' }, {}) }).message, '1 of 2 calls answered, all served by coder-1, 1,100 tokens, USD 0.00')
  assert.equal(passes({ calls: calls(failed('provider_overloaded'), {}) }).message, '1 of 2 calls answered, all served by coder-1')
  assert.equal(passes({ calls: calls({ inference: false, servedModel: null, inputTokens: null, outputTokens: null, costUsd: null }, {}, { servedModel: 'coder-1-2026-11-01' }) }).message, '2 calls, all served by coder-1, coder-1-2026-11-01, 2,200 tokens, USD 0.00')
})

verifies('ADM-N14 WIR-24', 'a run without any model call is no_model_call, whether the wire saw nothing or only other requests', () => {
  const nothing = blocks({ calls: [], processRanMs: 40 }, 'no_model_call')
  assert.equal(nothing.message, 'the process ran 0.04 s and asked no model anything')
  assert.equal(nothing.found, 'the wire saw no request')
  const others = calls({ inference: false, servedModel: null }, { inference: false, servedModel: null })
  assert.match(blocks({ calls: others }, 'no_model_call').found, /2 requests, none of which asked a model/)
  blocks({ calls: [], processRanMs: null }, 'no_model_call')
})

verifies('WIR-21', 'a call served by another model denies the run for ever: first, last, only, failed, or claimed as answered', () => {
  const mismatch = { ...failed('served_model_mismatch'), servedModel: 'coder-9' }
  for (const list of [calls(mismatch), calls(mismatch, {}, {}), calls({}, {}, mismatch), calls({}, { servedModel: 'coder-9' }, {}), calls({ ...failed('answer_truncated'), servedModel: 'coder-9' }, {}), calls({ ...mismatch, servedModel: null }, {})]) blocks({ calls: list }, 'served_model_mismatch')
  blocks({ calls: calls({ inference: false, servedModel: 'coder-9' }, {}) }, 'served_model_mismatch')
  assert.match(blocks({ calls: calls(mismatch) }, 'served_model_mismatch').message, /Asked scripted\/coder-1, but call 1 was served by coder-9/)
  blocks({ calls: calls({ servedModel: 'coder-1-2026-11-02' }) }, 'served_model_mismatch')
  blocks({ calls: calls({ servedModel: 'Coder-1' }) }, 'served_model_mismatch')
})

verifies('WIR-21', 'an answer that names no model denies the run, also if its outcome claims an answer', () => {
  blocks({ calls: calls({}, failed('served_model_unknown'), {}) }, 'served_model_unknown')
  blocks({ calls: calls({ servedModel: null }, {}) }, 'served_model_unknown')
  blocks({ calls: calls({ servedModel: null }, { servedModel: 'coder-9' }) }, 'served_model_mismatch')
})

verifies('WIR-24 ADM-N16', 'without an answer the first provider error is the root cause, not the last and not a refusal of the wire', () => {
  for (const reason of ['provider_auth', 'provider_rate_limited', 'provider_unreachable', 'provider_timeout', 'provider_model_unknown', 'provider_overloaded', 'provider_malformed', 'credential_unavailable'] as const) {
    const finding = blocks({ calls: calls(refusedCall, failed(reason, 'the first'), failed('provider_rejected', 'the last')) }, reason)
    assert.match(finding.message, /the first/)
    assert.match(finding.found, /3 calls, none answered; call 2/)
  }
  blocks({ calls: calls(refusedCall) }, 'model_not_admitted')
  blocks({ calls: [...calls(failed('provider_rejected'), failed('provider_auth'))].reverse() }, 'provider_rejected')
  blocks({ calls: calls({ ...failed('provider_auth'), reason: null }) }, 'evidence_invalid')
})

verifies('ADM-N15', 'an agent that went on and exited 0 after its last question was not answered does not pass', () => {
  blocks({ calls: calls({}, {}, failed('provider_overloaded')) }, 'provider_overloaded')
  blocks({ calls: calls({}, { ...refusedCall, reason: 'budget_exhausted' }) }, 'budget_exhausted')
  blocks({ calls: calls({}, { ...refusedCall, reason: null }) }, 'evidence_invalid')
  blocks({ calls: [...calls({}, failed('answer_truncated'))].reverse() }, 'answer_truncated')
  blocks({ calls: calls({}, { ...failed('provider_auth'), reason: null }) }, 'evidence_invalid')
  passes({ calls: calls(failed('provider_overloaded'), {}) })
  passes({ calls: calls({}, { ...refusedCall, reason: 'route_not_listed', inference: false }) })
})

verifies('WIR-02', 'a model that the agent asked for on its own denies the run wherever it stands among calls that were answered, and hides no failure of the work', () => {
  const other = { ...refusedCall, requestedModel: 'background-1' }
  for (const list of [calls(other), calls({}, other), calls(other, {}), calls({}, other, {}), calls({}, { ...other, inference: false })]) blocks({ calls: list }, 'model_not_admitted')
  const finding = blocks({ calls: calls({}, other, { ...other, requestedModel: null }, {}) }, 'model_not_admitted')
  assert.equal(finding.message, 'The agent asked for background-1 by itself, which nobody admitted.')
  assert.equal(finding.found, 'call 2 asked for background-1, a model without a printable name; 2 such calls, none of them forwarded')
  blocks({ calls: calls({}, failed('provider_overloaded'), other) }, 'provider_overloaded')
  blocks({ calls: calls({ servedModel: 'coder-9' }, other) }, 'served_model_mismatch')
})

verifies('WIR-22', 'a call whose evidence was not stored denies the run', () => {
  blocks({ unrecordedCalls: 1 }, 'evidence_unavailable')
  blocks({ calls: [], unrecordedCalls: 1 }, 'evidence_unavailable')
})

void test('calls that are not the agent\'s own, or are told twice, are no record', () => {
  blocks({ calls: calls({}, { purpose: 'health' }) }, 'evidence_invalid')
  blocks({ calls: calls({ purpose: 'health' }) }, 'evidence_invalid')
  blocks({ calls: calls({}, { number: 1 }) }, 'evidence_invalid')
  blocks({ calls: calls({}, { evidence: digest(1) }) }, 'evidence_invalid')
})

void test('facts of another shape do not validate, and nothing absent is filled in', () => {
  for (const bad of [{ ...good, extra: 1 }, { ...good, servedModelIds: [] }, { ...good, validForMs: 0 }, { ...good, calls: [{ ...answered, reason: 'fine' }] }, { ...good, unrecordedCalls: undefined }]) assert.equal(WireFacts.schema.safeParse(bad).success, false)
})

void test('the proof is made from a passing verdict and says who served', async () => {
  const subject = [{ name: 'task', digest: { sha256: digest(5) } }] as const
  const gate = (facts: WireFacts) => gateOf(wireGate, { policy: subject[0], timeoutMs: 1_000, subject: [...subject], observe: async () => ({ facts }), keep: () => undefined })
  const now = new Date('2026-11-20T21:39:25.000Z')
  const at = { runId: '20261120T213918Z-r1-1', sequence: 6, previous: null, subject: [...subject] as [typeof subject[0]] }
  const observed = [WireFacts.state(subject, good)]
  const verdict = await runGate(gate(good), undefined, at, () => now)
  assert.equal(verdict.evidence[0], evidenceDigest(observed[0] ?? assert.fail()))
  const proof = witnessed.prove(verdict, observed, now)
  assert.deepEqual(proof?.servedModels, ['coder-1'])
  assert.equal(proof?.answeredCalls, 3)
  assert.equal(witnessed.prove(verdict, observed, new Date('2026-11-20T21:41:00.000Z')), undefined)
  const bad = { ...good, calls: [] }
  assert.equal(witnessed.prove(await runGate(gate(bad), undefined, at, () => now), [WireFacts.state(subject, bad)], now), undefined)
})
