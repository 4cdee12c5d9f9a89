import { agentSuite, asksByShell, replaced } from './suite.ts'

agentSuite('pi', {
  otherModel: (model) => replaced('coder-1', model),
  fallback: null,
  // By itself it asks for no second model: a command that its model chooses does.
  background: asksByShell('bash', (command) => ({ command }), '/v1/chat/completions'),
  keyVariable: 'PORTCULLIS_RUN_TOKEN',
  shell: { name: 'bash', arguments: { command: 'touch made-by-shell' } },
  reasons: { otherModel: 'agent_not_as_planned', noKey: 'failed_to_inject' },
})
