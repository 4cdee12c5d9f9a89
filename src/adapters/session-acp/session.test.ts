import assert from 'node:assert/strict'
import { join } from 'node:path'
import { verifies } from '../../../test/verifies.ts'
import { openLive, providerFor } from '../../../test/helpers/live-sessions.ts'
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

verifies('MC-037', 'late news of a turn are no receipt of the next one: nothing is sent, and the session gets nothing more', async (context) => {
  const provider = await providerFor(context, { turns: [{ when: { lastUser: 'speak' }, answer: { text: 'Answer.' } }] })
  const runtime = acpSessions({ name: 'gemini-cli', cli: GEMINI_CLI, program, directory: import.meta.dirname, launch: GEMINI })
  const { session, events, send } = await openLive(context, { runtime, dialect: 'gemini', baseUrl: provider.url, profile: { permissions: 'ask' } })
  await session.ready(AbortSignal.timeout(15_000))
  assert.equal((await send('speak late')).outcome, 'delivered')
  await events.next('turn_end')
  const next = await send('speak again', { turnId: 'T-1.2' })
  assert.deepEqual([next.outcome, next.outcome !== 'delivered' && next.found], ['unknown', 'news of an earlier turn came after its end; nothing was sent'])
  assert.equal(session.state(), 'failed')
  assert.equal((await send('speak again')).outcome, 'refused')
  assert.equal(provider.requests().filter(({ inference }) => inference).length, 1)
})
