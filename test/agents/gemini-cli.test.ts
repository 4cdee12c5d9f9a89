import { agentSuite, asksByShell, replaced } from './suite.ts'

agentSuite('gemini-cli', {
  otherModel: (model) => replaced('coder-1', model),
  fallback: null,
  background: asksByShell('run_shell_command', (command) => ({ command }), '/v1beta/models/background-1:generateContent'),
  keyVariable: 'GEMINI_API_KEY',
  shell: { name: 'run_shell_command', arguments: { command: 'touch made-by-shell' } },
  reasons: { otherModel: 'agent_not_as_planned', noKey: 'agent_not_ready' },
})
