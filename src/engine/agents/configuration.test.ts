import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AgentDefinition, cardUrlProblem, permissionOf } from './configuration.ts'

const DEFINITION = {
  deployment: 'tenants-eu',
  profile: 'concierge',
  purpose: 'assistant',
  expects: { name: 'Concierge', version: '1.4.0', persona: { file: 'seed/persona.md' }, build: { sha256: 'a'.repeat(64) }, mcpServers: { workspaces: { tools: ['create_workspace'] } } },
  provisioner: { kind: 'external', mode: 'pull' },
  cardUrl: 'http://127.0.0.1:4101/.well-known/agent-card.json',
  allow: { addresses: ['127.0.0.1:4101'] },
  startup: '300s', answer: '10s', recheck: '30s', reprove: '300s', validFor: '400s',
} as const

test('every field but allow is required: nothing about who an agent is has a default', () => {
  assert.ok(AgentDefinition.safeParse(DEFINITION).success)
  for (const name of Object.keys(DEFINITION)) {
    const rest: Record<string, unknown> = { ...DEFINITION }
    delete rest[name]
    assert.equal(AgentDefinition.safeParse(rest).success, name === 'allow', name)
  }
  for (const name of Object.keys(DEFINITION.expects)) {
    const expects: Record<string, unknown> = { ...DEFINITION.expects }
    delete expects[name]
    assert.equal(AgentDefinition.safeParse({ ...DEFINITION, expects }).success, false, name)
  }
})

test('what is not known, not exact or says two things is refused', () => {
  for (const change of [
    { mode: 'prod' },
    { allow: { addresses: ['localhost:4101'] } },
    { allow: { networks: ['10.0.0.1/8'] } },
    { allow: { private: true } },
    { cardUrl: 'http://user:secret@127.0.0.1:4101/' },
    { cardUrl: 'file:///etc/passwd' },
    { provisioner: { kind: 'external' } },
    { provisioner: { kind: 'docker' } },
    { expects: { ...DEFINITION.expects, persona: { file: 'a', sha256: 'a'.repeat(64) } } },
    { expects: { ...DEFINITION.expects, mcpServers: { workspaces: { tools: [] } } } },
  ]) assert.equal(AgentDefinition.safeParse({ ...DEFINITION, ...change }).success, false, JSON.stringify(change))
})

test('the address of a card must be public or listed', () => {
  const definition = AgentDefinition.parse(DEFINITION)
  assert.equal(cardUrlProblem(definition), undefined)
  assert.match(cardUrlProblem({ cardUrl: definition.cardUrl }) ?? '', /127\.0\.0\.1, an address of this machine, which is not listed in allow/)
  assert.deepEqual(permissionOf({}), { addresses: [], networks: [] })
})
