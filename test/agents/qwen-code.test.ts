import { agentSuite, inFile, replaced } from './suite.ts'

agentSuite('qwen-code', {
  otherModel: (model) => (launch) => ({ ...replaced('coder-1', model)(launch), environment: { ...launch.environment, OPENAI_MODEL: model } }),
  // It has one, which it was seen to take after 28 tries and 91 seconds, for a model of its configured providers: none is configured.
  fallback: null,
  // A fast model of its own settings, which reads the turn for what is worth remembering.
  background: {
    model: 'background-1',
    alter: (launch) => inFile('settings.json', [['fastModel'], 'background-1'], [['memory', 'enableManagedAutoMemory'], true], [['modelProviders'], { openai: [{ id: 'background-1', name: 'background-1', baseUrl: launch.environment['OPENAI_BASE_URL'], envKey: 'OPENAI_API_KEY' }] }])(launch),
  },
  keyVariable: 'OPENAI_API_KEY',
  shell: { name: 'run_shell_command', arguments: { command: 'touch made-by-shell', is_background: false } },
  reasons: { otherModel: 'agent_not_as_planned', noKey: 'agent_not_ready' },
})
