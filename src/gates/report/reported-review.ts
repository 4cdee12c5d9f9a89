import * as z from 'zod'

const PrintedDigest = z.string().regex(/^sha256:[0-9a-f]{64}$/)

/** One review as people read it. Counts are counted from the findings, and what it stands for is the gate's own judgement. */
export const ReportedReview = z.strictObject({
  review_id: z.string(),
  reviewer: z.string(),
  kind: z.enum(['command', 'model', 'human']),
  family: z.string(),
  advisory: z.boolean().describe('It is asked and shown, and changes nothing.'),
  counts_as: z.enum(['approves', 'rejects', 'abstains', 'failed', 'advisory', 'stale', 'recovered', 'not_alone']).describe('What the gate takes it for. not_alone: it approves and left out blocking findings, so that the authority must agree.'),
  verdict: z.enum(['PASS', 'FAIL', 'ABSTAIN']).nullable(),
  said: z.enum(['PASS', 'FAIL', 'ABSTAIN']).nullable().describe('What the reviewer called its verdict.'),
  failure: z.strictObject({ code: z.string(), text: z.string() }).nullable().describe('Why the runtime of the reviewer gave no verdict.'),
  reason: z.string(),
  confidence: z.number().nullable(),
  head: PrintedDigest,
  source_read_ok: z.boolean(),
  diff_read_ok: z.boolean(),
  scope: z.strictObject({ files: z.int().nonnegative(), files_left_out: z.int().nonnegative(), diff: PrintedDigest, diff_whole: z.boolean() }),
  blocking_count: z.int().nonnegative(),
  dropped_blocking_count: z.int().nonnegative(),
  claimed_blocking_count: z.int().nullable(),
  findings: z.array(
    z.strictObject({ id: z.string(), file: z.string().nullable(), line: z.int().nullable(), severity: z.string(), confidence: z.number(), text: z.string(), dropped_by: z.string().nullable().describe('The rule by which the reviewer left it out of its verdict.') }),
  ),
  requirements: z.array(z.strictObject({ id: z.int(), status: z.enum(['met', 'partially_met', 'not_met']), reason: z.string() })),
  prior_findings: z.union([z.literal('no prior review given'), z.array(z.strictObject({ id: z.string(), status: z.string() }))]),
  question: z.string().nullable(),
  blind: z.boolean(),
  recovered: z.boolean(),
  requested_model: z.string().nullable(),
  served_model: z.string().nullable().describe('Which model answered, as the wire saw it.'),
  review_run: z.string().nullable().describe('The run under which the calls of a model are recorded.'),
  by: z.string().nullable().describe('The person, for a review by one.'),
  evidence: PrintedDigest,
})

/** What the reviews of a run come to; null where its task class asks for none. */
export const ReportedCouncil = z.strictObject({
  outcome: z.enum(['approved', 'rejected', 'waiting', 'not_asked']),
  families_needed: z.int().positive(),
  authority: z.string(),
  authority_must_agree: z.boolean(),
  failures: z.int().nonnegative().describe('Reviewers whose runtime failed. None of them is a verdict.'),
})
