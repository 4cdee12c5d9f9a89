import type { Refusal } from '../contract/gate.ts'
import type { SessionState, Turn } from '../gates/dispatch/index.ts'
import type { Planned, PlannedLaunch, PlanRequest } from '../gates/launch/index.ts'
import type { Objection } from '../gates/acceptance/index.ts'
import type { AgentClaims } from '../gates/readiness/index.ts'

/** What an adapter may be able to do; `agents check` prints it, and each `native` or `derived` has a test that proves it. */
export const CAPABILITIES = [
  /** Refuses a second message while a turn runs, or says that one runs. */
  'busy_signal',
  /** Says that a message entered the session. */
  'delivery_receipt',
  /** Names the turn that an answer belongs to. */
  'turn_identity',
  /** Says that a turn has ended. */
  'terminal_signal',
  /** Says which model really answered. */
  'served_model_visible',
  'interrupt',
  'resume',
  /** Asks somebody before it uses a tool. */
  'permission_callback',
  /** Can be made to answer in a given structure. */
  'structured_result',
  /** Fails on a configuration that it does not understand, instead of ignoring it. */
  'strict_config',
  /** Can be told where the models are and which token opens them. */
  'wire_binding',
] as const
export type Capability = (typeof CAPABILITIES)[number]

/** `native`: the program does it. `derived`: the adapter finds it out in another way. `none`: nobody knows. */
export type AgentManifest = Readonly<Record<Capability, 'native' | 'derived' | 'none'>>

/** One output stream of an ended agent. */
export interface AgentOutput {
  readonly head: Buffer
  readonly tail: Buffer
  readonly bytes: number
  readonly sha256: string
  readonly truncated: boolean
}

/** How an agent process ended. */
export interface AgentExit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: AgentOutput
  readonly stderr: AgentOutput
  /** True if descendants were still alive or held the output open when it had exited. */
  readonly leaked: boolean
  readonly durationMs: number
  /** What failed while the output was read, or null. The output is then not to be relied on. */
  readonly readFailure: string | null
}

/** A started agent process, as a session needs it. */
export interface AgentProcess {
  readonly pid: number
  write(text: string): Promise<void>
  closeStdin(): void
  /** Never rejects. */
  readonly exited: Promise<AgentExit>
  stop(graceMs: number): Promise<void>
}

/** The end of a session. What the agent says of it is a claim: it can make a run fail, and never pass. */
export interface AgentOutcome {
  readonly exit: AgentExit
  /** What the agent says of its own work; null when it said nothing that could be understood. */
  readonly claimedStatus: 'completed' | 'failed' | null
  /** Its last words or its error, cut to a few thousand characters. May hold anything: scan it before it is kept. */
  readonly claim: string
  /** By what name the agent itself calls its failure; null if it names none. A claim like the others. */
  readonly runtimeFailure: string | null
  /** Files of the agent that people may want to read after the run; they are scanned before they are kept. Names begin with `backend/`. */
  readonly artefacts: readonly { readonly name: string; readonly content: Buffer }[]
}

/** `responded` is null for an agent without an interface of its own. */
export interface AgentReadiness {
  readonly responded: boolean | null
  readonly claims: AgentClaims
}

export type DeliveryResult = { readonly ok: true; readonly receipt: string } | { readonly ok: false; readonly refusal: Refusal }

/** One live agent process and the one prompt it is given. */
export interface AgentSession<Process extends AgentProcess = AgentProcess> {
  readonly process: Process
  state(): SessionState
  /** Asks the agent about itself. Never rejects: an abort, an end or garbage is `responded: false`. */
  ready(signal: AbortSignal): Promise<AgentReadiness>
  /**
   * Puts the prompt into the session and spends the turn. Rejects with `proof_forged` if the turn is not for this prompt and
   * process; every other failure is a refusal with `failed_to_inject`. Afterwards the session may have the prompt, whatever came back.
   */
  deliver(turn: Turn, prompt: string, signal: AbortSignal): Promise<DeliveryResult>
  /** Resolves once, when the turn is over and the process has exited. Never rejects. */
  readonly finished: Promise<AgentOutcome>
  /**
   * What stands against a run that ended, by the agent's own result protocol and the end of its last answer on the wire (null:
   * there was none). Null for an agent without such a protocol: words in its favour prove nothing.
   */
  objection(outcome: AgentOutcome, lastWords: string | null): Objection | null
  /** Ends the process, its group and all descendants. */
  stop(graceMs: number): Promise<void>
}

/** Starts the planned process with this reader attached: output that comes before anybody listens would be lost. */
export type StartAgent<Process extends AgentProcess> = (onStdout: (chunk: Buffer) => void) => Promise<Process>

/** Drives one kind of agent program. */
export interface AgentAdapter {
  readonly name: string
  readonly manifest: AgentManifest
  /** Decides what would be started, and starts nothing: version and digest are read from disk. */
  plan(request: PlanRequest): Promise<Planned>
  /**
   * What only a start can show of a planned launch that would be permitted: that the program starts at all, that it knows the
   * model. Whatever it starts for that has no run token, no prompt and not the workspace, and is gone when this resolves. Null:
   * nothing stands against the launch.
   */
  preflight(launch: PlannedLaunch, request: PlanRequest): Promise<Refusal | null>
  /** Starts the planned process through `start`, the one door, and speaks with it. Rejects as `start` does. */
  open<Process extends AgentProcess>(launch: PlannedLaunch, start: StartAgent<Process>, now: () => Date): Promise<AgentSession<Process>>
}
