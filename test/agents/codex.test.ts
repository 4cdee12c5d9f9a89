import { agentSuite, asksByShell, replaced } from './suite.ts'

agentSuite('codex', {
  otherModel: (model) => replaced('coder-1', model),
  fallback: null,
  background: asksByShell('exec_command', (command) => ({ cmd: command }), '/v1/responses'),
  keyVariable: 'PORTCULLIS_RUN_TOKEN',
  shell: null,
  reasons: { otherModel: 'model_not_admitted', noKey: 'no_model_call' },
})
