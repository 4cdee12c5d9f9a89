import { agentSuite, inFile, replaced } from './suite.ts'

agentSuite('opencode', {
  otherModel: (model) => replaced('coder-1', model),
  fallback: null,
  // Its own setting for titles names a second model.
  background: {
    model: 'background-1',
    alter: inFile('opencode.json', [['small_model'], 'wire/background-1'], [['provider', 'wire', 'models', 'background-1'], { name: 'background-1' }]),
  },
  keyVariable: 'PORTCULLIS_RUN_TOKEN',
  shell: { name: 'bash', arguments: { command: 'touch made-by-shell', description: 'touch' } },
  reasons: { otherModel: 'agent_not_as_planned', noKey: 'run_unknown' },
})
