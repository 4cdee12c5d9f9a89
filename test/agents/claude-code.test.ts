import { join } from 'node:path'
import { edit } from '../helpers/real-agents.ts'
import { agentSuite } from './suite.ts'

agentSuite('claude-code', {
  otherModel: (model) => ({ argv: [program, ...rest] }) => ({ argv: [program, ...rest.map((word) => (word === 'coder-1' ? model : word))] }),
  // It falls back after the third 529, which our bound on its tries would not let it reach.
  fallback: (model) => ({ argv, environment }) => ({ argv: [...argv, '--fallback-model', model], environment: { ...environment, CLAUDE_CODE_MAX_RETRIES: '5' } }),
  // The model itself chooses another one for a helper: its own choice is haiku, whatever it was started with.
  background: {
    model: 'claude-haiku-5-5',
    prepare: ({ directory }) => edit(join(directory, 'portcullis.yaml'), ['profiles', 'claude_code', 'permissions'], 'bypass'),
    script: (script) => ({
      ...script,
      turns: [...script.turns.slice(0, 1), { when: { turn: 1, offersTool: 'Agent', lastUser: 'slugify' }, answer: { toolCalls: [{ name: 'Agent', arguments: { description: 'look', prompt: 'Look at the tests.', subagent_type: 'general-purpose', model: 'haiku' } }] } }, { when: { always: true }, answer: { text: 'Done.' } }],
    }),
  },
  keyVariable: 'ANTHROPIC_AUTH_TOKEN',
  shell: { name: 'Bash', arguments: { command: 'touch made-by-shell', description: 'touch' } },
  reasons: { otherModel: 'model_not_admitted', noKey: 'no_model_call' },
})
