import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { BUILD, goodFacts, NONCE, OTHER, PERSONA, PROOF, RUN } from '../../../test/helpers/agent-facts.ts'
import { proofOf } from '../../../test/helpers/proofs.ts'
import { verifies } from '../../../test/verifies.ts'
import type { Finding } from '../../contract/gate.ts'
import { AGENT_PATHS, type AgentReadinessFacts } from './agent-facts.ts'
import { agentReadinessGate, agentReadyProof } from './agent-gate.ts'
import { missingParts, spelled } from './missing-parts.ts'

const decide = (facts: AgentReadinessFacts): Finding => agentReadinessGate.decide(agentReadinessGate.facts.schema.parse(facts), [OTHER])
const codes = (facts: AgentReadinessFacts): string[] => missingParts(facts).map(({ reason }) => spelled(reason))
const good = goodFacts()
const answered = good.challenge.status === 'answered' ? good.challenge : assert.fail()
const challenged = (change: Partial<typeof answered>, more: Partial<AgentReadinessFacts> = {}): AgentReadinessFacts => goodFacts({ challenge: { ...answered, ...change }, ...more })
const [server] = good.servers
const [call] = good.calls
assert.ok(server !== undefined && call !== undefined)
const calling = (change: Partial<typeof call>): AgentReadinessFacts => goodFacts({ calls: [{ ...call, ...change }] })

/** Blocks, with exactly these parts. */
function blocks(facts: AgentReadinessFacts, ...expected: readonly string[]): Extract<Finding, { outcome: 'block' }> {
  const finding = decide(facts)
  assert.equal(finding.outcome, 'block')
  if (finding.outcome !== 'block') throw new Error('unreachable')
  assert.deepEqual(codes(facts), expected)
  assert.equal(spelled(finding.reason), expected[0])
  return finding
}

test('an agent of which every part was observed passes, until the proof ends', () => {
  assert.deepEqual(decide(good), { outcome: 'pass', message: 'Concierge 1.4.0, served by scripted/coder-1', evidence: [OTHER], expiresAt: new Date('2026-11-21T09:06:40.000Z') })
})

verifies('RDY-01', 'no persona, or no answer to who it is, is MISSING_IDENTITY', () => {
  assert.match(blocks(challenged({ persona: null }), 'MISSING_IDENTITY').found, /no persona/)
  blocks(goodFacts({ card: { status: 'malformed', found: 'no name' }, challenge: { status: 'unasked' } }), 'MISSING_IDENTITY')
})

verifies('RDY-02 RDY-47', 'another persona, card, run, generation or nonce is IDENTITY_MISMATCH', () => {
  blocks(challenged({ persona: { sha256: OTHER, proof: PROOF } }), 'IDENTITY_MISMATCH')
  const card = good.card.status === 'read' ? good.card : assert.fail()
  blocks(goodFacts({ card: { ...card, name: 'Another' } }), 'IDENTITY_MISMATCH')
  blocks(goodFacts({ card: { ...card, version: '1.3.9' } }), 'IDENTITY_MISMATCH')
  for (const bound of [{ nonce: 'm'.repeat(32) }, { generation: 1 }, { runId: '20261121T090000Z-concierge-2' }]) blocks(challenged({ bound: { runId: RUN, generation: 2, nonce: NONCE, ...bound } }), 'IDENTITY_MISMATCH')
})

verifies('RDY-10', 'the digest of the persona alone is a claim where its bytes can be asked for', () => {
  assert.match(blocks(challenged({ persona: { sha256: PERSONA, proof: null } }), 'IDENTITY_MISMATCH').found, /their digest alone/)
  blocks(challenged({ persona: { sha256: PERSONA, proof: OTHER } }), 'IDENTITY_MISMATCH')
})

verifies('RDY-03 RDY-10', 'an agent that asked no model anything is MISSING_MODEL, whatever it says of itself', () => {
  blocks(goodFacts({ calls: [] }), 'MISSING_MODEL')
  blocks(calling({ inference: false }), 'MISSING_MODEL')
})

verifies('RDY-04', 'a call that another model served, or was asked for, is MODEL_MISMATCH, also beside a right one', () => {
  blocks(calling({ servedModel: 'coder-2' }), 'MODEL_MISMATCH')
  blocks(calling({ servedModel: null }), 'MODEL_MISMATCH')
  blocks(calling({ admitted: { provider: 'other', model: 'coder-1' } }), 'MODEL_MISMATCH')
  for (const reason of ['model_not_admitted', 'served_model_mismatch', 'served_model_unknown'] as const) blocks(calling({ outcome: 'refused', reason, servedModel: null }), 'MODEL_MISMATCH')
  blocks(goodFacts({ calls: [call, { ...call, number: 2, outcome: 'refused', reason: 'model_not_admitted' }] }), 'MODEL_MISMATCH')
  blocks(challenged({ claims: { model: 'coder-9', provider: null } }), 'MODEL_MISMATCH')
})

verifies('RDY-05 RDY-06 RDY-09', 'a missing tool server is named with each tool it would have had; a missing tool is named', () => {
  for (const status of ['unnamed', 'elsewhere', 'refused', 'failed', 'unasked'] as const) {
    blocks(goodFacts({ servers: [{ ...server, status, tools: [], found: 'why' }] }), 'MISSING_MCP_SERVER', 'MISSING_TOOL', 'MISSING_TOOL')
  }
  blocks(goodFacts({ servers: [] }), 'MISSING_MCP_SERVER', 'MISSING_TOOL', 'MISSING_TOOL')
  assert.match(blocks(goodFacts({ servers: [{ ...server, tools: ['list_workspaces'] }] }), 'MISSING_TOOL').asked, /tool create_workspace of workspaces/)
  // Tools that another server has do not count.
  blocks(goodFacts({ servers: [{ ...server, tools: ['list_workspaces'] }, { ...server, name: 'other', tools: ['create_workspace'] }] }), 'MISSING_TOOL')
})

verifies('RDY-39', 'another build than the expected one is STALE_DEPLOYMENT with both digests', () => {
  const { asked, found } = blocks(challenged({ build: { sha256: OTHER, proof: null } }), 'STALE_DEPLOYMENT')
  assert.ok(asked.includes(BUILD) && found.includes(OTHER))
  blocks(challenged({ build: null }), 'STALE_DEPLOYMENT')
})

verifies('RDY-07 RDY-08', 'a generic agent that answers everything but this lacks everything, and all of it is said at once', () => {
  const generic = goodFacts({ challenge: { status: 'unanswered', nonce: NONCE, requestSha256: OTHER, responseSha256: OTHER, found: 'words' }, calls: [], servers: [{ ...server, status: 'unasked', tools: [], found: 'it names none' }] })
  blocks(generic, 'MISSING_IDENTITY', 'MISSING_MODEL', 'MISSING_MCP_SERVER', 'MISSING_TOOL', 'MISSING_TOOL', 'STALE_DEPLOYMENT')
})

verifies('RDY-17', 'what could not be asked is PROBE_ERROR or PROBE_TIMEOUT', () => {
  for (const [failure, code] of [['error', 'PROBE_ERROR'], ['timeout', 'PROBE_TIMEOUT']] as const) {
    blocks(goodFacts({ card: { status: 'failed', failure, found: 'why' }, challenge: { status: 'unasked' }, calls: [], servers: [] }), code)
    blocks(goodFacts({ challenge: { status: 'failed', failure, found: 'why' }, calls: [], servers: [] }), code)
  }
  blocks(goodFacts({ challenge: { status: 'unasked' } }), 'PROBE_ERROR')
  blocks(calling({ outcome: 'failed', reason: 'provider_overloaded', servedModel: null }), 'PROBE_ERROR')
})

verifies('RDY-36', 'an address that may not be called has a code of its own, and is not mixed with what else is missing', () => {
  blocks(goodFacts({ card: { status: 'refused', found: '169.254.169.254' }, challenge: { status: 'unasked' }, calls: [], servers: [] }), 'agent_card_url_rejected')
})

verifies('RDY-38', 'the record holds the seed, the build and the rules that were applied', async () => {
  const ready = await proofOf(agentReadinessGate, agentReadyProof, good, new Date('2026-11-21T09:00:01.000Z'))
  assert.deepEqual([ready.agent, ready.generation, ready.endpoint, ready.seed], ['concierge', 2, 'http://127.0.0.1:4101/a2a', 'e'.repeat(64)])
  assert.deepEqual([good.rules, good.expected.build.sha256], ['agent-readiness/1', BUILD])
})

test('a light look finds what is missing, and never passes', () => {
  assert.equal(decide(goodFacts({ depth: 'light', calls: [] })).outcome, 'abstain')
  blocks(goodFacts({ depth: 'light', calls: [], servers: [{ ...server, tools: [] }] }), 'MISSING_TOOL', 'MISSING_TOOL')
})

verifies('RDY-12', 'every path is judged alike', () => {
  for (const path of AGENT_PATHS) {
    assert.equal(decide(goodFacts({ path })).outcome, 'pass', path)
    blocks(challenged({ persona: null }, { path }), 'MISSING_IDENTITY')
  }
})

verifies('RDY-10', 'whatever is observed: nothing passes without card, answer, persona, build, every tool and a call of the admitted model', () => {
  const status = { card: fc.constantFrom<AgentReadinessFacts['card']>(good.card, { status: 'refused', found: 'x' }, { status: 'malformed', found: 'x' }, { status: 'failed', failure: 'error', found: 'x' }) }
  const challenge = fc.constantFrom<AgentReadinessFacts['challenge']>(answered, { ...answered, persona: null }, { ...answered, build: null }, { ...answered, bound: { ...answered.bound, generation: 1 } }, { status: 'unasked' }, { status: 'failed', failure: 'timeout', found: 'x' }, { status: 'unanswered', nonce: NONCE, requestSha256: OTHER, responseSha256: OTHER, found: 'x' })
  const servers = fc.subarray([server, { ...server, name: 'other' }, { ...server, status: 'failed' as const }])
  const calls = fc.subarray([call, { ...call, number: 2, servedModel: 'x' }, { ...call, number: 3, outcome: 'refused' as const, reason: 'budget_exhausted' as const }])
  fc.assert(fc.property(fc.record({ ...status, challenge, servers, calls, depth: fc.constantFrom('full' as const, 'light' as const) }), (change) => {
    if (decide(goodFacts(change)).outcome !== 'pass') return
    assert.equal(change.card, good.card)
    assert.equal(change.challenge, answered)
    assert.ok(change.servers.find(({ name }) => name === 'workspaces')?.status === 'listed')
    assert.ok(change.calls.includes(call) && !change.calls.some(({ servedModel }) => servedModel === 'x'))
    assert.equal(change.depth, 'full')
  }))
})
