import { printDigest } from '../contract/canonical.ts'
import { FORMAT, formatOf } from './format.ts'
import { CompletionEvidence } from './observations.ts'
import { renderRun, storedEnding } from './render-run.ts'
import { isFinal, type RunHistory } from './ledger.ts'
import { answersOf } from './people.ts'
import { RunRecord } from './read-run.ts'
import { reviewsOf } from './report-reviews.ts'
import type { Report } from '../gates/report/index.ts'
import type { ReadHistory } from './verify-chain.ts'

/** A run as the store holds it, whether it has ended, waits, or was interrupted. */
export interface ShownRun {
  readonly run_id: string
  readonly kind: string
  readonly state: string
  /** The form in which it was written, and the one that this version judges and renders. Of another one the verdicts stand as they were given, and nothing is made of them. */
  readonly format: number
  readonly format_read: number
  readonly reason: string | null
  /** Digest of the pinned work; what a review must name. Null if it was never pinned. */
  readonly head: string | null
  /** How often its completion was begun. */
  readonly attempts: number
  readonly gates: readonly { readonly gate: string; readonly outcome: string; readonly reason: string | null; readonly message: string; readonly decided_at: string }[]
  readonly waiting: { readonly authority: string | null; readonly questions: readonly { readonly reviewer: string; readonly question: string; readonly answered: boolean }[] } | null
  /** Whose word came after the run had ended: it stands, and new work is needed (ACC-59). */
  readonly corrective_run_required: readonly { readonly review_run: string; readonly by: string; readonly reason: string; readonly at: string }[]
  readonly reviews: Report['reviews']
  /** Null for a run that has neither ended nor waits. */
  readonly report: Report | null
}

/** Renders a run from its history and nothing else. Throws for nothing that a history can hold. */
export function showRun(history: RunHistory, read: ReadHistory, corrections: ShownRun['corrective_run_required']): ShownRun {
  const record = new RunRecord(read)
  const { runId, kind, state, reason } = history.run
  const [pinned] = record.all(CompletionEvidence)
  const { reviews } = reviewsOf(record)
  const written = formatOf(history)
  const format = written?.format ?? FORMAT
  const shown = kind === 'task' && format === FORMAT && (isFinal(state) || state === 'waiting')
  const parked = read.events.findLast((event) => event.type === 'run_parked')?.data
  const answers = answersOf(record)
  return {
    run_id: runId,
    kind,
    state,
    format,
    format_read: FORMAT,
    reason: reason ?? (state === 'waiting' ? String(parked?.['reason'] ?? '') : null),
    head: pinned === undefined ? null : printDigest(pinned.workspace.after),
    attempts: read.events.filter((event) => event.type === 'completion_begun').length,
    gates: record.verdicts.map((verdict) => ({ gate: verdict.gate, outcome: verdict.outcome, reason: verdict.outcome === 'pass' ? null : verdict.reason, message: verdict.message, decided_at: verdict.decidedAt })),
    waiting:
      state === 'waiting'
        ? { authority: typeof parked?.['authority'] === 'string' ? parked['authority'] : null, questions: reviews.flatMap(({ reviewer, question }) => (question === null ? [] : [{ reviewer, question, answered: answers.some((answer) => answer.question === question) }])) }
        : null,
    corrective_run_required: corrections,
    reviews,
    report: shown ? renderRun(history, read, storedEnding(history)).report : null,
  }
}
