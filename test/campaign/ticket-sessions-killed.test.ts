import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'
import { SessionView, TurnView } from '../../src/app/session-shapes.ts'
import { TicketView } from '../../src/app/ticket-shapes.ts'
import { CONFIGURATION, scenario } from '../e2e/scenario.ts'
import { DRAFT, installSessions, SAYING, SESSIONS } from '../helpers/joined-sessions.ts'
import { processLives } from '../helpers/process-lives.ts'
import { type ServedApi, servedApi } from '../helpers/served-api.ts'
import { verifies } from '../verifies.ts'

const PATIENCE_MS = 60_000
const Turns = z.object({ turns: z.array(TurnView) })

const asker = (served: ServedApi) => ({
  post: async (path: string, body: unknown): Promise<unknown> => {
    const answer = await served.ask(path, { method: 'POST', token: served.admin, body })
    assert.ok(answer.status < 300, answer.text)
    return answer.json()
  },
  ticket: async (id: string) => TicketView.parse((await served.ask(`/tickets/${id}`, { token: served.admin })).json()),
  session: async (id: string) => SessionView.parse((await served.ask(`/tickets/${id}/session`, { token: served.admin })).json()),
  turns: async (id: string) => Turns.parse((await served.ask(`/tickets/${id}/turns`, { token: served.admin })).json()).turns,
})

verifies('MC-058', 'a server that was killed in the middle of a turn writes its terminal record when it starts again, ends what it left running, and sends nothing by itself', async (context) => {
  const made = await scenario(context, { script: SAYING, pi: true })
  made.write(CONFIGURATION, `${readFileSync(join(made.directory, CONFIGURATION), 'utf8')}\n${SESSIONS}\n`)
  installSessions({ made })
  const first = await servedApi(context, made.directory)
  const before = asker(first)
  const { id } = TicketView.parse(await before.post('/tickets', DRAFT)).ticket
  await before.post(`/tickets/${id}/move`, { to: 'todo', reason: 'clear' })
  await before.post(`/tickets/${id}/start-session`, { profile: 'claude', mode: 'HEADLESS' })
  await before.post(`/tickets/${id}/messages`, { text: 'hang on', onBusy: 'refuse' })
  const said = (): number => made.provider.requests().filter(({ answeredBy }) => answeredBy === 'turns[8]').length
  for (const deadline = Date.now() + PATIENCE_MS; said() === 0; await new Promise((resolve) => setTimeout(resolve, 20))) assert.ok(Date.now() < deadline, first.log())
  const { pid, run, session } = await before.session(id)
  assert.ok(pid !== null && run !== null && processLives(pid))
  await first.end('SIGKILL')

  const second = await servedApi(context, made.directory)
  const after = asker(second)
  const [turn, ...more] = await after.turns(id)
  assert.deepEqual([turn?.end, turn?.session, more.length], ['supervisor_restart', session, 0])
  assert.match(turn?.terminal?.root_cause ?? '', /^supervisor_restart/)
  assert.equal(processLives(pid), false)
  const { ticket, working } = await after.ticket(id)
  assert.deepEqual([ticket.state, ticket.dispatch_failures, ticket.runtime.state, ticket.claim, working], ['todo', 0, 'closed', null, false])
  const now = await after.session(id)
  assert.deepEqual([now.attached, now.queue.map(({ text }) => text)], [false, ['hang on']])
  assert.equal(said(), 1)
  // Once, also where it starts again and again; and what it left is whole.
  await second.end()
  const third = await servedApi(context, made.directory)
  assert.deepEqual((await asker(third).turns(id)).map(({ end }) => end), ['supervisor_restart'])
  assert.equal(said(), 1)
  await third.end()
  const verified = await made.portcullis(['verify'])
  assert.equal(verified.code, 0, verified.stdout)
})
