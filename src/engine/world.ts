import type { Clock, MachineClock } from '../contract/clock.ts'
import type { AdmissionSource, DecisionSource } from '../gates/admission/index.ts'
import type { IsolationLevel, OverrideState, Provider } from '../gates/catalog/index.ts'
import type { DeliveredRepository, DeliveryClaim, HeadBefore, ProbeRunner, ReviewRunner, TargetLook } from '../gates/acceptance/index.ts'
import type { Probe } from '../gates/health/index.ts'
import type { Exceeded, LaunchPermit, LaunchPlan, PlannedLaunch } from '../gates/launch/index.ts'
import type { ReadinessFacts } from '../gates/readiness/index.ts'
import type { SecretScanner } from '../gates/report/index.ts'
import type { CallRecorder, Grant, Tally, Wire, Withdrawal } from '../gates/wire/index.ts'
import type { AgentAdapter, AgentProcess, AgentReadiness } from './agent.ts'
import type { Configuration } from './configuration.ts'
import type { Ledger, LedgerArchive } from './ledger.ts'
import type { Fence } from './queue.ts'
import type { RunDirectory } from './run-directory.ts'
import type { Signer } from './verification-key.ts'

/** A wire on a port of its own, for clients that Portcullis did not start. */
export interface ServedOn {
  readonly port: number
  readonly current: () => boolean
  /** Who numbers and counts, if that is not this process alone (WIR-54). */
  readonly tally?: Tally
  /** Why nothing may be asked any more, asked before each call: the claim under which it would be asked may have been taken over. */
  readonly withdrawn?: () => Promise<Withdrawal | undefined>
}

/** A process of Portcullis on this machine, told from a later one with the same pid. */
export interface RunHost {
  readonly pid: number
  readonly startTicks: number
  readonly boot: string
}

/** One delivery to look at: what was claimed, and the tests that the gate runs itself. */
export interface DeliveryRequest {
  readonly claim: DeliveryClaim
  readonly tests: { readonly command: readonly string[]; readonly timeout: string; readonly count?: string | undefined } | undefined
  /** A directory of its own, which stays until the run has ended. */
  readonly into: string
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly signal: AbortSignal
}

/** Looks at what was delivered. A repository that cannot be reached is a finding, not a fault. */
export interface DeliveryChecker {
  /** Where the target branch of a remote stands. */
  head(place: Pick<DeliveryClaim, 'remote' | 'branch'>): Promise<HeadBefore>
  check(request: DeliveryRequest): Promise<DeliveredRepository>
}

export interface StartOptions {
  readonly logs: { readonly stdout: string; readonly stderr: string; readonly maxBytes: number }
  /** The run's licence on the wire, for an agent that is sealed off from every other way there. */
  readonly wire: Pick<Grant, 'baseUrl' | 'listen'>
  onStdout(chunk: Buffer): void
  /** Called once, before the agent is ended for it, or before its end is known. */
  onExceeded(exceeded: Exceeded): void
}

/** What this machine can do to keep an agent from the rest of it. */
export interface IsolationFinder {
  /** Which level is reached where this one is required, found by trying; and why not more, if it is less. */
  reach(required: IsolationLevel): Promise<{ readonly reached: IsolationLevel; readonly obstacle: string | null }>
}

/** How a process is started through the one door: with a permit, for exactly the launch it was given for. */
export interface Launcher {
  start(permit: LaunchPermit, launch: PlannedLaunch, options: StartOptions): Promise<AgentProcess>
  observe(plan: LaunchPlan, agent: AgentProcess, readiness: AgentReadiness, circumstances: { readonly observedAt: Date; readonly validForMs: number }): Promise<ReadinessFacts>
}

/** What was done to a workspace since its baseline, committed or not. */
export interface WorkspaceChanges {
  readonly filesChanged: number
  readonly insertions: number
  readonly deletions: number
  /** Commits of the agent that its repository's HEAD reaches, newest first, a thousand at most. Empty if its repository cannot be read. */
  readonly commits: readonly string[]
  /** A binary file counts as changed, with no lines. */
  readonly files: readonly { readonly path: string; readonly insertions: number; readonly deletions: number }[]
  /** Links of the work that lead out of the workspace, a hundred at most: what they show is under no digest. */
  readonly linksOut: readonly string[]
  /** Files that are there and in no patch, because the workspace ignores them or git takes no such path. */
  readonly filesLeftOut: number
  /** The difference, byte for byte, bounded. */
  readonly patch: Buffer
  readonly patchTruncated: boolean
  /** The same with nothing cut off and binary files shown as text; undefined if it cannot be shown whole. It is scanned, and not kept. */
  readonly whole: Buffer | undefined
  /** Those commits with their authors, messages and changes, as git shows them; undefined if they cannot be shown whole. It is scanned, and not kept. */
  readonly history: Buffer | undefined
}

export interface PrepareRequest {
  /** A directory of plain files, or a git repository, of which the committed tree of the branch is taken. Never written. */
  readonly source: string
  readonly branch: string
  /** Where the copy goes: an empty or missing directory outside the source. */
  readonly into: string
}

/** Copies of the repository that a run works on. The original is only ever read. */
export interface Workspaces {
  prepare(request: PrepareRequest): Promise<void>
  copy(from: string, to: string): Promise<void>
  /** False if the patch does not apply; then nothing is changed. */
  applyPatch(workspace: string, patch: Buffer): Promise<boolean>
  digest(workspace: string): Promise<string>
  /** Which of these paths differ from the untouched copy in any way. Throws `task_invalid` for a path that the untouched copy does not have. */
  changedBelow(workspace: string, untouched: string, paths: readonly string[]): Promise<readonly string[]>
  /** What was done to a workspace since it was the untouched copy. */
  changes(workspace: string, untouched: string): Promise<WorkspaceChanges>
}

/** The target repositories under watch, since a moment before anything of the run was prepared. */
export interface TargetWatch {
  look(): Promise<readonly TargetLook[]>
}

/** Watches the target repositories of the configuration. */
export interface TargetWatcher {
  /** `used`: every path of the run. Throws a fault where one of them lies in a target repository or around it, or where a canary would not show a read. */
  watch(used: readonly string[]): Promise<TargetWatch>
}

/**
 * All that a run needs of the world. Every field is required: there is no gate that a caller may leave out, and no
 * collaborator whose absence means that something is not checked (law 4). app.ts alone makes one.
 */
export interface World {
  readonly configuration: Configuration
  readonly configurationPath: string
  readonly configurationDigest: string
  readonly versions: { readonly portcullis: string; readonly node: string }
  readonly clock: Clock
  readonly ledger: Ledger
  /** The same store, as somebody sees it who checks it. */
  readonly archive: LedgerArchive
  /** What signs the attestations of a run. */
  readonly signer: Signer
  readonly scanner: SecretScanner
  /** Every credential value that the wire has read. Compared with what an agent would be given; never stored. */
  readonly knownSecrets: () => readonly string[]
  /** Changes when what a provider is given as its credential changes, and tells nothing about it. */
  credentialMark(provider: Provider): Promise<string>
  /** How many bytes of an agent's output are kept in its log at most. */
  readonly logBytes: number
  /** Our own environment, of which an agent may inherit what the launch gate lists. */
  readonly inherited: Readonly<Record<string, string | undefined>>
  loadOverride(): Promise<OverrideState>
  /** The record that the caller named, or those that stand beside the configuration. */
  readAdmissions(namedFile: string | null): Promise<AdmissionSource>
  /** What people decided about providers, beside the configuration. */
  readDecisions(): Promise<DecisionSource>
  /** On any free port, or on one that is given; `current` then says whether what licences rest on was read just now, and without it nothing is forwarded. */
  openWire(recorder: CallRecorder, served?: ServedOn): Promise<Wire>
  readonly probeModel: Probe
  readonly agents: ReadonlyMap<string, AgentAdapter>
  readonly launcher: Launcher
  readonly isolation: IsolationFinder
  readonly workspaces: Workspaces
  readonly targets: TargetWatcher
  readonly probeRunner: ProbeRunner
  readonly reviewRunner: ReviewRunner
  readonly deliveries: DeliveryChecker
  createDirectory(runId: string): RunDirectory
  /** The directory of a run that exists already. */
  openDirectory(runId: string): RunDirectory
  /** This process, and whether another one still runs: a run that goes on is not taken up. */
  readonly host: RunHost
  isRunning(host: RunHost): boolean
  /** By what leases are measured. */
  readonly machineClock: MachineClock
  /** Under which claim of the queue its run is an attempt; undefined for one that was asked for at once. */
  readonly claim: Fence | undefined
}
