import type { RuntimeState } from '../../gates/dispatch/index.ts'

/** What came of a message that was handed to a session. `delivered` needs a receipt of the runtime: a write that returned is none (MC-037). `refused`: the session does not have it. */
export type Handed = { readonly kind: 'delivered'; readonly receipt: string } | { readonly kind: 'refused'; readonly found: string } | { readonly kind: 'unknown'; readonly found: string } | { readonly kind: 'dead'; readonly found: string }

/** How a turn ended, as the runtime's own protocol says. `said` is a structured result, if the protocol has one; a text is only a hint. */
export type RuntimeEnding = { readonly kind: 'ended'; readonly said: unknown; readonly finalMessage: string | null } | { readonly kind: 'dead'; readonly found: string }

/** A live session, as the dispatcher uses one: a process of its own. */
export interface SessionChannel {
  readonly pid: number | null
  readonly triple: string | null
  /** What it is now, asked of the runtime itself; `failed` where nothing can be reached any more. */
  state(): RuntimeState
  /** How many tokens its context holds, if it says so. */
  contextTokens(): number | null
  /** Hands a message over and waits for its receipt, so long at most. */
  hand(text: string, limitMs: number): Promise<Handed>
  /** The end of the turn that was handed over last. */
  ending(): Promise<RuntimeEnding>
  interrupt(): Promise<void>
  close(): Promise<void>
}

export interface ChannelRequest {
  readonly session: string
  readonly ticket: string
  readonly profile: string
  readonly cwd: string
  /** What its own connection shows when it completes; it stands in no prompt. */
  readonly token: string
}

/** Starts sessions: each a fresh process under a fresh id. */
export interface ChannelStarter {
  open(request: ChannelRequest): Promise<SessionChannel>
}

/** Looks whether the work of a ticket left a commit or a difference; null where nobody can look. */
export interface WorkWatch {
  changed(ticket: string, cwd: string): Promise<boolean | null>
}
