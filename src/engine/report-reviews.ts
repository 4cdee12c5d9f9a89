import { printDigest } from '../contract/canonical.ts'
import { printPair } from '../contract/model.ts'
import { type AcceptanceFacts, acceptanceGate, blockingFindings, differenceOf, droppedBlockingFindings, reviewDigest, ReviewEvidence, type ReviewRecord, standingOf } from '../gates/acceptance/index.ts'
import type { Report } from '../gates/report/index.ts'
import type { RunRecord } from './read-run.ts'

/** What the gate found of each delivery, beside what was claimed of it. */
export function deliveryOf(record: RunRecord): Report['delivery'] {
  const delivery = record.facts(acceptanceGate)?.delivery ?? null
  if (delivery === null) return null
  return delivery.map((each) => {
    const { claim, command, remote_head, searched, found_in, ancestor, is_new, files, tests } = each
    const { name, remote, branch, done_sha } = claim
    return { name, remote, branch, done_sha, command, remote_head, searched, found_in, ancestor, is_new, files, tests: tests === null ? null : { ...tests, claimed: claim.tests }, difference: differenceOf(each) }
  })
}

/** Everything that was said in review of a run, and what it came to. */
export function reviewsOf(record: RunRecord): Pick<Report, 'review' | 'reviews'> {
  const facts = record.facts(acceptanceGate)
  if (facts === undefined) return { review: null, reviews: [] }
  // Also what was said after the gate had judged: it stands in the ledger.
  const reviews = [...new Map([...facts.reviews, ...record.all(ReviewEvidence)].map((review) => [review.review_id, review])).values()]
  return { review: councilOf(record, facts), reviews: reviews.map((review) => reported(facts, review)) }
}

function councilOf(record: RunRecord, facts: AcceptanceFacts): Report['review'] {
  if (facts.review === null) return null
  const verdict = record.last('acceptance')
  const reason = verdict === undefined || verdict.outcome === 'pass' ? null : verdict.reason
  const outcome = verdict?.outcome === 'pass' ? 'approved' : reason === 'review_failed' ? 'rejected' : reason === 'review_waiting' ? 'waiting' : 'not_asked'
  const { families, authority, authorityMustAgree } = facts.review
  return { outcome, families_needed: families, authority: authority.name, authority_must_agree: authorityMustAgree, failures: facts.reviews.filter((review) => review.failure !== null).length }
}

function reported(facts: AcceptanceFacts, review: ReviewRecord): Report['reviews'][number] {
  const standing = standingOf(facts, review)
  const { review_id, reviewer, kind, family, verdict, said, failure, reason, confidence, source_read_ok, diff_read_ok, scope, findings, requirements, question, blind, recovered, model, by } = review
  return {
    review_id, reviewer, kind, family, advisory: standing === 'advisory', counts_as: standing, verdict, said, failure, reason, confidence,
    head: printDigest(review.head), source_read_ok, diff_read_ok,
    scope: { files: scope.files.length + scope.files_more, files_left_out: scope.files_left_out, diff: printDigest(scope.diff.sha256), diff_whole: scope.diff.whole },
    blocking_count: blockingFindings(review).length,
    dropped_blocking_count: droppedBlockingFindings(review).length,
    claimed_blocking_count: review.claimed_blocking_count,
    findings, requirements,
    prior_findings: review.prior ?? 'no prior review given',
    question, blind, recovered,
    requested_model: model === null ? null : printPair(model.requested),
    served_model: model?.served ?? null,
    review_run: model?.review_run ?? null,
    by,
    evidence: printDigest(reviewDigest(review)),
  }
}
