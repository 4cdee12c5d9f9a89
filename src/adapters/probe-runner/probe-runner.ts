import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Clock } from '../../contract/clock.ts'
import { PortcullisError } from '../../contract/errors.ts'
import { type Approvals, ProbeRecord, type ProbeRequest, type ProbeRunner, type ProbeStatus } from '../../gates/acceptance/index.ts'
import { type BrowserProgram, definitionDigest, mayWrite, type ProbeKind } from '../../gates/catalog/index.ts'
import { copyWorkspace, workspaceDigest } from '../workspace/index.ts'
import { apiSmoke } from './api-smoke.ts'
import { headlessRun } from './headless-run.ts'
import type { ProbeFinding, ProbeKindRunner } from './kind.ts'
import { renderHash } from './render-hash.ts'
import { simTrace } from './sim-trace.ts'
import { createWithheld } from './withheld.ts'

export interface ProbeRunnerOptions {
  /** The credentials we know, asked anew for each probe. */
  readonly secrets: () => readonly string[]
  readonly clock: Clock
  /** The browser of the configuration; undefined looks for one. */
  readonly browser: BrowserProgram | undefined
  readonly approvals: Approvals
}

/** Changes when what a record means changes. */
export const RUNNER_VERSION = 'probe-runner/1'

/** The kinds that have a runner. What is declared and not here is `unimplemented`, which blocks (ACC-11). */
const kindsOf = (options: ProbeRunnerOptions): Required<ProbeKinds> => ({ headless_run: headlessRun, api_smoke: apiSmoke, render_hash: renderHash(options), sim_trace: simTrace })

export type ProbeKinds = Partial<Record<ProbeKind, ProbeKindRunner>>

/** Runs acceptance probes of every kind that has a runner. */
export const createProbeRunner = (options: ProbeRunnerOptions): ProbeRunner => probeRunnerOf(options, kindsOf(options))

/** A runner for the given kinds: one place measures the workspace, the time and the limits of what any kind may do. */
export function probeRunnerOf(options: Pick<ProbeRunnerOptions, 'secrets' | 'clock'>, kinds: ProbeKinds): ProbeRunner {
  return {
    async run(request) {
      const startedAt = options.clock()
      const begunAt = performance.now()
      const { status, summary, payload, changed } = await findOut(options, kinds[request.definition.kind], request)
      // Parsed, not only typed: a record that does not hold together is the runner's fault and never leaves it (ACC-02).
      return ProbeRecord.parse({
        probe: request.name,
        kind: request.definition.kind,
        phase: request.phase,
        status,
        summary: summary.slice(0, 500),
        duration_ms: Math.round((performance.now() - begunAt) * 1_000) / 1_000,
        changed_workspace: changed,
        payload,
        run_id: request.runId,
        attempt: request.attempt,
        task_class: request.taskClass,
        definition_digest: definitionDigest(request.definition),
        subject_digest: request.subjectDigest,
        started_at: startedAt.toISOString(),
        ended_at: new Date(Math.max(startedAt.getTime(), options.clock().getTime())).toISOString(),
        runner_version: RUNNER_VERSION,
      })
    },
  }
}

interface Found extends Omit<ProbeFinding, 'status'> {
  readonly status: ProbeStatus
  readonly changed: boolean
}

async function findOut(options: Pick<ProbeRunnerOptions, 'secrets'>, kind: ProbeKindRunner | undefined, request: ProbeRequest): Promise<Found> {
  const { definition, signal, workspace } = request
  if (kind === undefined) return { status: 'unimplemented', summary: `no runner for probes of kind ${definition.kind} is built in`, payload: {}, changed: false }
  const withheld = createWithheld(options.secrets)
  const notBegun = (status: 'cancelled' | 'error', cause: string): Found => ({ status, summary: `was not begun: ${cause}`, payload: kind.notBegun(definition, cause), changed: false })
  if (signal.aborted) return notBegun('cancelled', 'the run was cancelled')
  // Each kind says for itself what it does about a command with a credential; this is about everything else that is sent or stored.
  if (withheld.holdsSecret(JSON.stringify(definition)) && definition.kind !== 'headless_run') return notBegun('error', 'its definition holds a credential')
  const before = await digestOrCause(workspace)
  if ('cause' in before) return notBegun('error', before.cause)
  if (before.digest !== request.subjectDigest) return notBegun('error', 'the workspace is not the one to be judged')
  const scratch = await mkdtemp(join(tmpdir(), 'portcullis-probe-'))
  try {
    const place = mayWrite(definition) ? join(scratch, 'workspace') : workspace
    if (place !== workspace) await copyWorkspace(workspace, place)
    const finding = await kind.run(definition, { probe: request.name, runId: request.runId, workspace: place, scratch, environment: request.environment, withheld, signal, keep: (suffix, content) => request.keep(`probe-${request.name}-${request.phase}.${suffix}`, content) })
    return await afterwards(finding, request, place)
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

/** Compares the workspace with what it was. A probe that may write has done so on a copy; the workspace itself is pinned for all. */
async function afterwards(finding: ProbeFinding, { workspace, subjectDigest, definition }: ProbeRequest, place: string): Promise<Found> {
  const after = await digestOrCause(workspace)
  const pinned = 'digest' in after && after.digest === subjectDigest
  const copy = place === workspace ? after : await digestOrCause(place)
  const changed = !pinned || !('digest' in copy) || copy.digest !== subjectDigest
  if (pinned && (!changed || mayWrite(definition))) return { ...finding, changed }
  const status = finding.status === 'passed' ? 'failed' : finding.status
  return { ...finding, status, summary: `${finding.summary}, and changed the workspace${mayWrite(definition) ? ' itself, not only its copy' : ''}`, changed }
}

/** A workspace that cannot be read has no digest; that is an error of the probe, and none of the gate (ACC-46). */
async function digestOrCause(workspace: string): Promise<{ readonly digest: string } | { readonly cause: string }> {
  try {
    return { digest: await workspaceDigest(workspace) }
  } catch (error) {
    if (error instanceof PortcullisError) return { cause: `the workspace could not be read (${error.found})` }
    throw error
  }
}
