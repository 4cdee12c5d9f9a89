import { chmodSync, cpSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { TicketView } from '../../src/app/ticket-shapes.ts'
import { SessionView, TurnView } from '../../src/app/session-shapes.ts'
import { ROUTES } from '../../src/http/index.ts'
import type { ProviderScript } from '../../src/adapters/scripted-provider/index.ts'
import * as z from 'zod'
import { CONFIGURATION, RECORD } from '../e2e/scenario.ts'
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

const completion = (signal: string, payload: string) => ({ toolCalls: [{ name: 'mcp__portcullis__complete_ticket', arguments: { signal, ticket: '${ticket}', nonce: '${nonce}', payload } }] })
const ASK_TURN = { toolCalls: [{ name: 'mcp__portcullis__ticket_turn', arguments: {} }] }

/** A model that works, asks, is silent, or never comes to an end, by the words it is told. */
export const SAYING: ProviderScript = {
  version: 1,
  models: ['coder-1'],
  turns: [
    { when: { offersTool: 'portcullis_probe' }, answer: { toolCalls: [{ name: 'portcullis_probe', arguments: {} }] } },
    { when: { lastTool: '^T-\\d+ is |^[a-z_]+: |not allowed' }, answer: { text: 'DONE: so I say.' } },
    { when: { lastUser: 'write it', lastTool: 'ticket (?<ticket>T-\\d+), nonce (?<nonce>\\S+)' }, answer: completion('DONE', 'the note is written') },
    { when: { lastUser: 'ask me', lastTool: 'ticket (?<ticket>T-\\d+), nonce (?<nonce>\\S+)' }, answer: completion('QUESTION', 'Should the note be in English or in Latin?') },
    { when: { lastUser: 'claim it', lastTool: 'ticket (?<ticket>T-\\d+), nonce (?<nonce>\\S+)' }, answer: completion('DONE', 'nothing was to be done') },
    { when: { lastTool: 'exit 0' }, answer: ASK_TURN },
    { when: { lastUser: 'write it' }, answer: { toolCalls: [{ name: 'Bash', arguments: { command: 'echo written > note.txt' } }] } },
    { when: { lastUser: 'ask me|claim it' }, answer: ASK_TURN },
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
  start(id: string, profile?: string): Promise<ApiAnswer>
  /** A ticket with a session that is ready. */
  live(draft?: object): Promise<string>
  act(method: 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<ApiAnswer>
  /** Waits until what is asked of the ticket holds. */
  until(id: string, what: string, holds: (view: TicketView) => boolean): Promise<void>
}

const PACKAGE = '@anthropic-ai/claude-code'
const FIXTURES = join(import.meta.dirname, '../fixtures/sessions')

/** The fixture that speaks like Claude Code, installed as that is, with profiles that name it. */
export function installSessions({ made }: Pick<InProcess, 'made'>): void {
  const modules = join(made.directory, 'node_modules')
  const native = join(modules, `${PACKAGE}-${process.platform}-${process.arch}`)
  mkdirSync(native, { recursive: true })
  for (const name of ['claude.mjs', 'model.mjs']) cpSync(join(FIXTURES, name), join(native, name))
  chmodSync(join(native, 'claude.mjs'), 0o755)
  symlinkSync('claude.mjs', join(native, 'claude'))
  made.write(`node_modules/${PACKAGE}/package.json`, JSON.stringify({ name: PACKAGE, version: '2.1.329', bin: { claude: 'cli.mjs' } }))
  made.write(`node_modules/${PACKAGE}-${process.platform}-${process.arch}/package.json`, JSON.stringify({ name: `${PACKAGE}-native`, version: '2.1.329' }))
  made.write(`node_modules/${PACKAGE}/cli.mjs`, '')
  mkdirSync(join(modules, '.bin'))
  symlinkSync(`../${PACKAGE}/cli.mjs`, join(modules, '.bin/claude'))
  const { url } = made.provider
  made.set(CONFIGURATION, ['providers', 'messages'], { dialect: 'anthropic-messages', baseUrl: url, networkClass: 'loopback', credential: { source: 'none', class: 'no-secret' }, timeouts: { connect: '5s', firstByte: '20s', idle: '60s', total: '2m' }, prices: { 'coder-1': { input: 'USD 0', output: 'USD 0' } } })
  const profile = { agent: 'claude-code', agentVersion: '2.1.329', model: 'messages/coder-1', purposes: ['ticket'], isolation: 'env', backgroundModels: 'refuse', limits: { total: '10m', idle: '60s', calls: 50, tokens: 200_000, cost: 'USD 0' } }
  made.set(CONFIGURATION, ['profiles', 'claude'], { ...profile, permissions: 'bypass' })
  made.set(CONFIGURATION, ['profiles', 'claude_asking'], { ...profile, permissions: 'ask' })
  made.set(CONFIGURATION, ['profiles', 'claude_other'], { ...profile, permissions: 'bypass', purposes: ['baseline'] })
  const record: unknown = JSON.parse(readFileSync(join(made.directory, RECORD), 'utf8'))
  made.write('admissions/messages--coder-1.json', JSON.stringify({ ...z.record(z.string(), z.unknown()).parse(record), provider: 'messages', endpoint: url, runtime: 'claude-code' }))
}

/** A server in this process whose tickets have live sessions: of the real pi, and of a program that speaks like Claude Code. */
export async function joined(context: Pick<TestContext, 'after'>, script: ProviderScript = SAYING): Promise<Joined> {
  const running = await inProcessServer(context, ROUTES, { script, pi: true, configuration: SESSIONS })
  installSessions(running)
  const post: Joined['post'] = (path, body, headers = {}) => running.ask(path, { method: 'POST', token: running.admin, body, headers })
  const ticket = async (id: string): Promise<TicketView> => TicketView.parse((await running.ask(`/tickets/${id}`, { token: running.admin })).json())
  const ready = async (draft: object = {}): Promise<string> => {
    const { id } = TicketView.parse((await post('/tickets', { ...DRAFT, ...draft })).json()).ticket
    await post(`/tickets/${id}/move`, { to: 'todo', reason: 'clear' })
    return id
  }
  const start = (id: string, profile = 'claude'): Promise<ApiAnswer> => post(`/tickets/${id}/start-session`, { profile, mode: 'HEADLESS' })
  return {
    running, post, ticket,
    session: async (id) => SessionView.parse((await running.ask(`/tickets/${id}/session`, { token: running.admin })).json()),
    turns: async (id) => Turns.parse((await running.ask(`/tickets/${id}/turns`, { token: running.admin })).json()).turns,
    say: (id, text, onBusy, key) => post(`/tickets/${id}/messages`, { text, onBusy }, key === undefined ? {} : { 'idempotency-key': key }),
    start, ready,
    live: async (draft) => {
      const id = await ready(draft)
      const started = await start(id)
      if (started.status !== 200) throw new Error(started.text)
      return id
    },
    act: (method, path, body) => running.ask(path, { method, token: running.admin, body: body ?? {} }),
    until: async (id, what, holds) => {
      for (const deadline = Date.now() + PATIENCE_MS; !holds(await ticket(id)); ) {
        if (Date.now() > deadline) throw new Error(`waited in vain for ${what}: ${JSON.stringify(await ticket(id))}`)
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    },
  }
}
