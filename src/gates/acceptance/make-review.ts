import { reviewerDigest } from '../catalog/index.ts'
import type { ReviewAnswered, ReviewRequest } from './ports.ts'
import { judgeAnswer } from './review-answer.ts'
import { ReviewRecord, type ReviewScope } from './review-record.ts'

/** What was asked of a reviewer, and the circumstances that it cannot forge. */
export interface AskedReview {
  readonly request: Pick<ReviewRequest, 'name' | 'definition' | 'runId' | 'head' | 'base' | 'diff' | 'items' | 'prior'>
  readonly attempt: number
  readonly taskClass: string
  readonly scope: ReviewScope
  /** What the wire saw, for a model. */
  readonly model: ReviewRecord['model']
}

const NOTHING_SAID = { verdict: null, said: null, confidence: null, source_read_ok: false, diff_read_ok: false, findings: [], requirements: [], prior: null, question: null, claimed_blocking_count: null } as const

/** The record of what a reviewer came to. Throws ZodError if what it is made of does not hold together. */
export function reviewRecordOf(asked: AskedReview, answered: ReviewAnswered): ReviewRecord {
  const { request, attempt, taskClass, scope, model } = asked
  const { answer, failure, marks, startedAt, endedAt, runnerVersion } = answered
  const unseen = answer !== null && request.definition.kind === 'model' && model === null
  const failed = failure ?? (answer === null ? { code: 'no_answer', text: 'it gave no answer' } : unseen ? { code: 'not_on_the_wire', text: 'no model was seen to answer' } : null)
  const sight = { head: request.head, marks, diffWhole: request.diff.whole, items: request.items.map((item) => item.id), prior: request.prior?.map((finding) => finding.id) ?? null }
  const judged = failed !== null || answer === null ? { ...NOTHING_SAID, reason: `It gave no verdict: ${failed?.text ?? 'no answer'}` } : judgeAnswer(answer, sight)
  return ReviewRecord.parse({
    ...judged,
    review_id: `${request.runId}:${request.name}:${attempt}`,
    reviewer: request.name,
    kind: request.definition.kind,
    family: request.definition.family,
    run_id: request.runId,
    attempt,
    task_class: taskClass,
    definition_digest: reviewerDigest(request.definition),
    head: request.head,
    base: request.base,
    scope,
    failure: failed,
    model,
    by: null,
    // Each is asked alone, with its own earlier findings and nobody else's.
    blind: true,
    recovered: false,
    started_at: startedAt,
    ended_at: endedAt,
    runner_version: runnerVersion,
  })
}
