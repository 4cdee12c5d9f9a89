import { join } from 'node:path'
import { sessionRuntimeSuite } from '../../../test/suites/session-runtime.ts'
import { claudeCodeSessions } from './index.ts'

const program = join(import.meta.dirname, '../../../test/fixtures/sessions/claude.mjs')

sessionRuntimeSuite({
  name: 'claude-code',
  runtime: () => claudeCodeSessions({ program, directory: import.meta.dirname }),
  dialect: 'anthropic-messages',
  path: '',
  asking: {
    call: () => ({ name: 'Bash', arguments: { command: 'echo made > made.txt' } }),
    profile: { permissions: 'ask' },
    effect: (workspace) => join(workspace, 'made.txt'),
  },
})
