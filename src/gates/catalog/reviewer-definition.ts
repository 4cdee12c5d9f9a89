import * as z from 'zod'
import { digestOf } from '../../contract/canonical.ts'
import { Name } from '../../contract/ids.ts'
import { Duration, parseDuration } from '../../contract/units.ts'
import type { Digest } from '../../contract/verdict.ts'

export const REVIEWER_KINDS = ['command', 'model'] as const
export type ReviewerKind = (typeof REVIEWER_KINDS)[number]

/** No reviewer may take longer than this, whatever its definition says. */
export const LONGEST_REVIEW_MS = 3_600_000

const common = {
  timeout: Duration.refine((text) => (parseDuration(text) ?? Number.POSITIVE_INFINITY) <= LONGEST_REVIEW_MS, 'expected a limit of at most 1h').describe('The reviewer is ended, with all its processes, when it takes longer; at most 1h.'),
  /** Two reviewers of one family see with the same eyes: a council counts families. */
  family: Name.describe('Which model family judges here, as in claude, gpt or static. A council counts families, not reviewers.'),
}

/** Any program that reads the difference and prints a verdict as JSON. */
export const CommandReviewer = z.strictObject({
  kind: z.literal('command'),
  command: z.array(z.string().min(1)).min(1).describe('The program and its arguments; no shell is involved. It runs in a copy of the work, and finds its request in the file that PORTCULLIS_REVIEW names.'),
  environment: z.array(z.string().min(1)).optional().describe('Environment variables the command may see beside the basic ones, by name. Never a credential.'),
  ...common,
})
export type CommandReviewer = z.infer<typeof CommandReviewer>

/** A model that is asked through the wire, on an admitted pair of a profile of its own. */
export const ModelReviewer = z.strictObject({
  kind: z.literal('model'),
  profile: Name.describe('The profile whose pair judges. It is resolved, admitted and probed as every other; its agent is not started.'),
  purpose: Name.describe('The purpose that the profile must list for it.'),
  answerTokens: z.int().min(256).max(65_536).describe('How long the answer may be, in tokens.'),
  ...common,
})
export type ModelReviewer = z.infer<typeof ModelReviewer>

export const ReviewerDefinition = z.discriminatedUnion('kind', [CommandReviewer, ModelReviewer])
export type ReviewerDefinition = z.infer<typeof ReviewerDefinition>

/** What a review names its reviewer by: a changed definition needs a new review. */
export const reviewerDigest = (definition: ReviewerDefinition): Digest => digestOf(definition)

/** Who decides when the reviewers do not, and which people may speak for it (MC-113). */
export const Authority = z.strictObject({
  name: Name.describe('What the authority is called.'),
  people: z.array(z.string().min(1).max(200)).min(1).max(100).describe('Who may speak for it, as they sign.'),
})
export type Authority = z.infer<typeof Authority>

/** Which reviews a task class needs. Nothing of it has a default. */
export const ReviewRule = z.strictObject({
  required: z.array(Name).max(20).describe('Reviewers whose verdict counts. A FAIL of any of them blocks.'),
  advisory: z.array(Name).max(20).optional().describe('Reviewers that are asked and shown, and change nothing.'),
  families: z.int().min(1).max(20).describe('How many distinct model families must pass the work. Two or more make a council.'),
  authority: Authority.describe('Who is waited for when the reviewers do not decide.'),
  authorityMustAgree: z.literal(true).optional().describe('The authority must pass the work, whatever the reviewers say.'),
})
export type ReviewRule = z.infer<typeof ReviewRule>
