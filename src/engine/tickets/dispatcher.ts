import { randomBytes } from 'node:crypto'
import { sha256 } from '../../contract/canonical.ts'
import type { Refusal } from '../../contract/gate.ts'
import { createRunToken } from '../../contract/ids.ts'
import { type Actor, holdsSession, isLive, judgeSignal, type QueuedMessage, type RuntimeState, signalOfAnswer, type Ticket, type TicketSession, type TicketTurn } from '../../gates/dispatch/index.ts'
import { withLimit } from '../deadline.ts'
import { Starts } from '../starts.ts'
import { type Decision, done, type Outcome, refused, type TicketChange } from './book.ts'
import { completedTurn, failedTurn, refusedSession, silentTurn } from './endings.ts'
import { type Handed, type RuntimeEnding, type SessionChannel, SessionNotFresh, SessionRefused } from './channel.ts'
import type { DispatcherParts } from './dispatcher-parts.ts'
import { type Failure, fits, type Live, lostTurn, measured, type OpenTurn, unlessWithheld } from './live-turn.ts'
import { waiting } from './queue.ts'
import { type DecidedMessage, decideMessage, queuedBefore, sameRequest, type Sent } from './messages.ts'
import { busy, noRuntime, startedLate, WAYS_OUT } from './refusals.ts'
import { type Message, runtimeOf } from './sessions.ts'

const NONCE_BYTES = 32
/** A session keeps the limit of a delivery itself; so much later it is not waited for. */
const ANSWER_MS = 1_000
/** So much of a receipt is kept. */
const LONGEST_RECEIPT = 1_024

/** Brings messages into sessions, each once, and believes no end that did not come over a structured channel. */
export class Dispatcher {
  readonly #parts: DispatcherParts
  readonly #live = new Map<string, Live>()
  readonly #starting = new Starts()
  readonly #following = new Set<Promise<unknown>>()
  #recovered = false

  constructor(parts: DispatcherParts) {
    this.#parts = parts
  }

  /**
   * Writes the end of every turn that a supervisor which is gone left open, before anything is dispatched (MC-058), and of every
   * turn whose lease is over, whoever held it (MC-034). Gives how many there were.
   */
  async recover(): Promise<number> {
    const { book } = this.#parts
    let ended = 0
    for (const turn of await book.store.openTurns()) {
      const session = await book.store.session(turn.session)
      const lapsed = book.hasLapsed(turn.lease, turn.lease_until)
      const left = session !== undefined && !this.#live.has(session.id) && this.#parts.abandoned(session)
      if (!left && !lapsed) continue
      await this.#lose(turn, left ? { end: 'supervisor_restart', code: 'supervisor_restart', rootCause: 'supervisor_restart: the supervisor of the session ended while the turn was open', counts: false } : { end: 'lease_expired', code: 'lease_expired', rootCause: `lease_expired: no end of the turn until ${turn.lease_until}` })
      ended += 1
    }
    this.#recovered = true
    return ended
  }

  /** Starts a session for a ticket that its worker has claimed: a new process, a new id, a new epoch (MC-040). */
  async open(id: string, worker: Actor, asked: { readonly claimEpoch: number; readonly profile: string; readonly cwd: string; readonly mode: TicketSession['mode']; readonly by: Actor }): Promise<Outcome<TicketSession>> {
    const { book } = this.#parts
    const token = createRunToken()
    let session: TicketSession | undefined
    const opened = await book.change(id, asked.by, (ticket): Decision => {
      if (ticket.claim?.holder !== worker.id || ticket.claim.epoch !== asked.claimEpoch || book.hasLapsed(ticket.claim.lease, ticket.claim.expires_at)) return { refusal: { reason: 'claim_stale', message: 'The claim is not in force.', asked: `a session for ${id}`, found: ticket.claim === null ? 'no claim' : `${ticket.claim.holder} in epoch ${ticket.claim.epoch}`, remedy: 'Claim the ticket first.' } }
      if (isLive(ticket.runtime.state)) return busy(ticket, id, 'another session')
      const at = book.now().toISOString()
      const epoch = ticket.epoch + 1
      session = { id: `${id}-s${epoch}-${randomBytes(6).toString('hex')}`, ticket: id, epoch, state: 'starting', profile: asked.profile, triple: null, cwd: asked.cwd, mode: asked.mode, pid: null, worker: worker.id, token_sha256: sha256(token), started_at: at, last_activity_at: at, ended_at: null, start_tokens: null, run: null }
      return { kind: 'session_opened', data: { session: session.id, epoch, profile: asked.profile, mode: asked.mode, cwd: asked.cwd }, set: { epoch, runtime: runtimeOf(session) }, sessions: [session] }
    })
    if (!opened.ok) return opened
    if (session === undefined) throw new Error('a session was opened that is none')
    const begun = session
    return this.#starting.begin(begun.id, (ended) => this.#start(begun, worker, token, ended))
  }

  async #start(session: TicketSession, worker: Actor, token: string, ended: AbortSignal): Promise<Outcome<TicketSession>> {
    const { book, starter } = this.#parts
    try {
      const { project, repositories } = await book.get(session.ticket)
      const handle = await starter.open({ session: session.id, ticket: session.ticket, project, repositories, epoch: session.epoch, profile: session.profile, mode: session.mode, cwd: session.cwd, token, ended, changed: (state) => this.#follow(this.#stateChanged(session.id, state)) })
      return await this.#attach(session, worker, token, handle)
    } catch (error) {
      const at = book.now().toISOString()
      const failed: TicketSession = { ...session, state: 'failed', ended_at: at, last_activity_at: at, run: error instanceof SessionRefused ? error.run : null }
      if (error instanceof SessionRefused) {
        await book.change(session.ticket, worker, (ticket) => refusedSession(ticket, failed, error))
        return refused(error.refusal, { allowed: [...error.allowed], run: error.run })
      }
      await book.change(session.ticket, worker, async (ticket) => ((await book.store.session(session.id))?.ended_at !== null ? 'nothing' : { kind: 'session_changed', text: 'The session did not start.', data: { session: session.id, state: 'failed' }, set: ticket.runtime.session === session.id ? { runtime: runtimeOf(failed) } : {}, sessions: [failed] }))
      throw error
    }
  }

  /** The session that came up is the ticket's. One that came too late, or that could not be written down, is ended: nobody would know of it. */
  async #attach(session: TicketSession, worker: Actor, token: string, handle: SessionChannel): Promise<Outcome<TicketSession>> {
    const { book, startTokens } = this.#parts
    const tokens = handle.contextTokens()
    const ready: TicketSession = { ...session, state: 'ready', pid: handle.pid, triple: handle.triple, cwd: handle.cwd, run: handle.run, start_tokens: tokens, last_activity_at: book.now().toISOString() }
    let attached = false
    this.#live.set(session.id, { handle, token, open: undefined })
    try {
      if (startTokens !== undefined && tokens !== null && tokens > startTokens) throw new SessionNotFresh(tokens, startTokens)
      const outcome = await book.change(session.ticket, worker, async (ticket): Promise<Decision> => {
        const now = await book.store.session(session.id)
        if (now === undefined || now.ended_at !== null || ticket.epoch !== session.epoch || ticket.runtime.session !== session.id || !isLive(ticket.runtime.state)) return { refusal: startedLate(ticket, session.id), details: { observed: ticket.runtime.state } }
        return { kind: 'session_changed', data: { session: session.id, state: 'ready', pid: handle.pid, start_tokens: tokens, run: handle.run, triple: handle.triple, cwd: handle.cwd }, set: { runtime: runtimeOf(ready), ...(handle.run === null ? {} : { runs: [...ticket.runs, handle.run] }) }, sessions: [ready] }
      })
      attached = outcome.ok
      return outcome.ok ? done(ready) : outcome
    } finally {
      if (!attached) {
        this.#live.delete(session.id)
        await handle.close()
      }
    }
  }

  /** What a session says of itself between turns and beside them: that it waits for an answer, that somebody else typed, that it is gone. */
  async #stateChanged(sessionId: string, state: RuntimeState): Promise<void> {
    const { book, supervisor } = this.#parts
    const live = this.#live.get(sessionId)
    const session = live === undefined ? undefined : await book.store.session(sessionId)
    if (live === undefined || session === undefined || session.ended_at !== null) return
    if (state === 'closed' && live.open === undefined) return this.endSession(sessionId)
    if (state === 'ready' && live.open === undefined) return this.runQueue(session.ticket)
    if (state !== 'needs_input' && state !== 'running') return
    await book.change(session.ticket, supervisor, async (ticket): Promise<Decision> => {
      const now = await book.store.session(sessionId)
      // Told late, it must not stand over what came after it.
      if (now === undefined || live.handle.state() !== state || now.state === state || (now.state !== 'running' && now.state !== 'needs_input')) return 'nothing'
      const changed: TicketSession = { ...now, state, last_activity_at: book.now().toISOString() }
      return { kind: 'session_changed', data: { session: sessionId, state }, set: ticket.runtime.session === sessionId ? { runtime: runtimeOf(changed) } : {}, sessions: [changed] }
    })
  }

  /** Brings one message into the live session of a ticket, or says why not before a byte is sent (MC-030). */
  async send(id: string, by: Actor, message: Message): Promise<Outcome<Sent>> {
    if (!this.#recovered) throw new Error('nothing is dispatched before the open turns of an earlier life are ended')
    const { book } = this.#parts
    const turn = await book.store.turnOfKey(id, message.key)
    const earlier: Sent | undefined = turn === undefined ? queuedBefore(await book.store.messages(id), message) : { kind: 'turn', turn }
    if (earlier !== undefined) return done(sameRequest(earlier, message))
    return this.#begin(id, by, message, undefined)
  }

  async #begin(id: string, by: Actor, message: Message, from: QueuedMessage | undefined): Promise<Outcome<Sent>> {
    const { book, turnMs, deliveryMs, limits } = this.#parts
    const nonce = randomBytes(NONCE_BYTES).toString('base64url')
    let decided: DecidedMessage | undefined
    const outcome = await book.change(id, by, async (ticket): Promise<Decision> => {
      const session = ticket.runtime.session === null ? undefined : await book.store.session(ticket.runtime.session)
      const handle = session === undefined ? undefined : this.#live.get(session.id)?.handle
      decided = await decideMessage(book, ticket, { by, message, from, session, handle, nonceSha256: sha256(nonce), untilMs: turnMs + deliveryMs, limits })
      return decided.decision
    })
    if (!outcome.ok) return outcome
    if (decided?.refusal !== undefined) return refused(decided.refusal, { observed: decided.observed === 'ready' ? 'running' : decided.observed, status: 'failed_to_inject', ways_out: [...WAYS_OUT] })
    const sent = decided?.sent
    if (sent === undefined) throw new Error('a message was neither sent, queued nor refused')
    if (sent.kind === 'turn' && sent.turn.state === 'leased' && sent.turn.nonce_sha256 === sha256(nonce)) this.#follow(this.#carry(sent.turn, nonce))
    return done(sent)
  }

  /** One turn from its lease to its end. The lease is durable by now, so a crash at any point leaves a turn that recovery ends. */
  async #carry(leased: TicketTurn, nonce: string): Promise<void> {
    const live = this.#live.get(leased.session)
    if (live === undefined) return
    try {
      await this.#carryIn(leased, nonce, live)
    } catch (error) {
      return await this.#giveUp(leased, live, error)
    }
  }

  /** What became of the turn cannot be told, so nothing goes on in its name. Where the store takes no end either, the lease ends it. */
  async #giveUp(leased: TicketTurn, live: Live, error: unknown): Promise<void> {
    try {
      await this.#lose(leased, lostTurn(error))
    } finally {
      this.#live.delete(leased.session)
      await live.handle.close()
    }
  }

  async #carryIn(leased: TicketTurn, nonce: string, live: Live): Promise<void> {
    const { turnMs } = this.#parts
    const { promise: settled, resolve: settle } = Promise.withResolvers<undefined>()
    const open: OpenTurn = { id: leased.id, nonce, settled: settled.then(() => undefined), settle: () => settle(undefined) }
    live.open = open
    try {
      if (!(await this.#deliver(leased, live))) return
    } finally {
      open.settle()
    }
    const ending = await withLimit(live.handle.ending(), turnMs)
    if (ending === undefined) return this.#lose(leased, { end: 'timed_out', code: 'agent_timed_out', rootCause: `agent_timed_out: no end within ${turnMs} ms` })
    switch (ending.kind) {
      case 'ended':
        return this.#ended(leased, ending, live)
      case 'dead':
        return this.#lose(leased, { end: 'runtime_dead', code: 'runtime_dead', rootCause: `runtime_dead: ${ending.found}` })
      case 'failed':
        return this.#lose(leased, { end: 'turn_failed', code: 'turn_failed', rootCause: `turn_failed: ${ending.found}` })
      case 'interrupted':
        return this.#lose(leased, { end: 'interrupted', code: 'interrupted', rootCause: `interrupted: ${ending.found}`, counts: false })
    }
  }

  /** False if the message is not known to have arrived; then nothing is sent to this session again. */
  async #deliver(leased: TicketTurn, live: Live): Promise<boolean> {
    const { book, supervisor, deliveryMs } = this.#parts
    const late: Handed = { kind: 'unknown', found: `nothing was heard of it within ${deliveryMs} ms` }
    const handed = (await withLimit(live.handle.hand({ turn: leased.id, text: leased.text, limitMs: deliveryMs }), deliveryMs + ANSWER_MS)) ?? late
    if (handed.kind !== 'delivered') {
      const end = ({ unknown: 'delivery_unknown', dead: 'runtime_dead', refused: 'failed_to_inject' } as const)[handed.kind]
      await this.#lose(leased, { end, code: end, rootCause: `${end}: ${handed.found}` })
      return false
    }
    await book.change(leased.ticket, supervisor, async () => {
      const turn = await this.#turn(leased)
      if (turn?.state !== 'leased') return 'nothing'
      const at = book.now().toISOString()
      return { kind: 'turn_delivered', data: { turn: turn.id, receipt: handed.receipt.slice(0, LONGEST_RECEIPT) }, turns: [{ ...turn, state: 'delivered', receipt: handed.receipt.slice(0, LONGEST_RECEIPT), delivered_at: at }] }
    })
    return true
  }

  /** The runtime has ended its turn. What it said over its protocol is judged; without a word the ticket goes to review, never further (MC-069). */
  async #ended(leased: TicketTurn, ending: RuntimeEnding & { readonly kind: 'ended' }, live: Live): Promise<void> {
    // A completion that may not be stored was not said, and the words of a turn that may not be stored are left out.
    const said = (await this.#turn(leased))?.state === 'delivered' ? signalOfAnswer(ending.said, { ticket: leased.ticket, nonce: live.open?.nonce ?? '' }) : null
    if (said !== null) await unlessWithheld<unknown>(() => this.complete(live.token, said), () => Promise.resolve(undefined))
    live.open = undefined
    await unlessWithheld(() => this.#writeSilence(leased, ending.finalMessage, live), () => this.#writeSilence(leased, null, live))
    await this.#goOn(leased)
  }

  async #writeSilence(leased: TicketTurn, finalMessage: string | null, live: Live): Promise<void> {
    const { book, supervisor, limits } = this.#parts
    await book.change(leased.ticket, supervisor, async (ticket): Promise<Decision> => {
      const [turn, session] = [await this.#turn(leased), await book.store.session(leased.session)]
      if (session === undefined || session.ended_at !== null) return 'nothing'
      const at = book.now().toISOString()
      const ready: TicketSession = { ...session, state: 'ready', last_activity_at: at }
      const own = ticket.runtime.session === session.id ? { runtime: runtimeOf(ready) } : {}
      if (turn?.state !== 'delivered') return { kind: 'session_changed', data: { session: session.id, state: 'ready' }, set: own, sessions: [ready] }
      return silentTurn(ticket, { ...turn, ...measured(turn, live, this.#parts.book.now()) }, ready, { at, limits, waiting: (await waiting(book, ticket.id)).length, finalMessage })
    })
  }

  /** The next message that waits; or, where the ticket has come to a decision, the end of a session that nobody sits at: what follows begins afresh. */
  async #goOn({ ticket: id, session: sessionId }: TicketTurn): Promise<void> {
    const { book } = this.#parts
    const [ticket, session] = [await book.get(id), await book.store.session(sessionId)]
    if (ticket.state === 'in_progress') return this.runQueue(id)
    if (session?.mode === 'HEADLESS') await this.endSession(sessionId)
  }

  /** What the session's own connection may know of its turn: the ticket and the nonce that completes it. Undefined where no turn is open. */
  async turnOf(token: string): Promise<{ readonly ticket: string; readonly nonce: string } | undefined> {
    const session = await this.#parts.book.store.sessionOfToken(sha256(token))
    const live = session === undefined ? undefined : this.#live.get(session.id)
    const open = live?.open
    await open?.settled
    return session === undefined || open === undefined || live?.open !== open ? undefined : { ticket: session.ticket, nonce: open.nonce }
  }

  /** A completion over the connection of a session. One that does not count leaves the ticket as it is, and is told in its history. */
  async complete(token: string, said: unknown): Promise<Outcome<Ticket>> {
    const { book, work, limits } = this.#parts
    const session = await book.store.sessionOfToken(sha256(token))
    if (session === undefined) return refused({ reason: 'stale_signal', message: 'The connection belongs to no session.', asked: 'a completion', found: 'a token that no session has', remedy: 'Complete over the connection of your own session.' })
    await this.#live.get(session.id)?.open?.settled
    const changed = await work.changed(session.ticket, session.cwd)
    const agent: Actor = { id: `session:${session.id.toLowerCase()}`, kind: 'agent', holder: session.id }
    let refusal: Refusal | undefined
    const outcome = await book.change(session.ticket, agent, async (ticket): Promise<Decision> => {
      refusal = undefined
      const turns = (await book.store.turns(ticket.id)).filter(({ session: of }) => of === session.id)
      const turn = turns.find(({ state }) => holdsSession(state)) ?? turns.at(-1)
      const facts = turn === undefined ? undefined : { epoch: turn.epoch, state: turn.state, nonceSpent: turn.nonce_spent, nonceExpiresAt: turn.nonce_expires_at, nonceEnded: book.hasLapsed(turn.lease, turn.nonce_expires_at), prompt: turn.text }
      const judged = judgeSignal({ said, ticket, turn: facts, nonceFits: turn !== undefined && fits(said, turn.nonce_sha256), changed })
      if (!judged.ok || turn === undefined || ticket.state !== 'in_progress') {
        refusal = judged.ok ? { reason: 'stale_signal', message: 'The completion does not count.', asked: `the completion of ${ticket.id}`, found: `a ticket that is ${ticket.state}`, remedy: 'Stop: it is decided elsewhere.' } : judged.refusal
        return ticket.state === 'closed' ? 'nothing' : { kind: 'signal_refused', text: `${refusal.reason}: ${refusal.found}`, data: { reason: refusal.reason, session: session.id } }
      }
      return completedTurn(ticket, { ...turn, ...measured(turn, this.#live.get(session.id), this.#parts.book.now()) }, judged, { at: book.now().toISOString(), limits, waiting: (await waiting(book, ticket.id)).length })
    })
    if (!outcome.ok) return outcome
    return refusal === undefined ? outcome : refused(refusal, { state: outcome.value.state })
  }

  /** An operator ends the current turn; nothing does so by itself (MC-027). What an agent does after it was broken off is not known, so its session ends too; the message is not sent again. */
  async interrupt(id: string, operator: Actor, reason: string): Promise<Outcome<Ticket>> {
    return this.#stop(id, operator, 'interrupted', reason)
  }

  /** The same, and its message is pending again, for a fresh session. */
  async restart(id: string, operator: Actor, reason: string): Promise<Outcome<Ticket>> {
    return this.#stop(id, operator, 'restarted', reason)
  }

  async #stop(id: string, operator: Actor, how: 'interrupted' | 'restarted', reason: string): Promise<Outcome<Ticket>> {
    const { book } = this.#parts
    const ticket = await book.get(id)
    const session = ticket.runtime.session === null ? undefined : await book.store.session(ticket.runtime.session)
    if (session === undefined || !this.sessions.includes(session.id) || !isLive(session.state)) return refused(noRuntime(id, ticket.runtime.state, `${id} ${how}`, 'There is nothing to stop.'), { observed: ticket.runtime.state })
    const told = await book.change(id, operator, () => ({ kind: how, text: `${how} by ${operator.id}: ${reason}`, data: { session: session.id, reason } }))
    if (!told.ok) return told
    const wasStarting = await this.#starting.end(session.id)
    const live = this.#live.get(session.id)
    const open = (await book.store.turns(id)).find(({ session: of, state }) => of === session.id && holdsSession(state))
    if (open === undefined && how === 'interrupted' && !wasStarting) return told
    // Its end is written first: a session that is told to stop may end its turn at once, and that would count as work without a signal.
    if (open !== undefined) await this.#fail(id, open.id, { end: how, code: 'interrupted', rootCause: `${how} by the operator ${operator.id}`, counts: false, again: how === 'restarted' })
    await live?.handle.interrupt()
    await this.endSession(session.id)
    return done(await book.get(id))
  }

  /** Messages that wait, in their order: each a turn of its own, the next once the one before has ended (MC-035). */
  async runQueue(id: string): Promise<void> {
    const { book } = this.#parts
    const [next] = await waiting(book, id)
    const ticket = await book.get(id)
    if (next === undefined || ticket.state !== 'in_progress' || ticket.runtime.state !== 'ready') return
    await this.#begin(id, next.by, { text: next.text, key: next.key, onBusy: 'refuse' }, next)
  }

  /** The sessions that this process holds, and those on their way up. */
  get sessions(): readonly string[] {
    return [...this.#live.keys(), ...this.#starting.names.filter((id) => !this.#live.has(id))]
  }

  /** Resolves when nothing that was begun here goes on any more. */
  async settled(): Promise<void> {
    while (this.#following.size > 0) await Promise.allSettled(this.#following)
  }

  /** Ends every session of this process. A turn that is open ends with its record, and its message is pending again: nobody failed. */
  async close(): Promise<void> {
    for (const id of this.#starting.names) await this.#starting.end(id)
    for (const [id, { open }] of this.#live) {
      const ticket = (await this.#parts.book.store.session(id))?.ticket
      if (open !== undefined && ticket !== undefined) await this.#fail(ticket, open.id, { end: 'supervisor_restart', code: 'supervisor_restart', rootCause: 'supervisor_restart: the supervisor of the session was told to end', counts: false })
      await this.endSession(id)
    }
    await this.settled()
  }

  #follow(work: Promise<unknown>): void {
    const kept = work.finally(() => this.#following.delete(kept))
    this.#following.add(kept)
    kept.catch(() => undefined)
  }

  async #lose(leased: TicketTurn, how: Failure): Promise<void> {
    await this.#fail(leased.ticket, leased.id, how)
    await this.endSession(leased.session)
  }

  /** Writes the end of a turn. What was found is left out where it may not be stored: an end without its words is better than none. */
  #fail(id: string, turnId: string, how: Failure): Promise<void> {
    return unlessWithheld(() => this.#writeEnd(id, turnId, how), () => this.#writeEnd(id, turnId, { ...how, rootCause: `${how.code}: what was found is not repeated: it holds what looks like a credential` }))
  }

  async #writeEnd(id: string, turnId: string, how: Failure): Promise<void> {
    const { book, supervisor, limits } = this.#parts
    await book.change(id, supervisor, async (ticket): Promise<Decision> => {
      const turn = (await book.store.turns(id)).find((each) => each.id === turnId)
      const session = turn === undefined ? undefined : await book.store.session(turn.session)
      if (turn === undefined || session === undefined || !holdsSession(turn.state)) return 'nothing'
      const messageNumber = (await book.store.messages(id)).length + 1
      return failedTurn(ticket, { ...turn, ...measured(turn, this.#live.get(session.id), this.#parts.book.now()) }, session, { counts: true, again: true, ...how, at: book.now(), limits, messageNumber }) satisfies TicketChange
    })
  }

  /** Ends a session, whoever holds it: its process here, and what the store says of it. A turn of it that is open ends by what is seen of its end. */
  async endSession(sessionId: string): Promise<void> {
    const { book, supervisor } = this.#parts
    await this.#starting.end(sessionId)
    const live = this.#live.get(sessionId)
    this.#live.delete(sessionId)
    await live?.handle.close()
    const session = await book.store.session(sessionId)
    if (session === undefined || session.ended_at !== null) return
    await book.change(session.ticket, supervisor, async (ticket): Promise<Decision> => {
      const now = await book.store.session(sessionId)
      if (now === undefined || now.ended_at !== null || ticket.state === 'closed') return 'nothing'
      const at = book.now().toISOString()
      const closed: TicketSession = { ...now, state: 'closed', ended_at: at, last_activity_at: at }
      return { kind: 'session_changed', data: { session: sessionId, state: 'closed' }, set: ticket.runtime.session === sessionId ? { runtime: runtimeOf(closed) } : {}, sessions: [closed] }
    })
  }

  async #turn(leased: TicketTurn): Promise<TicketTurn | undefined> {
    return (await this.#parts.book.store.turns(leased.ticket)).find(({ id }) => id === leased.id)
  }
}
