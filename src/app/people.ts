import type { GivenAnswer, GivenReview, ReviewRecord } from '../engine/index.ts'
import { withRun } from './completion.ts'
import type { AppOptions } from './places.ts'

/** Records what a person says of a run. Throws `usage` for whoever does not speak for its authority. */
export async function approveReview(options: AppOptions, runId: string, given: GivenReview): Promise<{ readonly review: ReviewRecord; readonly recordedIn: string }> {
  const { giveReview } = await import('../engine/index.ts')
  return withRun(options, runId, (world) => giveReview(world, runId, given))
}

/** Records a person's answer to a question of a reviewer. */
export async function approveQuestion(options: AppOptions, runId: string, given: GivenAnswer): Promise<{ readonly reviewer: string; readonly question: string }> {
  const { answerQuestion } = await import('../engine/index.ts')
  return withRun(options, runId, (world) => answerQuestion(world, runId, given))
}
