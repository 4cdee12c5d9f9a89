import assert from 'node:assert/strict'
import { join } from 'node:path'
import { openLive } from '../../../test/helpers/live-sessions.ts'
import { turnFor } from '../../../test/helpers/agents.ts'
import { test } from 'node:test'
import { verifies } from '../../../test/verifies.ts'
import { claudeCodeSessions } from '../session-claude-code/index.ts'

const program = join(import.meta.dirname, '../../../test/fixtures/sessions/silent.mjs')
const silent = { runtime: claudeCodeSessions({ program, directory: import.meta.dirname }), dialect: 'anthropic-messages', baseUrl: 'http://127.0.0.1:1' } as const

verifies('MC-037 MC-038', 'a message that was written and never confirmed is unknown, and nothing enters that session again', async (context) => {
  const { session, events, send } = await openLive(context, silent)
  assert.deepEqual(await session.ready(AbortSignal.timeout(10_000)), { ok: true })
  assert.deepEqual(await send('the first message', { limitMs: 200 }), { outcome: 'unknown', found: 'the runtime gave no receipt in the time given' })
  assert.deepEqual(await send('the first message'), { outcome: 'refused', state: 'failed', written: false, found: 'status=failed' })
  assert.deepEqual(events.of('turn_end'), [])
  await session.close(0)
  assert.deepEqual(events.of('turn_end').map(({ ended }) => ended.outcome), ['unknown'])
})

test('a turn that was given for other words, or used, writes nothing and leaves the session ready', async (context) => {
  const { session } = await openLive(context, silent)
  await session.ready(AbortSignal.timeout(10_000))
  const turn = await turnFor('one', session.process.pid)
  const message = { turnId: 'T-1.1', text: 'two', schema: undefined }
  await assert.rejects(session.deliver(turn, message, AbortSignal.timeout(1_000)), { code: 'proof_forged' })
  await assert.rejects(session.deliver(await turnFor('two', session.process.pid + 1), message, AbortSignal.timeout(1_000)), { code: 'proof_forged' })
  assert.equal(session.state(), 'ready')
  assert.equal((await session.deliver(turn, { ...message, text: 'one' }, AbortSignal.abort())).outcome, 'refused')
  assert.equal((await session.deliver(turn, { ...message, text: 'one' }, AbortSignal.timeout(100))).outcome, 'unknown')
})
