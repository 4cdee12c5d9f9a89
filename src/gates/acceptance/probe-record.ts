import * as z from 'zod'
import { canonicalJson } from '../../contract/canonical.ts'
import { definePredicate, type Evidence, evidenceDigest } from '../../contract/evidence.ts'
import { Name, RunId } from '../../contract/ids.ts'
import { Digest } from '../../contract/verdict.ts'
import { PROBE_KINDS, type ProbeKind } from '../catalog/index.ts'
import { contradictionOfApiSmoke } from './api-smoke-payload.ts'
import { contradictionOfHeadlessRun } from './headless-run-payload.ts'
import { contradictionOfRenderHash } from './render-hash-payload.ts'
import { contradictionOfSimTrace } from './sim-trace-payload.ts'
import { PROBE_STATUSES, type ProbeStatus } from './probe-status.ts'

/** Which copy was looked at: the one nobody worked on, the fake backend's, the one with the reference solution, or the agent's work. */
export const PROBE_PHASES = ['untouched', 'fake', 'reference', 'result'] as const
export type ProbePhase = (typeof PROBE_PHASES)[number]

const PAYLOAD_CHARACTERS = 65_536

/** Why a status cannot follow from a payload, per kind. A new kind adds a row; nothing else changes (ACC-71). */
const CONTRADICTIONS: Readonly<Record<ProbeKind, (status: ProbeStatus, payload: unknown) => string | undefined>> = {
  headless_run: contradictionOfHeadlessRun,
  api_smoke: contradictionOfApiSmoke,
  render_hash: contradictionOfRenderHash,
  sim_trace: contradictionOfSimTrace,
}

/**
 * What one probe found out about one copy of the work (`runtime_probe_evidence`). Names its run, attempt, class,
 * definition and subject, so that it can stand for nothing else (ACC-07).
 */
export const ProbeRecord = z
  .strictObject({
    probe: Name,
    kind: z.enum(PROBE_KINDS),
    phase: z.enum(PROBE_PHASES),
    status: z.enum(PROBE_STATUSES),
    /** One sentence for people; part of the refusal if the probe did not pass. */
    summary: z.string().min(1).max(500),
    duration_ms: z.number().nonnegative(),
    /** True if the digest of the workspace was another one afterwards. */
    changed_workspace: z.boolean(),
    payload: z.record(z.string(), z.unknown()),
    run_id: RunId,
    attempt: z.int().positive(),
    task_class: Name,
    definition_digest: Digest,
    /** Digest of the workspace that was looked at, taken before the probe ran. */
    subject_digest: Digest,
    started_at: z.iso.datetime(),
    ended_at: z.iso.datetime(),
    runner_version: z.string().min(1).max(100),
  })
  .superRefine((record, context) => {
    // A kind without a runner has nothing to say, and so nothing that could contradict it.
    const contradiction = record.status === 'unimplemented' ? undefined : CONTRADICTIONS[record.kind](record.status, record.payload)
    if (contradiction !== undefined) context.addIssue({ code: 'custom', path: ['payload'], message: contradiction })
    if (Date.parse(record.ended_at) < Date.parse(record.started_at)) context.addIssue({ code: 'custom', path: ['ended_at'], message: 'an end before the start' })
    if (sizeOf(record.payload) > PAYLOAD_CHARACTERS) context.addIssue({ code: 'custom', path: ['payload'], message: `expected JSON of at most ${PAYLOAD_CHARACTERS} characters` })
  })
export type ProbeRecord = z.infer<typeof ProbeRecord>

/** Characters of a payload as JSON; infinite for what is no JSON. */
function sizeOf(payload: Readonly<Record<string, unknown>>): number {
  try {
    return canonicalJson(payload).length
  } catch {
    return Number.POSITIVE_INFINITY
  }
}

export const ProbeRecordEvidence = definePredicate('https://portcullis.dev/evidence/acceptance-probe/v1', ProbeRecord)

/** The statement of a record. Throws ZodError for an invalid one: nothing invalid is ever stored (ACC-02). */
export const recordStatement = (record: ProbeRecord): Evidence<ProbeRecord> => ProbeRecordEvidence.state([{ name: 'workspace', digest: { sha256: record.subject_digest } }], record)

/** The digest by which a record stands in the verdict and in the report. */
export const recordDigest = (record: ProbeRecord): Digest => evidenceDigest(recordStatement(record))
