import { sha256 } from '../contract/canonical.ts'
import { PortcullisError } from '../contract/errors.ts'
import type { Refusal } from '../contract/gate.ts'
import type { ModelPair } from '../contract/model.ts'
import type { Reason } from '../contract/reasons.ts'
import { type AcceptanceFacts, type Accepted, type Binding, bindProbes, bindReview, type ReviewBinding } from '../gates/acceptance/index.ts'
import { WORK_STAGE } from '../gates/admission/index.ts'
import { entryOf, type IsolationLevel, type Resolution } from '../gates/catalog/index.ts'
import type { Grant, Wire, Witnessed } from '../gates/wire/index.ts'
import type { AgentOutcome, AgentSession } from './agent.ts'
import { completionFacts, type CompletionStart, keepForCompletion, type ObservedWorkspace } from './completion.ts'
import { interruptionOf, withinDeadline } from './deadline.ts'
import { Course, type CourseWatcher, type Decided } from './course.ts'
import { EXIT_NOTICE_MS } from './limits.ts'
import { finishRun, type Leavings, type Outcome, type RawArtefact } from './finish.ts'
import type { RenderedRun } from './render-run.ts'
import { AgentExitEvidence, claimData, CompletionEvidence, hostData, WorkspaceEvidence } from './observations.ts'
import { openingOf } from './opening.ts'
import { tellingRecorder } from './recorder.ts'
import { rememberingLedger } from './remembering-ledger.ts'
import type { RunDirectory } from './run-directory.ts'
import { decideAcceptance } from './steps/acceptance.ts'
import { decideAdmission, watchAdmission } from './steps/admission.ts'
import { headsBefore, pinClaims, type TicketOfRun } from './steps/delivery.ts'
import { decideCatalog } from './steps/catalog.ts'
import { dispatchPrompt } from './steps/dispatch.ts'
import { decideHealth } from './steps/health.ts'
import { decideLaunch, decideReadiness, sessionSubject, startSession } from './steps/launch.ts'
import { type Activity, awaitTurn, type EndedTurn, endsWithin } from './steps/turn.ts'
import { type ChosenPair, decideWire, grantToAgent } from './steps/wire.ts'
import type { Task } from './task.ts'
import type { TargetWatch, World } from './world.ts'

/** How the task file is called among what was scanned. */
const TASK_FILE = 'task file'

/** A task as it was loaded, with its paths made absolute, and what the caller asks differently from it. */
export interface TaskRequest {
  readonly task: Task
  readonly taskDigest: string
  /** The task as it was written: a credential in it, be it in a comment, ends the run before anything is started. */
  readonly taskText: string
  readonly profile: string
  readonly purpose: string
  readonly repository: string
  /** The patch of the reference solution, as it was before anything started. */
  readonly reference: Buffer | null
  readonly admissionFile: string | null
  /** The remotes of the task's deliveries, by name, with their paths made absolute. */
  readonly remotes: Readonly<Record<string, string>>
  /** The pair that the caller asks for beside the profile, for an agent that must be asked so; null where the profile alone asks. */
  readonly asked: ModelPair | null
  /** The ticket that the run is for, with its runs so far. It stands in the opening, so that no run of something else can speak for the ticket later. */
  readonly ticket?: TicketOfRun | undefined
  readonly cancelled: AbortSignal
}

export interface TaskWatcher extends CourseWatcher {
  opened(run: { readonly runId: string; readonly taskId: string; readonly profile: string; readonly purpose: string }): void
  note(text: string): void
}

export interface FinishedRun extends RenderedRun {
  readonly directory: RunDirectory
}

/** Why a run ends before its last gate. Thrown inside this file only, so that every step reads in order. */
class Ended extends Error {
  readonly reason: Reason
  constructor(reason: Reason) {
    super(reason)
    this.reason = reason
  }
}

/** The proof, or the end of the run. */
function required<Name extends 'catalog' | 'admission' | 'health' | 'launch' | 'readiness' | 'dispatch' | 'wire' | 'acceptance', Content>(decided: Decided<Name, Content>) {
  if (!decided.ok) throw new Ended(decided.reason)
  return decided.proof
}

/**
 * Takes one task through every gate and leaves a report, whatever happens. Every way to the accepted state goes through
 * here and through `finishRun`; a fault of ours ends the run as a refusal and can never end it as a pass.
 * Rejects only if the ledger itself cannot be written or was written by somebody else (`store_*`), or if a final report would hold a credential.
 */
export async function runTask(given: World, request: TaskRequest, watcher: TaskWatcher): Promise<FinishedRun> {
  const world = { ...given, ledger: rememberingLedger(given.ledger) }
  const { task } = request
  const summary = await world.ledger.begin({ kind: 'task', taskId: task.id, startedAt: world.clock() })
  const course = new Course({ run: summary, ledger: world.ledger, scanner: world.scanner, clock: world.clock, policyDigest: world.configurationDigest, watcher })
  const directory = world.createDirectory(summary.runId)
  let waits = false
  try {
    await course.append({ evidence: [openingOf(world, course, request)], events: [course.event('run_opened', { task: task.id, profile: request.profile, purpose: request.purpose, ...(request.ticket === undefined ? {} : { ticket: request.ticket.id }), ...claimData(world.claim), ...hostData(world.host) })] })
    watcher.opened({ runId: summary.runId, taskId: task.id, profile: request.profile, purpose: request.purpose })
    const run = new TaskRun(world, course, directory, { ...request, cancelled: withinDeadline(request.cancelled, entryOf(world.configuration.profiles, request.profile)) }, watcher)
    const outcome = await run.toTheEnd()
    const finished = await finishRun(world, course, directory, outcome, run.leavings())
    waits = finished.report.reason === 'review_waiting'
    return { ...finished, directory }
  } finally {
    // Also of a run that ends in a fault: raw output has not been scanned, and the agent's settings hold its token.
    if (waits) directory.dropScratch('waiting')
    else directory.dropScratch()
  }
}

class TaskRun {
  readonly #world: World
  readonly #course: Course
  readonly #directory: RunDirectory
  readonly #request: TaskRequest
  readonly #watcher: TaskWatcher
  #started = false
  #patch: Buffer = Buffer.alloc(0)
  #agentArtefacts: readonly RawArtefact[] = []
  #whole: Buffer | undefined = Buffer.alloc(0)
  #history: Buffer | undefined = Buffer.alloc(0)
  readonly #probeArtefacts: RawArtefact[] = []

  constructor(world: World, course: Course, directory: RunDirectory, request: TaskRequest, watcher: TaskWatcher) {
    this.#world = world
    this.#course = course
    this.#directory = directory
    this.#request = request
    this.#watcher = watcher
  }

  /** What the run left behind that is not in the ledger, and what it went by. */
  leavings(): Leavings {
    const texts = [{ name: TASK_FILE, content: Buffer.from(this.#request.taskText) }]
    if (!this.#started) return { artefacts: [], texts }
    const logs = ['agent.stdout.log', 'agent.stderr.log'].map((name) => ({ name: `backend/${name}`, content: this.#directory.read(`staging/${name}`) ?? Buffer.alloc(0) }))
    const all = [...logs, ...this.#agentArtefacts, ...this.#probeArtefacts]
    const artefacts = this.#patch.length === 0 ? all : [...all, { name: 'backend/workspace.patch', content: this.#patch }]
    // What the patch leaves out stays in the workspace, which is kept.
    const beyond = this.#whole?.equals(this.#patch) === true ? [] : [{ name: 'changes', content: this.#whole }]
    return { artefacts, texts: [...texts, ...beyond, { name: 'commits', content: this.#history }] }
  }

  async toTheEnd(): Promise<Outcome> {
    try {
      return { accepted: await this.#throughEveryGate() }
    } catch (error) {
      if (error instanceof Ended && error.reason === 'review_waiting') return { waiting: error.reason }
      return { started: this.#started, reason: error instanceof Ended ? error.reason : await this.#fault(error) }
    }
  }

  async #throughEveryGate(): Promise<Accepted> {
    const wire = await this.#world.openWire(tellingRecorder(this.#world, (text) => this.#watcher.note(text)))
    try {
      await this.#refuseSecretTask()
      const { binding, review } = await this.#bind()
      const chosen = await this.#choosePair(wire)
      // Again, now that the wire has read the credential.
      await this.#refuseSecretTask()
      const targets = await this.#watchTargets(chosen)
      const before = await this.#prepareWorkspace()
      const heads = await headsBefore(this.#world, this.#course, this.#request)
      const { turn, witnessed } = await this.#runAgent(wire, chosen)
      const after = await this.#observeWorkspace(before)
      const { task, reference, cancelled } = this.#request
      const start = { task, reference, stage: chosen.admitted.stage, watched: targets !== null, agent: endOf(turn), before, after, claims: pinClaims(task, this.#request.remotes, heads, this.#directory), binding, review }
      await this.#beginCompletion(start)
      return required(await decideAcceptance(this.#world, this.#course, { ...start, directory: this.#directory, attempt: 1, earlier: [], answers: [], witnessed, targets, cancelled, note: (text) => this.#watcher.note(text), keep: (artefact) => this.#probeArtefacts.push(artefact) }))
    } finally {
      await wire.close()
    }
  }

  /** From here on another process can take the run up, should this one be killed. */
  async #beginCompletion(start: CompletionStart): Promise<void> {
    keepForCompletion(this.#directory, start, this.#agentArtefacts)
    const subject = { name: 'workspace', digest: { sha256: start.after.digest } }
    await this.#course.append({ evidence: [CompletionEvidence.state([subject], completionFacts(start))], events: [this.#course.event('completion_begun', { attempt: 1 })] })
  }

  /** The prompt goes to a model, and the task stands in a repository: a credential in it has left its place before anything began. */
  async #refuseSecretTask(): Promise<void> {
    const [finding] = this.#world.scanner.scan(Buffer.from(this.#request.taskText))
    if (finding === undefined) return
    const found = `a credential in it (${finding.rule} at byte ${finding.offset}, #${finding.hash})`
    await this.#course.append({ events: [this.#course.event('fault', { reason: 'secret_leak', asked: 'a task file without a credential', found, remedy: 'Take it out of the task file and replace the credential: it has left its place.' })] })
    throw new Ended('secret_leak')
  }

  /** What will have to be proven is known before anything is started: a task that nothing can prove costs no token. */
  async #bind(): Promise<{ binding: Binding; review: ReviewBinding }> {
    const { task } = this.#request
    const { taskClasses, probes, reviewers } = this.#world.configuration
    const bound = bindProbes({ taskClass: task.class, taskClasses, probes, items: task.acceptance })
    const reviewed = bindReview({ taskClass: task.class, taskClasses, reviewers })
    if (!bound.ok) return this.#refuse(bound.refusal)
    return reviewed.ok ? { binding: bound.binding, review: reviewed.binding } : this.#refuse(reviewed.refusal)
  }

  /** Ends the run before any gate was asked. */
  async #refuse({ reason, asked, found, remedy }: Refusal): Promise<never> {
    await this.#course.append({ events: [this.#course.event('fault', { reason, asked, found, remedy })] })
    throw new Ended(reason)
  }

  /** Gates 1 to 3, for the first candidate; and for the next one, where the alias says so and only its health was lacking. */
  async #choosePair(wire: Wire): Promise<ChosenPair> {
    for (let candidate = 0; ; candidate += 1) {
      this.#goOn()
      const resolution = required(await decideCatalog(this.#world, this.#course, { profile: this.#request.profile, purpose: this.#request.purpose, candidate, capability: null }))
      const admitted = required(await decideAdmission(this.#world, this.#course, resolution, this.#request))
      this.#goOn()
      const health = await decideHealth(this.#world, this.#course, wire, resolution, admitted, { cancelled: this.#request.cancelled })
      this.#goOn()
      if (health.ok) return { resolution, admitted, healthy: health.proof }
      const more = resolution.alias?.onUnhealthy === 'next-admitted' && candidate + 1 < resolution.alias.candidates.length
      if (!more) throw new Ended(health.reason)
    }
  }

  /** From here on nothing of a target repository may be touched, except by a run that is ordinary work (ADM-N12). */
  async #watchTargets({ admitted }: ChosenPair): Promise<TargetWatch | null> {
    if (admitted.stage === WORK_STAGE) return null
    try {
      return await this.#world.targets.watch([this.#request.repository, this.#directory.path])
    } catch (error) {
      await this.#recordFault('target_repository_refused', error)
      throw new Ended('target_repository_refused')
    }
  }

  async #prepareWorkspace(): Promise<string> {
    const { workspaces } = this.#world
    const [repository] = this.#request.task.repositories
    try {
      await workspaces.prepare({ source: this.#request.repository, branch: repository?.branch ?? '', into: this.#directory.workspace })
      await workspaces.copy(this.#directory.workspace, this.#directory.untouched)
      // A protected path that is not there is found before anything is started.
      await workspaces.changedBelow(this.#directory.workspace, this.#directory.untouched, this.#request.task.protected ?? [])
      return await workspaces.digest(this.#directory.workspace)
    } catch (error) {
      await this.#recordFault('workspace_unusable', error)
      throw new Ended('workspace_unusable')
    }
  }

  /** Gates 4 to 7, under one licence on the wire. It has ended, and the agent is dead, when this returns or throws. */
  async #runAgent(wire: Wire, chosen: ChosenPair): Promise<{ turn: EndedTurn; witnessed: Witnessed }> {
    this.#goOn()
    const grant = grantToAgent(this.#world, this.#course, wire, chosen)
    this.#world.scanner.know(grant.token)
    const endWatch = watchAdmission(this.#world, chosen.resolution, this.#request, grant)
    try {
      return await this.#withLicence(grant, chosen)
    } finally {
      endWatch()
      // Also of an agent that was refused, or could not be started or stopped: nothing may be asked in its name any more.
      await grant.revoke()
    }
  }

  /** Start, check, deliver, wait, and see what the wire saw. The agent is dead when this returns or throws. */
  async #withLicence(grant: Grant, chosen: ChosenPair): Promise<{ turn: EndedTurn; witnessed: Witnessed }> {
    const { resolution } = chosen
    const { prompt } = this.#request.task
    const { decided, launch } = await decideLaunch(this.#world, this.#course, grant, resolution, this.#directory)
    const permit = required(decided)
    if (launch === undefined) throw new Ended('gate_output_invalid')
    this.#started = true
    const activity: Activity = { lastHeardAt: this.#world.clock().getTime(), exceeded: undefined }
    const heard = (): void => void (activity.lastHeardAt = this.#world.clock().getTime())
    const session = await startSession(this.#world, permit, launch, { directory: this.#directory, grant, heard, exceeded: (what) => void (activity.exceeded ??= what) }).catch(async (error: unknown) => {
      await this.#recordFault('agent_not_started', error)
      throw new Ended('agent_not_started')
    })
    try {
      const started = { pid: session.process.pid, agent: launch.plan.agent, version: launch.plan.version.found }
      await this.#course.append({ events: [this.#course.event('process_started', started), ...(launch.plan.agent === 'case' ? [this.#course.event('case_process_started', started)] : [])] })
      const ready = await decideReadiness(this.#world, this.#course, resolution, permit, session, this.#request.cancelled)
      const dispatched = ready.ok ? await dispatchPrompt(this.#world, this.#course, resolution, ready.proof, session, prompt, this.#request.cancelled) : ready
      // Before it is asked why the prompt was not taken: a program that gives its receipt late is not waited for (ISO-05).
      if (!dispatched.ok && this.#request.cancelled.aborted) throw new Ended(interruptionOf(this.#request.cancelled))
      if (!dispatched.ok) throw new Ended(await this.#rootCause(session, chosen, grant, { reason: dispatched.reason, isolation: permit.isolation, activity }))
      const beganAt = this.#course.announce('wire')
      const turn = await awaitTurn(this.#world, resolution, session, grant, activity, this.#request.cancelled)
      await this.#recordExit(resolution, turn)
      await this.#withinBounds(activity)
      if (turn.cancelled) throw new Ended(interruptionOf(this.#request.cancelled))
      const witnessed = required(await decideWire(this.#world, this.#course, chosen, grant, { beganAt, processRanMs: turn.outcome.exit.durationMs, isolation: permit.isolation }))
      return { turn, witnessed }
    } finally {
      await session.stop(0)
    }
  }

  /**
   * Why an agent could not be given its prompt. One that had ended by itself is judged by the wire as well: a program that
   * ran and asked no model anything failed by that, however early it was noticed (ADM-N14).
   */
  async #rootCause(session: AgentSession, chosen: ChosenPair, grant: Grant, { reason, isolation, activity }: { readonly reason: Reason; readonly isolation: IsolationLevel; readonly activity: Activity }): Promise<Reason> {
    // A pipe that broke is noticed a moment before the exit that broke it.
    if (!(await endsWithin(session, EXIT_NOTICE_MS))) return reason
    const beganAt = this.#course.announce('wire')
    await session.stop(0)
    const outcome = await session.finished
    await this.#recordExit(chosen.resolution, { outcome, limit: null, cancelled: false, objection: null })
    await this.#withinBounds(activity)
    const wire = await decideWire(this.#world, this.#course, chosen, grant, { beganAt, processRanMs: outcome.exit.durationMs, isolation })
    return wire.ok ? reason : wire.reason
  }

  /** An agent that took more of the machine than its profile gives it was ended for it, whatever else became of its work. */
  async #withinBounds({ exceeded }: Activity): Promise<void> {
    if (exceeded === undefined) return
    const { asked, found, limit } = exceeded
    await this.#recordFault('agent_limit_exceeded', new PortcullisError('unexpected', { asked, found, remedy: `Raise limits.${limit} of the profile if the task deserves it, or make the task smaller.` }))
    throw new Ended('agent_limit_exceeded')
  }

  async #recordExit(resolution: Resolution, turn: EndedTurn): Promise<void> {
    const { exit, claimedStatus, claim, runtimeFailure } = turn.outcome
    this.#agentArtefacts = turn.outcome.artefacts
    const facts = {
      code: exit.code,
      signal: exit.signal,
      timedOut: turn.limit,
      leaked: exit.leaked,
      claimedStatus,
      claim: this.#world.scanner.redact(claim).slice(0, 4_000).toWellFormed(),
      runtimeFailure,
      objection: turn.objection,
      stdout: outputOf(exit.stdout),
      stderr: outputOf(exit.stderr),
      durationMs: Math.round(exit.durationMs),
    }
    await this.#course.append({
      evidence: [AgentExitEvidence.state([sessionSubject(this.#course, resolution)], facts)],
      events: [this.#course.event('process_ended', { code: exit.code, signal: exit.signal, limit: turn.limit, claimed_status: claimedStatus })],
    })
    if (this.#logIs('agent.stdout.log', exit.stdout) && this.#logIs('agent.stderr.log', exit.stderr)) return
    // The logs are what is scanned for credentials and what people read; these are not what was printed.
    await this.#recordFault('evidence_invalid', new PortcullisError('unexpected', { asked: 'the logs of the agent as they were written', found: 'another content: something wrote to them while the agent ran', remedy: 'Find out what the agent or one of its programs writes outside its workspace; nothing of this run counts.' }))
    throw new Ended('evidence_invalid')
  }

  /** True if a log holds what the process printed, or its beginning where that is longer than a log may be. */
  #logIs(name: string, printed: AgentOutcome['exit']['stdout']): boolean {
    const log = this.#directory.read(`staging/${name}`)
    return log !== undefined && (printed.bytes > this.#world.logBytes ? log.length === this.#world.logBytes : sha256(log) === printed.sha256)
  }

  async #observeWorkspace(before: string): Promise<ObservedWorkspace> {
    const { workspaces } = this.#world
    const { workspace, untouched } = this.#directory
    const digest = await workspaces.digest(workspace)
    if ((await workspaces.digest(untouched)) !== before) {
      // Compared with a copy that was edited, the work would look smaller than it is.
      await this.#recordFault('workspace_unusable', new PortcullisError('unexpected', { asked: 'the untouched copy as it was made', found: 'another content: something wrote to it while the agent ran', remedy: 'Find out what the agent or one of its programs writes outside its workspace; nothing of this run counts.' }))
      throw new Ended('workspace_unusable')
    }
    const { patch, whole, history, patchTruncated, filesChanged, insertions, deletions, commits, files, linksOut, filesLeftOut } = await workspaces.changes(workspace, untouched)
    this.#patch = patch
    this.#whole = whole
    this.#history = history
    const facts = { before, after: digest, filesChanged, insertions, deletions, patchTruncated, filesLeftOut, commits: [...commits], files: files.slice(0, 1_000).map((file) => ({ ...file })) }
    await this.#course.append({ evidence: [WorkspaceEvidence.state([{ name: 'workspace', digest: { sha256: digest } }], facts)] })
    const protectedChanged = await workspaces.changedBelow(workspace, untouched, this.#request.task.protected ?? [])
    return { digest, filesChanged, protectedChanged, linksOut }
  }

  #goOn(): void {
    if (this.#request.cancelled.aborted) throw new Ended(interruptionOf(this.#request.cancelled))
  }

  /** What went wrong without a verdict, as a reason. A ledger that cannot be written goes up: nothing may be claimed about such a run. */
  async #fault(error: unknown): Promise<Reason> {
    if (error instanceof PortcullisError && error.code.startsWith('store_')) throw error
    const reason = error instanceof PortcullisError && error.code === 'secret_withheld' ? 'secret_leak' : 'gate_crashed'
    await this.#recordFault(reason, error)
    return reason
  }

  async #recordFault(reason: Reason, error: unknown): Promise<void> {
    const details =
      error instanceof PortcullisError
        ? { asked: error.asked, found: error.found, remedy: error.remedy }
        : { asked: 'the run to go on', found: `Portcullis failed: ${error instanceof Error ? error.name : typeof error}${codeOf(error)}`, remedy: 'Start the run again; if it stays, report it with the trace.' }
    const clean = Object.fromEntries(Object.entries(details).map(([name, text]) => [name, this.#world.scanner.redact(text)]))
    await this.#course.append({ events: [this.#course.event('fault', { reason, ...clean })] })
  }
}

/** The end of the agent as the acceptance gate judges it. */
function endOf({ outcome: { exit, claimedStatus }, limit, objection }: EndedTurn): AcceptanceFacts['agent'] {
  return { exitCode: exit.code, signal: exit.signal, timedOut: limit !== null, claimedStatus, objection }
}

const outputOf = (output: AgentOutcome['exit']['stdout']): { bytes: number; sha256: string } => ({ bytes: output.bytes, sha256: output.sha256 })

/** The system's error code; the text of a foreign error may quote what it must not. */
const codeOf = (error: unknown): string => (error instanceof Error && 'code' in error && typeof error.code === 'string' ? ` (${error.code})` : '')
