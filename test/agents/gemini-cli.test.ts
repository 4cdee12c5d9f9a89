import { agentSuite, inFile, replaced } from './suite.ts'

agentSuite('gemini-cli', {
  otherModel: (model) => replaced('coder-1', model),
  fallback: null,
  // Where its settings let it, it has an edit that does not fit corrected by a model of its own choice.
  background: {
    model: 'gemini-3-flash-preview',
    alter: inFile('settings.json', [['tools', 'disableLLMCorrection'], false]),
    script: ({ turns: [probe, first, ...rest], ...script }) => ({
      ...script,
      turns: [
        ...(probe === undefined || first === undefined ? [] : [probe, first]),
        { when: { turn: 2 }, answer: { toolCalls: [{ name: 'replace', arguments: { file_path: 'src/slugify.js', instruction: 'Implement it.', old_string: 'there is no such text', new_string: 'return title' } }] } },
        ...rest, { when: { always: true }, answer: { text: 'Done.' } },
      ],
    }),
  },
  keyVariable: 'GEMINI_API_KEY',
  shell: { name: 'run_shell_command', arguments: { command: 'touch made-by-shell' } },
  reasons: { otherModel: 'agent_not_as_planned', noKey: 'agent_not_ready' },
})
