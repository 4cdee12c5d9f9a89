import { join } from 'node:path'
import { sessionRuntimeSuite } from '../../../test/suites/session-runtime.ts'
import { codexSessions } from './index.ts'

const program = join(import.meta.dirname, '../../../test/fixtures/sessions/codex.mjs')

sessionRuntimeSuite({
  name: 'codex',
  runtime: () => codexSessions({ program, directory: import.meta.dirname }),
  dialect: 'openai-responses',
  path: '/v1',
  structured: { text: '{"verdict":"yes"}' },
  asking: {
    call: () => ({ name: 'exec_command', arguments: { cmd: 'echo made > made.txt' } }),
    profile: { permissions: 'ask' },
    effect: (workspace) => join(workspace, 'made.txt'),
  },
})
