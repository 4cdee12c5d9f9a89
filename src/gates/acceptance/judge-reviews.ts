import { digestOf } from '../../contract/canonical.ts'
import type { AcceptanceFacts } from './acceptance-facts.ts'
import { type Fault, fault } from './fault.ts'
import type { BoundReview } from './review-binding.ts'
import { blockingFindings, droppedBlockingFindings, type ReviewRecord } from './review-record.ts'

/** The family of a person: no model's. */
export const HUMAN_FAMILY = 'human'

/** What a person who speaks for an authority judges by: the authority as it is configured. */
export const authorityDigest = (authority: BoundReview['authority']): string => digestOf(authority)

type Facts = Pick<AcceptanceFacts, 'runId' | 'taskClass' | 'completion' | 'workspace' | 'review' | 'reviews'>

/** What one review counts for. */
export type ReviewStanding = 'approves' | 'rejects' | 'abstains' | 'failed' | 'advisory' | 'stale' | 'recovered' | 'not_alone'

/** How each review of a run stands towards its verdict. Told in the report, and what the gate counts by. */
export function standingOf(facts: Facts, record: ReviewRecord): ReviewStanding {
  const bound = facts.review?.reviewers.find((reviewer) => reviewer.reviewer === record.reviewer && record.kind !== 'human')
  if (bound?.advisory === true) return 'advisory'
  if (record.head !== facts.workspace.after) return 'stale'
  if (record.recovered) return 'recovered'
  if (record.verdict === null) return 'failed'
  if (record.verdict === 'ABSTAIN') return 'abstains'
  if (record.verdict === 'FAIL' || blockingFindings(record).length > 0 || record.requirements.some((requirement) => requirement.status === 'not_met')) return 'rejects'
  // Whoever left a blocking finding out of its verdict may have approved what it should have rejected.
  return droppedBlockingFindings(record).length > 0 ? 'not_alone' : 'approves'
}

/** Why the reviews do not carry the work. A rejection on this head is final for it, whoever approved before or after (ACC-59). */
export function faultOfReviews(facts: Facts): Fault | undefined {
  const { review, reviews } = facts
  if (review === null) {
    if (facts.completion === 'review') return fault('review_missing', `The task class ${facts.taskClass} asks for a review.`, 'the verdict of a reviewer', 'none')
    return reviews.length === 0 ? undefined : fault('evidence_invalid', 'A review belongs to no reviewer of this run.', 'no review, as the task class asks for none', `${reviews.length} reviews`)
  }
  const strange = reviews.map((record) => strangenessOf(facts, review, record)).find((found) => found !== undefined)
  if (strange !== undefined) return fault('evidence_invalid', 'A review is not one of this run.', 'reviews by the reviewers of this run, or by people of its authority', strange)
  if (new Set(reviews.map((record) => record.review_id)).size !== reviews.length) return fault('evidence_invalid', 'A review stands twice.', 'each review once', 'one id twice')
  const rejecting = reviews.filter((record) => standingOf(facts, record) === 'rejects')
  const [first] = rejecting
  if (first !== undefined) return fault('review_failed', `${first.reviewer} rejects the work: ${whyRejected(first)}`.slice(0, 1_900), askedOf(review), rejecting.map((record) => `${record.reviewer}: ${whyRejected(record)}`).join('; ').slice(0, 1_900))
  return faultOfQuorum(facts, review)
}

function strangenessOf(facts: Facts, review: BoundReview, record: ReviewRecord): string | undefined {
  if (record.run_id !== facts.runId) return `a review of run ${record.run_id}`
  if (record.task_class !== facts.taskClass) return `a review of task class ${record.task_class}`
  if (record.kind === 'human') {
    const { name, people } = review.authority
    if (record.reviewer !== name || record.family !== HUMAN_FAMILY || record.definition_digest !== authorityDigest(review.authority)) return `a review for ${record.reviewer}, where ${name} is the authority`
    return people.some((person) => person === record.by) ? undefined : `a review by somebody who does not speak for ${name}`
  }
  const bound = review.reviewers.find((reviewer) => reviewer.reviewer === record.reviewer)
  if (bound === undefined) return `a review by ${record.reviewer}, who is no reviewer of this run`
  if (bound.kind !== record.kind || bound.family !== record.family || bound.definitionDigest !== record.definition_digest) return `a review by another ${record.reviewer} than the configured one`
  return undefined
}

const whyRejected = (record: ReviewRecord): string => {
  const [worst] = blockingFindings(record)
  const unmet = record.requirements.find((requirement) => requirement.status === 'not_met')
  if (record.verdict !== 'FAIL' && worst !== undefined) return `it says ${record.verdict ?? 'nothing'}, with ${blockingFindings(record).length} blocking findings: ${placeOf(worst)} ${worst.text}`
  if (worst !== undefined) return `${placeOf(worst)} ${worst.text}`
  return unmet === undefined ? record.reason : `acceptance item ${unmet.id} is not met: ${unmet.reason}`
}

const placeOf = ({ file, line }: ReviewRecord['findings'][number]): string => (file === null ? 'the work as a whole:' : `${file}${line === null ? '' : `:${line}`}:`)

const askedOf = ({ families, authority, authorityMustAgree }: BoundReview): string =>
  `the approval of ${families === 1 ? 'a reviewer' : `${families} distinct model families`}${authorityMustAgree ? ` and of ${authority.name}` : ''}, and no rejection`

/** Distinct families that approve this head. One served model is one family, whatever its reviewers are called (MC-122). */
function approvingFamilies(approving: readonly ReviewRecord[]): Set<string> {
  const families = new Set<string>()
  const served = new Set<string>()
  for (const { family, model } of approving) {
    if (model !== null && served.has(model.served) && !families.has(family)) continue
    if (model !== null) served.add(model.served)
    families.add(family)
  }
  return families
}

function faultOfQuorum(facts: Facts, review: BoundReview): Fault | undefined {
  const current = facts.reviews.map((record) => ({ record, standing: standingOf(facts, record) }))
  const approving = current.filter(({ standing }) => standing === 'approves').map(({ record }) => record)
  const families = approvingFamilies(approving)
  const authorityAgrees = approving.some((record) => record.kind === 'human')
  if (families.size >= review.families && (authorityAgrees || !review.authorityMustAgree)) return undefined
  const silent = current.flatMap(({ record, standing }) => {
    if (standing === 'abstains') return [`${record.reviewer} abstains: ${record.reason}`]
    if (standing === 'failed') return [`${record.reviewer} failed (${record.failure?.code ?? 'unknown'}): ${record.failure?.text ?? ''}`]
    if (standing === 'not_alone') return [`${record.reviewer} passes it and left out ${droppedBlockingFindings(record).length} blocking findings`]
    return standing === 'stale' || standing === 'recovered' ? [`the review of ${record.reviewer} is ${standing}`] : []
  })
  const approved = families.size === 0 ? 'nobody approves' : `${[...families].join(', ')} ${families.size === 1 ? 'approves' : 'approve'}`
  const found = `${approved}, of ${review.families} ${review.families === 1 ? 'family' : 'families'} needed${review.authorityMustAgree && !authorityAgrees ? `, and ${review.authority.name} has not agreed` : ''}${silent.length === 0 ? '' : `; ${silent.join('; ')}`}`
  return fault('review_waiting', `The work waits for ${review.authority.name}: ${found}.`.slice(0, 1_900), askedOf(review), found.slice(0, 1_900))
}
