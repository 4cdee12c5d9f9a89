import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Problem } from '../../src/http/problem.ts'
import { SentView, TranscriptView } from '../../src/app/session-shapes.ts'
import { type Joined, joined } from '../helpers/joined-sessions.ts'
import { verifies } from '../verifies.ts'

const cleanUp: (() => unknown)[] = []
let held: Joined

before(async () => {
  held = await joined({ after: (act) => void cleanUp.push(act as () => unknown) })
})
after(async () => {
  for (const act of cleanUp.reverse()) await act()
})

const problemOf = (answer: { json(): unknown }): Problem => Problem.parse(answer.json())

verifies('MC-004 MC-006 MC-011 MC-014 MC-130', 'a session is opened through the gates, and what the API says of it is what runs', async () => {
  const id = await held.ready()
  const before = await held.session(id)
  assert.deepEqual([before.state, before.attached, before.session, before.mode, before.queue], ['none', false, null, null, []])
  const started = await held.start(id)
  assert.equal(started.status, 200, started.text)
  const session = await held.session(id)
  assert.deepEqual([session.state, session.attached, session.mode, session.triple, session.agent, session.provider, session.model, session.profile], ['ready', true, 'HEADLESS', 'pi/scripted/coder-1', 'pi', 'scripted', 'coder-1', 'pi_scripted'])
  assert.deepEqual([session.manifest?.delivery_receipt, session.manifest?.structured_result], ['native', 'none'])
  assert.ok(session.pid !== null && session.cwd !== null && session.run !== null && session.last_activity_at !== null)
  const { status, ticket } = await held.ticket(id)
  assert.deepEqual([status.profile, status.cwd, status.started_at, ticket.state, ticket.runtime.state], ['pi_scripted', session.cwd, session.started_at, 'in_progress', 'ready'])
  const sent = await held.say(id, 'look at it', 'refuse')
  assert.equal(sent.status, 202, sent.text)
  assert.equal(SentView.parse(sent.json()).kind, 'turn')
  await held.until(id, 'the end of the turn', ({ ticket: now }) => now.state === 'review')
  const [turn] = await held.turns(id)
  assert.deepEqual([turn?.end, turn?.state], ['no_signal', 'ended'])
  assert.ok((turn?.end_tokens ?? 0) > 0 && (turn?.duration_ms ?? 0) > 0)
  await held.until(id, 'the end of the session', ({ ticket: now }) => now.runtime.state === 'closed')
  const ended = await held.session(id)
  assert.deepEqual([ended.state, ended.attached, ended.context_tokens], ['closed', false, turn?.end_tokens])
  const transcript = TranscriptView.parse((await held.running.ask(`/tickets/${id}/session/transcript`, { token: held.running.admin })).json())
  assert.match(transcript.content, /I have looked at it/)
  const verified = await held.running.made.portcullis(['verify', session.run ?? ''])
  assert.equal(verified.code, 0, verified.stdout)
})

test('placeholder for what else is asked', async () => {
  const id = await held.ready()
  const answer = await held.say(id, 'anybody there?', 'queue')
  assert.deepEqual([answer.status, problemOf(answer).code], [409, 'no_runtime'])
})
