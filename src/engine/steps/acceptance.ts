import { milliseconds } from '../../contract/units.ts'
import { type AcceptedContent, acceptanceGate, type AcceptanceFacts, acceptedProof, type Binding, type FakeWork, fakeWorkStatement, type PhaseResult, PROBE_PHASES, type ProbePhase, recordsOf, recordStatement, runProbes } from '../../gates/acceptance/index.ts'
import { type Witnessed, witnessed } from '../../gates/wire/index.ts'
import type { Course, Decided } from '../course.ts'
import type { RawArtefact } from '../finish.ts'
import { LOCAL_WORK_MS, MARGIN_MS } from '../limits.ts'
import type { RunDirectory } from '../run-directory.ts'
import type { TaskRequest } from '../run-task.ts'
import type { TargetWatch, World } from '../world.ts'
import type { EndedTurn } from './turn.ts'

/** The workspace as it was when the agent had ended. */
export interface ObservedWorkspace {
  readonly digest: string
  readonly filesChanged: number
  readonly protectedChanged: readonly string[]
  readonly linksOut: readonly string[]
}

export interface AcceptanceInput {
  readonly request: TaskRequest
  readonly directory: RunDirectory
  readonly binding: Binding
  readonly turn: EndedTurn
  readonly witnessed: Witnessed
  readonly stage: string
  /** Null for ordinary work, which is done for the target repositories. */
  readonly targets: TargetWatch | null
  readonly before: string
  readonly after: ObservedWorkspace
  readonly note: (text: string) => void
  /** Takes a file that a probe leaves for people; scanned and stored with the others at the end of the run. */
  readonly keep: (artefact: RawArtefact) => void
}

/** A completion is tried once in a run; resuming one would count on. */
const ATTEMPT = 1

/**
 * Gate 8: the probes run on the untouched copy, on the fake backend's, on the reference solution where there is one, and on the work; then their
 * records are judged, as arguments of the verdict (ACC-28). The gate runs nothing itself: the runner does (ACC-54).
 */
export function decideAcceptance(world: World, course: Course, input: AcceptanceInput): Promise<Decided<'acceptance', AcceptedContent>> {
  witnessed.check(input.witnessed, world.clock())
  const probesMs = input.binding.definitions.reduce((total, { definition }) => total + milliseconds(definition.timeout) + MARGIN_MS, 0)
  return course.decide({
    definition: acceptanceGate,
    mint: acceptedProof,
    subject: { name: 'workspace', digest: { sha256: input.after.digest } },
    timeoutMs: PROBE_PHASES.length * probesMs + LOCAL_WORK_MS,
    observe: async (signal) => {
      const facts = await observe(world, course, input, AbortSignal.any([signal, input.request.cancelled]))
      return { facts, supporting: [...(facts.fake === null ? [] : [fakeWorkStatement(facts.fake)]), ...recordsOf(facts).map(recordStatement)] }
    },
  })
}

async function observe(world: World, course: Course, input: AcceptanceInput, signal: AbortSignal): Promise<AcceptanceFacts> {
  const { request, directory, binding, before, after } = input
  const phase = (name: ProbePhase, workspace: string, subjectDigest: string): Promise<PhaseResult> => {
    input.note(`${binding.definitions.map((definition) => definition.name).join(', ')} on ${name}`)
    return runProbes(world.probeRunner, binding.definitions, { phase: name, workspace, subjectDigest, environment: world.inherited, runId: course.run.runId, attempt: ATTEMPT, taskClass: request.task.class, signal, keep: (file, content) => keepOf(input, name, file, content) })
  }
  const untouched = await phase('untouched', directory.untouched, before)
  const work = await playFake(world, course, directory, before)
  const fake = await phase('fake', directory.fake, work.after)
  const reference = request.reference === null ? null : await onReference(world, input, request.reference, phase)
  const result = await phase('result', directory.workspace, after.digest)
  const failed = [untouched, fake, reference, result].find((each) => each !== null && each.runner !== 'ran')
  return { ...factsOf(world, course, input), runner: failed?.runner ?? 'ran', targets: await lookAt(input), fake: work, records: { untouched: [...untouched.records], fake: [...fake.records], reference: reference === null ? null : [...reference.records], result: [...result.records] } }
}

/**
 * Plays the fake backend, in the same run and after the agent: it is given its own copy, does nothing with it, and its work
 * is measured by the same instruments. What passes here passes without any work.
 */
async function playFake(world: World, course: Course, { untouched, fake }: RunDirectory, before: string): Promise<FakeWork> {
  await world.workspaces.copy(untouched, fake)
  const after = await world.workspaces.digest(fake)
  const { filesChanged } = await world.workspaces.changes(fake, untouched)
  return { backend: 'fake', script: 'nothing', run_id: course.run.runId, attempt: ATTEMPT, before, after, files_changed: filesChanged }
}

/** The last look: the probes are over, and nothing of the run goes on. */
const lookAt = async ({ targets }: AcceptanceInput): Promise<AcceptanceFacts['targets']> => (targets === null ? null : [...(await targets.look())])

/** Kept for people is what a probe found on the work; what it found on the copies beside it, anybody can make again. */
function keepOf(input: AcceptanceInput, phase: ProbePhase, file: string, content: Buffer): string | null {
  if (phase !== 'result') return null
  const name = `backend/${file}`
  input.keep({ name, content })
  return name
}

/** The copy with the known solution. A patch that does not apply is no solution: the probes then find the untouched copy, and fail on it. */
async function onReference(world: World, input: AcceptanceInput, patch: Buffer, phase: (name: ProbePhase, workspace: string, digest: string) => Promise<PhaseResult>): Promise<PhaseResult> {
  const { directory } = input
  await world.workspaces.copy(directory.untouched, directory.reference)
  if (!(await world.workspaces.applyPatch(directory.reference, patch))) input.note('the reference patch does not apply')
  return phase('reference', directory.reference, await world.workspaces.digest(directory.reference))
}

function factsOf(world: World, course: Course, { request, binding, turn, stage, before, after }: AcceptanceInput): Omit<AcceptanceFacts, 'runner' | 'records' | 'fake' | 'targets'> {
  const { exit, claimedStatus } = turn.outcome
  return {
    observedAt: world.clock().toISOString(),
    validForMs: milliseconds(world.configuration.health.maxAge),
    runId: course.run.runId,
    attempt: ATTEMPT,
    taskId: request.task.id,
    taskClass: request.task.class,
    completion: binding.completion,
    stage,
    agent: { exitCode: exit.code, signal: exit.signal, timedOut: turn.limit !== null, claimedStatus, objection: turn.objection },
    workspace: { before, after: after.digest, filesChanged: after.filesChanged, protectedChanged: [...after.protectedChanged], linksOut: [...after.linksOut] },
    binding: [...binding.bound],
    items: request.task.acceptance,
  }
}
