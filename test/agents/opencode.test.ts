import { agentSuite, asksByShell, replaced } from './suite.ts'

agentSuite('opencode', {
  otherModel: (model) => replaced('coder-1', model),
  fallback: null,
  background: asksByShell('bash', (command) => ({ command, description: 'ask' }), '/v1/chat/completions'),
  keyVariable: 'PORTCULLIS_RUN_TOKEN',
  shell: { name: 'bash', arguments: { command: 'touch made-by-shell', description: 'touch' } },
  reasons: { otherModel: 'agent_not_as_planned', noKey: null },
})
