import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Evidence } from '../../contract/evidence.ts'
import { type Finding, gateOf, judge, runGate } from '../../contract/gate.ts'
import type { Reason } from '../../contract/reasons.ts'
import { permits, type Subject, type Verdict } from '../../contract/verdict.ts'
import { verifies } from '../../../test/verifies.ts'
import { healthGate, healthyProof } from './gate.ts'
import { HealthEvidence, HealthFacts, type ProbeCall } from './health-facts.ts'
import { probeCallOf } from './probe-call.ts'

const digest = 'a'.repeat(64)
const pair = { provider: 'scripted', model: 'coder-1' }

const answered: ProbeCall = {
  evidence: digest,
  purpose: 'health',
  inference: true,
  requestedModel: 'coder-1',
  admitted: pair,
  servedModel: 'coder-1',
  outcome: 'answered',
  reason: null,
  detail: null,
  providerStatus: 200,
  toolCalls: true,
  latencyMs: 41.2,
  startedAt: '2026-11-20T21:39:18.000Z',
}

const good: HealthFacts = {
  observedAt: '2026-11-20T21:39:19.000Z',
  pair,
  servedModelIds: ['coder-1', 'coder-1-2026-11-01'],
  credential: { class: 'provider-api-key', source: 'env SCRIPTED_API_KEY' },
  staticOk: true,
  toolsRequired: true,
  calls: 1,
  probe: answered,
  maxAgeMs: 60_000,
}

const decide = (facts: HealthFacts): Finding => healthGate.decide(HealthFacts.parse(facts), [digest])
const withProbe = (change: Partial<ProbeCall>): HealthFacts => ({ ...good, probe: { ...answered, ...change } })

function blocks(facts: HealthFacts, reason: Reason): Extract<Finding, { outcome: 'block' }> {
  const finding = decide(facts)
  if (finding.outcome !== 'block') return assert.fail(`expected ${reason}, got ${finding.outcome}`)
  assert.equal(finding.reason, reason)
  assert.deepEqual(finding.evidence, [digest])
  for (const part of [finding.message, finding.asked, finding.found, finding.remedy]) assert.ok(part.length > 0)
  return finding
}

test('a recorded answer of the admitted model passes, with the evidence given and an expiry', () => {
  assert.deepEqual(decide(good), {
    outcome: 'pass',
    message: 'answered as coder-1 in 41 ms, tools work',
    evidence: [digest],
    expiresAt: new Date('2026-11-20T21:40:18.000Z'),
  })
})

test('a dated snapshot that the record lists is the admitted model', () => {
  const finding = decide(withProbe({ servedModel: 'coder-1-2026-11-01' }))
  assert.equal(finding.outcome === 'pass' && finding.message, 'answered as coder-1-2026-11-01 in 41 ms, tools work')
})

test('without a tool call it passes only if no tools are required, and does not claim that they work', () => {
  const finding = decide({ ...withProbe({ toolCalls: false }), toolsRequired: false })
  assert.equal(finding.outcome === 'pass' && finding.message, 'answered as coder-1 in 41 ms')
  assert.match(blocks(withProbe({ toolCalls: false }), 'tools_not_supported').found, /without a tool call/)
})

verifies('MC-101', 'a static check alone is static_ok and blocks: it is never healthy', () => {
  const finding = blocks({ ...good, calls: 0, probe: null }, 'health_unknown')
  assert.equal(finding.found, 'static_ok: the configuration parses, but no model call was recorded')
  assert.match(finding.remedy, /portcullis probe/)
})

test('an answer does not make up for a failed static check', () => {
  blocks({ ...good, staticOk: false }, 'credential_unavailable')
})

for (const [reason, change, found, remedy] of [
  ['provider_auth', { providerStatus: 401, detail: 'the provider answered 401' }, 'provider_auth (status 401): the provider answered 401', /Check the credential `env SCRIPTED_API_KEY` \(class provider-api-key\)/],
  ['provider_model_unknown', { providerStatus: 404 }, 'provider_model_unknown (status 404)', /GET \/v1\/models/],
  ['provider_rate_limited', { providerStatus: 429 }, 'provider_rate_limited (status 429)', /Wait/],
  ['provider_overloaded', { providerStatus: 529 }, 'provider_overloaded (status 529)', /Wait/],
  ['provider_unreachable', { providerStatus: null }, 'provider_unreachable (no status)', /baseUrl/],
  ['provider_timeout', { providerStatus: null }, 'provider_timeout (no status)', /timeouts/],
  ['provider_rejected', { providerStatus: 400 }, 'provider_rejected (status 400)', /dialect/],
  ['provider_malformed', { providerStatus: 200 }, 'provider_malformed (status 200)', /proxy/],
  ['answer_truncated', { providerStatus: 200 }, 'answer_truncated (status 200)', /cuts answers/],
  ['credential_unavailable', { providerStatus: null }, 'credential_unavailable (no status)', /Provide the credential `env SCRIPTED_API_KEY`/],
  ['served_model_mismatch', { providerStatus: 200, servedModel: 'cheap-1' }, 'served_model_mismatch (status 200)', /served_model_ids/],
  ['served_model_unknown', { providerStatus: 200, servedModel: null }, 'served_model_unknown (status 200)', /name the model/],
] as const) {
  verifies('MC-104 ADM-N16', `a probe that failed with ${reason} blocks with that reason, names the stage and the error, and helps`, () => {
    const finding = blocks(withProbe({ outcome: 'failed', servedModel: null, toolCalls: false, ...change, reason }), reason)
    assert.equal(finding.asked, 'one model call to scripted/coder-1, with a tool to call, at the health gate')
    assert.equal(finding.found, found)
    assert.equal(finding.message, `scripted/coder-1 is not healthy: ${reason}.`)
    assert.match(finding.remedy, remedy)
  })
}

test('a call that the wire refused blocks with the reason of the wire', () => {
  assert.match(blocks(withProbe({ outcome: 'refused', reason: 'budget_exhausted', servedModel: null, providerStatus: null }), 'budget_exhausted').remedy, /scripted\/coder-1/)
})

test('the name of the served model is compared here again, whatever the record of the call says', () => {
  assert.equal(blocks(withProbe({ servedModel: 'cheap-1' }), 'served_model_mismatch').found, 'an answer of cheap-1')
  blocks(withProbe({ servedModel: 'coder-10' }), 'served_model_mismatch')
  blocks(withProbe({ servedModel: 'CODER-1' }), 'served_model_mismatch')
  blocks(withProbe({ servedModel: '' }), 'served_model_mismatch')
  blocks(withProbe({ servedModel: null }), 'served_model_unknown')
})

test('an answered call must have a complete status: a 4xx is never healthy', () => {
  for (const providerStatus of [null, 101, 199, 302, 400, 404, 429, 500]) blocks(withProbe({ providerStatus }), 'evidence_invalid')
  assert.equal(decide(withProbe({ providerStatus: 299 })).outcome, 'pass')
})

test('only the probe\'s own, single call counts', () => {
  assert.match(blocks({ ...good, calls: 2 }, 'evidence_invalid').found, /^2 calls/)
  blocks({ ...good, calls: 0 }, 'evidence_invalid')
  blocks(withProbe({ purpose: 'agent' }), 'evidence_invalid')
  blocks(withProbe({ inference: false }), 'evidence_invalid')
  blocks(withProbe({ admitted: { provider: 'scripted', model: 'coder-2' } }), 'evidence_invalid')
  blocks(withProbe({ admitted: { provider: 'other', model: 'coder-1' } }), 'evidence_invalid')
  blocks(withProbe({ requestedModel: 'coder' }), 'evidence_invalid')
  blocks(withProbe({ requestedModel: null }), 'evidence_invalid')
})

test('a record that contradicts itself counts for nothing', () => {
  blocks(withProbe({ reason: 'provider_auth' }), 'evidence_invalid')
  blocks(withProbe({ outcome: 'failed' }), 'evidence_invalid')
  blocks(withProbe({ outcome: 'refused' }), 'evidence_invalid')
})

verifies('MC-106', 'a probe older than the set age is unknown, and unknown is not healthy', () => {
  const aged = (observedAt: string): HealthFacts => ({ ...good, observedAt })
  assert.equal(decide(aged('2026-11-20T21:40:17.999Z')).outcome, 'pass')
  assert.match(blocks(aged('2026-11-20T21:40:18.000Z'), 'health_unknown').found, /^a probe 1 min 0 s old, where at most 1 min 0 s counts$/)
  blocks(aged('2027-11-20T21:40:18.000Z'), 'health_unknown')
})

test('looking at a stored probe again does not renew it, and a probe from the future gains no time', () => {
  const later = decide({ ...good, observedAt: '2026-11-20T21:40:00.000Z' })
  assert.deepEqual(later.outcome === 'pass' && later.expiresAt, new Date('2026-11-20T21:40:18.000Z'))
  const ahead = decide(withProbe({ startedAt: '2027-01-01T00:00:00.000Z' }))
  assert.deepEqual(ahead.outcome === 'pass' && ahead.expiresAt, new Date('2026-11-20T21:40:19.000Z'))
})

test('facts that do not validate are refused: an unknown field, no name to be served by, an age without end', () => {
  const subject: Subject = { name: 'scripted/coder-1', digest: { sha256: digest } }
  const stated = HealthEvidence.state([subject], good)
  const finding = (predicate: unknown): Finding => judge(healthGate, [{ ...stated, predicate }])
  assert.equal(finding(good).outcome, 'pass')
  for (const bad of [{ ...good, healthy: true }, { ...good, servedModelIds: [] }, { ...good, maxAgeMs: 1e300 }, { ...good, maxAgeMs: 0 }, { ...good, probe: undefined }, {}, null]) {
    const refused = finding(bad)
    assert.equal(refused.outcome === 'block' && refused.reason, 'evidence_invalid')
  }
})

test('the facts hold what the wire recorded of the call, bounded, and nothing when it recorded none', () => {
  const { evidence, latencyMs, ...call } = answered
  const recorded = { evidence, call: { ...call, durationMs: latencyMs } }
  assert.deepEqual(probeCallOf([recorded]), { calls: 1, probe: answered })
  assert.deepEqual(probeCallOf([]), { calls: 0, probe: null })
  assert.equal(probeCallOf([recorded, recorded]).calls, 2)
  const long = probeCallOf([{ evidence, call: { ...recorded.call, detail: `${'x'.repeat(498)}\u{1F512}${'x'.repeat(100)}`, servedModel: 'm'.repeat(501) } }])
  assert.equal(HealthFacts.safeParse({ ...good, ...long }).success, true)
  assert.equal(long.probe?.detail?.isWellFormed(), true)
  blocks({ ...good, ...long }, 'served_model_mismatch')
})

async function verdictOf(facts: HealthFacts, now: Date): Promise<{ verdict: Verdict; observed: readonly Evidence<unknown>[]; subject: Subject }> {
  const subject: Subject = { name: 'scripted/coder-1', digest: { sha256: digest } }
  let observed: readonly Evidence<unknown>[] = []
  const gate = gateOf(healthGate, {
    policy: { name: 'health', digest: { sha256: digest } },
    timeoutMs: 1_000,
    subject: [subject],
    observe: () => Promise.resolve({ facts }),
    keep: (statements) => {
      observed = statements
    },
  })
  const verdict = await runGate(gate, undefined, { runId: '20261120T213918Z-r1-1', sequence: 2, previous: null, subject: [subject] }, () => now)
  return { verdict, observed, subject }
}

verifies('MC-106', 'the verdict carries the time and the evidence of the probe, and permits nothing once the probe is too old', async () => {
  const now = new Date(good.observedAt)
  const { verdict, observed, subject } = await verdictOf(good, now)
  assert.equal(verdict.outcome, 'pass')
  assert.deepEqual(HealthEvidence.read(observed[0])?.predicate.probe, answered)
  assert.equal(permits(verdict, subject, new Date('2026-11-20T21:40:17.999Z')), true)
  assert.equal(permits(verdict, subject, new Date('2026-11-20T21:40:18.000Z')), false)
})

test('the proof says who answered, and is made only from a pass of this gate', async () => {
  const now = new Date(good.observedAt)
  const { verdict, observed } = await verdictOf(good, now)
  const healthy = healthyProof.prove(verdict, observed, now)
  if (healthy === undefined) return assert.fail('a pass gave no proof')
  assert.deepEqual({ ...healthy, verdict: null }, { pair, servedModel: 'coder-1', toolsWork: true, probeEvidence: digest, verdict: null })
  healthyProof.check(healthy, now)
  assert.throws(() => healthyProof.check(healthy, new Date('2026-11-20T21:40:18.000Z')), { code: 'proof_forged' })
  // A literal that looks like the proof: refused by the compiler, and at run time.
  // @ts-expect-error a proof has a brand that no literal can have
  assert.throws(() => healthyProof.check({ pair, servedModel: 'coder-1', toolsWork: true, probeEvidence: digest, verdict: healthy.verdict }, now), { code: 'proof_forged' })
})

test('no proof comes of a block', async () => {
  const now = new Date(good.observedAt)
  const { verdict, observed } = await verdictOf({ ...good, probe: null }, now)
  assert.equal(verdict.outcome, 'block')
  assert.equal(healthyProof.prove(verdict, observed, now), undefined)
})
