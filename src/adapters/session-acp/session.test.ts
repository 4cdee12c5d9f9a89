import { join } from 'node:path'
import { GEMINI_CLI } from '../agent-gemini-cli/index.ts'
import { sessionRuntimeSuite } from '../../../test/suites/session-runtime.ts'
import { acpSessions, GEMINI } from './index.ts'

const program = join(import.meta.dirname, '../../../test/fixtures/sessions/acp.mjs')

sessionRuntimeSuite({
  name: 'acp',
  runtime: () => acpSessions({ name: 'gemini-cli', cli: GEMINI_CLI, program, directory: import.meta.dirname, launch: GEMINI }),
  dialect: 'gemini',
  path: '',
  asking: {
    call: () => ({ name: 'run_shell_command', arguments: { command: 'echo made > made.txt' } }),
    profile: { permissions: 'ask' },
    effect: (workspace) => join(workspace, 'made.txt'),
  },
})
