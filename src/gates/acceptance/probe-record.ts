import * as z from 'zod'
import { canonicalJson } from '../../contract/canonical.ts'
import { definePredicate, type Evidence, evidenceDigest } from '../../contract/evidence.ts'
import { Name, RunId } from '../../contract/ids.ts'
import { Digest } from '../../contract/verdict.ts'
import { PROBE_KINDS, type ProbeKind } from '../catalog/index.ts'

/**
 * `failed`: the probe looked and what it looks for is not so. `error`: it could not look. The two are never mixed: a
 * failure on the untouched copy is proof of a working probe, an error is proof of nothing.
 */
export const PROBE_STATUSES = ['passed', 'failed', 'timed_out', 'error', 'unimplemented', 'cancelled'] as const
export type ProbeStatus = (typeof PROBE_STATUSES)[number]

/** Which copy was looked at: the one nobody worked on, the fake backend's, the one with the reference solution, or the agent's work. */
export const PROBE_PHASES = ['untouched', 'fake', 'reference', 'result'] as const
export type ProbePhase = (typeof PROBE_PHASES)[number]

export const PREVIEW_CHARACTERS = 4_096
const PAYLOAD_CHARACTERS = 65_536

/** The beginning and the end of an output, as text and without the secrets we know, and what all of it was. */
export const OutputPreview = z.strictObject({
  head: z.string().max(PREVIEW_CHARACTERS),
  tail: z.string().max(PREVIEW_CHARACTERS),
  bytes: z.int().nonnegative(),
  sha256: Digest,
  truncated: z.boolean(),
})
export type OutputPreview = z.infer<typeof OutputPreview>

export const HeadlessRunPayload = z.strictObject({
  expected: z.strictObject({ exit_code: z.int(), stdout: z.string().nullable() }),
  /** Null where no process ended by itself: it did not start, or a signal ended it. */
  exit_code: z.int().nullable(),
  signal: z.string().nullable(),
  /** Null where no expression was given, or nothing could be matched. */
  stdout_matched: z.boolean().nullable(),
  /** Why the probe could not look (`ENOENT`); null if it could. */
  error: z.string().max(200).nullable(),
  /** True if the command left processes behind when it exited; they were ended. */
  leaked: z.boolean(),
  stdout: OutputPreview.nullable(),
  stderr: OutputPreview.nullable(),
  /** Names of the variables the command saw, and of those it asked for and did not get because they hold a credential. */
  environment: z.array(z.string().max(200)).max(200),
  environment_withheld: z.array(z.string().max(200)).max(200),
})
export type HeadlessRunPayload = z.infer<typeof HeadlessRunPayload>

/** Why a status cannot follow from a payload, per kind that has a runner. A new kind adds a row; nothing else changes (ACC-71). */
const CONTRADICTIONS: Partial<Record<ProbeKind, (status: ProbeStatus, payload: unknown) => string | undefined>> = {
  headless_run: (status, payload) => {
    const parsed = HeadlessRunPayload.safeParse(payload)
    if (!parsed.success) return 'a payload that is not one of headless_run'
    const { expected, exit_code, signal, stdout_matched, error } = parsed.data
    if (status === 'passed' && (exit_code !== expected.exit_code || signal !== null || error !== null)) return 'a pass with another end than the expected one'
    if (status === 'passed' && expected.stdout !== null && stdout_matched !== true) return 'a pass without the expected output'
    if (status === 'failed' && (error !== null || (exit_code === null && signal === null))) return 'a failure of a command that gave no result'
    if (status === 'error' && error === null) return 'an error without its cause'
    return undefined
  },
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
    const contradiction = CONTRADICTIONS[record.kind]?.(record.status, record.payload)
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
