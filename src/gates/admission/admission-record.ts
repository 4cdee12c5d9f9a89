import * as z from 'zod'
import { Name } from '../../contract/ids.ts'
import type { ModelPair } from '../../contract/model.ts'
import { floatingReason, isPlainUrl } from '../catalog/index.ts'

/** Stages that no record can cover (ADM-A15): they reach real work, and an admission of a model says nothing about them. */
export const STAGES_NEVER_COVERED = ['real-repo', 'copied-repo', 'sandbox-repo', 'owned-repo', 'default-candidate', 'core-promotion'] as const

/** In whatever spelling: a record for `Real_Repo` would be one for `real-repo` to the person who reads it. */
export const isNeverCovered = (stage: string): boolean => STAGES_NEVER_COVERED.some((never) => never.replaceAll('-', '') === stage.toLowerCase().replaceAll(/[^a-z0-9]/g, ''))

const Instant = z.iso.datetime({ offset: true })
export const InstantOrDay = z.union([Instant, z.iso.date()])

const OF_DATES = /^(?:[\s\d.,:;/+-]|utc|gmt|st|nd|rd|th|[ap]m|t|z|jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?|(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?)+$/i

/** A date in another form than ours would end nothing, although whoever reads it takes it for the end. A sentence has words, and is for people. */
const isUnreadDate = (text: string): boolean => /\d/.test(text) && OF_DATES.test(text) && !InstantOrDay.safeParse(text).success

const ForPeople = (maxLength: number) => z.string().min(1).max(maxLength).refine((text) => !isUnreadDate(text), 'expected a date as in 2027-06-01 or 2027-06-01T00:00:00Z; in another form it would end nothing')

/** When the record must be looked at again. Only a date ends it by itself; conditions and sentences are for people. */
export const ReviewTrigger = z.union([
  z
    .strictObject({
      expires_at: InstantOrDay.optional().describe('From this instant on the record admits nothing. A date means the beginning of that day, UTC.'),
      conditions: z.array(ForPeople(500)).min(1).max(50).optional().describe('What else forces a review, in words.'),
    })
    .refine((trigger) => trigger.expires_at !== undefined || trigger.conditions !== undefined, 'expected expires_at, conditions, or both'),
  ForPeople(1_000),
])

const ExactModel = z
  .string()
  .min(1)
  .max(200)
  .regex(/^\S+$/, 'expected an exact model id without spaces')
  .refine((model) => floatingReason(model) === undefined, 'expected an exact model id; this one is a pattern, a family or whatever is newest')

const common = {
  $schema: z.string().max(500).optional(),
  status: z.string().min(1).max(100).describe('Only the value admitted admits.'),
  provider: Name.describe('The exact name of the provider.'),
  model: ExactModel.describe('The exact id of the model. Aliases, patterns, prefixes and case variants do not match.'),
  credential_source_class: Name.describe('The class of the credential that may be used, as the provider names it. Never a value.'),
  allowed_network_class: Name.describe('The class of network that calls may take, as the provider names it.'),
  approval_source: z.string().min(1).max(500).describe('Who approved it, and where that is written.'),
  admission_timestamp: Instant.describe('When it was approved. Not in the future.'),
  review_trigger: ReviewTrigger.describe('When it must be reviewed: a date that ends it, conditions, or a sentence.'),
}

const Expectations = z.array(z.string().min(1).max(500)).min(1).max(50)

/** A record as it is written now: it says for which runtime and stages it holds. */
export const CurrentRecord = z.strictObject({
  ...common,
  endpoint: z
    .url({ protocol: /^https?$/ })
    .refine(isPlainUrl, 'expected an address without user, password, query or fragment')
    .optional()
    .describe('The base URL that it is bound to. Left out, the network class alone binds it.'),
  runtime: Name.describe('The one agent that it admits the pair for, as in pi or case.'),
  stages: z
    .array(Name.refine((stage) => !isNeverCovered(stage), 'expected a stage that a record can cover'))
    .min(1)
    .max(20)
    .describe('What the pair may be used for, as in work.'),
  served_model_ids: z.array(ExactModel).min(1).max(50).optional().describe('Names under which the provider may report the model. Left out, the exact id only.'),
  evidence_expectations: Expectations.describe('What a run must show for the approval to have been right.'),
})

/** A record of before: eight fields, read at its narrowest. */
export const FormerRecord = z.strictObject({ ...common, evidence_expectations: Expectations.optional() })

/** One exact pair, admitted by people. The record is the authority; configuration and environment only ask (ADM-A1). */
export const AdmissionRecord = z.union([CurrentRecord, FormerRecord])
export type AdmissionRecord = z.infer<typeof AdmissionRecord>

const FIELDS_OF_NOW = ['runtime', 'stages', 'endpoint', 'served_model_ids']

/** Which of the two forms a document means to be: one field of the current form makes it current, so that no half of it goes unread. */
export const recordFormOf = (document: object): 'current' | 'former' => (FIELDS_OF_NOW.some((field) => Object.hasOwn(document, field)) ? 'current' : 'former')

/** What a record covers, with everything that a former record leaves out read at its narrowest. */
export interface RecordScope {
  readonly pair: ModelPair
  readonly form: 'current' | 'former'
  readonly runtime: string
  readonly stages: readonly string[]
  /** Null: not bound to an address. */
  readonly endpoint: string | null
  readonly servedModelIds: readonly string[]
  /** ISO instant from which on it admits nothing; null if no date ends it. */
  readonly expiresAt: string | null
  readonly conditions: readonly string[]
  /** Null: a former record that does not say. Reported, not fatal (ADM-A10). */
  readonly evidenceExpectations: readonly string[] | null
}

export function scopeOf(record: AdmissionRecord): RecordScope {
  const trigger = record.review_trigger
  const date = typeof trigger === 'string' ? trigger : trigger.expires_at
  const common = {
    pair: { provider: record.provider, model: record.model },
    expiresAt: date !== undefined && InstantOrDay.safeParse(date).success ? new Date(date).toISOString() : null,
    conditions: typeof trigger === 'string' ? [trigger] : (trigger.conditions ?? []),
    evidenceExpectations: record.evidence_expectations ?? null,
  }
  if (!('runtime' in record)) return { ...common, form: 'former', runtime: 'case', stages: ['stage-2'], endpoint: null, servedModelIds: [record.model] }
  return { ...common, form: 'current', runtime: record.runtime, stages: record.stages, endpoint: record.endpoint ?? null, servedModelIds: record.served_model_ids ?? [record.model] }
}
