import { AgentReadinessFacts } from '../../src/gates/readiness/index.ts'

const digest = (letter: string): string => letter.repeat(64)
export const [PERSONA, BUILD, PROOF, OTHER] = ['a', 'b', 'c', 'd'].map(digest) as [string, string, string, string]
export const NONCE = 'n'.repeat(32)
export const RUN = '20261121T090000Z-concierge-1'

/** What is observed of an agent that is the one that was meant. */
export function goodFacts(change: Partial<AgentReadinessFacts> = {}): AgentReadinessFacts {
  return AgentReadinessFacts.parse({
    rules: 'agent-readiness/1',
    observedAt: '2026-11-21T09:00:00.000Z',
    validForMs: 400_000,
    agent: 'concierge',
    runId: RUN,
    generation: 2,
    path: 'create',
    depth: 'full',
    expected: {
      name: 'Concierge', version: '1.4.0', persona: { sha256: PERSONA, proof: PROOF }, build: { sha256: BUILD, proof: null }, pair: { provider: 'scripted', model: 'coder-1' }, servedModelIds: ['coder-1'],
      servers: [{ name: 'workspaces', url: 'http://127.0.0.1:4102/mcp', tools: ['create_workspace', 'list_workspaces'] }], seed: digest('e'),
    },
    card: { status: 'read', url: 'http://127.0.0.1:4101/.well-known/agent-card.json', sha256: digest('1'), name: 'Concierge', version: '1.4.0', endpoint: 'http://127.0.0.1:4101/a2a' },
    challenge: {
      status: 'answered', nonce: NONCE, requestSha256: digest('2'), responseSha256: digest('3'), bound: { runId: RUN, generation: 2, nonce: NONCE },
      persona: { sha256: PERSONA, proof: PROOF }, build: { sha256: BUILD, proof: null }, claims: { model: 'coder-1', provider: 'scripted' }, servers: [{ name: 'workspaces', url: 'http://127.0.0.1:4102/mcp' }],
    },
    servers: [{ name: 'workspaces', status: 'listed', url: 'http://127.0.0.1:4102/mcp', found: null, tools: ['create_workspace', 'list_workspaces', 'more'], listSha256: digest('4') }],
    calls: [{ evidence: digest('5'), number: 1, inference: true, outcome: 'answered', reason: null, requestedModel: 'coder-1', admitted: { provider: 'scripted', model: 'coder-1' }, servedModel: 'coder-1' }],
    process: null,
    ...change,
  })
}
