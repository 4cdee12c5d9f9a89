import { isFinal, type Ledger, type TicketBook } from '../engine/index.ts'
import { isLive, type Ticket, TICKET_STATES, type TicketSession } from '../gates/dispatch/index.ts'

const PAGE = 100

export interface OrphanedSession {
  readonly ticket: string
  readonly session: string
}

/**
 * Sessions that a ticket shows as live though nobody can hold them: their run has ended, or they never got one and the claim that
 * began them is over. A server that ends between the two writes of an end leaves such a ticket, in which nothing could be done.
 */
export async function orphanedSessions(book: TicketBook, ledger: Pick<Ledger, 'list'>): Promise<readonly OrphanedSession[]> {
  const runs = new Map((await ledger.list()).map(({ runId, state }) => [runId, state]))
  const orphaned: OrphanedSession[] = []
  for (const ticket of await ticketsWithSessions(book)) {
    const session = ticket.runtime.session === null ? undefined : await book.store.session(ticket.runtime.session)
    if (session === undefined || session.ended_at !== null) continue
    const state = session.run === null ? undefined : runs.get(session.run)
    if (state === undefined ? !isClaimed(ticket, session, book) : isFinal(state)) orphaned.push({ ticket: ticket.id, session: session.id })
  }
  return orphaned
}

const isClaimed = ({ claim, epoch }: Ticket, session: TicketSession, book: TicketBook): boolean => claim !== null && epoch === session.epoch && !book.hasLapsed(claim.lease, claim.expires_at)

async function ticketsWithSessions(book: TicketBook): Promise<readonly Ticket[]> {
  const found: Ticket[] = []
  for (const state of TICKET_STATES) {
    if (state === 'closed') continue
    for (let before: number | undefined; ; ) {
      const page = await book.store.list({ state, project: undefined, owner: undefined, before, limit: PAGE })
      found.push(...page.filter(({ runtime }) => isLive(runtime.state)))
      before = page.at(-1)?.number
      if (page.length < PAGE || before === undefined) break
    }
  }
  return found
}
