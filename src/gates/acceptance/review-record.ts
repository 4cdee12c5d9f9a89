import * as z from 'zod'
import { definePredicate, type Evidence, evidenceDigest } from '../../contract/evidence.ts'
import { Name, RunId } from '../../contract/ids.ts'
import { ModelPair } from '../../contract/model.ts'
import { Digest } from '../../contract/verdict.ts'
import { REVIEWER_KINDS } from '../catalog/index.ts'

/** ABSTAIN neither passes nor fails (MC-110). */
export const REVIEW_VERDICTS = ['PASS', 'FAIL', 'ABSTAIN'] as const
export type ReviewVerdict = (typeof REVIEW_VERDICTS)[number]

export const SEVERITIES = ['critical', 'high', 'medium', 'low', 'info'] as const
/** With a finding of such a severity, work does not pass, whatever the reviewer calls its verdict. */
const BLOCKING: readonly (typeof SEVERITIES)[number][] = ['critical', 'high']

const Confidence = z.number().min(0).max(1)

export const Finding = z.strictObject({
  id: z.string().min(1).max(100),
  /** Null for what lies in no one place. */
  file: z.string().min(1).max(1_000).nullable(),
  line: z.int().positive().nullable(),
  severity: z.enum(SEVERITIES),
  confidence: Confidence,
  text: z.string().min(1).max(2_000),
  /** The rule by which the reviewer left it out of its verdict; null for one that counts. It stays in the record (ACC-63). */
  dropped_by: z.string().min(1).max(300).nullable(),
})
export type Finding = z.infer<typeof Finding>

export const RequirementStatus = z.strictObject({
  /** The acceptance item of the task. */
  id: z.int().positive(),
  status: z.enum(['met', 'partially_met', 'not_met']),
  reason: z.string().min(1).max(2_000),
})

export const PriorFinding = z.strictObject({ id: z.string().min(1).max(100), status: z.enum(['fixed', 'open', 'modified', 'not_applicable']) })

/** What a reviewer was shown, by digest. */
export const ReviewScope = z.strictObject({
  files: z.array(z.string().min(1).max(1_000)).max(1_000),
  /** More files than are listed. */
  files_more: z.int().nonnegative(),
  /** Files of the work that the difference does not carry, because the workspace ignores them. */
  files_left_out: z.int().nonnegative(),
  diff: z.strictObject({ sha256: Digest, bytes: z.int().nonnegative(), whole: z.boolean() }),
})
export type ReviewScope = z.infer<typeof ReviewScope>

const MOST_FINDINGS = 200

/**
 * What one reviewer came to about one head. `verdict` is null for a reviewer that gave none: its runtime failed, which is
 * loud and counted, and no verdict (ACC-65). `said` is what it called its verdict; what counts is `verdict`.
 */
export const ReviewRecord = z
  .strictObject({
    review_id: z.string().min(1).max(200),
    reviewer: Name,
    kind: z.enum([...REVIEWER_KINDS, 'human']),
    family: Name,
    run_id: RunId,
    attempt: z.int().positive(),
    task_class: Name,
    definition_digest: Digest,
    /** Digest of the workspace that was judged; for another one this review says nothing (ACC-57). */
    head: Digest,
    base: Digest,
    scope: ReviewScope,
    verdict: z.enum(REVIEW_VERDICTS).nullable(),
    said: z.enum(REVIEW_VERDICTS).nullable(),
    failure: z.strictObject({ code: Name, text: z.string().min(1).max(500) }).nullable(),
    /** In the reviewer's words; where `verdict` is another one than it said, why that is so comes first. */
    reason: z.string().min(1).max(5_000),
    confidence: Confidence.nullable(),
    source_read_ok: z.boolean(),
    diff_read_ok: z.boolean(),
    findings: z.array(Finding).max(MOST_FINDINGS),
    requirements: z.array(RequirementStatus).max(100),
    /** Null: no prior review was given. */
    prior: z.array(PriorFinding).max(MOST_FINDINGS).nullable(),
    /** What the reviewer asks a person before it can decide. */
    question: z.string().min(1).max(2_000).nullable(),
    /** How many blocking findings the reviewer says there are; what counts is counted. */
    claimed_blocking_count: z.int().nullable(),
    /** The pair that was asked, the model that answered as the wire saw it, and the run under which the call stands. Null for who is no model. */
    model: z.strictObject({ requested: ModelPair, served: z.string().min(1).max(300), review_run: RunId, calls: z.array(Digest).min(1).max(20) }).nullable(),
    /** The person, for a review by one. */
    by: z.string().min(1).max(200).nullable(),
    /** It saw no other verdict on this head before it gave its own (ACC-67). */
    blind: z.boolean(),
    /** It was put together from logs: shown, and never counted (ACC-64). */
    recovered: z.boolean(),
    started_at: z.iso.datetime(),
    ended_at: z.iso.datetime(),
    runner_version: z.string().min(1).max(100),
  })
  .superRefine((record, context) => {
    const refuse = (path: string, message: string): void => context.addIssue({ code: 'custom', path: [path], message })
    if ((record.verdict === null) !== (record.failure !== null)) refuse('verdict', 'a verdict and a failure, or neither')
    if (record.verdict !== null && record.verdict !== 'ABSTAIN' && !(record.source_read_ok && record.diff_read_ok)) refuse('verdict', 'a verdict of a reviewer that could not read its inputs (ACC-55)')
    if (record.verdict === 'PASS' && record.said !== 'PASS') refuse('verdict', 'a pass that the reviewer did not give')
    if ((record.kind === 'human') !== (record.by !== null)) refuse('by', 'a person for a review by one, and for no other')
    if (record.model !== null && record.kind !== 'model') refuse('model', 'a model for a review that is not by one')
    if (record.kind === 'model' && record.verdict !== null && record.model === null) refuse('model', 'a verdict of a model that nobody saw answer')
    if (Date.parse(record.ended_at) < Date.parse(record.started_at)) refuse('ended_at', 'an end before the start')
  })
export type ReviewRecord = z.infer<typeof ReviewRecord>

export const ReviewEvidence = definePredicate('https://portcullis.dev/evidence/review/v1', ReviewRecord)

/** The statement of a review. Throws ZodError for an invalid one: nothing invalid is ever stored. */
export const reviewStatement = (record: ReviewRecord): Evidence<ReviewRecord> => ReviewEvidence.state([{ name: 'workspace', digest: { sha256: record.head } }], record)

/** The digest by which a review stands in the verdict and in the report. */
export const reviewDigest = (record: ReviewRecord): Digest => evidenceDigest(reviewStatement(record))

const isBlocking = (finding: Finding): boolean => BLOCKING.includes(finding.severity)

/** Counted from the findings, never taken from the reviewer's words (ACC-60). */
export const blockingFindings = (record: Pick<ReviewRecord, 'findings'>): readonly Finding[] => record.findings.filter((finding) => isBlocking(finding) && finding.dropped_by === null)

/** Blocking findings that a filter took out of the verdict: an approval with such is none that counts alone (ACC-63). */
export const droppedBlockingFindings = (record: Pick<ReviewRecord, 'findings'>): readonly Finding[] => record.findings.filter((finding) => isBlocking(finding) && finding.dropped_by !== null)
