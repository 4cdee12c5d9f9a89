import { milliseconds } from '../../contract/units.ts'
import type { ReviewAnswered, ReviewRecord, ReviewRequest } from '../../gates/acceptance/index.ts'
import type { ModelReviewer } from '../../gates/catalog/index.ts'
import { type Grant, NO_SETTINGS } from '../../gates/wire/index.ts'
import { Course } from '../course.ts'
import { LOCAL_WORK_MS, wireBudgets } from '../limits.ts'
import { createCallRecorder } from '../recorder.ts'
import type { World } from '../world.ts'
import { decideAdmission } from './admission.ts'
import { decideCatalog } from './catalog.ts'
import { decideHealth } from './health.ts'
import { type ChosenPair, pinned } from './wire.ts'

export interface ModelReview {
  readonly answered: ReviewAnswered
  /** What the wire saw; null if no admitted model was seen to answer. */
  readonly model: ReviewRecord['model']
}

/**
 * Asks a model about the work of a run, on an admitted pair of the reviewer's own profile. Its gates and its call stand in the ledger
 * as a run of their own: nothing of another pair enters the run that is judged. Whatever goes wrong is a failure, and no verdict.
 */
export async function askModel(world: World, definition: ModelReviewer, request: ReviewRequest): Promise<ModelReview> {
  const run = await world.ledger.begin({ kind: 'review', taskId: request.name, startedAt: world.clock() })
  const course = new Course({ run, ledger: world.ledger, scanner: world.scanner, clock: world.clock, policyDigest: world.configurationDigest, watcher: { gateBegan: () => undefined, gateDecided: () => undefined } })
  await course.append({ events: [course.event('run_opened', { about: request.runId, reviewer: request.name, profile: definition.profile, purpose: definition.purpose })] })
  const wire = await world.openWire(createCallRecorder(world.ledger, world.scanner))
  try {
    const chosen = await choose(world, course, wire, definition)
    if ('reason' in chosen) {
      await course.append({ state: { to: 'blocked', reason: chosen.reason, at: world.clock() }, events: [course.event('run_ended', { state: 'blocked', reason: chosen.reason })] })
      return { answered: notAsked(world, chosen.reason, chosen.message), model: null }
    }
    const grant = grantTo(world, course, wire, chosen, definition)
    const { dialect } = chosen.resolution.provider
    const answered = await world.reviewRunner.run({ ...request, target: { token: grant.token, baseUrl: grant.baseUrl, dialect, model: chosen.resolution.pair.model, answer: () => grant.lastWords()?.text ?? null } })
    await grant.revoke()
    await course.append({ state: { to: 'closed', reason: null, at: world.clock() }, events: [course.event('run_ended', { state: 'closed', reason: null })] })
    return { answered, model: seen(course, chosen, grant) }
  } finally {
    await wire.close()
  }
}

type Wire = Awaited<ReturnType<World['openWire']>>

/** Gates 1 to 3, as for every use of a pair. */
async function choose(world: World, course: Course, wire: Wire, { profile, purpose }: ModelReviewer): Promise<ChosenPair | { readonly reason: Extract<Awaited<ReturnType<typeof decideCatalog>>, { ok: false }>['reason']; readonly message: string }> {
  const resolution = await decideCatalog(world, course, { profile, purpose, candidate: 0, capability: null })
  if (!resolution.ok) return { reason: resolution.reason, message: resolution.verdict.message }
  const admitted = await decideAdmission(world, course, resolution.proof, { admissionFile: null, asked: null })
  if (!admitted.ok) return { reason: admitted.reason, message: admitted.verdict.message }
  const health = await decideHealth(world, course, wire, resolution.proof, admitted.proof)
  return health.ok ? { resolution: resolution.proof, admitted: admitted.proof, healthy: health.proof } : { reason: health.reason, message: health.verdict.message }
}

/** One call, for as long as the reviewer may take. */
function grantTo(world: World, course: Course, wire: Wire, { resolution, admitted }: ChosenPair, { timeout }: ModelReviewer): Grant {
  const budgets = wireBudgets(resolution, world.configuration)
  return wire.grant({
    runId: course.run.runId,
    purpose: 'agent',
    admitted: resolution.pair,
    provider: resolution.provider,
    servedModelIds: admitted.servedModelIds,
    ...pinned(admitted),
    aliases: [],
    backgroundModels: 'refuse',
    settings: NO_SETTINGS,
    providerTools: [],
    ...budgets,
    limits: { ...budgets.limits, calls: 1 },
    expiresAt: new Date(world.clock().getTime() + milliseconds(timeout) + LOCAL_WORK_MS),
  })
}

/** What the wire saw of the question: one call, answered by the admitted model, with its evidence durable. Anything else is nothing. */
function seen(course: Course, { resolution, admitted }: ChosenPair, grant: Grant): ReviewRecord['model'] {
  const [recorded, ...more] = grant.calls()
  if (recorded === undefined || more.length > 0 || grant.unrecordedCalls() > 0) return null
  const { call, evidence } = recorded
  if (call.outcome !== 'answered' || call.servedModel === null || !admitted.servedModelIds.includes(call.servedModel)) return null
  return { requested: resolution.pair, served: call.servedModel, review_run: course.run.runId, calls: [evidence] }
}

function notAsked(world: World, code: string, message: string): ReviewAnswered {
  const at = world.clock().toISOString()
  return { answer: null, failure: { code, text: `its model was not asked: ${message}`.slice(0, 500) }, marks: { diff: '', source: '' }, startedAt: at, endedAt: at, runnerVersion: 'none' }
}
