import type { Refusal } from '../../contract/gate.ts'
import type { RuntimeState, TicketSession } from '../../gates/dispatch/index.ts'

/** What came of a message that was handed to a session. `delivered` needs a receipt of the runtime: a write that returned is none (MC-037). `refused`: the session does not have it. */
export type Handed = { readonly kind: 'delivered'; readonly receipt: string } | { readonly kind: 'refused'; readonly found: string } | { readonly kind: 'unknown'; readonly found: string } | { readonly kind: 'dead'; readonly found: string }

/** How a turn ended, as the runtime's own protocol says. `said` is a structured result, if the protocol has one; a text is only a hint. `failed`: the runtime says itself that its turn came to nothing. */
export type RuntimeEnding = { readonly kind: 'ended'; readonly said: unknown; readonly finalMessage: string | null } | { readonly kind: 'failed' | 'interrupted'; readonly found: string } | { readonly kind: 'dead'; readonly found: string }

/** One message, for one turn. */
export interface HandedMessage {
  readonly turn: string
  readonly text: string
  /** How long to wait for the receipt. */
  readonly limitMs: number
}

/** A live session, as the dispatcher uses one: a process of its own. */
export interface SessionChannel {
  readonly pid: number | null
  readonly triple: string | null
  /** Where it works. */
  readonly cwd: string
  /** The run in which its gates stand; null for one without. */
  readonly run: string | null
  /** What it is now, asked of the runtime itself; `failed` where nothing can be reached any more. */
  state(): RuntimeState
  /** How many tokens its context holds, if it says so. */
  contextTokens(): number | null
  /** How hard its model thinks, by its own word or its profile's. */
  effort(): string | null
  /** Hands a message over and waits for its receipt. The dispatch gate decides about each. */
  hand(message: HandedMessage): Promise<Handed>
  /** The end of the turn that was handed over last. */
  ending(): Promise<RuntimeEnding>
  interrupt(): Promise<void>
  close(): Promise<void>
}

export interface ChannelRequest {
  readonly session: string
  readonly ticket: string
  readonly project: string
  /** What the ticket declares beside the repository of its project: a copy of each, and of no other, is there for the session (MC-132). */
  readonly repositories: readonly string[]
  readonly epoch: number
  readonly profile: string
  readonly mode: TicketSession['mode']
  readonly cwd: string
  /** What its own connection shows when it completes; it stands in no prompt. */
  readonly token: string
  /** Aborted when nobody wants the session any more while it starts: nothing of it is left running then, and its start is refused. */
  readonly ended: AbortSignal
  /** Told of each change of its state, from its start on. Must not throw. */
  changed(state: RuntimeState): void
}

/** Starts sessions: each a fresh process under a fresh id. */
export interface ChannelStarter {
  /** Throws `SessionRefused` where a gate does not permit it. */
  open(request: ChannelRequest): Promise<SessionChannel>
}

/** A gate did not permit a session, and its verdict is durable: an answer, not a fault. The ticket stays usable (MC-090). */
export class SessionRefused extends Error {
  override readonly name = 'SessionRefused'
  readonly refusal: Refusal
  /** The run that was refused. */
  readonly run: string
  /** Which profiles may be used for the purpose of the ticket. */
  readonly allowed: readonly string[]

  constructor(refusal: Refusal, run: string, allowed: readonly string[]) {
    super(refusal.message)
    this.refusal = refusal
    this.run = run
    this.allowed = allowed
  }
}

/** Looks whether the work of a ticket left a commit or a difference; null where nobody can look. */
export interface WorkWatch {
  changed(ticket: string, cwd: string): Promise<boolean | null>
}

/** A session that came up with more in its context than a fresh one may have: it is no fresh one. */
export class SessionNotFresh extends Error {
  override readonly name = 'SessionNotFresh'

  constructor(found: number, most: number) {
    super(`its context holds ${found} tokens at the start, and ${most} are the most`)
  }
}
