import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BUILD, goodFacts, OTHER, PERSONA, PROOF } from '../../../test/helpers/agent-facts.ts'
import { type AgentReadinessFacts, missingParts, type ReadinessFacts, spelled } from './index.ts'

const codes = (change: Partial<AgentReadinessFacts>): string[] => missingParts(goodFacts(change)).map(({ reason }) => spelled(reason))
const good = goodFacts()
const answered = good.challenge.status === 'answered' ? good.challenge : assert.fail()
const card = good.card.status === 'read' ? good.card : assert.fail()
const [server] = good.servers
const [call] = good.calls
assert.ok(server !== undefined && call !== undefined)

const started = (change: Partial<ReadinessFacts['observed']> = {}): ReadinessFacts => {
  const program = { path: '/opt/concierge', sha256: BUILD }
  const executable = { path: '/opt/node', identity: `sha256:${OTHER}` } as const
  return {
    observedAt: good.observedAt, validForMs: 1_000,
    planned: { planDigest: OTHER, executable, program, programFiles: [], argvDigest: OTHER, workspace: '/run', files: [], model: good.expected.pair, version: '1.4.0', effort: null },
    observed: { pid: 7, startTicks: 9, alive: true, executable, program, programFiles: [], argvDigest: OTHER, workspace: '/run', files: [], responded: true, claims: { model: null, provider: null, version: null, effort: null }, ...change },
  }
}

test('a process that we started is looked at as well as its answers, and its program is the build', () => {
  assert.deepEqual(codes({ process: started() }), [])
  assert.deepEqual(codes({ process: started({ alive: false }) }), ['agent_not_started'])
  assert.deepEqual(codes({ process: started({ program: { path: '/opt/concierge', sha256: OTHER } }) }), ['agent_not_as_planned', 'STALE_DEPLOYMENT'])
  assert.deepEqual(codes({ process: started({ program: { path: '/opt/concierge', sha256: null } }) }), ['agent_not_as_planned', 'STALE_DEPLOYMENT'])
  // What the kernel shows goes before what the agent proves of its build, in both directions.
  assert.deepEqual(codes({ process: started(), challenge: { ...answered, build: null } }), [])
})

test('what the card lacks is not forgotten for what the answer lacks', () => {
  const other = { ...card, name: 'Another' }
  assert.deepEqual(codes({ card: other, challenge: { ...answered, bound: { ...answered.bound, generation: 1 } } }), ['IDENTITY_MISMATCH', 'IDENTITY_MISMATCH'])
  assert.deepEqual(codes({ card: other, challenge: { ...answered, persona: null } }), ['IDENTITY_MISMATCH', 'MISSING_IDENTITY'])
  assert.deepEqual(codes({ card: other, challenge: { ...answered, persona: { sha256: OTHER, proof: PROOF } } }), ['IDENTITY_MISMATCH', 'IDENTITY_MISMATCH'])
})

test('an answer for something else says for what', () => {
  const observed = (bound: Partial<typeof answered.bound>): string | undefined => missingParts(goodFacts({ challenge: { ...answered, bound: { ...answered.bound, ...bound } } }))[0]?.observed
  assert.equal(observed({ nonce: 'm'.repeat(32) }), 'one for another nonce')
  assert.match(observed({ generation: 1 }) ?? '', /^one for generation 1 of /)
  assert.match(observed({ runId: '20261121T090000Z-other-2' }) ?? '', /^one for generation 2 of 20261121T090000Z-other-2$/)
})

test('where its bytes are elsewhere the digest of a persona is enough, and where they are here a proof is', () => {
  assert.deepEqual(codes({ expected: { ...good.expected, persona: { sha256: PERSONA, proof: null } }, challenge: { ...answered, persona: { sha256: PERSONA, proof: PROOF } } }), [])
  const observed = (proof: string | null): string | undefined => missingParts(goodFacts({ challenge: { ...answered, persona: { sha256: PERSONA, proof } } }))[0]?.observed
  assert.deepEqual([observed(null), observed(OTHER)], ['their digest alone', 'a proof that other bytes give'])
})

test('an agent that says another model or another provider contradicts what was served; one that says neither does not', () => {
  const claims = (model: string | null, provider: string | null): string[] => codes({ challenge: { ...answered, claims: { model, provider } } })
  assert.deepEqual([claims(null, null), claims('coder-1', null), claims(null, 'scripted')], [[], [], []])
  assert.deepEqual([claims('coder-9', null), claims(null, 'other'), claims('coder-1', 'other')], [['MODEL_MISMATCH'], ['MODEL_MISMATCH'], ['MODEL_MISMATCH']])
})

test('each required server is looked for by its name, and a list that failed for a moment is told from one that lacks a tool', () => {
  assert.deepEqual(codes({ servers: [{ ...server, name: 'other' }] }), ['MISSING_MCP_SERVER', 'MISSING_TOOL', 'MISSING_TOOL'])
  assert.deepEqual(codes({ servers: [{ ...server, name: 'other', status: 'refused', tools: [] }, server] }), [])
  const parts = (status: typeof server.status): readonly boolean[] => missingParts(goodFacts({ servers: [{ ...server, status, tools: [], found: 'why' }] })).map(({ passing }) => passing)
  assert.deepEqual([parts('failed'), parts('refused'), parts('listed')], [[true, true, true], [false, false, false], [false, false]])
  const [unseen] = missingParts(goodFacts({ servers: [] }))
  assert.equal(unseen?.observed, 'it was not looked at')
  const [lacking] = missingParts(goodFacts({ servers: [{ ...server, tools: [] }] }))
  assert.equal(lacking?.observed, 'none was listed')
})

test('a call that no model is named for is none of the admitted one', () => {
  assert.deepEqual(codes({ calls: [{ ...call, servedModel: null }] }), ['MODEL_MISMATCH'])
})
