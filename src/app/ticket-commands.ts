import type { Outcome, TicketDraft, TicketEvent, TicketView } from './tickets.ts'
import { withTickets, localActor, durationMs, type TicketDesk, type Ticket } from './tickets.ts'
import { claim, comment, move } from './ticket-acts.ts'
import { exportTickets, type Imported, importTickets, type TicketFile } from './ticket-files.ts'
import { PortcullisError } from '../contract/errors.ts'
import type { SentView, SessionView, TurnView } from './session-shapes.ts'
import type { RUNTIME_MODES, TicketState } from '../gates/dispatch/index.ts'
import type { AppOptions } from './places.ts'

export type TicketMode = (typeof RUNTIME_MODES)[number]

export interface ImportOrder {
  readonly document: unknown
  readonly project: string
  readonly kind: 'code' | 'research'
  readonly priority: Ticket['priority']
}

/** What the command line asks of tickets, on this machine or of a server. */
export interface TicketCommands {
  list(asked: { readonly state: TicketState | undefined; readonly project: string | undefined }): Promise<readonly Ticket[]>
  create(draft: TicketDraft): Promise<TicketView>
  show(id: string): Promise<{ readonly view: TicketView; readonly events: readonly TicketEvent[] }>
  move(id: string, asked: { readonly to: TicketState; readonly reason: string }): Promise<Outcome<TicketView>>
  comment(id: string, text: string): Promise<Outcome<TicketView>>
  claim(id: string, lease: string): Promise<Outcome<TicketView>>
  triage(id: string): Promise<Outcome<TicketView>>
  importDocument(order: ImportOrder): Promise<Imported>
  exportAll(): Promise<TicketFile>
  session(id: string): Promise<SessionView>
  turns(id: string): Promise<readonly TurnView[]>
  startSession(id: string, asked: { readonly profile: string; readonly mode: TicketMode }): Promise<Outcome<TicketView>>
  say(id: string, asked: { readonly text: string; readonly onBusy: 'refuse' | 'queue'; readonly key: string }): Promise<Outcome<SentView>>
  interrupt(id: string, reason: string): Promise<Outcome<TicketView>>
  restart(id: string, reason: string): Promise<Outcome<TicketView>>
}

const MOST_SHOWN = 1_000

/** Live sessions are held by the server, and end with it: a command that ends at once could hold none. */
const ofTheServer = (asked: string): Promise<never> =>
  Promise.reject(new PortcullisError('usage', { asked, found: 'no server: sessions are held by one', remedy: 'Start npx portcullis serve, and give its address with --server, or in PORTCULLIS_SERVER.' }))

export function localTickets(options: AppOptions): TicketCommands {
  const act = (use: (desk: TicketDesk) => Promise<Outcome<Ticket>>): Promise<Outcome<TicketView>> =>
    withTickets(options, async (desk) => {
      const outcome = await use(desk)
      return outcome.ok ? { ok: true, value: await desk.view(outcome.value.id) } : outcome
    })
  const me = localActor()
  return {
    list: ({ state, project }) => withTickets(options, ({ book }) => book.store.list({ state, project, owner: undefined, before: undefined, limit: MOST_SHOWN })),
    create: (draft) => withTickets(options, async (desk) => desk.view((await desk.book.create(draft, me)).id)),
    show: (id) => withTickets(options, async (desk) => ({ view: await desk.view(id), events: await desk.book.store.events(id, 0, MOST_SHOWN) })),
    move: (id, asked) => act(({ book }) => move(book, id, me, asked)),
    comment: (id, text) => act(({ book }) => comment(book, id, me, text)),
    claim: (id, lease) => act(({ book }) => claim(book, id, me, durationMs(lease, 'how long the claim is in force'))),
    triage: (id) => act((desk) => desk.triage(id, me)),
    importDocument: ({ document, ...given }) => withTickets(options, (desk) => importTickets(desk, me, document, given)),
    exportAll: () => withTickets(options, exportTickets),
    session: (id) => ofTheServer(`the session of ${id}`),
    turns: (id) => withTickets(options, async ({ book }) => {
      await book.get(id)
      const { turnView } = await import('./session-shapes.ts')
      return (await book.store.turns(id)).map(turnView)
    }),
    startSession: (id) => ofTheServer(`a session for ${id}`),
    say: (id) => ofTheServer(`a message into the session of ${id}`),
    interrupt: (id) => ofTheServer(`the turn of ${id} interrupted`),
    restart: (id) => ofTheServer(`a fresh session for ${id}`),
  }
}
