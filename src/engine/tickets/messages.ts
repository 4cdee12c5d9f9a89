import { PortcullisError } from '../../contract/errors.ts'
import type { Refusal } from '../../contract/gate.ts'
import type { Digest } from '../../contract/verdict.ts'
import { type Actor, holdsSession, isLive, type QueuedMessage, type RuntimeState, type Ticket, type TicketSession, type TicketTurn } from '../../gates/dispatch/index.ts'
import type { Decision, TicketBook } from './book.ts'
import type { SessionChannel } from './channel.ts'
import { type Limits, terminalFor } from './endings.ts'
import { noRuntime, runtimeBusy, runtimeDead, WAYS_OUT } from './refusals.ts'
import { type Message, runtimeOf, turnOf } from './sessions.ts'

export type Sent = { readonly kind: 'turn'; readonly turn: TicketTurn } | { readonly kind: 'queued'; readonly message: QueuedMessage }

/** What was decided of a message: the change that is stored, and what its sender is told of it. */
export interface DecidedMessage {
  readonly decision: Decision
  readonly sent?: Sent
  readonly refusal?: Refusal
  readonly observed: RuntimeState
}

interface Asked {
  readonly by: Actor
  readonly message: Message
  /** The message that waited, if it is one. */
  readonly from: QueuedMessage | undefined
  readonly session: TicketSession | undefined
  /** The session as it is held here. */
  readonly handle: Pick<SessionChannel, 'state' | 'contextTokens' | 'effort'> | undefined
  readonly nonceSha256: Digest
  readonly untilMs: number
  readonly limits: Limits
}

/** The same request, that waits or was taken back. */
export function queuedBefore(messages: readonly QueuedMessage[], { key }: Message): Sent | undefined {
  const message = messages.find((each) => each.key === key)
  return message === undefined ? undefined : { kind: 'queued', message }
}

/** The same request again gives what came of it (MC-036). A key names one request: whoever reuses it for other words would believe that they were sent. */
export function sameRequest(earlier: Sent, { key, text }: Message): Sent {
  if ((earlier.kind === 'turn' ? earlier.turn : earlier.message).text === text) return earlier
  throw new PortcullisError('idempotency_key_reused', { asked: `a message under the key ${key}`, found: 'another text under that key; nothing was sent', remedy: 'Use a key of its own for each message.' })
}

/** Whether a message begins a turn, waits, or is refused before a byte is sent (MC-030, MC-033, MC-035). */
export async function decideMessage(book: TicketBook, ticket: Ticket, asked: Asked): Promise<DecidedMessage> {
  const { id } = ticket
  const { by, message, session, handle } = asked
  if (session === undefined || handle === undefined || session.epoch !== ticket.epoch || !isLive(session.state)) {
    return { decision: { refusal: noRuntime(id, ticket.runtime.state, `a message into the session of ${id}`), details: { observed: ticket.runtime.state } }, observed: ticket.runtime.state }
  }
  const observed = handle.state()
  const turns = await book.store.turns(id)
  const same = turns.find(({ key, state }) => key === message.key && state !== 'refused')
  if (same !== undefined) return { decision: 'nothing', sent: sameRequest({ kind: 'turn', turn: same }, message), observed }
  const turn = turnOf(ticket, session, { by, message, attempt: turns.length + 1, nonceSha256: asked.nonceSha256, now: book.now(), moment: book.moment(), untilMs: asked.untilMs })
  const held = turns.some(({ session: of, state }) => of === session.id && holdsSession(state))
  if (observed === 'ready' && session.state === 'ready' && !held) return begins({ ...turn, start_tokens: handle.contextTokens(), effort: handle.effort() }, session, asked)
  const dead = observed === 'failed' || observed === 'closed' || observed === 'none'
  if (dead || message.onBusy !== 'queue') return refuses(ticket, turn, asked, dead ? observed : 'running', observed)
  const queue = await book.store.messages(id)
  // The same request, queued or taken back while this one was decided.
  const known = queuedBefore(queue, message)
  if (known !== undefined) return { decision: 'nothing', sent: sameRequest(known, message), observed }
  const number = queue.length + 1
  const queued: QueuedMessage = { id: `${id}.m${number}`, ticket: id, number, state: 'pending', key: message.key, text: message.text, by, queued_at: turn.began_at }
  return { decision: { kind: 'message_queued', data: { message: queued.id }, messages: [queued] }, sent: { kind: 'queued', message: queued }, observed }
}

function begins(leased: TicketTurn, session: TicketSession, { by, from }: Asked): DecidedMessage {
  const running: TicketSession = { ...session, state: 'running', last_activity_at: leased.began_at }
  return {
    decision: { kind: 'turn_began', data: { turn: leased.id, attempt: leased.attempt, key: leased.key, by: by.id, bytes: Buffer.byteLength(leased.text) }, set: { runtime: runtimeOf(running) }, sessions: [running], turns: [leased], ...(from === undefined ? {} : { messages: [{ ...from, state: 'sent' }] }) },
    sent: { kind: 'turn', turn: leased },
    observed: 'ready',
  }
}

/** Stored whole with its record, though nothing was sent (MC-032). */
function refuses(ticket: Ticket, turn: TicketTurn, { limits }: Asked, state: RuntimeState, observed: RuntimeState): DecidedMessage {
  const dead = state !== 'running'
  const refusal = dead ? runtimeDead(ticket.id, state) : runtimeBusy(ticket.id, state)
  const terminal = terminalFor(ticket, ticket.state, turn.session, limits, { status: 'warning', summary: 'Ticket runtime send failed; nothing was sent.', rootCause: `HTTP 409 CONFLICT: ${refusal.reason}: Ticket runtime is not ready for input (status=${state})`, safeRetry: `no byte was sent; the message is stored whole as ${turn.id}`, nextActions: dead ? ['Open a fresh session.'] : WAYS_OUT.map((way) => `${way} the current turn`) })
  const failed: TicketTurn = { ...turn, state: 'refused', end: dead ? 'runtime_dead' : 'failed_to_inject', code: refusal.reason, ended_at: turn.began_at, terminal }
  return { decision: { kind: 'message_refused', text: `[failed_to_inject] ${refusal.reason}: ${refusal.found}`, data: { turn: turn.id, attempt: turn.attempt, code: refusal.reason, observed: state, terminal }, turns: [failed] }, refusal, observed }
}
