import type { MachineMoment } from '../../contract/clock.ts'
import type { Digest } from '../../contract/verdict.ts'
import type { QueuedMessage, Ticket, TicketEvent, TicketSession, TicketState, TicketTurn } from '../../gates/dispatch/index.ts'

/** The bytes of an attachment, kept by their digest. */
export interface AttachedBytes {
  readonly sha256: Digest
  readonly bytes: Uint8Array
}

/**
 * One change of one ticket, in one transaction with its event in the chain: the ticket as the event leaves it, and what of
 * sessions, turns and the queue changes with it. The store refuses it if the ticket has changed since it was read.
 */
export interface TicketWrite {
  readonly event: TicketEvent
  readonly ticket: Ticket
  readonly sessions?: readonly TicketSession[] | undefined
  readonly turns?: readonly TicketTurn[] | undefined
  readonly messages?: readonly QueuedMessage[] | undefined
  readonly attached?: AttachedBytes | undefined
}

export interface TicketQuery {
  readonly state: TicketState | undefined
  readonly project: string | undefined
  readonly owner: string | undefined
  /** Only tickets with a smaller number: pages go from the newest to the oldest. */
  readonly before: number | undefined
  readonly limit: number
}

/** What is kept of tickets. Rejects with a `store_*` PortcullisError if the store is down, and with `ticket_conflict` where somebody was faster. */
export interface TicketStore {
  find(id: string): Promise<Ticket | undefined>
  list(query: TicketQuery): Promise<readonly Ticket[]>
  nextNumber(): Promise<number>
  /** The most urgent ticket that waits for a worker and may be tried now, the oldest of them first. */
  nextTodo(now: Date, owners: readonly string[] | 'any'): Promise<Ticket | undefined>
  /** Tickets whose claim has ended: by the time of the machine, and by the wall clock only where it has no lease. */
  expiredClaims(at: { readonly now: Date; readonly moment: MachineMoment }, most: number): Promise<readonly string[]>
  events(id: string, after: number, most: number): Promise<readonly TicketEvent[]>
  turns(id: string): Promise<readonly TicketTurn[]>
  turnOfKey(id: string, key: string): Promise<TicketTurn | undefined>
  /** Turns that still hold their session, in any ticket: what a crash left open, at start-up. */
  openTurns(): Promise<readonly TicketTurn[]>
  sessions(id: string): Promise<readonly TicketSession[]>
  session(sessionId: string): Promise<TicketSession | undefined>
  sessionOfToken(sha256: Digest): Promise<TicketSession | undefined>
  messages(id: string): Promise<readonly QueuedMessage[]>
  /**
   * Which of these digests show nothing of the ticket: no row of those of these runs that were opened for it (`accepted`: and
   * were accepted), and, where claims count, neither an attachment of it nor what a person said of it.
   */
  unknownEvidence(id: string, runs: readonly string[], digests: readonly Digest[], counts: { readonly runs: 'accepted' | 'any'; readonly claims: boolean }): Promise<readonly Digest[]>
  /** Which of these are no runs that were opened for the ticket and accepted. */
  unacceptedRuns(id: string, runs: readonly string[]): Promise<readonly string[]>
  attachment(id: string, sha256: Digest): Promise<Uint8Array | undefined>
  /** The kind under which an actor is known; undefined for one that was never seen. */
  kindOfActor(actor: string): Promise<string | undefined>
}
