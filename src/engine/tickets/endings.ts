import type { QueuedMessage, TerminalState, Ticket, TicketSession, TicketState, TicketTurn, TurnEnd } from '../../gates/dispatch/index.ts'
import { hintOf, type JudgedSignal, terminalProblem } from '../../gates/dispatch/index.ts'
import type { TicketChange } from './book.ts'
import type { SessionRefused } from './channel.ts'
import { runtimeOf } from './sessions.ts'

export interface Limits {
  readonly dispatch: number
  readonly review: number
}

interface Told {
  readonly status: TerminalState['status']
  readonly summary: string
  readonly rootCause: string | null
  readonly safeRetry: string
  readonly nextActions: readonly string[]
}

/** The record of an end, checked as any reader checks it: one that says too little is a fault of ours, and nothing is stored. */
export function terminalFor(ticket: Ticket, state: TicketState, session: string, limits: Limits, told: Told): TerminalState {
  const record: TerminalState = {
    contract: 1, status: told.status, summary: told.summary, root_cause: told.rootCause, safe_retry: told.safeRetry,
    stop_condition: `after ${limits.dispatch} failed dispatches or ${limits.review} rejections the ticket is blocked for the operator`,
    human_input_required: state === 'question' || state === 'blocked',
    next_actions: [...told.nextActions],
    artifacts: [`ticket:${ticket.id}`, `session:${session}`],
  }
  const problem = terminalProblem(record, { ticket: ticket.id, state })
  if (problem !== undefined) throw new Error(`a terminal record that does not hold: ${problem}`)
  return record
}

/** So much of a cause stands in a record; its beginning names it. */
const LONGEST_CAUSE = 4_000

/** A dispatch that failed: the message is pending again and the ticket waits for a fresh session, or for the operator at the limit (MC-039, MC-041). */
export function failedTurn(ticket: Ticket, turn: TicketTurn, session: TicketSession, how: { readonly end: TurnEnd; readonly code: string; readonly rootCause: string; readonly at: Date; readonly limits: Limits; readonly messageNumber: number; readonly counts: boolean; readonly again: boolean }): TicketChange {
  const at = how.at.toISOString()
  const failures = ticket.dispatch_failures + (how.counts ? 1 : 0)
  const moves = ticket.state === 'in_progress' && ticket.epoch === session.epoch
  const state: TicketState = !moves ? ticket.state : failures >= how.limits.dispatch ? 'blocked' : 'todo'
  const message: QueuedMessage = { id: `${ticket.id}.m${how.messageNumber}`, ticket: ticket.id, number: how.messageNumber, state: 'pending', key: `retry:${ticket.id}.m${how.messageNumber}`, text: turn.text, by: turn.by, queued_at: at }
  const terminal = terminalFor(ticket, state, session.id, how.limits, {
    status: state === 'blocked' ? 'blocked' : 'warning',
    summary: state === 'blocked' ? `The ${failures}. dispatch failed: ${how.end}.` : `The turn ended: ${how.end}.`,
    rootCause: how.rootCause.slice(0, LONGEST_CAUSE).toWellFormed(),
    safeRetry: `${how.again ? `message ${message.id} is pending` : 'the message is not sent again by itself'}, ticket is ${state}; nothing is sent to this session again`,
    nextActions: state === 'blocked' ? ['The operator looks, and moves the ticket.'] : ['A worker takes the ticket up in a fresh session.'],
  })
  const ended: TicketSession = session.ended_at === null ? { ...session, state: how.end === 'runtime_dead' ? 'failed' : 'closed', last_activity_at: at, ended_at: at } : session
  return {
    kind: 'turn_ended',
    text: `${how.code}: ${how.rootCause}`.slice(0, 20_000),
    data: { turn: turn.id, end: how.end, code: how.code, terminal },
    set: { terminal, ...(moves ? { state, reason: state === 'blocked' ? 'retry_limit_reached' : how.code, claim: null } : {}), dispatch_failures: failures, ...(ticket.runtime.session === session.id ? { runtime: runtimeOf(ended) } : {}) },
    sessions: [ended],
    turns: [{ ...turn, state: how.end === 'delivery_unknown' ? 'unknown' : 'ended', end: how.end, code: how.code, ended_at: at, terminal }],
    messages: how.again ? [message] : [],
  }
}

interface Ended {
  readonly at: string
  readonly limits: Limits
  /** How many messages wait: each is sent as a turn of its own before the ticket comes to a decision. */
  readonly waiting: number
}

/** So much of the last words of a turn stands in the history of its ticket. */
const MOST_KEPT = 4_000

/** The turn ended and said nothing over a structured channel: its ticket goes to review, never further, once no message waits (MC-069). Its last words are a hint for people (MC-065). */
export function silentTurn(ticket: Ticket, turn: TicketTurn, session: TicketSession, ended: Ended & { readonly finalMessage: string | null }): TicketChange {
  const moves = ended.waiting === 0 && ticket.state === 'in_progress' && ticket.epoch === turn.epoch
  const terminal = terminalFor(ticket, moves ? 'review' : ticket.state, session.id, ended.limits, {
    status: 'warning', summary: 'The turn ended without a completion signal.', rootCause: 'no_signal: the turn ended and nothing came over a structured channel', safeRetry: 'nothing was undone; the work is as the turn left it',
    nextActions: [ended.waiting > 0 ? `${ended.waiting} queued messages are sent, each as a turn of its own.` : 'Somebody looks at the work.'],
  })
  return {
    kind: 'turn_ended',
    text: 'no_signal',
    data: { turn: turn.id, end: 'no_signal', hint: hintOf(ended.finalMessage, turn.text)?.said ?? null, final_message: ended.finalMessage?.slice(0, MOST_KEPT) ?? null, terminal },
    set: { ...(ticket.runtime.session === session.id ? { runtime: runtimeOf(session) } : {}), terminal, ...(moves ? { state: 'review', reason: 'no_signal', claim: null } : {}) },
    sessions: [session],
    turns: [{ ...turn, state: 'ended', end: 'no_signal', code: 'no_signal', ended_at: ended.at, terminal }],
  }
}

/** A completion that counts ends its turn. What somebody has yet to say may change what there is to do: the ticket is not done while a message waits. */
export function completedTurn(ticket: Ticket, turn: TicketTurn, judged: JudgedSignal & { readonly ok: true }, { at, limits, waiting }: Ended): TicketChange {
  const { signal, payload } = judged.signal
  const state = waiting === 0 ? judged.to : ticket.state
  const next = waiting > 0 ? `${waiting} queued messages are sent first, each as a turn of its own.` : signal === 'DONE' ? 'The gate proves the work.' : signal === 'REVIEW' ? 'Somebody looks at the answer.' : 'Somebody answers the question.'
  const terminal = terminalFor(ticket, state, turn.session, limits, { status: state === 'question' ? 'blocked' : 'ok', summary: payload.slice(0, 2_000), rootCause: null, safeRetry: 'not needed', nextActions: [next] })
  return {
    kind: 'turn_ended',
    text: `${signal}: ${payload}`,
    data: { turn: turn.id, end: 'completed', signal, terminal },
    set: { ...(waiting === 0 ? { state: judged.to, reason: null, claim: null } : {}), terminal, dispatch_failures: 0 },
    turns: [{ ...turn, state: 'ended', end: 'completed', code: signal, nonce_spent: true, ended_at: at, terminal }],
  }
}

/** A session that a gate did not permit: the ticket stays usable, and shows what stands against it and what may be used in its place (MC-090). */
export function refusedSession(ticket: Ticket, failed: TicketSession, { refusal, allowed, run }: SessionRefused): TicketChange {
  const { reason, message, found, remedy } = refusal
  return {
    kind: 'start_refused',
    text: `${reason}: ${message} ${found}`.slice(0, 20_000),
    data: { session: failed.id, run, reason, profile: failed.profile, remedy, allowed: [...allowed] },
    sessions: [failed],
    set: { runtime: runtimeOf(failed), ...(ticket.state === 'in_progress' && ticket.epoch === failed.epoch ? { state: 'todo', reason, claim: null } : {}) },
  }
}
