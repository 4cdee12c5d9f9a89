import * as z from 'zod'
import { Ticket, TicketEvent, TicketView } from '../../app/ticket-shapes.ts'
import { SentView, SessionView, TurnView } from '../../app/session-shapes.ts'
import { TicketFile } from '../../app/ticket-files.ts'
import type { TicketCommands } from '../../app/ticket-commands.ts'
import type { Outcome } from '../../app/tickets.ts'
import type { ServerClient } from './client.ts'

const Page = z.object({ tickets: z.array(Ticket), next: z.string().nullable() })
const Events = z.object({ events: z.array(TicketEvent), next: z.string().nullable() })
const Turns = z.object({ turns: z.array(TurnView) })
const Imported = z.object({ created: z.array(z.string()), skipped: z.array(z.string()) })

const query = (named: Readonly<Record<string, string | undefined>>): string => Object.entries(named).map(([name, value]) => (value === undefined ? '' : `&${name}=${encodeURIComponent(value)}`)).join('')

/** The same questions and acts, asked of a server. */
export function remoteTickets(client: ServerClient): TicketCommands {
  const at = (id: string, rest = ''): string => `/tickets/${encodeURIComponent(id)}${rest}`
  const act = async (path: string, body: object): Promise<Outcome<TicketView>> => {
    const asked = await client.ask(TicketView, path, body)
    return asked.ok ? asked : { ...asked, details: {} }
  }
  return {
    list: async (asked) => {
      const tickets: Ticket[] = []
      for (let cursor: string | undefined; ; ) {
        const page = await client.must(Page, `/tickets?limit=500${query({ ...asked, cursor })}`)
        tickets.push(...page.tickets)
        if (page.next === null) return tickets
        cursor = page.next
      }
    },
    create: (draft) => client.must(TicketView, '/tickets', draft),
    show: async (id) => {
      const view = await client.must(TicketView, at(id))
      const events: TicketEvent[] = []
      for (let cursor = '0'; ; ) {
        const page = await client.must(Events, at(id, `/events?limit=500&cursor=${cursor}`))
        events.push(...page.events)
        if (page.next === null) return { view, events }
        cursor = page.next
      }
    },
    move: (id, asked) => act(at(id, '/move'), asked),
    comment: (id, text) => act(at(id, '/comments'), { text }),
    claim: (id, lease) => act(at(id, '/claim'), { lease }),
    triage: (id) => act(at(id, '/triage'), {}),
    importDocument: (order) => client.must(Imported, '/tickets/import', order),
    exportAll: () => client.must(TicketFile, '/tickets/export'),
    session: (id) => client.must(SessionView, at(id, '/session')),
    turns: async (id) => (await client.must(Turns, at(id, '/turns'))).turns,
    startSession: (id, asked) => act(at(id, '/start-session'), asked),
    say: async (id, { key, ...asked }) => {
      const sent = await client.ask(SentView, at(id, '/messages'), asked, undefined, { 'idempotency-key': key })
      return sent.ok ? sent : { ...sent, details: {} }
    },
    interrupt: (id, reason) => act(at(id, '/interrupt'), { reason }),
    restart: (id, reason) => act(at(id, '/restart'), { reason }),
  }
}
