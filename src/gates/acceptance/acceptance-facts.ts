import * as z from 'zod'
import { definePredicate } from '../../contract/evidence.ts'
import { Name, RunId } from '../../contract/ids.ts'
import { Digest } from '../../contract/verdict.ts'
import { COMPLETIONS, PROBE_KINDS } from '../catalog/index.ts'
import { DeliveredRepository } from './delivery.ts'
import { FakeWork } from './fake-work.ts'
import { ProbeRecord } from './probe-record.ts'
import { BoundReview } from './review-binding.ts'
import { ReviewRecord } from './review-record.ts'
import { TargetLook } from './target-look.ts'

const VALID_AT_MOST_MS = 366 * 86_400_000
/** More would make facts that nobody reads; a binding with more is refused before anything starts. */
export const PROBES_AT_MOST = 100

/** Reviews of one run, over all its attempts. */
export const REVIEWS_AT_MOST = 200

/** A probe that this run must pass, and the definition it must have been run by. */
export const BoundProbe = z.strictObject({
  probe: Name,
  kind: z.enum(PROBE_KINDS),
  definitionDigest: Digest,
  allowsWrites: z.boolean(),
})
export type BoundProbe = z.infer<typeof BoundProbe>

/** Whether the runner ran. `ran` with no record is not the same as `not_run` (ACC-19); a crash names its cause (ACC-17). */
export const RunnerState = z.union([z.literal('ran'), z.literal('not_run'), z.strictObject({ failed: z.string().min(1).max(500) })])
export type RunnerState = z.infer<typeof RunnerState>

const records = z.array(ProbeRecord).max(2 * PROBES_AT_MOST)

/** What an agent's own result protocol, or what was found of its settings, says against the run. It can only object (ADM-N15). */
export const Objection = z.strictObject({
  reason: z.enum(['agent_protocol', 'agent_failed', 'agent_not_as_planned', 'evidence_invalid']),
  message: z.string().min(1).max(1_000),
  asked: z.string().min(1).max(1_000),
  found: z.string().min(1).max(1_000),
})
export type Objection = Readonly<z.infer<typeof Objection>>

/** All that decides whether the work of a run counts. */
export const AcceptanceFacts = z.strictObject({
  observedAt: z.iso.datetime(),
  validForMs: z.int().positive().max(VALID_AT_MOST_MS),
  runId: RunId,
  /** Which try at completion this is, from 1; records of another do not count. */
  attempt: z.int().positive(),
  taskId: Name,
  taskClass: Name,
  completion: z.enum(COMPLETIONS),
  /** What the run was to the admission records. */
  stage: Name,
  /** What was seen of the target repositories; null if nobody looked. */
  targets: z.array(TargetLook).max(50).nullable(),
  agent: z.strictObject({
    exitCode: z.int().nullable(),
    signal: z.string().max(50).nullable(),
    timedOut: z.boolean(),
    /** What the agent said of itself: it can fail a run, and never pass one. */
    claimedStatus: z.enum(['completed', 'failed']).nullable(),
    objection: Objection.nullable(),
  }),
  workspace: z.strictObject({
    before: Digest,
    after: Digest,
    filesChanged: z.int().nonnegative(),
    /** Protected paths of the task that are not as they were. */
    protectedChanged: z.array(z.string().min(1).max(1_000)).max(100),
    /** Links of the work that lead out of the workspace: their digest says nothing of what they show. */
    linksOut: z.array(z.string().min(1).max(1_000)).max(100),
  }),
  /** In the order in which they run. */
  binding: z.array(BoundProbe).max(PROBES_AT_MOST),
  items: z.array(z.strictObject({ id: z.int().positive(), text: z.string().min(1).max(2_000), probes: z.array(Name).max(PROBES_AT_MOST) })).max(PROBES_AT_MOST),
  runner: RunnerState,
  /** What cut the run off before its probes had ended; null if nothing did. */
  interruption: z.enum(['interrupted', 'run_timed_out']).nullable(),
  /** What the fake backend left; null if it was not played, and then nothing can be accepted (ADM-B1). */
  fake: FakeWork.nullable(),
  /** `reference` is null where the task has no reference solution. */
  records: z.strictObject({ untouched: records, fake: records, reference: records.nullable(), result: records }),
  /** Repositories that the work must be delivered to, by name; and what was found of each, null if nobody looked. */
  deliveryAsked: z.array(Name).max(20),
  delivery: z.array(DeliveredRepository).max(20).nullable(),
  /** Null: the task class asks for no review. */
  review: BoundReview.nullable(),
  /** Every review of this run, in the order in which it was given. Reviewers are asked only about work that its probes carry. */
  reviews: z.array(ReviewRecord).max(REVIEWS_AT_MOST),
})
export type AcceptanceFacts = z.infer<typeof AcceptanceFacts>

export const AcceptanceEvidence = definePredicate('https://portcullis.dev/evidence/acceptance/v1', AcceptanceFacts)

/** Every record of a run in the order in which it was made; `[]` where no probe is bound (ACC-01). Rendered as `runtime_probe_evidence`. */
export const recordsOf = (facts: AcceptanceFacts): readonly ProbeRecord[] => [...facts.records.untouched, ...facts.records.fake, ...(facts.records.reference ?? []), ...facts.records.result]
