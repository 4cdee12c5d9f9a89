import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gateOf, judge, type Observed, runGate } from '../../contract/gate.ts'
import { verifies } from '../../../test/verifies.ts'
import { grantPreflightCapability } from './capability.ts'
import { AliasOverride } from './catalog.ts'
import { catalogFacts, type CatalogFacts, catalogGate, catalogProof } from './gate.ts'
import type { ResolveRequest } from './resolve.ts'
import { request, sampleCatalog, sampleProfile } from './samples.test.ts'

const observedAt = new Date('2026-11-20T21:39:18.000Z')
const digest = 'a'.repeat(64)
const facts = (changes: Partial<ResolveRequest> = {}): CatalogFacts => catalogFacts({ ...request(changes), observedAt, validForMs: 60_000 })
const decide = (given: CatalogFacts) => catalogGate.decide(given, [digest])

/** Runs the gate as the engine does, and asks for its proof. */
async function pass(given: CatalogFacts, now = observedAt) {
  let kept: Observed = []
  const subject = { name: 'task', digest: { sha256: digest } }
  const gate = gateOf(catalogGate, { policy: subject, timeoutMs: 1_000, subject: [subject], observe: () => Promise.resolve({ facts: given }), keep: (observed) => { kept = observed } })
  const verdict = await runGate(gate, null, { runId: '20261120T213918Z-t-1', sequence: 0, previous: null, subject: [subject] }, () => now)
  return { verdict, proof: catalogProof.prove(verdict, kept, now), kept }
}

test('a pass says what was resolved, carries the evidence, and ends', () => {
  assert.deepEqual(decide(facts()), { outcome: 'pass', message: 'scripted/coder-1, purpose ticket allowed', evidence: [digest], expiresAt: new Date('2026-11-20T21:40:18.000Z') })
  const byAlias = decide(facts({ profile: 'by_alias', candidate: 1 }))
  assert.equal(byAlias.outcome === 'pass' && byAlias.message, 'qwen-local/qwen3.6-35b-a3b by tool-use-capable, candidate 2 of 2, purpose ticket allowed')
})

test('a refusal of the resolver is a block with its reason', () => {
  const finding = decide(facts({ purpose: 'review' }))
  assert.equal(finding.outcome, 'block')
  assert.equal(finding.outcome === 'block' && finding.reason, 'runtime_purpose_violation')
  assert.deepEqual(finding.evidence, [digest])
})

verifies('MC-087', 'the stored facts alone decide: a purpose changed in them is a violation again', () => {
  const stored = facts()
  const finding = decide({ ...stored, asked: { ...stored.asked, purpose: 'review' } })
  assert.equal(finding.outcome === 'block' && finding.reason, 'runtime_purpose_violation')
})

verifies('MC-088', 'a missing purpose is a block, not a crash', () => {
  // @ts-expect-error a caller without types
  const finding = decide(facts({ purpose: undefined }))
  assert.equal(finding.outcome === 'block' && finding.reason, 'runtime_purpose_violation')
})

verifies('MC-089', 'the use of the preflight capability shows in the facts and in the message', () => {
  const given = facts({ purpose: 'preflight', capability: grantPreflightCapability() })
  assert.equal(given.asked.capability, 'preflight')
  const finding = decide(given)
  assert.match(finding.outcome === 'pass' ? finding.message : '', /purpose preflight allowed to the preflight, which ignores/)
  // @ts-expect-error written by hand
  const forged = facts({ purpose: 'preflight', capability: { name: 'preflight' } })
  assert.equal(forged.asked.capability, 'forged')
  assert.equal(decide(forged).outcome, 'block')
})

verifies('MC-084', 'the facts hold the override itself, so that its digest can be computed again', () => {
  const value = AliasOverride.parse({ version: 1, reason: 'drained', aliases: { 'tool-use-capable': { candidates: ['scripted/coder-2'] } } })
  const given = facts({ profile: 'by_alias', override: { value } })
  assert.deepEqual(given.override, { value })
  assert.match(JSON.stringify(decide(given)), /scripted\/coder-2 by tool-use-capable/)
})

verifies('MC-085', 'an override that is not valid blocks at the gate', () => {
  const finding = decide(facts({ override: { invalid: 'not JSON' } }))
  assert.equal(finding.outcome === 'block' && finding.reason, 'alias_override_invalid')
  // Even a complaint that says nothing must not read as "no override".
  assert.equal(judge(catalogGate, [catalogGate.facts.state([{ name: 't', digest: { sha256: digest } }], { ...facts(), override: { invalid: 'x' } })]).outcome, 'block')
})

test('the facts hold only what the question touches', () => {
  const profiles = Object.fromEntries(Array.from({ length: 500 }, (_unused, index) => [`p${index}`, sampleProfile('scripted/coder-1', ['review'])]))
  const given = facts({ catalog: sampleCatalog({ profiles: { ...profiles, pi_scripted: sampleProfile('scripted/coder-1') } }) })
  assert.deepEqual(Object.keys(given.catalog.profiles), ['pi_scripted'])
  assert.deepEqual(Object.keys(given.catalog.providers), ['scripted'])
  assert.deepEqual(given.catalog.aliases, {})
  const refused = facts({ catalog: sampleCatalog({ profiles }), purpose: 'review' })
  assert.equal(Object.keys(refused.catalog.profiles).length, 10)
})

test('the proof holds the resolution, is made by the gate alone, and expires', async () => {
  const { proof, verdict, kept } = await pass(facts({ profile: 'by_alias' }))
  assert.ok(proof !== undefined)
  assert.deepEqual(proof.pair, { provider: 'scripted', model: 'coder-1' })
  assert.equal(proof.profileName, 'by_alias')
  assert.equal(proof.profile.agentVersion, '0.87.1')
  catalogProof.check(proof, observedAt)
  assert.throws(() => catalogProof.check(proof, new Date('2026-11-20T21:40:18.000Z')), { code: 'proof_forged' })
  assert.throws(() => catalogProof.check({ ...proof }, observedAt), { code: 'proof_forged' })
  assert.equal(catalogProof.prove(verdict, kept, new Date('2026-11-20T21:40:18.000Z')), undefined)
})

verifies('MC-086', 'a proof keeps its target when the catalog it came from is changed', async () => {
  const catalog = sampleCatalog()
  const { proof } = await pass(facts({ catalog, profile: 'by_alias' }))
  catalog.aliases = { 'tool-use-capable': { candidates: ['scripted/coder-9'] } }
  assert.deepEqual(proof?.pair, { provider: 'scripted', model: 'coder-1' })
  assert.deepEqual(proof?.alias?.candidates, ['scripted/coder-1', 'qwen-local/qwen3.6-35b-a3b'])
})

test('facts that the gate refuses give no proof', async () => {
  const { proof, verdict } = await pass(facts({ purpose: 'review' }))
  assert.equal(verdict.outcome, 'block')
  assert.equal(proof, undefined)
})
