import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import * as z from 'zod'
import { Problem } from '../../src/http/problem.ts'
import { TicketEvent } from '../../src/app/ticket-shapes.ts'
import { SentView, TranscriptView } from '../../src/app/session-shapes.ts'
import { CONFIGURATION } from '../e2e/scenario.ts'
import { type Joined, joined } from '../helpers/joined-sessions.ts'
import { portOf } from '../helpers/wire-harness.ts'
import { processLives } from '../helpers/process-lives.ts'
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
  const started = await held.start(id, 'pi_scripted')
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

verifies('MC-005 MC-008 MC-060', 'a turn is completed over the session\'s own connection, and its ticket is done with its session closed', async () => {
  const id = await held.live()
  const sent = await held.say(id, 'write it', 'refuse')
  assert.equal(sent.status, 202, sent.text)
  await held.until(id, 'its completion', ({ ticket }) => ticket.state === 'done' && ticket.runtime.state === 'closed')
  const { ticket, status, working, cards } = await held.ticket(id)
  assert.deepEqual([ticket.terminal?.status, ticket.terminal?.summary, ticket.reason, status.code, working, cards.next_action.code], ['ok', 'the note is written', null, 'ticket_runtime_done', false, 'wait'])
  const [turn] = await held.turns(id)
  assert.deepEqual([turn?.end, turn?.code, turn?.nonce_spent, turn?.by.id], ['completed', 'DONE', true, 'first'])
  assert.equal(status.sentence, 'Ticket is done; its session is closed.')
})

verifies('MC-067 MC-055', 'a question parks the ticket for a person, and a DONE of a code ticket where nothing was changed does not count', async () => {
  const [asking, claiming] = [await held.live(), await held.live()]
  await Promise.all([held.say(asking, 'ask me', 'refuse'), held.say(claiming, 'claim it', 'refuse')])
  await held.until(asking, 'the question', ({ ticket }) => ticket.state === 'question')
  const parked = await held.ticket(asking)
  assert.deepEqual([parked.ticket.terminal?.summary, parked.ticket.terminal?.human_input_required, parked.cards.next_action.code], ['Should the note be in English or in Latin?', true, 'operator'])
  await held.until(claiming, 'the end of the turn', ({ ticket }) => ticket.state === 'review')
  const { ticket } = await held.ticket(claiming)
  assert.equal(ticket.reason, 'no_signal')
})

verifies('MC-025 MC-054 MC-057', 'a busy session is 409 with what was observed and the ways out, queued messages wait and are changed, and after an interrupt only what waited waits', async () => {
  const id = await held.ready()
  const nobody = await held.say(id, 'anybody there?', 'queue')
  assert.deepEqual([nobody.status, problemOf(nobody).code, problemOf(nobody).details], [409, 'no_runtime', { observed: 'none' }])
  for (const path of ['interrupt', 'restart']) {
    const answer = await held.post(`/tickets/${id}/${path}`, { reason: 'because' })
    assert.deepEqual([answer.status, problemOf(answer).code], [409, 'no_runtime'], path)
  }
  assert.equal(problemOf(await held.post(`/tickets/${id}/answer`, { request: 'x', allow: true })).code, 'no_runtime')
  assert.equal((await held.start(id)).status, 200)
  assert.equal((await held.say(id, 'hang on', 'refuse')).status, 202)
  await held.until(id, 'the turn', ({ ticket }) => ticket.runtime.state === 'running')
  const [busy, again] = [await held.say(id, 'and then', 'refuse', 'a-key'), await held.say(id, 'and then', 'refuse', 'a-key')]
  // Nothing was done, so the same request may be made again once the session is free.
  assert.deepEqual([again.status, again.headers['idempotency-replayed']], [409, undefined])
  assert.deepEqual([busy.status, problemOf(busy).code, problemOf(busy).details], [409, 'runtime_busy', { observed: 'running', status: 'failed_to_inject', ways_out: ['wait', 'interrupt', 'restart'] }])
  for (const text of ['first', 'second', 'third']) assert.equal(SentView.parse((await held.say(id, text, 'queue')).json()).kind, 'queued')
  const { queue } = await held.session(id)
  assert.deepEqual(queue.map(({ text }) => text), ['first', 'second', 'third'])
  assert.equal((await held.act('PATCH', `/tickets/${id}/queue/${queue[1]?.id}`, { text: 'other words' })).status, 200)
  assert.equal((await held.act('DELETE', `/tickets/${id}/queue/${queue[2]?.id}`)).status, 200)
  const gone = await held.act('DELETE', `/tickets/${id}/queue/${queue[2]?.id}`)
  assert.deepEqual([gone.status, problemOf(gone).code, problemOf(gone).found], [409, 'transition_illegal', 'it is removed'])
  assert.deepEqual((await held.session(id)).queue.map(({ text }) => text), ['first', 'other words'])
  const stopped = await held.post(`/tickets/${id}/interrupt`, { reason: 'it hangs' })
  assert.equal(stopped.status, 200, stopped.text)
  assert.deepEqual((await held.session(id)).queue.map(({ text }) => text), ['first', 'other words'])
  const { ticket, buttons } = await held.ticket(id)
  assert.deepEqual([ticket.state, ticket.dispatch_failures, ticket.runtime.state, buttons], ['todo', 0, 'closed', { message: false, interrupt: false, restart: false }])
  assert.match(ticket.terminal?.stop_condition ?? '', /^after 3 failed dispatches or 3 rejections the ticket is blocked for the operator$/)
  const [turn] = await held.turns(id)
  assert.match(turn?.terminal_text ?? '', /^RUNTIME TERMINAL STATE \(contract 1\)\nstatus: warning\n/)
  assert.ok(turn?.terminal?.stop_condition !== undefined && turn.terminal_text?.includes(turn.terminal.stop_condition))
})

verifies('MC-035', 'what waits in the queue runs when the turn before has ended in order, each as a turn of its own, and the ticket is decided after the last', async () => {
  const id = await held.live()
  assert.equal((await held.say(id, 'write it', 'queue', 'key-1')).status, 202)
  assert.equal((await held.say(id, 'look', 'queue', 'key-2')).status, 202)
  const again = await held.say(id, 'look', 'queue', 'key-2')
  assert.equal(again.headers['idempotency-replayed'], 'true')
  await held.until(id, 'the end of both', ({ ticket }) => ticket.state === 'review' && ticket.runtime.state === 'closed')
  const turns = await held.turns(id)
  assert.deepEqual(turns.map(({ text, end }) => [text, end]), [['write it', 'completed'], ['look', 'no_signal']])
  assert.equal(new Set(turns.map(({ session }) => session)).size, 1)
  assert.match(turns[0]?.terminal?.next_actions[0] ?? '', /^1 queued messages are sent first/)
})

verifies('MC-027', 'a restart opens a fresh session, in which what was not finished is sent again', async () => {
  const id = await held.live()
  await held.say(id, 'hang on', 'refuse')
  await held.until(id, 'the turn', ({ ticket }) => ticket.runtime.state === 'running')
  const before = await held.session(id)
  const restarted = await held.post(`/tickets/${id}/restart`, { reason: 'it hangs' })
  assert.equal(restarted.status, 200, restarted.text)
  await held.until(id, 'the message again', ({ ticket }) => ticket.runtime.state === 'running')
  const after = await held.session(id)
  assert.ok(after.session !== before.session && after.pid !== before.pid && after.run !== before.run)
  assert.deepEqual((await held.turns(id)).map(({ text, end, by }) => [text, end, by.id]), [['hang on', 'restarted', 'first'], ['hang on', null, 'first']])
  await held.post(`/tickets/${id}/interrupt`, { reason: 'enough' })
})

verifies('MC-090', 'a profile that may not be used for the purpose opens no session; the ticket stays usable and names those that may', async () => {
  const id = await held.ready()
  const answer = await held.start(id, 'claude_other')
  assert.deepEqual([answer.status, problemOf(answer).code, problemOf(answer).details?.['allowed']], [403, 'runtime_purpose_violation', ['pi_scripted', 'claude', 'claude_asking']])
  const { ticket } = await held.ticket(id)
  assert.deepEqual([ticket.state, ticket.reason, ticket.claim, ticket.runtime.state, ticket.dispatch_failures], ['todo', 'runtime_purpose_violation', null, 'failed', 0])
  assert.equal((await held.start(id)).status, 200)
  assert.equal((await held.ticket(id)).ticket.runtime.state, 'ready')
})

verifies('MC-027', 'a session that does not come up is ended by its operator at once: its process is gone, and the ticket waits for another', async () => {
  const id = await held.ready()
  const { made } = held.running
  const program = join(made.directory, `node_modules/@anthropic-ai/claude-code-${process.platform}-${process.arch}/claude.mjs`)
  const speaking = readFileSync(program)
  const told = join(made.directory, 'pid')
  // Its own limit of silence is a minute: longer than this test waits for anything.
  writeFileSync(program, `#!/usr/bin/env node\nimport { writeFileSync } from 'node:fs'\nwriteFileSync(${JSON.stringify(told)}, String(process.pid))\nsetInterval(() => undefined, 1000)\n`)
  const starting = held.start(id)
  for (const deadline = Date.now() + 30_000; !existsSync(told) || readFileSync(told, 'utf8') === ''; await new Promise((resolve) => setTimeout(resolve, 20))) assert.ok(Date.now() < deadline, 'its process started')
  writeFileSync(program, speaking)
  const pid = Number(readFileSync(told, 'utf8'))
  assert.deepEqual([(await held.ticket(id)).ticket.runtime.state, (await held.ticket(id)).buttons.interrupt, processLives(pid)], ['starting', true, true])
  const began = performance.now()
  const stopped = await held.post(`/tickets/${id}/interrupt`, { reason: 'it does not come up' })
  assert.equal(stopped.status, 200, stopped.text)
  assert.ok(performance.now() - began < 20_000, 'nobody waits for its limit of silence')
  assert.equal(processLives(pid), false)
  const refused = await starting
  assert.deepEqual([refused.status, problemOf(refused).code], [409, 'interrupted'])
  const { ticket, status } = await held.ticket(id)
  assert.deepEqual([ticket.state, ticket.reason, ticket.claim, ticket.runtime.state, ticket.dispatch_failures, status.code], ['todo', 'interrupted', null, 'failed', 0, 'ticket_todo_runtime_failed'])
  const run = problemOf(refused).details?.['run']
  const shown = await made.portcullis(['verify', String(run)])
  assert.equal(shown.code, 0, shown.stdout)
  assert.equal((await held.start(id)).status, 200)
  assert.equal((await held.ticket(id)).ticket.runtime.state, 'ready')
})

verifies('MC-027', 'nor does its operator wait for a provider that does not answer its probe', async () => {
  const id = await held.ready()
  const { made } = held.running
  const silent = createServer().listen(0, '127.0.0.1')
  const asked = once(silent, 'request', { signal: AbortSignal.timeout(30_000) })
  cleanUp.push(() => silent.close())
  await once(silent, 'listening')
  const url = `http://127.0.0.1:${portOf(silent.address())}`
  made.set(CONFIGURATION, ['providers', 'mute'], { dialect: 'anthropic-messages', baseUrl: url, networkClass: 'loopback', credential: { source: 'none', class: 'no-secret' }, timeouts: { connect: '5s', firstByte: '60s', idle: '60s', total: '2m' }, prices: { 'coder-1': { input: 'USD 0', output: 'USD 0' } } })
  made.set(CONFIGURATION, ['profiles', 'claude_mute'], { agent: 'claude-code', agentVersion: '2.1.329', model: 'mute/coder-1', purposes: ['ticket'], isolation: 'env', backgroundModels: 'refuse', permissions: 'bypass', limits: { total: '10m', idle: '60s', calls: 50, tokens: 200_000, cost: 'USD 0' } })
  const record = z.record(z.string(), z.unknown()).parse(JSON.parse(readFileSync(join(made.directory, 'admissions/messages--coder-1.json'), 'utf8')))
  made.write('admissions/mute--coder-1.json', JSON.stringify({ ...record, provider: 'mute', endpoint: url }))
  const starting = held.start(id, 'claude_mute')
  await asked
  const began = performance.now()
  assert.equal((await held.post(`/tickets/${id}/interrupt`, { reason: 'it does not come up' })).status, 200)
  assert.ok(performance.now() - began < 20_000, 'nobody waits for the provider')
  assert.equal(problemOf(await starting).code, 'interrupted')
  const { ticket } = await held.ticket(id)
  assert.deepEqual([ticket.state, ticket.reason, ticket.claim, ticket.runtime.state], ['todo', 'interrupted', null, 'failed'])
})

test('what the session asks for leave waits until somebody answers, and the answer is told first', async () => {
  const id = await held.ready()
  assert.equal((await held.start(id, 'claude_asking')).status, 200)
  await held.say(id, 'write it', 'refuse')
  await held.until(id, 'the question', ({ ticket }) => ticket.runtime.state === 'needs_input')
  const { permissions } = await held.session(id)
  assert.deepEqual(permissions.map(({ tool }) => tool), ['Bash'])
  assert.equal(problemOf(await held.post(`/tickets/${id}/answer`, { request: 'another', allow: true })).code, 'transition_illegal')
  assert.equal((await held.post(`/tickets/${id}/answer`, { request: permissions[0]?.request, allow: true })).status, 200)
  await held.until(id, 'its completion', ({ ticket }) => ticket.state === 'done')
})

test('the command opens a session of a server, speaks to it and shows its turns', async () => {
  const { made, server, address } = held.running
  const remote = (words: readonly string[]) => made.portcullis(['--server', address, '--token-file', server.firstTokenPath ?? '', 'tickets', ...words])
  const id = await held.ready()
  const started = await remote(['start-session', id, '--profile', 'claude', '--mode', 'HEADLESS'])
  assert.deepEqual([started.code, started.stderr], [0, ''], started.stdout)
  assert.match((await remote(['session', id])).stdout, /state {5}ready\n.*mode {6}HEADLESS\n.*claude-code · messages\/coder-1/)
  assert.match((await remote(['say', id, '--text', 'hang on'])).stdout, /T-\d+\.1 has begun/)
  const [busy, waits] = await Promise.all([remote(['say', id, '--text', 'more']), remote(['say', id, '--text', 'later', '--queue'])])
  assert.deepEqual([busy.code, /runtime_busy/.test(busy.stdout)], [75, true], busy.stdout)
  assert.match(waits.stdout, /T-\d+\.m1 waits/)
  assert.equal((await remote(['interrupt', id, '--reason', 'enough'])).code, 0)
  const [turns, here] = await Promise.all([remote(['turns', id]), made.portcullis(['tickets', 'turns', id])])
  assert.match(turns.stdout, /interrupted .* by first .*hang on\n[^]*root_cause: interrupted by the operator first[^]*failed_to_inject .*more/)
  assert.deepEqual(here, turns)
})

test('without a server the command says that one holds the sessions', async () => {
  const { made } = held.running
  const id = await held.ready()
  const words = [['session', id], ['say', id, '--text', 'x'], ['interrupt', id, '--reason', 'x'], ['restart', id, '--reason', 'x'], ['start-session', id, '--profile', 'claude', '--mode', 'HEADLESS']]
  for (const here of await Promise.all(words.map((each) => made.portcullis(['tickets', ...each])))) {
    assert.equal(here.code, 2)
    assert.match(here.stderr, /sessions are held by one[^]*--server/)
  }
})

verifies('MC-132', 'the directory of a session is fixed and recorded; a ticket that declares a second repository gets a copy of it there, and one that declares what nobody configured gets no session', async () => {
  const { made } = held.running
  made.write('docs/README.md', 'docs\n')
  made.set(CONFIGURATION, ['tickets', 'sessions', 'demo', 'repositories'], { docs: { repository: 'docs', branch: 'main' } })
  const strange = await held.ready({ repositories: ['elsewhere'] })
  const refused = await held.start(strange)
  assert.deepEqual([refused.status, problemOf(refused).code, problemOf(refused).found], [403, 'repository_undeclared', 'the project demo has docs'])
  assert.deepEqual([(await held.ticket(strange)).ticket.state, (await held.session(strange)).pid], ['todo', null])
  const id = await held.live({ repositories: ['docs'] })
  const session = await held.session(id)
  assert.ok(session.cwd !== null && session.pid !== null && session.run !== null)
  assert.deepEqual([readlinkSync(`/proc/${session.pid}/cwd`), readdirSync(session.cwd).sort()], [session.cwd, ['demo', 'docs']])
  assert.equal((await held.say(id, 'write it', 'refuse')).status, 202)
  await held.until(id, 'the end of the turn', ({ ticket }) => ticket.runtime.state === 'closed')
  const { events } = z.object({ events: z.array(TicketEvent) }).parse((await held.running.ask(`/tickets/${id}/events`, { token: held.running.admin })).json())
  assert.equal(events.find(({ kind, data }) => kind === 'session_changed' && data['state'] === 'ready')?.data['cwd'], session.cwd)
  assert.equal((await held.running.made.portcullis(['verify', session.run])).code, 0)
})
