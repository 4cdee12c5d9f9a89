import * as z from 'zod'
import type { Refusal } from '../../contract/gate.ts'
import type { Reason } from '../../contract/reasons.ts'
import { questionProblem } from './signal.ts'
import type { TicketState, WORK_KINDS } from './ticket-states.ts'

/** DONE: code was changed. REVIEW: research to look at. QUESTION: it cannot go on without an answer (MC-070). */
export const SIGNALS = ['DONE', 'REVIEW', 'QUESTION'] as const
export type Signal = (typeof SIGNALS)[number]

/** What an agent says about its ticket, over a structured channel of its own session and nowhere else (MC-060, MC-061). */
export const CompletionSignal = z.strictObject({
  signal: z.enum(SIGNALS),
  ticket: z.string().min(1).max(100),
  nonce: z.string().min(1).max(200),
  payload: z.string().min(1).max(4_000),
})
export type CompletionSignal = Readonly<z.infer<typeof CompletionSignal>>

/** The answer of a turn whose runtime holds its model to a schema. A null signal says that the turn decided nothing, as one without an answer does. */
const SchemaAnswer = z.strictObject({ signal: z.enum(SIGNALS).nullable(), payload: z.string() })

/** As the runtime is given it. */
export const COMPLETION_SCHEMA: Readonly<Record<string, unknown>> = {
  type: 'object',
  properties: { signal: { type: ['string', 'null'], enum: [...SIGNALS, null], description: 'DONE: code was changed. REVIEW: research to look at. QUESTION: you cannot go on without an answer. null: none of these.' }, payload: { type: 'string', description: 'What was done, found or asked, in your own words.' } },
  required: ['signal', 'payload'],
  additionalProperties: false,
}

/**
 * The signal in the structured answer of a turn, with what only its own channel knows: its ticket and its nonce, which stand in no
 * prompt. Null where it says none; whatever has another form is handed on as it came, and is refused there. Pure.
 */
export function signalOfAnswer(said: unknown, { ticket, nonce }: { readonly ticket: string; readonly nonce: string }): unknown {
  const read = SchemaAnswer.safeParse(said)
  if (!read.success) return said ?? null
  const { signal, payload } = read.data
  return signal === null ? null : { signal, ticket, nonce, payload: payload.slice(0, 4_000).toWellFormed() }
}

/** What is known of the turn that a signal is said to end. */
export interface SignalFacts {
  /** As it came, whatever it is. */
  readonly said: unknown
  readonly ticket: { readonly id: string; readonly state: TicketState; readonly epoch: number; readonly kind: (typeof WORK_KINDS)[number] }
  /** The turn of the session over whose connection it came; undefined where that session has none that is open. */
  readonly turn: { readonly epoch: number; readonly state: string; readonly nonceSpent: boolean; readonly nonceExpiresAt: string; readonly nonceEnded: boolean; readonly prompt: string } | undefined
  /** Whether the nonce is the one of that turn. */
  readonly nonceFits: boolean
  /** Whether a commit or a difference was seen; null where nobody looked. */
  readonly changed: boolean | null
}

export type JudgedSignal = { readonly ok: true; readonly signal: CompletionSignal; readonly to: 'done' | 'review' | 'question' } | { readonly ok: false; readonly refusal: Refusal }

const TARGETS = { DONE: 'done', REVIEW: 'review', QUESTION: 'question' } as const

/** Whether a completion counts. Pure; whatever is not proven to belong to this very turn is refused. */
export function judgeSignal(facts: SignalFacts): JudgedSignal {
  const { ticket, turn } = facts
  const read = CompletionSignal.safeParse(facts.said)
  if (!read.success) return refuse('signal_invalid', ticket.id, read.error.issues.map((issue) => `${issue.path.join('.') || 'it'}: ${issue.message}`).join('; ').slice(0, 1_000), `Send {signal, ticket, nonce, payload}; signal is one of ${SIGNALS.join(', ')}.`)
  const signal = read.data
  if (signal.ticket !== ticket.id) return refuse('stale_signal', ticket.id, `a signal for ${signal.ticket}`, 'Complete the ticket of your own session.')
  if (turn === undefined || turn.epoch !== ticket.epoch) return refuse('stale_signal', ticket.id, turn === undefined ? 'a session without an open turn' : `a session of epoch ${turn.epoch}, where ${ticket.epoch} is current`, 'Stop: another attempt has taken over.')
  if (!facts.nonceFits) return refuse('stale_signal', ticket.id, 'a nonce of another attempt, or of none', 'Ask for the nonce of this turn over your own connection.')
  if (turn.nonceSpent || turn.nonceEnded) return refuse('nonce_spent', ticket.id, turn.nonceSpent ? 'a nonce that was used' : `a nonce that ended at ${turn.nonceExpiresAt}`, 'A turn is completed once.')
  if (turn.state !== 'delivered') return refuse('stale_signal', ticket.id, `a turn that is ${turn.state}`, 'Nothing is completed before it was delivered.')
  const wrong = signal.signal === 'QUESTION' ? questionProblem(signal.payload, turn.prompt) : undefined
  if (wrong !== undefined) return refuse('invalid_question', ticket.id, wrong, 'Ask in your own words, in a sentence that ends with a question mark.')
  if (signal.signal === 'DONE' && ticket.kind === 'code' && facts.changed !== true) return refuse('done_without_change', ticket.id, facts.changed === null ? 'nobody saw a change' : 'no commit and no difference', 'Change the code, or say REVIEW for what is to be looked at.')
  return { ok: true, signal, to: TARGETS[signal.signal] }
}

const refuse = (reason: Reason, ticket: string, found: string, remedy: string): JudgedSignal => ({ ok: false, refusal: { reason, message: 'The completion does not count; the ticket stays as it is.', asked: `the completion of ${ticket}`, found, remedy } })
