import type { QueuedMessage, TerminalState, Ticket, TicketSession, TicketState, TicketTurn, TurnEnd } from '../../gates/dispatch/index.ts'
import { terminalProblem } from '../../gates/dispatch/index.ts'
import type { TicketChange } from './book.ts'
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

/** A dispatch that failed: the message is pending again and the ticket waits for a fresh session, or for the operator at the limit (MC-039, MC-041). */
export function failedTurn(ticket: Ticket, turn: TicketTurn, session: TicketSession, how: { readonly end: TurnEnd; readonly code: string; readonly rootCause: string; readonly at: Date; readonly limits: Limits; readonly messageNumber: number; readonly counts: boolean }): TicketChange {
  const at = how.at.toISOString()
  const failures = ticket.dispatch_failures + (how.counts ? 1 : 0)
  const moves = ticket.state === 'in_progress' && ticket.epoch === session.epoch
  const state: TicketState = !moves ? ticket.state : failures >= how.limits.dispatch ? 'blocked' : 'todo'
  const message: QueuedMessage = { id: `${ticket.id}.m${how.messageNumber}`, ticket: ticket.id, number: how.messageNumber, state: 'pending', key: `retry:${ticket.id}.m${how.messageNumber}`, text: turn.text, by: turn.by, queued_at: at }
  const terminal = terminalFor(ticket, state, session.id, how.limits, {
    status: state === 'blocked' ? 'blocked' : 'warning',
    summary: state === 'blocked' ? `The ${failures}. dispatch failed: ${how.end}.` : `The turn ended: ${how.end}.`,
    rootCause: how.rootCause,
    safeRetry: `message ${message.id} is pending, ticket is ${state}; nothing is sent to this session again`,
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
    messages: [message],
  }
}
