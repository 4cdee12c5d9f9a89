import { agentSuite, replaced } from './suite.ts'

agentSuite('codex', {
  otherModel: (model) => replaced('coder-1', model),
  // It knows none: what it does after 529 is in the test of a provider that fails.
  fallback: null,
  background: {},
  keyVariable: 'PORTCULLIS_RUN_TOKEN',
})
