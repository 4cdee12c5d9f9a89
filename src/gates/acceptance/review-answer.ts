import * as z from 'zod'
import { Digest } from '../../contract/verdict.ts'
import { Finding, PriorFinding, RequirementStatus, REVIEW_VERDICTS, type ReviewRecord } from './review-record.ts'

/** What a reviewer answers, as JSON. Other fields are ignored: a count or an eligibility in it decides nothing (ACC-68). */
export const ReviewAnswer = z.object({
  head: Digest.describe('The digest of the head that was judged, as the request names it.'),
  verdict: z.enum(REVIEW_VERDICTS).describe('PASS, FAIL or ABSTAIN; ABSTAIN for whoever could not read its inputs.'),
  confidence: z.number().min(0).max(1),
  reason: z.string().min(1).max(4_000),
  source_read_ok: z.boolean().describe('The files that were changed could be read.'),
  diff_read_ok: z.boolean().describe('The difference could be read.'),
  read: z
    .object({ diff: z.string().max(200), source: z.string().max(200) })
    .describe('What shows that the inputs were read. For a program: the SHA-256 of the difference, and of the changed files one after the other in the order of the request. For a model: the mark at the end of each.'),
  findings: z.array(Finding).max(200).describe('What was found. One that a filter takes out stays here, with the rule in dropped_by.'),
  requirements: z.array(RequirementStatus).max(100).describe('One for each acceptance item of the request.'),
  prior: z.array(PriorFinding).max(200).optional().describe('What became of each finding that the request names.'),
  question: z.string().min(1).max(2_000).nullable().optional().describe('What a person must answer first. Goes with ABSTAIN.'),
  blocking_count: z.int().optional().describe('Shown beside the count of the findings, and ignored.'),
})
export type ReviewAnswer = z.infer<typeof ReviewAnswer>

/** What is known of a review beside the words of the reviewer. */
export interface ReviewSight {
  readonly head: string
  /** What the answer must show to have read its inputs. */
  readonly marks: { readonly diff: string; readonly source: string }
  /** False if the difference was cut: then nobody can have read it. */
  readonly diffWhole: boolean
  readonly items: readonly number[]
  readonly prior: readonly string[] | null
}

export type JudgedAnswer = Pick<ReviewRecord, 'verdict' | 'said' | 'reason' | 'confidence' | 'source_read_ok' | 'diff_read_ok' | 'findings' | 'requirements' | 'prior' | 'question' | 'claimed_blocking_count'>

/**
 * What an answer counts for. Everything that is missing or does not fit makes it an abstention: a reviewer that could not
 * read has nothing to say, whatever it said (ACC-55). Pure and total.
 */
export function judgeAnswer(answer: ReviewAnswer, sight: ReviewSight): JudgedAnswer {
  const diffRead = answer.diff_read_ok && sight.diffWhole && answer.read.diff === sight.marks.diff
  const sourceRead = answer.source_read_ok && answer.read.source === sight.marks.source
  const doubt = doubtOf(answer, sight, diffRead, sourceRead)
  return {
    verdict: doubt === undefined ? answer.verdict : 'ABSTAIN',
    said: answer.verdict,
    reason: doubt === undefined || answer.verdict === 'ABSTAIN' ? answer.reason : `${doubt} It said ${answer.verdict}: ${answer.reason}`,
    confidence: answer.confidence,
    source_read_ok: sourceRead,
    diff_read_ok: diffRead,
    findings: answer.findings,
    requirements: answer.requirements,
    prior: sight.prior === null ? null : (answer.prior ?? []),
    question: answer.question ?? null,
    claimed_blocking_count: answer.blocking_count ?? null,
  }
}

function doubtOf(answer: ReviewAnswer, sight: ReviewSight, diffRead: boolean, sourceRead: boolean): string | undefined {
  if (answer.head !== sight.head) return 'It judged another head.'
  if (!sight.diffWhole) return 'The difference was too long to be shown as a whole.'
  if (!diffRead) return answer.diff_read_ok ? 'It did not show that it read the difference.' : 'It could not read the difference.'
  if (!sourceRead) return answer.source_read_ok ? 'It did not show that it read the changed files.' : 'It could not read the changed files.'
  if (answer.verdict !== 'PASS') return undefined
  const silent = sight.items.find((id) => !answer.requirements.some((requirement) => requirement.id === id))
  if (silent !== undefined) return `It says nothing of acceptance item ${silent}.`
  const forgotten = sight.prior?.find((id) => !(answer.prior ?? []).some((finding) => finding.id === id))
  return forgotten === undefined ? undefined : `It says nothing of the earlier finding ${forgotten}.`
}
