import { canonicalJson } from '../contract/canonical.ts'
import { PortcullisError } from '../contract/errors.ts'
import { REASON_TABLE } from '../contract/reasons.ts'
import { bindProbes, bindReview, ReviewEvidence } from '../gates/acceptance/index.ts'
import { type CompletionStart, keptArtefacts, readCompletion, type Unprovable } from './completion.ts'
import { MARKER_PATHS } from '../gates/report/index.ts'
import { Course } from './course.ts'
import { finishRun, type Leavings, type Outcome, type RawArtefact, readHistory } from './finish.ts'
import { renderedFiles, renderRun, type RenderedRun, storedEnding } from './render-run.ts'
import { BUNDLE_FILE, proveRun, statementsOf } from './bundle.ts'
import { printEnvelopes, sealEnvelope } from './envelope.ts'
import { isFinal, type RunHistory } from './ledger.ts'
import { answersOf } from './people.ts'
import { ArtefactEvidence, hostData, hostOf } from './observations.ts'
import { RunRecord } from './read-run.ts'
import { rememberingLedger } from './remembering-ledger.ts'
import { RULEBOOK } from './rulebook.ts'
import type { RunDirectory } from './run-directory.ts'
import { decideAcceptance } from './steps/acceptance.ts'
import { decideWireAgain } from './steps/wire.ts'
import type { TaskWatcher } from './run-task.ts'
import { type ReadHistory, verifyHistory } from './verify-chain.ts'
import { verifyRun } from './verify-run.ts'
import type { World } from './world.ts'

export interface ResumedRun extends RenderedRun {
  readonly directory: RunDirectory
  /** False for a run that had ended: nothing was decided or changed. */
  readonly resumed: boolean
}

export interface ResumeOptions {
  readonly cancelled: AbortSignal
  readonly watcher: TaskWatcher
  /** True to end it as interrupted wherever it stands: whoever carried it lost its claim and may still be alive, so that nothing it left is built upon. */
  readonly abandon?: true
}

/**
 * Takes up a run where its evidence ends: a completion that was interrupted, or that waited for somebody, goes through the same gate
 * as every other, on the pinned work; of what cannot be proven any more the run is closed as interrupted. A run that has
 * ended is rendered from the store and nothing is decided again (ACC-29). Throws `usage` for a run that still goes on.
 */
export async function resumeRun(given: World, runId: string, options: ResumeOptions): Promise<ResumedRun> {
  const { history, read } = await readHistory(given, runId)
  const directory = given.openDirectory(runId)
  if (history.run.kind !== 'task') throw new PortcullisError('usage', { asked: `to resume run ${runId}`, found: `a ${history.run.kind}, which is not resumed`, remedy: 'Name a run of a task.' })
  refuseTampered(history)
  if (isFinal(history.run.state)) return { ...(await restored(given, history, read, directory)), directory, resumed: false }
  refuseRunning(given, new RunRecord(read))
  const world = { ...given, ledger: rememberingLedger(given.ledger, history) }
  const course = new Course({ run: history.run, ledger: world.ledger, scanner: world.scanner, clock: world.clock, policyDigest: world.configurationDigest, watcher: options.watcher, after: read.verdicts.at(-1)?.verdict })
  let waits = false
  try {
    const finished = await new Resumption(world, course, directory, history, options).toTheEnd()
    waits = finished.report.reason === 'review_waiting'
    return { ...finished, directory, resumed: true }
  } finally {
    if (isFinal((await given.ledger.history(runId))?.run.state ?? 'open')) directory.dropScratch()
    else if (waits) directory.dropScratch('waiting')
  }
}

/** Only what is unfinished may be wrong with it. */
function refuseTampered(history: RunHistory): void {
  const [problem] = verifyHistory(history, RULEBOOK).problems.filter(({ code }) => code !== 'run_unfinished')
  if (problem === undefined) return
  throw new PortcullisError('store_tampered', { asked: `run ${history.run.runId} as it was written`, found: `${problem.code} at ${problem.where}: ${problem.found}`, remedy: `Nothing is taken up from evidence that does not hold. See all of it: npx portcullis verify ${history.run.runId}` })
}

function refuseRunning(world: World, record: RunRecord): void {
  const { runId } = record.history.run
  const taken = record.history.events.findLast((event) => event.type === 'run_resumed' || event.type === 'run_opened')
  const host = record.history.run.state === 'waiting' ? undefined : hostOf(taken)
  if (host === undefined || !world.isRunning(host)) return
  throw new PortcullisError('usage', { asked: `to resume run ${runId}`, found: `process ${host.pid} still runs it`, remedy: 'Wait for its end, or end that process first.' })
}

/** The answer of a run that has ended, and its files where they are missing: an interruption may have come before they were written. */
async function restored(world: World, history: RunHistory, read: ReadHistory, directory: RunDirectory): Promise<RenderedRun> {
  const { problems } = verifyRun(history, directory)
  const spoilt = problems.find(({ code }) => !code.startsWith('file_'))
  if (spoilt !== undefined) throw new PortcullisError('store_tampered', { asked: `the report of run ${history.run.runId}`, found: `${spoilt.code} at ${spoilt.where}: ${spoilt.found}`, remedy: `See all of it: npx portcullis verify ${history.run.runId}` })
  const rendered = renderRun(history, read, storedEnding(history))
  for (const [name, content] of renderedFiles(rendered)) {
    if (directory.read(name) === undefined && world.scanner.scan(Buffer.from(content)).length === 0) directory.write(name, content)
    directory.remove(`${name}.part`)
  }
  if (directory.read(BUNDLE_FILE) === undefined) {
    const statements = statementsOf(history, read, await proveRun(world.archive, history, 'end', []))
    if (statements.every((statement) => world.scanner.scan(Buffer.from(statement)).length === 0)) directory.write(BUNDLE_FILE, printEnvelopes(statements.map((statement) => sealEnvelope(statement, world.signer))))
  }
  directory.remove(`${BUNDLE_FILE}.part`)
  directory.dropScratch()
  return rendered
}

class Resumption {
  readonly #world: World
  readonly #course: Course
  readonly #directory: RunDirectory
  readonly #record: RunRecord
  readonly #options: ResumeOptions
  readonly #attempt: number
  readonly #probeArtefacts: RawArtefact[] = []
  #leavings: Leavings = { artefacts: [], texts: [] }

  constructor(world: World, course: Course, directory: RunDirectory, history: RunHistory, options: ResumeOptions) {
    this.#world = world
    this.#course = course
    this.#directory = directory
    this.#record = new RunRecord(verifyHistory(history, RULEBOOK).read)
    this.#options = options
    this.#attempt = 2 + this.#record.history.events.filter((event) => event.type === 'run_resumed').length
  }

  async toTheEnd(): Promise<RenderedRun> {
    const { state } = this.#record.history.run
    await this.#course.append({
      events: [this.#course.event('run_resumed', { attempt: this.#attempt, ...hostData(this.#world.host) })],
      ...(state === 'waiting' ? { state: { to: 'started', reason: null, at: this.#world.clock() } } : {}),
    })
    this.#options.watcher.note(`taken up, attempt ${this.#attempt}`)
    const outcome = await this.#outcome()
    this.#clearOwnFiles()
    return finishRun(this.#world, this.#course, this.#directory, outcome, this.#leavings)
  }

  /** What was interrupted is judged again by the gate; a verdict that only new work can change stands as it was given (ACC-25). */
  async #outcome(): Promise<Outcome> {
    const started = this.#record.history.run.state !== 'open'
    const stood = this.#record.last('acceptance')
    const start = await readCompletion(this.#world, this.#record, this.#directory, (task) => this.#bind(task))
    const { artefacts, changed } = keptArtefacts(this.#record, this.#directory)
    this.#leavings = await this.#withChanges(artefacts, start)
    const refused = this.#record.verdicts.at(-1)
    if (stood?.outcome === 'block' && REASON_TABLE[stood.reason].retry === 'never') return { started, reason: stood.reason }
    // A gate before acceptance that did not pass ended the run, and only its end was not written.
    if (stood === undefined && refused !== undefined && refused.outcome !== 'pass') return { started, reason: refused.reason }
    if (this.#options.abandon === true) return this.#close(started, { reason: 'interrupted', found: 'a worker that lost its claim' })
    if ('reason' in start) return this.#close(started, start)
    if (changed.length > 0) return this.#close(started, { reason: 'evidence_invalid', found: `${changed.join(', ')} is not what the agent printed` })
    return this.#complete(start)
  }

  async #complete(start: CompletionStart): Promise<Outcome> {
    const { cancelled, watcher } = this.#options
    this.#directory.dropAttempt()
    const wire = await decideWireAgain(this.#world, this.#course, this.#record)
    if (wire === undefined) return this.#close(true, { reason: 'interrupted', found: 'no verdict of the wire' })
    if (!wire.ok) return { started: true, reason: wire.reason }
    const earlier = this.#record.all(ReviewEvidence)
    await this.#course.append({ events: [this.#course.event('completion_begun', { attempt: this.#attempt })] })
    const decided = await decideAcceptance(this.#world, this.#course, { ...start, directory: this.#directory, attempt: this.#attempt, earlier, answers: answersOf(this.#record), witnessed: wire.proof, targets: null, cancelled, note: (text) => watcher.note(text), keep: (artefact) => this.#probeArtefacts.push(artefact) })
    this.#leavings = { ...this.#leavings, artefacts: [...this.#leavings.artefacts, ...this.#probeArtefacts] }
    if (decided.ok) return { accepted: decided.proof }
    return decided.reason === 'review_waiting' ? { waiting: decided.reason } : { started: true, reason: decided.reason }
  }

  #bind(task: Parameters<Parameters<typeof readCompletion>[3]>[0]): ReturnType<Parameters<typeof readCompletion>[3]> {
    const { taskClasses, probes, reviewers } = this.#world.configuration
    const bound = bindProbes({ taskClass: task.class, taskClasses, probes, items: task.acceptance })
    const reviewed = bindReview({ taskClass: task.class, taskClasses, reviewers })
    return bound.ok && reviewed.ok ? { binding: bound.binding, review: reviewed.binding } : undefined
  }

  /** Nothing of it can be proven any more: that is its end, and it says why. */
  async #close(started: boolean, { reason, found }: Unprovable): Promise<Outcome> {
    await this.#course.append({ events: [this.#course.event('fault', { reason, asked: 'the evidence that the run goes on from', found, remedy: 'Run the task again.' })] })
    return { started, reason }
  }

  /** What is scanned at the end of every run: the task, and all that was done to the workspace. */
  async #withChanges(artefacts: readonly RawArtefact[], start: CompletionStart | Unprovable): Promise<Leavings> {
    if ('reason' in start) return { artefacts, texts: [] }
    const { patch, whole, history } = await this.#world.workspaces.changes(this.#directory.workspace, this.#directory.untouched)
    const texts = [{ name: 'task file', content: Buffer.from(canonicalJson(start.task)) }, ...(whole?.equals(patch) === true ? [] : [{ name: 'changes', content: whole }]), { name: 'commits', content: history }]
    return { artefacts: patch.length === 0 ? artefacts : [...artefacts, { name: 'backend/workspace.patch', content: patch }], texts }
  }

  /** Files that the interrupted process wrote under our own names: they are written anew, from what was just scanned. Any other is a stranger's. */
  #clearOwnFiles(): void {
    const recorded = this.#record.all(ArtefactEvidence).flatMap(({ files }) => files.map((file) => file.path))
    const written = this.#leavings.artefacts.flatMap(({ name }) => [name, name.replace(/(\.[a-z]+)$/, '.redacted$1')])
    for (const name of ['report.json', 'report.md', 'trace.jsonl', BUNDLE_FILE, ...MARKER_PATHS, ...recorded, ...written]) {
      this.#directory.remove(name)
      this.#directory.remove(`${name}.part`)
    }
  }
}

