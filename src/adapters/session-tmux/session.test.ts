import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { findProgram } from '../runtime-process/index.ts'
import { childrenOf } from '../process/index.ts'
import { hintOf } from '../../gates/dispatch/index.ts'
import { launchOf, profile, requestFor } from '../../../test/helpers/agents.ts'
import { openLive, type Opened, providerFor } from '../../../test/helpers/live-sessions.ts'
import { verifies } from '../../../test/verifies.ts'
import type { ScriptedProvider } from '../scripted-provider/index.ts'
import { paste, placesOf, pressEnter } from './terminal.ts'
import { tmuxSessions } from './index.ts'

const fixtures = join(import.meta.dirname, '../../../test/fixtures')
const program = join(fixtures, 'sessions/claude.mjs')
const PICKUP = readFileSync(join(fixtures, 'terminal/pickup.txt'), 'utf8').trimEnd()
const tmux = await findProgram('tmux', process.env['PATH'] ?? '', '/')

/** The body with the path of tmux; skipped by name where there is none. */
const inTerminal = (body: (context: TestContext, path: string) => Promise<void>) => async (context: TestContext): Promise<void> => (tmux === undefined ? context.skip('tmux is not installed') : await body(context, tmux))

async function started(context: TestContext, path: string, { columns = 80, repository }: { readonly columns?: number; readonly repository?: (workspace: string) => void } = {}): Promise<Opened & { readonly provider: ScriptedProvider }> {
  const provider = await providerFor(context, {
    turns: [
      { when: { lastUser: 'the first message' }, answer: { text: 'Answer one.' } },
      { when: { lastUser: 'Ticket picked up' }, answer: { text: 'I looked. Nothing is decided yet.' } },
      { when: { lastUser: 'typed by hand' }, answer: { text: 'Answer to the keyboard.' } },
      { when: { lastUser: '^hang$' }, answer: { text: 'never' } },
    ],
    faults: [{ on: { lastUser: '^hang$' }, fault: { hang: true } }, { on: { lastUser: 'slowly|Ticket picked up' }, fault: { slow: '600ms' } }],
  })
  const opened = await openLive(context, { runtime: tmuxSessions({ program, directory: import.meta.dirname, tmux: path, size: { columns, rows: 40 } }), dialect: 'anthropic-messages', baseUrl: provider.url, ...(repository === undefined ? {} : { repository }) })
  assert.deepEqual(await opened.session.ready(AbortSignal.timeout(20_000)), { ok: true })
  return { ...opened, provider }
}

const asked = (provider: ScriptedProvider): readonly (string | null)[] => provider.requests().flatMap((request) => (request.inference ? [request.answeredBy ?? request.fault] : []))

for (const columns of [80, 400]) {
  verifies('MC-030 MC-031 MC-033 MC-060 MC-066', `the incident: two dispatchers, one session, ${columns} columns: one turn, one refusal before a key, one message at the model, no question`, inTerminal(async (context, path) => {
    const { session, events, provider, send } = await started(context, path, { columns })
    const both = await Promise.all([send(PICKUP, { turnId: 'T-1.1' }), send(PICKUP, { turnId: 'T-1.2' })])
    assert.equal(both[0].outcome, 'delivered', JSON.stringify(both))
    assert.deepEqual(both[1], { outcome: 'refused', state: 'running', written: false, found: 'status=running' })
    const third = await send(PICKUP, { turnId: 'T-1.3' })
    assert.equal(third.outcome, 'refused')
    const { turnId, ended } = await events.next('turn_end')
    assert.deepEqual([turnId, ended.outcome, ended.finalMessage, ended.effort], ['T-1.1', 'completed', 'I looked. Nothing is decided yet.', 'medium'])
    assert.equal(hintOf(ended.finalMessage, PICKUP), undefined)
    assert.deepEqual(asked(provider), ['turns[1]'])
    assert.deepEqual([events.of('turn_end').length, events.of('foreign_turn').length, session.state()], [1, 0, 'ready'])
    // The screen did show the words; nothing of it became an event.
    const raw = session.raw()
    assert.equal(raw.format, 'terminal')
    assert.match(raw.content.toString('utf8'), /QUESTION/)
    assert.deepEqual(events.all.filter((event) => JSON.stringify(event).includes('QUESTION')), [])
  }))
}

verifies('MC-037', 'a message of many lines arrives whole, and is delivered by the hook and not by the paste', inTerminal(async (context, path) => {
  const { events, send } = await started(context, path)
  const text = ['the first message', ...Array.from({ length: 40 }, (_, at) => `line ${at}: "quoted" $HOME \`x\` 'y' \\n ünï ✓`)].join('\n')
  const delivered = await send(text)
  assert.ok(delivered.outcome === 'delivered' && delivered.nativeTurn !== null && delivered.receipt === `UserPromptSubmit ${delivered.nativeTurn}`, JSON.stringify(delivered))
  assert.equal((await events.next('turn_end')).ended.finalMessage, 'Answer one.')
}))

verifies('MC-037', 'an agent that loses the Enter because it still draws is given another one, and the message is typed and sent once', inTerminal(async (context, path) => {
  const { events, provider, request, send } = await started(context, path, { repository: (workspace) => writeFileSync(join(workspace, 'lose-enters'), '2') })
  assert.equal((await send('the first message')).outcome, 'delivered')
  assert.equal((await events.next('turn_end')).ended.finalMessage, 'Answer one.')
  assert.deepEqual([asked(provider), readFileSync(join(request.workspace, 'enters'), 'utf8')], [['turns[0]'], '...'])
}))

verifies('MC-033', 'once a message has entered no further key is pressed: it would answer what the agent asks', inTerminal(async (context, path) => {
  const { events, request, send } = await started(context, path, { repository: (workspace) => writeFileSync(join(workspace, 'lose-enters'), '0') })
  assert.equal((await send(PICKUP)).outcome, 'delivered')
  await events.next('turn_end')
  assert.equal(readFileSync(join(request.workspace, 'enters'), 'utf8'), '.')
}))

verifies('MC-033', 'a message that holds keys, or begins as a command, is refused before a key is pressed, and leaves the session as it was', inTerminal(async (context, path) => {
  const { session, request, provider, events, send } = await started(context, path)
  for (const text of ['the first\u001B[201~\r!touch made.txt\r', 'the first\rmessage', 'a \u0003 b', 'a \u009B201~ b', 'a \u007F b', '!touch made.txt', '  \n/clear', '# remember this']) {
    const refused = await send(text)
    assert.deepEqual([refused.outcome, refused.outcome === 'refused' && refused.written, session.state()], ['refused', false, 'ready'], JSON.stringify(text))
    await assert.rejects(paste(path, placesOf(request).socket, text))
  }
  assert.equal((await send('the first message\n\twith a tab, a path /tmp and a line\n/that begins so')).outcome, 'delivered')
  assert.equal((await events.next('turn_end')).ended.finalMessage, 'Answer one.')
  assert.deepEqual([asked(provider), existsSync(join(request.workspace, 'made.txt'))], [['turns[0]'], false])
}))

void test('words that stand in the terminal already make another message of ours, which the hook turns away', inTerminal(async (context, path) => {
  const { session, request, provider, send } = await started(context, path)
  await paste(path, placesOf(request).socket, 'half a thought ')
  const refused = await send('the first message')
  assert.deepEqual([refused.outcome, refused.outcome === 'refused' && refused.written], ['refused', true])
  assert.deepEqual(asked(provider), [])
  assert.equal((await send('the first message')).outcome, 'refused')
  assert.equal(session.state(), 'failed')
}))

verifies('MC-033', 'who is attached may type while nothing runs, and is turned away while a turn of ours does', inTerminal(async (context, path) => {
  const { session, events, request, provider, send } = await started(context, path)
  const { socket } = placesOf(request)
  await paste(path, socket, 'typed by hand, slowly')
  await pressEnter(path, socket)
  await events.next('foreign_turn')
  assert.equal((await send('the first message')).outcome, 'refused')
  const theirs = await events.next('turn_end')
  assert.deepEqual([theirs.turnId, theirs.ended.finalMessage, session.state()], [null, 'Answer to the keyboard.', 'ready'])
  assert.equal((await send(PICKUP)).outcome, 'delivered')
  await paste(path, socket, 'typed by hand')
  await pressEnter(path, socket)
  const from = events.all.indexOf(theirs) + 1
  const ours = await events.next('turn_end', from)
  assert.deepEqual([ours.turnId, ours.ended.finalMessage], ['T-1.1', 'I looked. Nothing is decided yet.'])
  assert.equal(asked(provider)[0], 'turns[2]')
}))

verifies('MC-044', 'an agent that is killed in its pane leaves no terminal that looks alive: its turn ends as unknown, the next message finds it dead', inTerminal(async (context, path) => {
  const { session, events, send, provider } = await started(context, path)
  assert.equal((await send('hang')).outcome, 'delivered')
  while (asked(provider).length === 0) await new Promise((resolve) => setImmediate(resolve))
  const agent = childrenOf(session.process.pid).find(({ pid }) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('claude.mjs'))
  assert.ok(agent !== undefined)
  process.kill(agent.pid, 'SIGKILL')
  await events.next('session_end')
  assert.deepEqual(events.of('turn_end').map(({ ended }) => ended.outcome), ['unknown'])
  assert.equal((await send('the first message')).outcome, 'dead')
  assert.equal(session.state(), 'closed')
}))

void test('a terminal cannot be interrupted with a known end, and says so before a key is pressed', inTerminal(async (context, path) => {
  const { session, send } = await started(context, path)
  assert.equal((await send('hang')).outcome, 'delivered')
  assert.equal(await session.interrupt(AbortSignal.timeout(5_000)), false)
  assert.equal(session.state(), 'running')
  await session.close(0)
  assert.equal(session.state(), 'closed')
}))

void test('what tmux starts stands in the judged plan: directory, program and hooks; no token is in a file or an argument', inTerminal(async (context, path) => {
  const request = { ...requestFor(context, { profile: { ...profile, agent: 'claude-code' }, dialect: 'anthropic-messages' }), sessionId: '6a0e9f6e-98f4-4b3b-9a9d-0d5f4e1d2c3b', completion: undefined, repositories: [] }
  const runtime = tmuxSessions({ program, directory: import.meta.dirname, tmux: path, size: { columns: 80, rows: 24 } })
  const { plan, files, argv } = launchOf(await runtime.plan(request))
  assert.deepEqual([plan.workspace, plan.program.path, plan.executable.path], [request.workspace, program, path])
  assert.ok(files.some(({ content }) => content.includes(`-c ${request.workspace} `)))
  for (const text of [...argv, ...files.map(({ content }) => content)]) assert.equal(text.includes(request.runToken), false)
  for (const workspace of [join(request.workspace, "it's"), join(request.workspace, 'a b'), join(request.workspace, '#{pid}')]) {
    assert.equal((await runtime.plan({ ...request, workspace })).ok, false, workspace)
  }
  const deep = await runtime.plan({ ...request, temporary: join(request.temporary, 'x'.repeat(100)) })
  assert.ok(!deep.ok && /more than 100 bytes/.test(deep.refusal.found))
  assert.equal(existsSync(placesOf(request).socket), false)
}))
