import { createHash, timingSafeEqual } from 'node:crypto'
import { PortcullisError } from '../../contract/errors.ts'
import type { TicketTurn, TurnEnd } from '../../gates/dispatch/index.ts'
import type { SessionChannel } from './channel.ts'

/** A turn that is open, as its supervisor holds it. */
export interface OpenTurn {
  readonly id: string
  readonly nonce: string
  /** Resolves once the store knows whether it was delivered: a fast session answers before that. */
  readonly settled: Promise<void>
  settle(): void
}

/** A session as its supervisor holds it. */
export interface Live {
  readonly handle: SessionChannel
  readonly token: string
  /** The nonce of the open turn. It is told over the session's own connection, and stands in no prompt. */
  open: OpenTurn | undefined
}

/** How a turn came to nothing. `counts` is false where neither the ticket nor its session is at fault. */
export interface Failure {
  readonly end: TurnEnd
  readonly code: string
  readonly rootCause: string
  readonly counts?: boolean
  /** False where its message is not to be sent again. */
  readonly again?: boolean
}

/** What a turn used until now, as far as its runtime counts it (MC-130). */
export const measured = (turn: TicketTurn, live: Live | undefined, now: Date): Pick<TicketTurn, 'end_tokens' | 'duration_ms' | 'effort'> =>
  ({ end_tokens: live?.handle.contextTokens() ?? null, duration_ms: Math.max(0, now.getTime() - Date.parse(turn.began_at)), effort: live?.handle.effort() ?? turn.effort })

/** Compares in constant time: the answer must not tell how near a guess was. */
export function fits(said: unknown, nonceSha256: string): boolean {
  const nonce = typeof said === 'object' && said !== null && 'nonce' in said && typeof said.nonce === 'string' ? said.nonce : ''
  return timingSafeEqual(createHash('sha256').update(nonce).digest(), Buffer.from(nonceSha256, 'hex'))
}

/** The end of a turn that could not be followed to its end: a fault on our side, or words that may not be stored. Names the fault, never its words. */
export function lostTurn(error: unknown): Failure {
  const found = error instanceof PortcullisError ? error.code : error instanceof Error ? error.name : typeof error
  return { end: 'turn_failed', code: 'turn_failed', rootCause: `turn_failed: the turn could not be followed to its end (${found})` }
}

/** The second where the first would store what looks like a credential. */
export async function unlessWithheld<Value>(work: () => Promise<Value>, instead: () => Promise<Value>): Promise<Value> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof PortcullisError) || error.code !== 'secret_withheld') throw error
    return await instead()
  }
}
