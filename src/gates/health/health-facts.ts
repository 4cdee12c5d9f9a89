import * as z from 'zod'
import { definePredicate } from '../../contract/evidence.ts'
import { Name } from '../../contract/ids.ts'
import { ModelPair } from '../../contract/model.ts'
import { REASONS } from '../../contract/reasons.ts'
import { Digest } from '../../contract/verdict.ts'

/** A year: no probe is good for longer, and no arithmetic on dates can leave the calendar. */
const MAX_AGE_MS = 366 * 86_400_000

/** The probe's model call, as the wire recorded it. What the probing client saw is no part of it. */
export const ProbeCall = z.strictObject({
  /** Digest of the call's evidence. */
  evidence: Digest,
  purpose: z.string().max(50),
  inference: z.boolean(),
  requestedModel: z.string().max(500).nullable(),
  admitted: ModelPair,
  servedModel: z.string().max(500).nullable(),
  outcome: z.enum(['answered', 'refused', 'failed']),
  reason: z.enum(REASONS).nullable(),
  detail: z.string().max(500).nullable(),
  providerStatus: z.int().nullable(),
  toolCalls: z.boolean(),
  latencyMs: z.number().nonnegative(),
  startedAt: z.iso.datetime(),
})
export type ProbeCall = z.infer<typeof ProbeCall>

export const HealthFacts = z.strictObject({
  observedAt: z.iso.datetime(),
  /** The admitted pair that is asked to answer. */
  pair: ModelPair,
  /** Names by which the provider may report that model. */
  servedModelIds: z.array(z.string().min(1).max(500)).min(1).max(1_000),
  /** Where the wire finds the credential and of which class it is; never its value. `source` reads as `env ANTHROPIC_API_KEY`. */
  credential: z.strictObject({ class: Name, source: z.string().min(1).max(5_000) }),
  /** The configuration parses and names a credential source. It is never enough: it is reported as `static_ok` (MC-101). */
  staticOk: z.boolean(),
  toolsRequired: z.boolean(),
  /** How many calls the wire recorded for the probe. */
  calls: z.int().nonnegative(),
  /** Null when the wire recorded no call. */
  probe: ProbeCall.nullable(),
  /** How old a probe may be and still count (MC-106). */
  maxAgeMs: z.int().positive().max(MAX_AGE_MS),
})
export type HealthFacts = z.infer<typeof HealthFacts>

export const HealthEvidence = definePredicate('https://portcullis.dev/evidence/health/v1', HealthFacts)
