import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { sha256 } from '../../contract/canonical.ts'
import type { Refusal } from '../../contract/gate.ts'
import { type Actor, holdsSession, isLive, judgeSignal, type QueuedMessage, type Ticket, type TicketSession, type TicketTurn, type TurnEnd } from '../../gates/dispatch/index.ts'
import { type Decision, done, type Outcome, refused, type TicketBook, type TicketChange } from './book.ts'
import { stale } from './acts.ts'
import { failedTurn, type Limits, terminalFor } from './endings.ts'
import type { SessionChannel, RuntimeEnding, ChannelStarter, WorkWatch } from './channel.ts'
import { runtimeOf } from './sessions.ts'

export interface DispatcherParts {
  readonly book: TicketBook
  readonly starter: ChannelStarter
  readonly work: WorkWatch
  /** Who this supervisor is; turns that it left open are ended when it starts again. */
  readonly supervisor: Actor
  readonly limits: Limits
  /** How long a session may take to confirm a message, and how long a turn may take. */
  readonly deliveryMs: number
  readonly turnMs: number
}

export interface Message {
  readonly text: string
  /** Stable over retries of the same request: sent twice, one turn begins (MC-036). */
  readonly key: string
  readonly onBusy: 'refuse' | 'queue'
}

export type Sent = { readonly kind: 'turn'; readonly turn: TicketTurn } | { readonly kind: 'queued'; readonly message: QueuedMessage }

interface OpenTurn {
  readonly id: string
  readonly nonce: string
  /** Resolves once the store knows whether it was delivered: a fast session answers before that. */
  readonly settled: Promise<void>
  settle(): void
}

interface Live {
  readonly handle: SessionChannel
  readonly token: string
  /** The nonce of the open turn. It is told over the session's own connection, and stands in no prompt. */
  open: OpenTurn | undefined
}

const NONCE_BYTES = 32
const WAYS_OUT = ['wait', 'interrupt', 'restart'] as const

/** Brings messages into sessions, each once, and believes no end that did not come over a structured channel. */
export class Dispatcher {
  readonly #parts: DispatcherParts
  readonly #live = new Map<string, Live>()
  readonly #following = new Set<Promise<unknown>>()
  #recovered = false

  constructor(parts: DispatcherParts) {
    this.#parts = parts
  }

  /** Writes the end of every turn that this supervisor left open, before anything is dispatched (MC-058). Gives how many there were. */
  async recover(): Promise<number> {
    const { book, supervisor } = this.#parts
    let ended = 0
    for (const turn of await book.store.openTurns()) {
      const session = await book.store.session(turn.session)
      const lapsed = Date.parse(turn.lease_until) <= book.now().getTime()
      if (session === undefined || this.#live.has(session.id) || (session.worker !== supervisor.id && !lapsed)) continue
      await this.#fail(turn.ticket, turn.id, { end: 'supervisor_restart', code: 'supervisor_restart', rootCause: 'supervisor_restart: the supervisor of the session ended while the turn was open' })
      ended += 1
    }
    this.#recovered = true
    return ended
  }

  /** Starts a session for a ticket that its worker has claimed: a new process, a new id, a new epoch (MC-040). */
  async open(id: string, worker: Actor, asked: { readonly claimEpoch: number; readonly profile: string; readonly cwd: string; readonly mode: TicketSession['mode'] }): Promise<Outcome<TicketSession>> {
    const { book } = this.#parts
    const token = randomBytes(NONCE_BYTES).toString('base64url')
    let session: TicketSession | undefined
    const opened = await book.change(id, worker, (ticket): Decision => {
      if (ticket.claim?.holder !== worker.id || ticket.claim.epoch !== asked.claimEpoch || Date.parse(ticket.claim.expires_at) <= book.now().getTime()) return { refusal: { reason: 'claim_stale', message: 'The claim is not in force.', asked: `a session for ${id}`, found: ticket.claim === null ? 'no claim' : `${ticket.claim.holder} in epoch ${ticket.claim.epoch}`, remedy: 'Claim the ticket first.' } }
      if (isLive(ticket.runtime.state)) return busy(ticket, id, 'another session')
      const at = book.now().toISOString()
      const epoch = ticket.epoch + 1
      session = { id: `${id}-s${epoch}-${randomBytes(6).toString('hex')}`, ticket: id, epoch, state: 'starting', profile: asked.profile, triple: null, cwd: asked.cwd, mode: asked.mode, pid: null, worker: worker.id, token_sha256: sha256(token), started_at: at, last_activity_at: at, ended_at: null, start_tokens: null }
      return { kind: 'session_opened', data: { session: session.id, epoch, profile: asked.profile, mode: asked.mode, cwd: asked.cwd }, set: { epoch, runtime: runtimeOf(session) }, sessions: [session] }
    })
    if (!opened.ok) return opened
    if (session === undefined) throw new Error('a session was opened that is none')
    return this.#start(session, worker, token)
  }

  async #start(session: TicketSession, worker: Actor, token: string): Promise<Outcome<TicketSession>> {
    const { book, starter } = this.#parts
    try {
      const handle = await starter.open({ session: session.id, ticket: session.ticket, profile: session.profile, cwd: session.cwd, token })
      this.#live.set(session.id, { handle, token, open: undefined })
      const ready: TicketSession = { ...session, state: 'ready', pid: handle.pid, triple: handle.triple, start_tokens: handle.contextTokens(), last_activity_at: book.now().toISOString() }
      const begun = await book.change(session.ticket, worker, async (ticket): Promise<Decision> => {
        // Somebody else took the claim for lapsed while the session started: it is theirs to begin another.
        if ((await book.store.session(session.id))?.ended_at !== null) return { refusal: stale(ticket, worker, session.epoch) }
        return { kind: 'session_changed', data: { session: session.id, state: 'ready', pid: handle.pid, start_tokens: ready.start_tokens }, set: { runtime: runtimeOf(ready) }, sessions: [ready] }
      })
      if (begun.ok) return done(ready)
      await this.#closeSession(session.id)
      return begun
    } catch (error) {
      const at = book.now().toISOString()
      const failed: TicketSession = { ...session, state: 'failed', ended_at: at, last_activity_at: at }
      await book.change(session.ticket, worker, async (): Promise<Decision> => (await book.store.session(session.id))?.ended_at !== null ? 'nothing' : ({ kind: 'session_changed', text: 'The session did not start.', data: { session: session.id, state: 'failed' }, set: { runtime: runtimeOf(failed) }, sessions: [failed] }))
      throw error
    }
  }

  /** Brings one message into the live session of a ticket, or says why not before a byte is sent (MC-030). */
  async send(id: string, by: Actor, message: Message): Promise<Outcome<Sent>> {
    if (!this.#recovered) throw new Error('nothing is dispatched before the open turns of an earlier life are ended')
    const { book } = this.#parts
    const earlierTurn = await book.store.turnOfKey(id, message.key)
    if (earlierTurn !== undefined) return done({ kind: 'turn', turn: earlierTurn })
    const earlier = (await book.store.messages(id)).find(({ key }) => key === message.key)
    if (earlier !== undefined) return done({ kind: 'queued', message: earlier })
    return this.#begin(id, by, message, undefined)
  }

  async #begin(id: string, by: Actor, message: Message, from: QueuedMessage | undefined): Promise<Outcome<Sent>> {
    const { book } = this.#parts
    const nonce = randomBytes(NONCE_BYTES).toString('base64url')
    let sent: Sent | undefined
    let refusal: Refusal | undefined
    let observed = ''
    const outcome = await book.change(id, by, async (ticket): Promise<Decision> => {
      sent = undefined
      refusal = undefined
      const session = ticket.runtime.session === null ? undefined : await book.store.session(ticket.runtime.session)
      const live = session === undefined ? undefined : this.#live.get(session.id)
      if (session === undefined || live === undefined || session.epoch !== ticket.epoch || !isLive(session.state)) return { refusal: { reason: 'no_runtime', message: `No live session is attached to ${id}.`, asked: `a message into the session of ${id}`, found: `a session that is ${ticket.runtime.state}`, remedy: 'Claim the ticket and open a session.' }, details: { observed: ticket.runtime.state } }
      const turns = await book.store.turns(id)
      const same = turns.find(({ key, state }) => key === message.key && state !== 'refused')
      if (same !== undefined) {
        sent = { kind: 'turn', turn: same }
        return 'nothing'
      }
      const turn = this.#turnOf(ticket, session, by, message, turns.length + 1, nonce)
      observed = live.handle.state()
      const held = turns.some(({ session: of, state }) => of === session.id && holdsSession(state))
      if (observed === 'ready' && session.state === 'ready' && !held) {
        const leased: TicketTurn = { ...turn, start_tokens: live.handle.contextTokens() }
        const running: TicketSession = { ...session, state: 'running', last_activity_at: turn.began_at }
        sent = { kind: 'turn', turn: leased }
        return { kind: 'turn_began', data: { turn: turn.id, attempt: turn.attempt, key: turn.key, by: by.id, bytes: Buffer.byteLength(turn.text) }, set: { runtime: runtimeOf(running) }, sessions: [running], turns: [leased], ...(from === undefined ? {} : { messages: [{ ...from, state: 'sent' }] }) }
      }
      const dead = observed === 'failed' || observed === 'closed' || observed === 'none'
      if (!dead && message.onBusy === 'queue') {
        const queue = await book.store.messages(id)
        // The same request, queued or taken back while this one was decided.
        const known = queue.find(({ key }) => key === message.key)
        if (known !== undefined) {
          sent = { kind: 'queued', message: known }
          return 'nothing'
        }
        const number = queue.length + 1
        const queued: QueuedMessage = { id: `${id}.m${number}`, ticket: id, number, state: 'pending', key: message.key, text: message.text, by, queued_at: turn.began_at }
        sent = { kind: 'queued', message: queued }
        return { kind: 'message_queued', data: { message: queued.id }, messages: [queued] }
      }
      const state = dead ? observed : 'running'
      refusal = dead ? runtimeDead(id, observed) : runtimeBusy(id, state)
      const { limits } = this.#parts
      const terminal = terminalFor(ticket, ticket.state, session.id, limits, { status: 'warning', summary: 'Ticket runtime send failed; nothing was sent.', rootCause: `HTTP 409 CONFLICT: ${refusal.reason}: Ticket runtime is not ready for input (status=${state})`, safeRetry: `no byte was sent; the message is stored whole as ${turn.id}`, nextActions: dead ? ['Open a fresh session.'] : WAYS_OUT.map((way) => `${way} the current turn`) })
      const failed: TicketTurn = { ...turn, state: 'refused', end: dead ? 'runtime_dead' : 'failed_to_inject', code: refusal.reason, ended_at: turn.began_at, terminal }
      return { kind: 'message_refused', text: `[failed_to_inject] ${refusal.reason}: ${refusal.found}`, data: { turn: turn.id, attempt: turn.attempt, code: refusal.reason, observed: state, terminal }, turns: [failed] }
    })
    if (!outcome.ok) return outcome
    if (refusal !== undefined) return refused(refusal, { observed: observed === 'ready' ? 'running' : observed, status: 'failed_to_inject', ways_out: [...WAYS_OUT] })
    if (sent === undefined) throw new Error('a message was neither sent, queued nor refused')
    if (sent.kind === 'turn' && sent.turn.state === 'leased' && sent.turn.nonce_sha256 === sha256(nonce)) this.#follow(this.#carry(sent.turn, nonce))
    return done(sent)
  }

  #turnOf(ticket: Ticket, session: TicketSession, by: Actor, message: Message, attempt: number, nonce: string): TicketTurn {
    const { book, turnMs, deliveryMs } = this.#parts
    const now = book.now()
    const until = new Date(now.getTime() + turnMs + deliveryMs).toISOString()
    return { id: `${ticket.id}.${attempt}`, ticket: ticket.id, attempt, session: session.id, epoch: session.epoch, state: 'leased', key: message.key, text: message.text, by, code: null, end: null, receipt: null, nonce_sha256: sha256(nonce), nonce_expires_at: until, nonce_spent: false, lease_until: until, began_at: now.toISOString(), delivered_at: null, ended_at: null, start_tokens: null, end_tokens: null, terminal: null }
  }

  /** One turn from its lease to its end. The lease is durable by now, so a crash at any point leaves a turn that recovery ends. */
  async #carry(leased: TicketTurn, nonce: string): Promise<void> {
    const live = this.#live.get(leased.session)
    if (live === undefined) return
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
    if (ending.kind === 'dead') return this.#lose(leased, { end: 'runtime_dead', code: 'runtime_dead', rootCause: `runtime_dead: ${ending.found}` })
    await this.#ended(leased, ending, live)
  }

  /** False if the message is not known to have arrived; then nothing is sent to this session again. */
  async #deliver(leased: TicketTurn, live: Live): Promise<boolean> {
    const { book, supervisor, deliveryMs } = this.#parts
    const handed = await live.handle.hand(leased.text, deliveryMs)
    if (handed.kind !== 'delivered') {
      const end = ({ unknown: 'delivery_unknown', dead: 'runtime_dead', refused: 'failed_to_inject' } as const)[handed.kind]
      await this.#lose(leased, { end, code: end, rootCause: `${end}: ${handed.found}` })
      return false
    }
    await book.change(leased.ticket, supervisor, async () => {
      const turn = await this.#turn(leased)
      if (turn?.state !== 'leased') return 'nothing'
      const at = book.now().toISOString()
      return { kind: 'turn_delivered', data: { turn: turn.id, receipt: handed.receipt }, turns: [{ ...turn, state: 'delivered', receipt: handed.receipt, delivered_at: at }] }
    })
    return true
  }

  /** The runtime has ended its turn. What it said over its protocol is judged; without a word the ticket goes to review, never further (MC-069). */
  async #ended(leased: TicketTurn, ending: RuntimeEnding & { readonly kind: 'ended' }, live: Live): Promise<void> {
    const { book, supervisor, limits } = this.#parts
    if (ending.said !== null && ending.said !== undefined) await this.complete(live.token, ending.said)
    live.open = undefined
    await book.change(leased.ticket, supervisor, async (ticket): Promise<Decision> => {
      const [turn, session] = [await this.#turn(leased), await book.store.session(leased.session)]
      if (session === undefined || session.ended_at !== null) return 'nothing'
      const at = book.now().toISOString()
      const ready: TicketSession = { ...session, state: 'ready', last_activity_at: at }
      const own = ticket.runtime.session === session.id ? { runtime: runtimeOf(ready) } : {}
      if (turn?.state !== 'delivered') return { kind: 'session_changed', data: { session: session.id, state: 'ready' }, set: own, sessions: [ready] }
      const moves = ticket.state === 'in_progress' && ticket.epoch === turn.epoch
      const terminal = terminalFor(ticket, moves ? 'review' : ticket.state, session.id, limits, { status: 'warning', summary: 'The turn ended without a completion signal.', rootCause: 'no_signal: the turn ended and nothing came over a structured channel', safeRetry: 'nothing was undone; the work is as the turn left it', nextActions: ['Somebody looks at the work.'] })
      return { kind: 'turn_ended', text: 'no_signal', data: { turn: turn.id, end: 'no_signal', terminal }, set: { ...own, terminal, ...(moves ? { state: 'review', reason: 'no_signal', claim: null } : {}) }, sessions: [ready], turns: [{ ...turn, state: 'ended', end: 'no_signal', code: 'no_signal', ended_at: at, end_tokens: live.handle.contextTokens(), terminal }] }
    })
    await this.runQueue(leased.ticket)
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
      const facts = turn === undefined ? undefined : { epoch: turn.epoch, state: turn.state, nonceSpent: turn.nonce_spent, nonceExpiresAt: turn.nonce_expires_at, prompt: turn.text }
      const judged = judgeSignal({ said, ticket, turn: facts, nonceFits: turn !== undefined && fits(said, turn.nonce_sha256), changed, now: book.now() })
      if (!judged.ok || turn === undefined || ticket.state !== 'in_progress') {
        refusal = judged.ok ? { reason: 'stale_signal', message: 'The completion does not count.', asked: `the completion of ${ticket.id}`, found: `a ticket that is ${ticket.state}`, remedy: 'Stop: it is decided elsewhere.' } : judged.refusal
        return ticket.state === 'closed' ? 'nothing' : { kind: 'signal_refused', text: `${refusal.reason}: ${refusal.found}`, data: { reason: refusal.reason, session: session.id } }
      }
      const { signal, payload } = judged.signal
      const terminal = terminalFor(ticket, judged.to, session.id, limits, { status: signal === 'QUESTION' ? 'blocked' : 'ok', summary: payload.slice(0, 2_000), rootCause: null, safeRetry: 'not needed', nextActions: [signal === 'DONE' ? 'The gate proves the work.' : signal === 'REVIEW' ? 'Somebody looks at the answer.' : 'Somebody answers the question.'] })
      const at = book.now().toISOString()
      const tokens = this.#live.get(session.id)?.handle.contextTokens() ?? null
      return { kind: 'turn_ended', text: `${signal}: ${payload}`, data: { turn: turn.id, end: 'completed', signal, terminal }, set: { state: judged.to, reason: null, claim: null, terminal, dispatch_failures: 0 }, turns: [{ ...turn, state: 'ended', end: 'completed', code: signal, nonce_spent: true, ended_at: at, end_tokens: tokens, terminal }] }
    })
    if (!outcome.ok) return outcome
    return refusal === undefined ? outcome : refused(refusal, { state: outcome.value.state })
  }

  /** An operator ends the current turn; nothing does so by itself (MC-027). */
  async interrupt(id: string, operator: Actor): Promise<Outcome<Ticket>> {
    return this.#stop(id, operator, 'interrupted')
  }

  /** The same, and the session with it: its message is pending again, for a fresh one. */
  async restart(id: string, operator: Actor): Promise<Outcome<Ticket>> {
    return this.#stop(id, operator, 'restarted')
  }

  async #stop(id: string, operator: Actor, how: 'interrupted' | 'restarted'): Promise<Outcome<Ticket>> {
    const { book } = this.#parts
    const ticket = await book.get(id)
    const session = ticket.runtime.session === null ? undefined : await book.store.session(ticket.runtime.session)
    const live = session === undefined ? undefined : this.#live.get(session.id)
    if (session === undefined || live === undefined || !isLive(session.state)) return refused({ reason: 'no_runtime', message: `No live session is attached to ${id}.`, asked: `${id} ${how}`, found: `a session that is ${ticket.runtime.state}`, remedy: 'There is nothing to stop.' }, { observed: ticket.runtime.state })
    const told = await book.change(id, operator, () => ({ kind: how, text: `${how} by ${operator.id}`, data: { session: session.id } }))
    if (!told.ok) return told
    const open = (await book.store.turns(id)).find(({ session: of, state }) => of === session.id && holdsSession(state))
    if (open === undefined && how === 'interrupted') return told
    // Its end is written first: a session that is told to stop may end its turn at once, and that would count as work without a signal.
    if (open !== undefined) await this.#fail(id, open.id, { end: how, code: 'interrupted', rootCause: `${how} by the operator ${operator.id}`, counts: false })
    await live.handle.interrupt()
    await this.#closeSession(session.id)
    return done(await book.get(id))
  }

  /** Messages that wait, in their order: each a turn of its own, the next once the one before has ended (MC-035). */
  async runQueue(id: string): Promise<void> {
    const { book } = this.#parts
    const next = (await book.store.messages(id)).find(({ state }) => state === 'pending')
    const ticket = await book.get(id)
    if (next === undefined || ticket.state !== 'in_progress' || ticket.runtime.state !== 'ready') return
    await this.#begin(id, next.by, { text: next.text, key: next.key, onBusy: 'refuse' }, next)
  }

  async removeMessage(id: string, by: Actor, messageId: string): Promise<Outcome<Ticket>> {
    const { book } = this.#parts
    return book.change(id, by, async (): Promise<Decision> => {
      const message = (await book.store.messages(id)).find((each) => each.id === messageId)
      if (message?.state !== 'pending') return { refusal: { reason: 'transition_illegal', message: 'Only a message that waits can be removed.', asked: messageId, found: message === undefined ? 'no such message' : `it is ${message.state}`, remedy: 'See the messages that wait.' } }
      return { kind: 'message_removed', data: { message: messageId }, messages: [{ ...message, state: 'removed' }] }
    })
  }

  /** Resolves when nothing that was begun here goes on any more. */
  async settled(): Promise<void> {
    while (this.#following.size > 0) await Promise.allSettled(this.#following)
  }

  /** Ends every session of this process. */
  async close(): Promise<void> {
    for (const id of this.#live.keys()) await this.#closeSession(id)
    await this.settled()
  }

  #follow(work: Promise<unknown>): void {
    const kept = work.finally(() => this.#following.delete(kept))
    this.#following.add(kept)
    kept.catch(() => undefined)
  }

  async #lose(leased: TicketTurn, how: { readonly end: TurnEnd; readonly code: string; readonly rootCause: string }): Promise<void> {
    await this.#fail(leased.ticket, leased.id, how)
    await this.#closeSession(leased.session)
  }

  async #fail(id: string, turnId: string, how: { readonly end: TurnEnd; readonly code: string; readonly rootCause: string; readonly counts?: boolean }): Promise<void> {
    const { book, supervisor, limits } = this.#parts
    await book.change(id, supervisor, async (ticket): Promise<Decision> => {
      const turn = (await book.store.turns(id)).find((each) => each.id === turnId)
      const session = turn === undefined ? undefined : await book.store.session(turn.session)
      if (turn === undefined || session === undefined || !holdsSession(turn.state)) return 'nothing'
      const messageNumber = (await book.store.messages(id)).length + 1
      return failedTurn(ticket, turn, session, { counts: true, ...how, at: book.now(), limits, messageNumber }) satisfies TicketChange
    })
  }

  async #closeSession(sessionId: string): Promise<void> {
    const { book, supervisor } = this.#parts
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

const busy = (ticket: Ticket, id: string, asked: string): Decision => ({ refusal: { ...runtimeBusy(id, ticket.runtime.state), asked: `${asked} for ${id}` }, details: { observed: ticket.runtime.state, ways_out: [...WAYS_OUT] } })

const runtimeBusy = (id: string, observed: string): Refusal => ({ reason: 'runtime_busy', message: 'The session is running a turn; nothing was sent.', asked: `a message into the session of ${id}`, found: `Ticket runtime is not ready for input (status=${observed})`, remedy: 'Wait for the current turn to finish, interrupt it, or restart the session.' })

const runtimeDead = (id: string, observed: string): Refusal => ({ reason: 'runtime_dead', message: 'The session has ended; nothing was sent.', asked: `a message into the session of ${id}`, found: `nothing reaches the session any more (status=${observed})`, remedy: 'Open a fresh session.' })

/** Compares in constant time: the answer must not tell how near a guess was. */
function fits(said: unknown, nonceSha256: string): boolean {
  const nonce = typeof said === 'object' && said !== null && 'nonce' in said && typeof said.nonce === 'string' ? said.nonce : ''
  return timingSafeEqual(createHash('sha256').update(nonce).digest(), Buffer.from(nonceSha256, 'hex'))
}

async function withLimit<Value>(work: Promise<Value>, limitMs: number): Promise<Value | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), limitMs)
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}
