import { milliseconds } from '../../contract/units.ts'
import { type AcceptanceFacts, type NamedReviewer, type ReviewBinding, type ReviewRecord, reviewRecordOf, type ReviewRequest, type ReviewScope, standingOf } from '../../gates/acceptance/index.ts'
import { sha256 } from '../../contract/canonical.ts'
import { LOCAL_WORK_MS, MARGIN_MS, probeLimitMs } from '../limits.ts'
import type { RunDirectory } from '../run-directory.ts'
import type { Task } from '../task.ts'
import type { WorkspaceChanges, World } from '../world.ts'
import { askModel } from './review-model.ts'

/** What reviewers are shown, and of which run. */
export interface ReviewInput {
  readonly task: Task
  readonly runId: string
  readonly attempt: number
  readonly directory: RunDirectory
  readonly binding: ReviewBinding
  readonly before: string
  readonly head: string
  /** Reviews of earlier attempts, and of people. */
  readonly earlier: readonly ReviewRecord[]
  readonly answers: ReviewRequest['answers']
  readonly note: (text: string) => void
}

/** How long the reviewers of a run may take together; a model is asked whether it is healthy first. */
export function reviewsLimitMs({ configuration }: Pick<World, 'configuration'>, { definitions }: ReviewBinding): number {
  const healthMs = Math.max(0, ...Object.values(configuration.providers).map(probeLimitMs)) + 2 * MARGIN_MS + 3 * LOCAL_WORK_MS
  return definitions.reduce((total, { definition }) => total + milliseconds(definition.timeout) + 2 * MARGIN_MS + (definition.kind === 'model' ? healthMs : 0), 0)
}

const FILES_NAMED = 1_000

/**
 * Asks each reviewer, one after the other, each alone with the work. Who has decided about this head is not asked again: an
 * empty retry changes no verdict (ACC-66). Gives every review of the run, the earlier ones first.
 */
export async function collectReviews(world: World, input: ReviewInput, facts: AcceptanceFacts, signal: AbortSignal): Promise<ReviewRecord[]> {
  const changes = await world.workspaces.changes(input.directory.workspace, input.directory.untouched)
  const reviews = [...input.earlier]
  for (const reviewer of input.binding.definitions) {
    if (hasDecided(facts, input, reviewer.name)) continue
    input.note(`review by ${reviewer.name}`)
    reviews.push(await reviewBy(world, input, facts, reviewer, changes, signal))
  }
  return reviews
}

const hasDecided = (facts: AcceptanceFacts, { earlier, head }: ReviewInput, name: string): boolean =>
  earlier.some((record) => record.reviewer === name && record.kind !== 'human' && record.head === head && ['approves', 'rejects', 'not_alone', 'advisory'].includes(standingOf(facts, record)))

async function reviewBy(world: World, input: ReviewInput, facts: AcceptanceFacts, { name, definition }: NamedReviewer, changes: WorkspaceChanges, signal: AbortSignal): Promise<ReviewRecord> {
  const { task, runId, directory, head, before, earlier } = input
  const own = earlier.filter((record) => record.reviewer === name && record.kind !== 'human')
  const request: ReviewRequest = {
    name,
    definition,
    head,
    base: before,
    workspace: directory.workspace,
    diff: { bytes: changes.patch, whole: !changes.patchTruncated },
    files: changes.files.map((file) => file.path),
    task: { id: task.id, title: task.title, prompt: task.prompt },
    items: task.acceptance.map(({ id, text }) => ({ id, text })),
    prior: own.length === 0 ? null : own.flatMap((record) => record.findings),
    answers: input.answers,
    environment: world.inherited,
    runId,
    target: null,
    signal,
  }
  const { answered, model } = definition.kind === 'model' ? await askModel(world, definition, request) : { answered: await world.reviewRunner.run(request), model: null }
  return reviewRecordOf({ request, attempt: input.attempt, taskClass: facts.taskClass, scope: scopeOf(changes), model }, answered)
}

function scopeOf({ files, filesLeftOut, patch, patchTruncated }: WorkspaceChanges): ReviewScope {
  const named = files.slice(0, FILES_NAMED).map((file) => file.path.slice(0, 1_000).toWellFormed())
  return { files: named, files_more: files.length - named.length, files_left_out: filesLeftOut, diff: { sha256: sha256(patch), bytes: patch.length, whole: !patchTruncated } }
}
