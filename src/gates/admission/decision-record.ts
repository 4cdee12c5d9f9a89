import * as z from 'zod'
import { Name } from '../../contract/ids.ts'
import { secretProblems } from '../../contract/secret-like.ts'
import { readStrictJson } from '../catalog/index.ts'
import { ReviewTrigger } from './admission-record.ts'

/** What was decided about the provider that real work may use (ADM-D1). */
export const DECISION_STATUSES = ['not_decided', 'external_provider_approved', 'local_provider_required'] as const

/** The kinds of provider that a decision is about (ADM-D2). */
export const PROVIDER_CLASSES = ['external_anthropic', 'external_openai_codex', 'local_case_compatible'] as const

/** The one effect a decision has (ADM-D8): it blocks, and unblocks nothing. */
export const DECISION_EFFECT = 'CTO-WORK-020 remains blocked until admitted provider/model and real Stage 2 pass report exist'

/**
 * A reference: one word without spaces that says where evidence is (`run:<id>`, `sha256:<digest>`, an address or a path).
 * What needs spaces, braces or line ends is evidence itself, and a copy of evidence proves nothing (ADM-D7).
 */
const Reference = z
  .string()
  .max(300)
  .regex(/^[A-Za-z0-9._~:/#@%+=-]+$/, 'expected a reference such as run:<id>, sha256:<digest>, a path or an address; evidence itself is not copied here')

const ExactOrEmpty = z.string().max(200).regex(/^\S*$/, 'expected an exact name without spaces, or nothing while it is not decided')

/** What people decided about a provider, before anything is admitted. It admits nothing (ADM-D9). */
export const DecisionRecord = z
  .strictObject({
    $schema: z.string().max(500).optional(),
    decision_status: z.enum(DECISION_STATUSES).describe('What was decided.'),
    provider_class: z.enum(PROVIDER_CLASSES).describe('The kind of provider it is about.'),
    provider: ExactOrEmpty.describe('The exact name of the provider, or nothing while it is not decided.'),
    model: ExactOrEmpty.describe('The exact id of the model, or nothing while it is not decided.'),
    approval_source: z.string().min(1).max(500).describe('The human approval or the governed route, and where it is written.'),
    credential_source_class: Name.describe('The class of the credential. Never a value.'),
    allowed_network_class: Name.describe('The class of network that calls may take.'),
    review_trigger: ReviewTrigger.describe('When it must be reviewed: a date, conditions, or a sentence.'),
    evidence_sources: z.array(Reference).max(50).describe('References to evidence, never evidence itself.'),
    effect: z.literal(DECISION_EFFECT).describe('The fixed effect: it blocks, and unblocks nothing.'),
  })
  .superRefine((record, context) => {
    if ((record.provider === '') !== (record.model === '')) context.addIssue({ code: 'custom', path: ['model'], message: 'expected provider and model both, or neither while it is not decided' })
    if (record.provider === '' && record.decision_status !== 'not_decided') context.addIssue({ code: 'custom', path: ['provider'], message: 'expected an exact provider and model, because something was decided' })
    const external = record.provider_class !== 'local_case_compatible'
    if (record.decision_status === 'external_provider_approved' && !external) context.addIssue({ code: 'custom', path: ['provider_class'], message: 'expected an external class, because an external provider was approved' })
    if (record.decision_status === 'local_provider_required' && external) context.addIssue({ code: 'custom', path: ['provider_class'], message: 'expected local_case_compatible, because a local provider is required' })
  })
export type DecisionRecord = z.infer<typeof DecisionRecord>

/** A decision record, or everything that is wrong with the document. Problems never quote a value. */
export type DecisionReading = { readonly decision: DecisionRecord; readonly problems: readonly [] } | { readonly decision: null; readonly problems: readonly [string, ...string[]] }

/** Reads the text of a decision record. */
export function readDecisionText(text: string): DecisionReading {
  const json = readStrictJson(text)
  return 'problem' in json ? { decision: null, problems: [json.problem] } : readDecision(json.value)
}

/** Reads a parsed document as a decision record. Total: whatever comes in, a reading comes out. */
export function readDecision(document: unknown): DecisionReading {
  const [secret, ...secrets] = secretProblems(document)
  if (secret !== undefined) return { decision: null, problems: [secret, ...secrets] }
  const parsed = DecisionRecord.safeParse(document)
  if (parsed.success) return { decision: parsed.data, problems: [] }
  const [problem, ...problems] = parsed.error.issues.map((issue) => (issue.code === 'unrecognized_keys' ? `${issue.keys.length} unknown fields` : `field ${issue.path.join('.')}: ${issue.message.slice(0, 200)}`))
  return { decision: null, problems: [problem ?? 'not a decision record', ...problems] }
}
