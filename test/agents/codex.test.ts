import { agentSuite, asksByShell, replaced } from './suite.ts'

agentSuite('codex', {
  otherModel: (model) => replaced('coder-1', model),
  fallback: null,
  // By itself it asks for no second model: a command that its model chooses does, in a shell that was left the key.
  background: { ...asksByShell('exec_command', (command) => ({ cmd: command }), '/v1/responses'), alter: replaced('inherit = "core"', 'inherit = "all"') },
  keyVariable: 'PORTCULLIS_RUN_TOKEN',
  shell: null,
  reasons: { otherModel: 'model_not_admitted', noKey: 'no_model_call' },
})
