import { userInfo } from 'node:os'
import type { StoredLedger } from '../adapters/store-sqlite/index.ts'
import type { AccessKind, Principal } from '../contract/access.ts'
import { PortcullisError } from '../contract/errors.ts'
import { LONGEST_LEASE_MS, milliseconds, parseDuration } from '../contract/units.ts'
import { ACCEPTANCE_GATE, askTriage, autoTriage, choosePhases, type Closing, closeTicket, type Outcome, TicketBook, type TicketDraft, type TicketSettings, type TicketView, viewOf, type World } from '../engine/index.ts'
import { type Actor, actorId, type Ticket, type TicketEvent, triage } from '../gates/dispatch/index.ts'
import { composeWorld } from '../app.ts'
import { type AppOptions, configurationOf, stateDirectoryOf, usage } from './places.ts'
import { ledgerIn } from './store.ts'

/** Who acts, by the token that was shown: a person's tokens are admin, operator and reader; a program that runs by itself holds a worker's. */
const ACTOR_OF: Readonly<Record<AccessKind, Actor['kind']>> = { admin: 'human', operator: 'human', reader: 'human', worker: 'service', run: 'agent' }

export function actorOf(principal: Principal | undefined): Actor {
  if (principal === undefined) throw new PortcullisError('access_denied', { asked: 'an act on a ticket', found: 'nobody', remedy: 'Send a token.' })
  return { id: actorId(principal.name), kind: ACTOR_OF[principal.kind], holder: principal.id }
}

/** Whoever may start commands here, by the name of the account. */
export const localActor = (): Actor => ({ id: actorId(userInfo().username), kind: 'human', holder: 'local' })

/** The gate of whoever may operate the server: a person who answers with a name. */
const OPERATOR_GATE = 'operator'

/** Everything that a surface may ask of tickets. */
export interface TicketDesk {
  readonly book: TicketBook
  readonly settings: () => TicketSettings
  view(id: string): Promise<TicketView>
  triage(id: string, actor: Actor): Promise<Outcome<Ticket>>
  choosePhases(id: string, actor: Actor, phases: readonly string[]): Promise<Outcome<Ticket>>
  /** Closes in the name of a gate that a person may speak for. Throws `usage` for any other. */
  close(id: string, actor: Actor, closing: Closing): Promise<Outcome<Ticket>>
}

/** The desk over a store that is open. The configuration is read when it is asked, so that a changed one counts at once. */
export function composeTickets(options: AppOptions, ledger: StoredLedger, world: World): TicketDesk {
  const book = new TicketBook({ ledger, store: ledger.tickets, clock: options.clock, machineClock: world.machineClock, scanner: world.scanner })
  const settings = (): TicketSettings => configurationOf(options).configuration.tickets ?? {}
  return {
    book,
    settings,
    view: async (id) => viewOf(await book.get(id), options.clock()),
    triage: (id, actor) => triageTicket(options, world, book, { id, actor, settings: settings() }),
    choosePhases: (id, actor, phases) => {
      const known = Object.keys(settings().phases ?? {})
      const strange = phases.find((phase) => !known.includes(phase))
      if (strange !== undefined) throw usage('phases of portcullis.yaml', JSON.stringify(strange), known.length === 0 ? 'Add tickets: phases: to portcullis.yaml.' : `Choose of ${known.join(', ')}.`)
      return choosePhases(book, id, actor, phases)
    },
    close: (id, actor, closing) => {
      const known = [OPERATOR_GATE, ...Object.entries(settings().phases ?? {}).flatMap(([name, { kind }]) => (kind === 'decision' && name !== ACCEPTANCE_GATE ? [name] : []))]
      if (!known.includes(closing.gate)) throw usage(`a gate of ${known.join(', ')}`, JSON.stringify(closing.gate), 'Close as operator, or in the name of a phase of kind decision in portcullis.yaml. What its run has proven closes a ticket by itself.')
      return closeTicket(book, id, actor, closing)
    },
  }
}

/** By the rules first, which cost nothing; where they are not sure, by the model, if one is named. */
async function triageTicket(options: AppOptions, world: World, book: TicketBook, { id, actor, settings }: { readonly id: string; readonly actor: Actor; readonly settings: TicketSettings }): Promise<Outcome<Ticket>> {
  const policy = settings.triage ?? { threshold: 1, rules: [] }
  const ticket = await book.get(id)
  const model = settings.triage?.model
  if (model === undefined || ticket.state !== 'triage' || triage(ticket, policy.rules, policy.threshold).assigned) return autoTriage(book, id, actor, policy)
  const { askQuestion, unfenced } = await import('../adapters/review-runner/index.ts')
  const { configuration, digest } = configurationOf(options)
  return autoTriage(book, id, actor, policy, await askTriage({ ...world, configuration, configurationDigest: digest }, { ask: askQuestion, unfenced }, model, ticket, policy))
}

/** Opens the desk of this machine for as long as `use` takes. */
export async function withTickets<Value>(options: AppOptions, use: (desk: TicketDesk) => Promise<Value>): Promise<Value> {
  const stateDirectory = stateDirectoryOf(options)
  const ledgers = ledgerIn(options, stateDirectory)
  try {
    const world = await composeWorld(options, ledgers, stateDirectory)
    return await use(composeTickets(options, await ledgers.open(), world))
  } finally {
    await ledgers.close()
  }
}

/** A shorter claim ends before its renewal can be written. */
const SHORTEST_LEASE_MS = 1_000

/** A lease that somebody asked for; there is none by itself. Throws `usage`. */
export function durationMs(text: string, what: string): number {
  const givenMs = parseDuration(text)
  if (givenMs === undefined || givenMs < SHORTEST_LEASE_MS || givenMs > LONGEST_LEASE_MS) throw usage(what, JSON.stringify(text), 'Write it as in 60s or 10m: at least 1s, at most 24h.')
  return milliseconds(text)
}

export type { Actor, Outcome, Ticket, TicketDraft, TicketEvent, TicketView }
