import * as z from 'zod'
import { RunId } from '../../contract/ids.ts'
import { LIFECYCLE } from '../../contract/lifecycle.ts'
import { REASONS } from '../../contract/reasons.ts'
import { ReportedDelivery } from './reported-delivery.ts'
import { ReportedCouncil, ReportedReview } from './reported-review.ts'

const PrintedDigest = z.string().regex(/^sha256:[0-9a-f]{64}$/).describe('sha256: and 64 lower-case hex digits')
const Reason = z.enum(REASONS)
const Time = z.iso.datetime()

/** One line of the acceptance section: the item, and the probe results that speak for it. */
export const ReportedProbe = z.strictObject({
  probe: z.string(),
  kind: z.string(),
  phase: z.enum(['untouched', 'fake', 'reference', 'result']),
  status: z.string(),
  summary: z.string(),
  duration_ms: z.number().nonnegative(),
  evidence: PrintedDigest,
})

export const ReportedItem = z.strictObject({
  id: z.int().positive(),
  text: z.string(),
  status: z.enum(['met', 'not_met']),
  runtime_probe_evidence: z.array(ReportedProbe),
})

/** One check of the comparison, and what it said of each side; null where it was not made. */
export const ComparedCheck = z.strictObject({
  check: z.string(),
  untouched: z.string().nullable(),
  fake: z.string().nullable(),
  reference: z.string().nullable(),
  result: z.string().nullable(),
  better: z.boolean().describe('It holds on the result, and on nothing that was reached without the agent.'),
})

export const ReportedGate = z.strictObject({
  gate: z.enum(LIFECYCLE),
  outcome: z.enum(['pass', 'block', 'abstain']),
  reason: Reason.nullable(),
  message: z.string(),
  asked: z.string().nullable(),
  found: z.string().nullable(),
  remedy: z.string().nullable(),
  decided_at: Time,
  verdict: PrintedDigest,
})

/**
 * What a run leaves behind (`report.json`). Rendered from the ledger alone, so that a new process gives the same bytes.
 * A field that does not apply to a run that ended early is null or empty, never left out. No field can approve, admit
 * or promote anything (ADM-T8).
 */
export const Report = z.strictObject({
  $schema: z.literal('portcullis/spec/report.schema.json'),
  schema_version: z.literal(1),
  run_id: RunId,
  status: z.enum(['pass', 'fail', 'blocked']),
  reason: Reason.nullable(),
  summary: z.string().min(1),
  /** What ended the run, also where no gate had been asked yet; null for a pass. */
  refusal: z.strictObject({ asked: z.string(), found: z.string(), remedy: z.string() }).nullable(),
  task: z.strictObject({ id: z.string(), title: z.string(), class: z.string(), purpose: z.string(), digest: PrintedDigest }),
  profile: z.string(),
  agent: z.strictObject({ name: z.string(), version: z.string().nullable(), program_digest: PrintedDigest.nullable(), mode: z.literal('headless') }).nullable(),
  model: z.strictObject({
    requested: z.string().nullable(),
    admitted: z.string().nullable(),
    served: z.array(z.string()),
    admission_status: z.enum(['admitted', 'missing_admission', 'mismatch', 'invalid_admission', 'not_admitted']).nullable(),
    admission_record: z.strictObject({ path: z.string(), sha256: z.string(), expires_at: Time.nullable() }).nullable(),
    stage: z.string().nullable().describe('What the run was to the admission records, as in work or stage-2.'),
    network: z
      .strictObject({
        class: z.string(),
        external: z.boolean().describe('Calls of this class reach somebody else, as the configuration declares it, or because it does not.'),
        external_record: z.strictObject({ path: z.string(), sha256: z.string(), expires_at: Time.nullable() }).nullable().describe('The decision by which people approved an external provider.'),
      })
      .nullable(),
    alias: z.strictObject({ name: z.string(), steps: z.array(z.string()), override: PrintedDigest.nullable() }).nullable(),
  }),
  process_started: z.boolean(),
  exit: z.strictObject({ code: z.int().nullable(), signal: z.string().nullable(), timed_out: z.boolean(), claimed_status: z.string().nullable() }).nullable(),
  backend: z.string().nullable().describe('The agent that the run is of, as profiles name it; null if the profile is unknown.'),
  case_process_started: z.boolean().nullable().describe('Null in each of these fields: the run is not one of Case.'),
  case_model_provider: z.string().nullable().describe('The provider that was asked for; empty if none was.'),
  case_model: z.string().nullable().describe('The model that was asked for; empty if none was.'),
  case_model_admission_status: z.enum(['admitted', 'missing_admission', 'mismatch', 'invalid_admission', 'not_admitted']).nullable(),
  case_observed_fallback_provider: z.string().nullable().describe('What Case falls back to by itself. Told, never used.'),
  case_observed_fallback_model: z.string().nullable(),
  case_bridge_sha256: PrintedDigest.nullable().describe('The preload that hands the key to the agent; null if there was none.'),
  served_provider: z.string().nullable().describe('Who served the last answer, as the wire saw it.'),
  served_model: z.string().nullable().describe('Which model the last answer named, as the wire saw it.'),
  wire_requests: z.int().nonnegative(),
  runtime_failure_class: z.string().nullable().describe('How the agent itself classes its failure; ours is `reason`.'),
  isolation: z.strictObject({ required: z.string(), reached: z.string(), record_complete: z.boolean() }).nullable(),
  wire: z.strictObject({
    requests: z.int().nonnegative(),
    refused: z.int().nonnegative(),
    failed: z.int().nonnegative(),
    input_tokens: z.int().nonnegative(),
    output_tokens: z.int().nonnegative(),
    cost_usd: z.number().nonnegative().nullable(),
    first_error: z.strictObject({ reason: Reason, detail: z.string().nullable() }).nullable(),
  }),
  workspace: z
    .strictObject({ before: PrintedDigest, after: PrintedDigest, files_changed: z.int().nonnegative(), files_left_out: z.int().nonnegative().describe('Files that the probes saw and backend/workspace.patch does not carry, because the workspace ignores them.'), patch_complete: z.boolean().describe('False if backend/workspace.patch was cut at its size limit.'), insertions: z.int().nonnegative(), deletions: z.int().nonnegative(), commits: z.array(z.string()), files: z.array(z.strictObject({ path: z.string(), insertions: z.int().nonnegative(), deletions: z.int().nonnegative() })) })
    .nullable(),
  target_repositories: z
    .array(z.strictObject({ path: z.string(), canary: z.boolean(), entries: z.int().positive(), touched: z.array(z.string()) }))
    .nullable()
    .describe('What was seen of the target repositories after the run; null if nobody looked, as for ordinary work.'),
  acceptance: z.array(ReportedItem),
  runtime_probe_evidence: z.array(ReportedProbe),
  delivery: z.array(ReportedDelivery).nullable().describe('What was delivered to the repositories of the task; null if it names none, or nobody looked.'),
  review: ReportedCouncil.nullable().describe('What the reviews came to; null where the task class asks for none.'),
  reviews: z.array(ReportedReview).describe('Every review of the run, in the order in which it was given.'),
  baseline: z
    .strictObject({
      untouched: z.string(),
      fake: z.string().describe('What the probes said of the copy of the fake backend, which does nothing with it.'),
      reference: z.string().nullable(),
      comparison: z.enum(['better-than-untouched', 'not-better-than-untouched', 'not-run']).describe('Whether the result is better than what doing nothing achieves, in every check. Nothing passes without it.'),
      checks: z.array(ComparedCheck).describe('The comparison, check by check.'),
    })
    .nullable(),
  gates: z.array(ReportedGate),
  closing: z
    .strictObject({ by: z.string(), gate: z.string().nullable(), verdict: PrintedDigest.nullable(), human_input_required: z.boolean() })
    .nullable()
    .describe('Who closed the run, by which gate and verdict; null while it waits for somebody.'),
  terminal_state: z.strictObject({
    contract: z.literal(1),
    status: z.enum(['ok', 'warning', 'failed', 'blocked']),
    summary: z.string(),
    root_cause: z.string().nullable(),
    safe_retry: z.string(),
    stop_condition: z.string(),
    human_input_required: z.boolean(),
    next_actions: z.array(z.string()),
    artifacts: z.array(z.string()),
  }),
  secret_scan: z.strictObject({ status: z.enum(['clean', 'leak', 'incomplete', 'not-run']), surfaces: z.int().nonnegative(), rules: z.string().nullable(), known_values: z.int().nonnegative() }),
  markers: z.array(z.string()),
  ledger: z.strictObject({ rows: z.int().nonnegative(), root: PrintedDigest, checkpoint: z.string().nullable().describe('What was signed when the run ended, over all rows of the ledger up to then: a signed note (C2SP tlog-checkpoint).'), key_id: PrintedDigest.nullable().describe('SHA-256 of the PEM file of the public key that the checkpoint is verified with.') }),
  versions: z.strictObject({ portcullis: z.string(), node: z.string(), format: z.int().positive().describe('The form in which the run was stored.') }),
  started_at: Time,
  ended_at: Time,
})
export type Report = z.infer<typeof Report>
