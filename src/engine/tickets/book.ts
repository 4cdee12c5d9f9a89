import * as z from 'zod'
import { canonicalJson } from '../../contract/canonical.ts'
import type { Clock, MachineClock, MachineMoment } from '../../contract/clock.ts'
import { PortcullisError } from '../../contract/errors.ts'
import type { Refusal } from '../../contract/gate.ts'
import { Actor, applyEvent, hasLapsed, type Lease, NO_RUNTIME, QueuedMessage, type Ticket, TicketEvent, TicketSession, type TicketSource, TicketTurn } from '../../gates/dispatch/index.ts'
import type { SecretScanner } from '../../gates/report/index.ts'
import { refuseSecretsIn } from '../course.ts'
import type { Ledger } from '../ledger.ts'
import type { AttachedBytes, TicketStore } from './store.ts'

/** What a refusal of tickets says beside its words, for a program that goes on: what is legal, who holds it, what was observed. */
export type RefusalDetails = Readonly<Record<string, string | number | null | readonly string[]>>

export type Outcome<Value> = { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly refusal: Refusal; readonly details: RefusalDetails }

export const refused = (refusal: Refusal, details: RefusalDetails = {}): { readonly ok: false; readonly refusal: Refusal; readonly details: RefusalDetails } => ({ ok: false, refusal, details })
export const done = <Value>(value: Value): Outcome<Value> => ({ ok: true, value })

export interface BookParts {
  readonly ledger: Pick<Ledger, 'append' | 'begin' | 'list'>
  readonly store: TicketStore
  readonly clock: Clock
  /** By what claims and turns are leased. */
  readonly machineClock: MachineClock
  readonly scanner: SecretScanner
}

/** What somebody asks for who brings a ticket. */
export interface TicketDraft extends Pick<Ticket, 'title' | 'description' | 'priority' | 'project' | 'kind'> {
  readonly labels: readonly string[]
  readonly source: Omit<TicketSource, 'reconciled'> | null
  readonly acceptance: readonly { readonly id: number; readonly text: string }[]
  readonly repositories: readonly string[]
}

/** One change as a decision makes it, from the ticket as it is now. */
export interface TicketChange {
  readonly kind: TicketEvent['kind']
  readonly text?: string | null | undefined
  readonly data?: TicketEvent['data'] | undefined
  readonly set?: TicketEvent['set'] | undefined
  readonly origin?: TicketEvent['origin'] | undefined
  readonly sessions?: readonly TicketSession[] | undefined
  readonly turns?: readonly TicketTurn[] | undefined
  readonly messages?: readonly QueuedMessage[] | undefined
  readonly attached?: AttachedBytes | undefined
}

export type Decision = TicketChange | { readonly refusal: Refusal; readonly details?: RefusalDetails | undefined } | 'nothing'

/** The event and the ticket after it; a refusal where what was asked does not fit in: nothing was done, and whoever asked is told what stands against it. */
function changedBy(before: Ticket, draft: TicketEvent): { readonly event: TicketEvent; readonly ticket: Ticket } | { readonly refusal: Refusal } {
  try {
    const event = TicketEvent.parse(draft)
    return { event, ticket: applyEvent(before, event) }
  } catch (error) {
    if (!(error instanceof z.ZodError)) throw error
    // Where it stands and what was expected there; never what was given, which nobody has scanned yet.
    const found = error.issues.slice(0, 5).map(({ path, code }) => `${path.join('.')}: ${code}`).join('; ')
    return { refusal: { reason: 'change_invalid', message: `${before.id} stays as it is.`, asked: `${draft.kind} of ${before.id}`, found, remedy: 'Send what fits the schema of the ticket.' } }
  }
}

/** Others may win so often before it is given up; each of them made progress. */
const MOST_TRIES = 100

/** The book of tickets: every change is decided on the ticket as it is, and stored with its event or not at all. */
export class TicketBook {
  readonly #parts: BookParts
  #run: Promise<string> | undefined
  #creating: Promise<unknown> = Promise.resolve()

  constructor(parts: BookParts) {
    this.#parts = parts
  }

  get store(): TicketStore {
    return this.#parts.store
  }

  now(): Date {
    return this.#parts.clock()
  }

  moment(): MachineMoment {
    return this.#parts.machineClock()
  }

  /** Whether something leased has ended. */
  hasLapsed(lease: Lease | undefined, until: string): boolean {
    return hasLapsed(lease, until, { now: this.now(), moment: this.moment() })
  }

  /** Throws `ticket_not_found`. */
  async get(id: string): Promise<Ticket> {
    const ticket = await this.#parts.store.find(id)
    if (ticket !== undefined) return ticket
    throw new PortcullisError('ticket_not_found', { asked: `ticket ${id}`, found: 'no such ticket in this ledger', remedy: 'GET /tickets lists them; npx portcullis tickets list does so here.' })
  }

  /** Opens a ticket under the next number. */
  async create(draft: TicketDraft, actor: Actor, origin: TicketEvent['origin'] = 'observed'): Promise<Ticket> {
    // One after the other: of two that take the same number, one would have to try again.
    const made = this.#creating.then(async () => this.#create(draft, actor, origin))
    this.#creating = made.catch(() => undefined)
    return made
  }

  async #create(draft: TicketDraft, actor: Actor, origin: TicketEvent['origin']): Promise<Ticket> {
    for (let tries = 1; ; tries += 1) {
      const number = await this.#parts.store.nextNumber()
      const at = this.now().toISOString()
      const { acceptance, source, labels, repositories, ...rest } = draft
      const set: TicketEvent['set'] = {
        ...rest, number, labels: [...labels], repositories: [...repositories], source: source === null ? null : { ...source, reconciled: false },
        acceptance: acceptance.map((item) => ({ ...item, verdict: null, reason: null, evidence: [], by: null, at: null })),
        requester: actor.id, owner: null, state: 'triage', reason: null, resolution: null, runtime: NO_RUNTIME, epoch: 0, claim: null, triage: null, phases: null, phase: 0, dispatch_failures: 0, review_rejections: 0, findings: [],
        retry_at: null, terminal: null, attachments: [], evidence: [], runs: [], created_at: at, state_since: at,
      }
      const event = TicketEvent.parse({ ticket: `T-${number}`, sequence: 1, kind: origin === 'mirrored' ? 'imported' : 'created', at, actor, origin, text: null, data: {}, set })
      const ticket = applyEvent(undefined, event)
      if (await this.#append({ event, ticket }, tries)) return ticket
    }
  }

  /** Decides on the ticket as it is now and stores the change; decides again if somebody was faster. A `decide` of 'nothing' leaves it as it is. */
  async change(id: string, actor: Actor, decide: (ticket: Ticket) => Decision | Promise<Decision>): Promise<Outcome<Ticket>> {
    for (let tries = 1; ; tries += 1) {
      const before = await this.get(id)
      const decision = await decide(before)
      if (decision === 'nothing') return done(before)
      if ('refusal' in decision) return refused(decision.refusal, decision.details)
      const { kind, text = null, data = {}, set = {}, origin = 'observed', ...rest } = decision
      const at = this.now().toISOString()
      const since = set.state !== undefined && set.state !== before.state ? { state_since: at } : {}
      const changed = changedBy(before, { ticket: id, sequence: before.version + 1, kind, at, actor: Actor.parse(actor), origin, text, data, set: { ...set, ...since } })
      if ('refusal' in changed) return refused(changed.refusal)
      const { event, ticket } = changed
      // What could not be read back must not be written: the ticket could never be asked for again.
      const sessions = rest.sessions?.map((session) => TicketSession.parse(session))
      const turns = rest.turns?.map((turn) => TicketTurn.parse(turn))
      const messages = rest.messages?.map((message) => QueuedMessage.parse(message))
      if (await this.#append({ event, ticket, sessions, turns, messages, attached: rest.attached }, tries)) return done(ticket)
    }
  }

  /** False if somebody was faster. */
  async #append(write: Parameters<BookParts['ledger']['append']>[0]['ticket'] & object, tries: number): Promise<boolean> {
    refuseSecretsIn(this.#parts.scanner, Buffer.from(canonicalJson(write.event)), 'change of a ticket')
    // Messages as well: what enters a session goes to a model, and stays in the store.
    for (const texts of [write.turns, write.messages]) if (texts !== undefined && texts.length > 0) refuseSecretsIn(this.#parts.scanner, Buffer.from(canonicalJson(texts)), 'message of a ticket')
    if (write.attached !== undefined) refuseSecretsIn(this.#parts.scanner, Buffer.from(write.attached.bytes), 'attachment of a ticket')
    const runId = await this.#runId()
    try {
      await this.#parts.ledger.append({ runId, ticket: write })
      return true
    } catch (error) {
      if (!(error instanceof PortcullisError) || error.code !== 'ticket_conflict' || tries >= MOST_TRIES) throw error
      return false
    }
  }

  /** The run in which the changes of all tickets stand, opened by the first. */
  #runId(): Promise<string> {
    this.#run ??= this.#openRun().catch((error: unknown) => {
      this.#run = undefined
      throw error
    })
    return this.#run
  }

  async #openRun(): Promise<string> {
    const own = (await this.#parts.ledger.list()).findLast(({ kind }) => kind === 'tickets')
    return (own ?? (await this.#parts.ledger.begin({ kind: 'tickets', taskId: 'tickets', startedAt: this.now() }))).runId
  }
}
