import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { TicketView } from '../../src/app/ticket-shapes.ts'
import { SessionView, TurnView } from '../../src/app/session-shapes.ts'
import { ROUTES } from '../../src/http/index.ts'
import type { ProviderScript } from '../../src/adapters/scripted-provider/index.ts'
import * as z from 'zod'
import { type InProcess, inProcessServer } from './in-process-server.ts'
import type { ApiAnswer } from './served-api.ts'

/** What the tickets of the demo project need beside the example's own configuration. */
export const SESSIONS = `tickets:
  claim: 10m
  delivery: 20s
  turn: 1m
  sessions:
    demo: { purpose: ticket, repository: repository, branch: main }
`

/** A model that works, is silent, or never comes to an end, by the words it is told. */
export const SAYING: ProviderScript = {
  version: 1,
  models: ['coder-1'],
  turns: [
    { when: { offersTool: 'portcullis_probe' }, answer: { toolCalls: [{ name: 'portcullis_probe', arguments: {} }] } },
    { when: { lastTool: '.' }, answer: { text: 'DONE: the file is written.' } },
    { when: { lastUser: 'write it' }, answer: { toolCalls: [{ name: 'write', arguments: { path: 'note.txt', content: 'written' } }] } },
    { when: { lastUser: 'hang on' }, answer: { text: 'The first half of an answer whose second half never comes.' } },
    { when: { always: true }, answer: { text: 'I have looked at it.' } },
  ],
  faults: [{ on: { lastUser: 'hang on' }, fault: { stall: true } }],
}

export const DRAFT = { title: 'Write a note', description: 'A note is missing.', priority: 'medium', project: 'demo', kind: 'code', labels: [], source: null, acceptance: [{ id: 1, text: 'the note is there' }], repositories: [] }

const PATIENCE_MS = 30_000

const Turns = z.object({ turns: z.array(TurnView) })

export interface Joined {
  readonly running: InProcess
  post(path: string, body: unknown, headers?: Readonly<Record<string, string>>): Promise<ApiAnswer>
  /** A ticket that waits for somebody to take it up. */
  ready(draft?: object): Promise<string>
  session(id: string): Promise<SessionView>
  ticket(id: string): Promise<TicketView>
  turns(id: string): Promise<readonly TurnView[]>
  say(id: string, text: string, onBusy: 'refuse' | 'queue', key?: string): Promise<ApiAnswer>
  start(id: string): Promise<ApiAnswer>
  /** Waits until what is asked of the ticket holds. */
  until(id: string, what: string, holds: (view: TicketView) => boolean): Promise<void>
}

/** A server in this process whose tickets have live sessions of the real pi. */
export async function joined(context: Pick<TestContext, 'after'>, script: ProviderScript = SAYING): Promise<Joined> {
  const running = await inProcessServer(context, ROUTES, { script, pi: true, configuration: SESSIONS })
  running.made.env['PATH'] = `${join(import.meta.dirname, '../../node_modules/.bin')}:${process.env['PATH'] ?? ''}`
  const post: Joined['post'] = (path, body, headers = {}) => running.ask(path, { method: 'POST', token: running.admin, body, headers })
  const ticket = async (id: string): Promise<TicketView> => TicketView.parse((await running.ask(`/tickets/${id}`, { token: running.admin })).json())
  return {
    running, post, ticket,
    ready: async (draft = {}) => {
      const { id } = TicketView.parse((await post('/tickets', { ...DRAFT, ...draft })).json()).ticket
      await post(`/tickets/${id}/move`, { to: 'todo', reason: 'clear' })
      return id
    },
    session: async (id) => SessionView.parse((await running.ask(`/tickets/${id}/session`, { token: running.admin })).json()),
    turns: async (id) => Turns.parse((await running.ask(`/tickets/${id}/turns`, { token: running.admin })).json()).turns,
    say: (id, text, onBusy, key) => post(`/tickets/${id}/messages`, { text, onBusy }, key === undefined ? {} : { 'idempotency-key': key }),
    start: (id) => post(`/tickets/${id}/start-session`, { profile: 'pi_scripted', mode: 'HEADLESS' }),
    until: async (id, what, holds) => {
      for (const deadline = Date.now() + PATIENCE_MS; !holds(await ticket(id)); ) {
        if (Date.now() > deadline) throw new Error(`waited in vain for ${what}: ${JSON.stringify(await ticket(id))}`)
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    },
  }
}
