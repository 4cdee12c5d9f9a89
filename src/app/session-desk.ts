import { resolve as resolvePath } from 'node:path'
import type { Log } from '../adapters/log/index.ts'
import { orphanedSessions } from './orphaned-sessions.ts'
import { sessionRuntimes } from './session-runtimes.ts'
import { SessionView, type SentView, type TranscriptView, turnView, type TurnView } from './session-shapes.ts'
import { parseTriple } from '../contract/model.ts'
import { milliseconds } from '../contract/units.ts'
import { claim, createCallRecorder, Dispatcher, editMessage, noRuntime, type Outcome, type PlacedRepository, releaseExpired, removeMessage, renewClaim, RETRY_LIMIT, type SessionChannel, SessionHost, type SessionPlace, type SessionWorld, type TicketBook, type TicketMessage, type TicketSettings, waitingMessages, type World } from '../engine/index.ts'
import { type Actor, isLive, leftMs, type RUNTIME_MODES, type Ticket, type TicketSession } from '../gates/dispatch/index.ts'
import type { Wire } from '../gates/wire/index.ts'
import { type AppOptions, configurationOf, searchPathOf, usage } from './places.ts'

export type { SentView, TurnView }
export { SessionView }

/** In whose name sessions are held, turns are ended and claims are renewed. */
const SUPERVISOR: Actor = { id: 'portcullis:sessions', kind: 'service', holder: 'server' }

/** How often the sessions of a server are looked over. */
export const SESSIONS_MS = 1_000
/** A claim is renewed when this share of it is left, so that a few looks may fail. */
const RENEW_SHARE = 1 / 2
const MOST_EXPIRED = 100
/** So much of a transcript is shown at a time. */
export const TRANSCRIPT_CHARACTERS = 262_144

export interface StartOrder {
  readonly profile: string
  readonly mode: (typeof RUNTIME_MODES)[number]
}

/** The live sessions of tickets that this server holds: whatever is asked of one goes through here. */
export class SessionDesk {
  readonly #options: AppOptions
  readonly #book: TicketBook
  readonly #world: SessionWorld
  readonly #host: SessionHost
  readonly #dispatcher: Dispatcher
  readonly #left = new Set<string>()
  #wire: Promise<Wire> | undefined
  #address: string | undefined

  private constructor(options: AppOptions, book: TicketBook, world: SessionWorld) {
    this.#options = options
    this.#book = book
    this.#world = world
    this.#host = new SessionHost({
      world: () => this.#current(),
      wire: () => (this.#wire ??= world.openWire(createCallRecorder(world.ledger, world.scanner))),
      place: (project) => this.#placeOf(project),
      completionUrl: () => (this.#address === undefined ? undefined : `${this.#address}/mcp`),
    })
    const spanOf = (name: 'delivery' | 'turn' | 'claim'): number => this.#spanOf(name)
    const limitsOf = (): { dispatch: number; review: number } => this.#settings().limits ?? { dispatch: RETRY_LIMIT, review: RETRY_LIMIT }
    const startTokensOf = (): number | undefined => this.#settings().startTokens
    this.#dispatcher = new Dispatcher({
      book, starter: this.#host, work: this.#host, supervisor: SUPERVISOR,
      abandoned: ({ id }) => this.#left.has(id),
      // Read when they are needed, so that a changed file counts for the next turn.
      get limits() {
        return limitsOf()
      },
      get deliveryMs() {
        return spanOf('delivery')
      },
      get turnMs() {
        return spanOf('turn')
      },
      get startTokens() {
        return startTokensOf()
      },
    })
  }

  /** Ends what servers that are gone left open, each with its record, before anything is dispatched (MC-058). */
  static async open(options: AppOptions, book: TicketBook, given: World, log: Log): Promise<SessionDesk> {
    const [{ endLeftover }, runtimes] = await Promise.all([import('../adapters/runtime-process/index.ts'), sessionRuntimes(configurationOf(options).directory, searchPathOf(options.environment))])
    const desk = new SessionDesk(options, book, { ...given, runtimes, endLeftover })
    const { turns, sessions } = await desk.#recover()
    if (sessions > 0 || turns > 0) log.info({ part: 'sessions', sessions, turns }, 'ended what an earlier server left open')
    return desk
  }

  /** Where the API listens, once it does: sessions complete their turns there. */
  servedAt(address: string): void {
    this.#address = address
  }

  async #recover(): Promise<{ readonly turns: number; readonly sessions: number }> {
    const ended = await this.#host.recover()
    const orphaned = await orphanedSessions(this.#book, this.#world.ledger)
    const left = [...ended, ...orphaned.filter(({ session }) => ended.every((each) => each.session !== session))]
    for (const { session } of left) this.#left.add(session)
    const turns = await this.#dispatcher.recover()
    for (const { session, ticket } of left) {
      await this.#dispatcher.endSession(session)
      await this.#release(ticket, 'supervisor_restart')
    }
    return { turns, sessions: left.length }
  }

  /** A claim of ours without a session behind it keeps everybody else from the ticket. */
  async #release(id: string, why: string): Promise<void> {
    await this.#book.change(id, SUPERVISOR, ({ claim: held, state, runtime }) => (held?.holder !== SUPERVISOR.id || isLive(runtime.state) ? 'nothing' : { kind: 'released', text: why, data: { holder: held.holder, epoch: held.epoch }, set: { claim: null, ...(state === 'in_progress' ? { state: 'todo', reason: why } : {}) } }))
  }

  /** Opens a session for a ticket that waits, through every gate, and sends what waits for it. */
  async start(id: string, by: Actor, { profile, mode }: StartOrder): Promise<Outcome<Ticket>> {
    // Nothing is begun that could not go on: what the turns need is asked for first.
    for (const name of ['delivery', 'turn'] as const) this.#spanOf(name)
    const ticket = await this.#book.get(id)
    this.#placeOf(ticket.project)
    const own = ticket.state === 'in_progress' && ticket.claim?.holder === SUPERVISOR.id
    const claimed = own ? ({ ok: true, value: ticket } as const) : await claim(this.#book, id, SUPERVISOR, this.#spanOf('claim'))
    if (!claimed.ok) return claimed
    const opened = await this.#dispatcher.open(id, SUPERVISOR, { claimEpoch: claimed.value.claim?.epoch ?? 0, profile, cwd: this.#placeOf(ticket.project).repository, mode, by })
    if (!opened.ok) return opened
    await this.#dispatcher.runQueue(id)
    return { ok: true, value: await this.#book.get(id) }
  }

  async say(id: string, by: Actor, message: TicketMessage): Promise<Outcome<SentView>> {
    await this.#book.get(id)
    const sent = await this.#dispatcher.send(id, by, message)
    if (!sent.ok) return sent
    return { ok: true, value: sent.value.kind === 'turn' ? { kind: 'turn', turn: turnView(sent.value.turn) } : sent.value }
  }

  edit(id: string, by: Actor, message: string, text: string): Promise<Outcome<Ticket>> {
    return editMessage(this.#book, id, by, message, text)
  }

  remove(id: string, by: Actor, message: string): Promise<Outcome<Ticket>> {
    return removeMessage(this.#book, id, by, message)
  }

  interrupt(id: string, by: Actor, reason: string): Promise<Outcome<Ticket>> {
    return this.#dispatcher.interrupt(id, by, reason)
  }

  /** Ends the session, and opens a fresh one in which what was not finished is sent again. */
  async restart(id: string, by: Actor, reason: string): Promise<Outcome<Ticket>> {
    const session = await this.#sessionOf(await this.#book.get(id))
    const stopped = await this.#dispatcher.restart(id, by, reason)
    if (!stopped.ok || session === undefined || (stopped.value.state !== 'todo' && stopped.value.state !== 'in_progress')) return stopped
    return this.start(id, by, { profile: session.profile, mode: session.mode })
  }

  /** Answers a permission that the session waits for. It is told in the history first. */
  async answer(id: string, by: Actor, { request, allow }: { readonly request: string; readonly allow: boolean }): Promise<Outcome<Ticket>> {
    const ticket = await this.#book.get(id)
    const held = ticket.runtime.session === null ? undefined : this.#host.held(ticket.runtime.session)
    if (held === undefined || !isLive(held.state())) return { ok: false, refusal: noRuntime(id, ticket.runtime.state, `an answer to ${request}`), details: { observed: ticket.runtime.state } }
    const asked = held.permissions.find((permission) => permission.request === request)
    const strange = { ok: false, refusal: { reason: 'transition_illegal', message: 'The session does not wait for that answer.', asked: `an answer to ${request}`, found: held.permissions.length === 0 ? 'it waits for none' : `it waits for ${held.permissions.map((permission) => permission.request).join(', ')}`, remedy: 'GET /tickets/{ticket}/session names what it waits for.' }, details: { observed: held.state() } } as const
    if (asked === undefined) return strange
    const told = await this.#book.change(id, by, () => ({ kind: 'permission_answered', text: `${allow ? 'allowed' : 'refused'}: ${asked.tool}`, data: { request, tool: asked.tool, allow } }))
    if (!told.ok) return told
    return (await held.answer(request, allow)) ? told : strange
  }

  async view(id: string): Promise<SessionView> {
    const ticket = await this.#book.get(id)
    const { runtime } = ticket
    const session = await this.#sessionOf(ticket)
    const held = session === undefined ? undefined : this.#host.held(session.id)
    const triple = runtime.triple === null ? undefined : parseTriple(runtime.triple)
    const agent = triple?.runtime ?? (runtime.profile === null ? null : (configurationOf(this.#options).configuration.profiles[runtime.profile]?.agent ?? null))
    const known = this.#world.runtimes.find(({ name, mode }) => name === agent && mode === runtime.mode)
    const live = held !== undefined && session?.ended_at === null
    return SessionView.parse({
      ticket: id, session: session?.id ?? runtime.session, attached: live, run: session === undefined ? runtime.session : session.run, state: runtime.state, mode: runtime.mode,
      agent, provider: triple?.provider ?? null, model: triple?.model ?? null, triple: runtime.triple, profile: runtime.profile, cwd: runtime.cwd, epoch: session?.epoch ?? null, pid: session?.pid ?? null,
      started_at: runtime.started_at, last_activity_at: live ? held.lastActivityAt.toISOString() : runtime.last_activity_at, ended_at: runtime.ended_at, duration_ms: runtime.duration_ms,
      start_tokens: session?.start_tokens ?? null, ...(await this.#measuresOf(id, session, live ? held : undefined)), manifest: session === undefined ? null : (known?.manifest ?? null),
      attach: live ? held.attach : null, permissions: live ? held.permissions : [], queue: await waitingMessages(this.#book, id),
    })
  }

  /** Of a session that is gone, what its last turn left. */
  async #measuresOf(id: string, session: TicketSession | undefined, live: SessionChannel | undefined): Promise<Pick<SessionView, 'context_tokens' | 'effort'>> {
    if (live !== undefined) return { context_tokens: live.contextTokens(), effort: live.effort() }
    const last = (await this.#book.store.turns(id)).findLast((turn) => turn.session === session?.id)
    return { context_tokens: last?.end_tokens ?? null, effort: last?.effort ?? null }
  }

  async turns(id: string): Promise<readonly TurnView[]> {
    await this.#book.get(id)
    return (await this.#book.store.turns(id)).map(turnView)
  }

  /** What the session printed, for people. Withheld whole where something in it may not be shown. */
  async transcript(id: string): Promise<TranscriptView> {
    const ticket = await this.#book.get(id)
    const session = await this.#sessionOf(ticket)
    const shown = { ticket: id, session: session?.id ?? null, decides: false } as const
    const held = session === undefined ? undefined : this.#host.held(session.id)
    if (held !== undefined) {
      const { artefact, surface, totalBytes } = held.transcript()
      if (artefact === undefined) return { ...shown, format: null, content: '', total_bytes: totalBytes, truncated: totalBytes > 0, withheld: surface.scanned ? 'it holds what looks like a credential' : 'it could not be scanned to its end' }
      return { ...shown, format: artefact.name.endsWith('.terminal') ? 'terminal' : 'protocol', ...tailOf(artefact.content, totalBytes, artefact.truncated), withheld: null }
    }
    const kept = session?.run == null ? undefined : this.#keptOf(session.run)
    return kept === undefined ? { ...shown, format: null, content: '', total_bytes: 0, truncated: false, withheld: session === undefined ? 'there was no session' : 'nothing of it was kept' } : { ...shown, ...kept, withheld: null }
  }

  #keptOf(run: string): Pick<TranscriptView, 'format' | 'content' | 'total_bytes' | 'truncated'> | undefined {
    const directory = this.#world.openDirectory(run)
    for (const [name, format] of [['backend/transcript.terminal', 'terminal'], ['backend/transcript.jsonl', 'protocol']] as const) {
      const content = directory.read(name)
      if (content !== undefined) return { format, ...tailOf(content, content.length, false) }
    }
    return undefined
  }

  /** The ticket and the nonce of the turn that runs in the session of this token; nobody else's. */
  turnOf(token: string): Promise<{ readonly ticket: string; readonly nonce: string } | undefined> {
    return this.#dispatcher.turnOf(token)
  }

  /** A completion over the session's own connection, which its token shows. */
  complete(token: string, said: unknown): Promise<Outcome<Ticket>> {
    return this.#dispatcher.complete(token, said)
  }

  /** Renews the claims of the sessions that are held here, and ends those that the store says are over or whose time is. */
  async sweep(): Promise<void> {
    for (const id of this.#dispatcher.sessions) {
      const session = await this.#book.store.session(id)
      if (session !== undefined) await this.#look(session)
    }
    await this.#dispatcher.recover()
    await releaseExpired(this.#book, SUPERVISOR, MOST_EXPIRED)
  }

  async #look(session: TicketSession): Promise<void> {
    const ticket = await this.#book.get(session.ticket)
    const now = this.#options.clock().getTime()
    const over = this.#host.held(session.id)?.isOver(new Date(now)) === true
    if (session.ended_at !== null || ticket.epoch > session.epoch || ticket.state === 'closed' || over) return this.#dispatcher.endSession(session.id)
    const { claim: held } = ticket
    const leaseMs = this.#spanOf('claim')
    const left = held === null ? 0 : held.lease === undefined ? Date.parse(held.expires_at) - now : leftMs(held.lease, this.#book.moment())
    if (held?.holder === SUPERVISOR.id && left < leaseMs * RENEW_SHARE) await renewClaim(this.#book, ticket.id, SUPERVISOR, { epoch: held.epoch, leaseMs })
  }

  /** Ends every session that is held here; their messages are pending again. */
  async close(): Promise<void> {
    await this.#dispatcher.close()
    await (await this.#wire)?.close()
  }

  async #sessionOf({ runtime }: Ticket): Promise<TicketSession | undefined> {
    return runtime.session === null ? undefined : this.#book.store.session(runtime.session)
  }

  #current(): SessionWorld {
    const { configuration, digest } = configurationOf(this.#options)
    return { ...this.#world, configuration, configurationDigest: digest }
  }

  #settings(): TicketSettings {
    return configurationOf(this.#options).configuration.tickets ?? {}
  }

  #spanOf(name: 'delivery' | 'turn' | 'claim'): number {
    const span = this.#settings()[name]
    if (span === undefined) throw usage('how long a session may take', `no tickets: ${name}: in portcullis.yaml`, 'Write tickets: { claim: 10m, delivery: 30s, turn: 30m }: nothing is taken in their place.')
    return milliseconds(span)
  }

  #placeOf(project: string): SessionPlace {
    const sessions = this.#settings().sessions ?? {}
    const place = Object.hasOwn(sessions, project) ? sessions[project] : undefined
    if (place === undefined) throw usage(`where sessions of the project ${project} work`, Object.keys(sessions).length === 0 ? 'no tickets: sessions: in portcullis.yaml' : `only ${Object.keys(sessions).join(', ')}`, 'Add tickets: sessions: with the project, its purpose, repository and branch.')
    const { directory } = configurationOf(this.#options)
    const placed = <Place extends PlacedRepository>(at: Place): Place => ({ ...at, repository: resolvePath(directory, at.repository) })
    return { purpose: place.purpose, project, bySchema: place.completion === 'schema', ...placed({ repository: place.repository, branch: place.branch }), others: new Map(Object.entries(place.repositories ?? {}).map(([name, other]) => [name, placed(other)])) }
  }
}

const tailOf = (content: Buffer, totalBytes: number, truncated: boolean): Pick<TranscriptView, 'content' | 'total_bytes' | 'truncated'> => {
  const text = content.toString('utf8').toWellFormed()
  return { content: text.slice(-TRANSCRIPT_CHARACTERS), total_bytes: totalBytes, truncated: truncated || text.length > TRANSCRIPT_CHARACTERS }
}
