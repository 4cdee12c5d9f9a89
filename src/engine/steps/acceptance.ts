import { type Evidence, evidenceDigest } from '../../contract/evidence.ts'
import { milliseconds } from '../../contract/units.ts'
import { type AcceptedContent, acceptanceGate, type AcceptanceFacts, acceptedProof, type FakeWork, fakeWorkStatement, isReadyForReview, type PhaseResult, PROBE_PHASES, type ProbePhase, recordsOf, recordStatement, type ReviewRecord, type ReviewRequest, reviewStatement, runProbes } from '../../gates/acceptance/index.ts'
import { type Witnessed, witnessed } from '../../gates/wire/index.ts'
import type { CompletionStart } from '../completion.ts'
import type { Course, Decided } from '../course.ts'
import { interruptionOf } from '../deadline.ts'
import type { RawArtefact } from '../finish.ts'
import { LOCAL_WORK_MS, MARGIN_MS } from '../limits.ts'
import type { RunDirectory } from '../run-directory.ts'
import type { TargetWatch, World } from '../world.ts'
import { checkDeliveries, deliveriesLimitMs } from './delivery.ts'
import { collectReviews, reviewsLimitMs } from './review.ts'

export interface AcceptanceInput extends CompletionStart {
  readonly cancelled: AbortSignal
  /** Which try at completion this is, from 1. */
  readonly attempt: number
  readonly directory: RunDirectory
  /** Reviews of earlier attempts, and of people. */
  readonly earlier: readonly ReviewRecord[]
  readonly answers: ReviewRequest['answers']
  readonly witnessed: Witnessed
  /** Null for ordinary work, which is done for the target repositories. */
  readonly targets: TargetWatch | null
  readonly note: (text: string) => void
  /** Takes a file that a probe leaves for people; scanned and stored with the others at the end of the run. */
  readonly keep: (artefact: RawArtefact) => void
}

/**
 * Gate 8: the probes run on the untouched copy, on the fake backend's, on the reference solution where there is one, and on the work; then the
 * reviewers are asked about work that its probes carry; records and reviews are judged, as arguments of the verdict (ACC-28). The gate runs nothing itself: the runner does (ACC-54).
 */
export function decideAcceptance(world: World, course: Course, input: AcceptanceInput): Promise<Decided<'acceptance', AcceptedContent>> {
  witnessed.check(input.witnessed, world.clock())
  const probesMs = input.binding.definitions.reduce((total, { definition }) => total + milliseconds(definition.timeout) + MARGIN_MS, 0)
  return course.decide({
    definition: acceptanceGate,
    mint: acceptedProof,
    subject: { name: 'workspace', digest: { sha256: input.after.digest } },
    timeoutMs: PROBE_PHASES.length * probesMs + reviewsLimitMs(world, input.review) + deliveriesLimitMs(input.task) + LOCAL_WORK_MS,
    observe: async (signal) => {
      const either = AbortSignal.any([signal, input.cancelled])
      const probed = await observe(world, course, input, either)
      const facts = await withReviews(world, course, input, probed, either)
      return { facts, supporting: supportOf(facts) }
    },
  })
}

/** What the facts refer to, a statement each. */
const supportOf = (facts: AcceptanceFacts): Evidence<unknown>[] => [...(facts.fake === null ? [] : [fakeWorkStatement(facts.fake)]), ...recordsOf(facts).map(recordStatement), ...facts.reviews.map(reviewStatement)]

async function withReviews(world: World, course: Course, input: AcceptanceInput, facts: AcceptanceFacts, signal: AbortSignal): Promise<AcceptanceFacts> {
  // The place of the facts themselves, which nothing in them refers to.
  if (!isReadyForReview(facts, ['0'.repeat(64), ...supportOf(facts).map(evidenceDigest)])) return facts
  const { task, attempt, directory, review, earlier, answers, before, after, note } = input
  const reviews = await collectReviews(world, { task, runId: course.run.runId, attempt, directory, binding: review, before, head: after.digest, earlier, answers, note }, facts, signal)
  return { ...facts, reviews }
}

async function observe(world: World, course: Course, input: AcceptanceInput, signal: AbortSignal): Promise<AcceptanceFacts> {
  const { task, attempt, directory, binding, before, after } = input
  const phase = (name: ProbePhase, workspace: string, subjectDigest: string): Promise<PhaseResult> => {
    input.note(`${binding.definitions.map((definition) => definition.name).join(', ')} on ${name}`)
    return runProbes(world.probeRunner, binding.definitions, { phase: name, workspace, subjectDigest, environment: world.inherited, runId: course.run.runId, attempt, taskClass: task.class, signal, keep: (file, content) => keepOf(input, name, file, content) })
  }
  const untouched = await phase('untouched', directory.untouched, before)
  const work = await playFake(world, course, input)
  const fake = await phase('fake', directory.fake, work.after)
  const reference = input.reference === null ? null : await onReference(world, input, input.reference, phase)
  const result = await phase('result', directory.workspace, after.digest)
  const failed = [untouched, fake, reference, result].find((each) => each !== null && each.runner !== 'ran')
  const delivery = await checkDeliveries(world, task, input.claims, directory, signal)
  return { ...factsOf(world, course, input), interruption: input.cancelled.aborted ? interruptionOf(input.cancelled) : null, delivery, runner: failed?.runner ?? 'ran', targets: await lookAt(input), fake: work, records: { untouched: [...untouched.records], fake: [...fake.records], reference: reference === null ? null : [...reference.records], result: [...result.records] } }
}

/**
 * Plays the fake backend, in the same run and after the agent: it is given its own copy, does nothing with it, and its work
 * is measured by the same instruments. What passes here passes without any work.
 */
async function playFake(world: World, course: Course, { directory: { untouched, fake }, attempt, before }: AcceptanceInput): Promise<FakeWork> {
  await world.workspaces.copy(untouched, fake)
  const after = await world.workspaces.digest(fake)
  const { filesChanged } = await world.workspaces.changes(fake, untouched)
  return { backend: 'fake', script: 'nothing', run_id: course.run.runId, attempt, before, after, files_changed: filesChanged }
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

function factsOf(world: World, course: Course, { task, attempt, binding, review, earlier, agent, stage, before, after }: AcceptanceInput): Omit<AcceptanceFacts, 'runner' | 'interruption' | 'records' | 'fake' | 'targets' | 'delivery'> {
  return {
    observedAt: world.clock().toISOString(),
    validForMs: milliseconds(world.configuration.health.maxAge),
    runId: course.run.runId,
    attempt,
    taskId: task.id,
    taskClass: task.class,
    completion: binding.completion,
    stage,
    agent,
    workspace: { before, after: after.digest, filesChanged: after.filesChanged, protectedChanged: [...after.protectedChanged], linksOut: [...after.linksOut] },
    binding: [...binding.bound],
    items: task.acceptance,
    deliveryAsked: (task.delivery?.repositories ?? []).map(({ name }) => name),
    review: review.bound,
    // Also where nobody is asked any more: what was said of this run stays an argument of its verdict.
    reviews: [...earlier],
  }
}
