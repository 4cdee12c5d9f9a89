import { agentSuite, asksByShell, replaced } from './suite.ts'

agentSuite('qwen-code', {
  otherModel: (model) => (launch) => ({ ...replaced('coder-1', model)(launch), environment: { ...launch.environment, OPENAI_MODEL: model } }),
  // It has one, which it was seen to take after 28 tries and 91 seconds, for a model of its configured providers: none is configured.
  fallback: null,
  background: asksByShell('run_shell_command', (command) => ({ command, is_background: false }), '/v1/chat/completions'),
  keyVariable: 'OPENAI_API_KEY',
  shell: { name: 'run_shell_command', arguments: { command: 'touch made-by-shell', is_background: false } },
  reasons: { otherModel: 'agent_not_as_planned', noKey: 'agent_not_ready' },
})
