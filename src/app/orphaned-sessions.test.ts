import assert from 'node:assert/strict'
import { OPERATOR } from '../../test/helpers/ticket-book.ts'
import { dispatchForTest } from '../../test/helpers/ticket-sessions.ts'
import { verifies } from '../../test/verifies.ts'
import { move } from '../engine/index.ts'
import { orphanedSessions } from './orphaned-sessions.ts'

verifies('MC-058', 'a ticket in review whose idle session nobody holds any more is found at the start, and can be moved once that session is ended', async (context) => {
  let run: string | undefined
  const held = await dispatchForTest(context, { around: (channel) => ({ ...channel, run: run ?? null }) })
  ;({ runId: run } = await held.ledger.begin({ kind: 'session', taskId: 'T-1', startedAt: new Date() }))
  const { id, runtime } = await held.begin()
  assert.ok((await move(held.book, id, OPERATOR, { to: 'review', reason: 'I look myself' })).ok)
  assert.deepEqual(await orphanedSessions(held.book, held.ledger), [])
  await held.ledger.append({ runId: run, state: { to: 'blocked', reason: 'interrupted', at: new Date() } })
  const next = held.reborn()
  await next.recover()
  const stuck = await move(held.book, id, OPERATOR, { to: 'todo', reason: 'again' })
  assert.ok(!stuck.ok && stuck.refusal.reason === 'runtime_busy')
  const orphaned = await orphanedSessions(held.book, held.ledger)
  assert.deepEqual(orphaned, [{ ticket: id, session: runtime.session }])
  for (const { session } of orphaned) await next.endSession(session)
  assert.deepEqual([(await held.book.get(id)).runtime.state, await orphanedSessions(held.book, held.ledger)], ['closed', []])
  assert.ok((await move(held.book, id, OPERATOR, { to: 'todo', reason: 'again' })).ok)
})

verifies('MC-058', 'a session that never came up is one nobody holds once the claim that began it is over, and not before', async (context) => {
  const held = await dispatchForTest(context)
  const { id, runtime } = await held.begin()
  assert.deepEqual(await orphanedSessions(held.book, held.ledger), [])
  held.wait(600_001)
  assert.deepEqual(await orphanedSessions(held.book, held.ledger), [{ ticket: id, session: runtime.session }])
})
