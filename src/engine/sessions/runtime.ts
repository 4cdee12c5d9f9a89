import type { Clock } from '../../contract/clock.ts'
import type { Refusal } from '../../contract/gate.ts'
import type { Turn } from '../../gates/dispatch/index.ts'
import type { Planned, PlannedLaunch, PlanRequest } from '../../gates/launch/index.ts'
import type { AgentExit, AgentManifest, AgentProcess, StartAgent } from '../agent.ts'

/** What a session runtime may be able to do; each `native` or `derived` has a test that proves it. The words are those of agents. */
export const RUNTIME_CAPABILITIES = [
  'busy_signal',
  'delivery_receipt',
  'turn_identity',
  'terminal_signal',
  'interrupt',
  'resume',
  'permission_callback',
  'structured_result',
  'wire_binding',
] as const
export type RuntimeCapability = (typeof RUNTIME_CAPABILITIES)[number]
export type RuntimeManifest = Pick<AgentManifest, RuntimeCapability>

/**
 * `starting`: it has not said yet that it is there. `ready`: nothing runs and a message may enter. `running`: a turn runs, or it is
 * not known that none does. `needs_input`: its turn waits for an answer to a permission. `failed`: nothing more may enter, and
 * it must be closed. `closed`: the process has ended.
 */
export const LIVE_STATES = ['starting', 'ready', 'running', 'needs_input', 'failed', 'closed'] as const
export type LiveState = (typeof LIVE_STATES)[number]

/** How a person can take part: `INTERACTIVE` has a terminal that somebody may attach to (MC-011). */
export type RuntimeMode = 'INTERACTIVE' | 'HEADLESS'

/** The session's own connection for its completion: an MCP server over HTTP, and the token that names the session there. */
export interface CompletionEndpoint {
  readonly url: string
  readonly token: string
}

/** A launch request of a live session: fresh directories, a run token of its own, and an id nobody has used before (MC-040). */
export interface SessionRequest extends PlanRequest {
  /** A UUID. Also the native id of the session where the runtime takes one. */
  readonly sessionId: string
  /** Undefined for a session whose completion comes another way. */
  readonly completion: CompletionEndpoint | undefined
  /** What it works on, each a path in its workspace or the workspace itself. */
  readonly repositories: readonly string[]
}

export interface TurnMessage {
  /** Of the caller; every event of the turn carries it. */
  readonly turnId: string
  readonly text: string
  /** JSON Schema of the answer; refused by a runtime whose manifest has no `structured_result`. Undefined asks for none. */
  readonly schema: Readonly<Record<string, unknown>> | undefined
}

/**
 * What became of a message.
 * `delivered`: the runtime itself says that it has it. `refused`: the session does not have it; `written` is false if not a byte was sent.
 * `unknown`: it was written and no receipt came within the limit, so it is never sent to this session again (MC-038).
 * `dead`: nothing is there to receive it (MC-044).
 */
export type Delivered =
  | { readonly outcome: 'delivered'; readonly receipt: string; readonly nativeTurn: string | null; readonly at: Date }
  | { readonly outcome: 'refused'; readonly state: LiveState; readonly written: boolean; readonly found: string }
  | { readonly outcome: 'unknown'; readonly found: string }
  | { readonly outcome: 'dead'; readonly found: string }

/** How a turn ended, as the runtime's own channel says it. A claim: words in it close nothing (MC-060). */
export interface TurnEnded {
  /** `unknown`: the runtime ended, or was found without a turn, and nobody said how this one did. */
  readonly outcome: 'completed' | 'failed' | 'interrupted' | 'unknown'
  /** The runtime's own word for it, or what was found; for people. */
  readonly found: string
  /** Its last message, cut, unwrapped; null if it gave none. Anything may stand in it: scan it before it is kept. */
  readonly finalMessage: string | null
  /** The answer in the schema that was asked for; null if none was asked for or given. Null is no signal. */
  readonly structured: unknown
  /** Tokens of the context before and after, as the runtime counts them; null where it does not (MC-130). */
  readonly startTokens: number | null
  readonly endTokens: number | null
  readonly durationMs: number
  readonly effort: string | null
}

/** `turnId` is null for what belongs to no turn of ours: a person typed it, or nobody knows. */
export type SessionEvent =
  | { readonly kind: 'state'; readonly state: LiveState }
  | { readonly kind: 'message'; readonly turnId: string | null; readonly text: string }
  | { readonly kind: 'tool_call'; readonly turnId: string | null; readonly callId: string; readonly name: string }
  /** The session waits for `answer` with this id. */
  | { readonly kind: 'permission'; readonly turnId: string | null; readonly requestId: string; readonly tool: string }
  /** A message that we did not send entered the session: from the keyboard of who is attached. */
  | { readonly kind: 'foreign_turn'; readonly nativeTurn: string | null }
  | { readonly kind: 'turn_end'; readonly turnId: string | null; readonly ended: TurnEnded }
  | { readonly kind: 'session_end'; readonly exit: AgentExit }

/** Everything the session printed, first and last bytes, for people. Never an input of a decision (MC-133); scan it before it is kept. */
export interface RawRecord {
  readonly format: 'terminal' | 'protocol'
  readonly content: Buffer
  readonly totalBytes: number
  readonly truncated: boolean
}

/** One live agent and its turns, one after the other. Nothing here reads a screen. */
export interface LiveSession<Process extends AgentProcess = AgentProcess> {
  readonly id: string
  /** The runtime's own name of the session, or null. */
  readonly nativeId: string | null
  readonly process: Process
  /** How a person attaches to it: the arguments of a command. Null where nobody can. */
  readonly attach: readonly string[] | null
  state(): LiveState
  /** Resolves when the session is `ready`, or with what stands against it: it ended, or the signal came first. Never rejects. */
  ready(signal: AbortSignal): Promise<{ readonly ok: true } | { readonly ok: false; readonly found: string }>
  /**
   * Puts a message into the session, for which it spends the turn. Unless the state is `ready` at that moment nothing is written and
   * nothing is spent. Resolves with what became of it, `unknown` at the latest when the signal aborts. Rejects with
   * `proof_forged` if the turn is not for this text and process.
   */
  deliver(turn: Turn, message: TurnMessage, signal: AbortSignal): Promise<Delivered>
  /** Answers a permission that the session waits for. False if it does not wait for that one. */
  answer(requestId: string, allow: boolean): Promise<boolean>
  /** Asks the session to end its turn. True if it took the request; the turn's end comes as an event. An act of an operator (MC-027). */
  interrupt(signal: AbortSignal): Promise<boolean>
  /** Ends the process, its group and all descendants. */
  close(graceMs: number): Promise<void>
  raw(): RawRecord
  /** Tokens of its context, as the runtime counted them last; null where it has not. */
  contextTokens(): number | null
  /** How hard its model thinks, by its own word or its profile's; null where neither says. */
  effort(): string | null
}

export interface OpenSession {
  readonly request: SessionRequest
  readonly now: Clock
  /** Called in order, from before the first byte is read. Must not throw. */
  onEvent(event: SessionEvent): void
}

/** Drives one kind of runtime through many turns. Adapters are told apart by their manifest, not by their name. */
export interface SessionRuntime {
  readonly name: string
  readonly mode: RuntimeMode
  readonly manifest: RuntimeManifest
  /** Decides what would be started, and starts nothing. A permission mode that the runtime cannot hold is refused (MC-131). */
  plan(request: SessionRequest): Promise<Planned>
  /** Starts the planned process through `start`, the one door. Rejects as `start` does. */
  open<Process extends AgentProcess>(launch: PlannedLaunch, start: StartAgent<Process>, session: OpenSession): Promise<LiveSession<Process>>
}

/** For those who answer over HTTP: the sentence that a refused delivery is shown with. Its code is `runtime_busy`. */
export const busyRefusal = (session: string, state: LiveState): Refusal => ({
  reason: 'runtime_busy',
  message: 'The session is not ready for input; nothing was sent.',
  asked: `a message into session ${session}`,
  found: `status=${state}`,
  remedy: 'Wait for the current turn to finish, or explicitly interrupt or restart the session.',
})
