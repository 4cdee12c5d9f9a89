import * as z from 'zod'
import { definePredicate } from '../contract/evidence.ts'
import { Name } from '../contract/ids.ts'
import { Digest } from '../contract/verdict.ts'
import { AcceptanceFacts, BoundProbe, BoundReview, DeliveryClaim, Objection } from '../gates/acceptance/index.ts'
import type { RunEvent } from './ledger.ts'
import type { Fence } from './queue.ts'
import { AcceptanceItem } from './task.ts'
import type { RunHost } from './world.ts'

/** What was asked for, in the words of the task, and what decided about it. The first statement of every run. */
export const RunEvidence = definePredicate(
  'https://portcullis.dev/evidence/run/v1',
  z.strictObject({
    task: z.strictObject({ id: Name, title: z.string(), class: z.string(), purpose: z.string(), digest: Digest, prompt: Digest, acceptance: z.array(AcceptanceItem) }),
    profile: z.string(),
    /** The agent of that profile, where the configuration has it; and the pair that the caller asked for beside the profile, where it must ask. */
    backend: z.string().nullable(),
    asked: z.strictObject({ provider: z.string().max(300), model: z.string().max(300) }).nullable(),
    configuration: z.strictObject({ path: z.string(), digest: Digest }),
    versions: z.strictObject({ portcullis: z.string(), node: z.string(), format: z.int().positive() }),
  }),
)

/** How the agent process ended, as observed, and what it said about itself, as a claim. */
export const AgentExitEvidence = definePredicate(
  'https://portcullis.dev/evidence/agent-exit/v1',
  z.strictObject({
    code: z.int().nullable(),
    signal: z.string().nullable(),
    /** Which limit of the profile ended it, or null. */
    timedOut: z.enum(['total', 'idle']).nullable(),
    leaked: z.boolean(),
    claimedStatus: z.enum(['completed', 'failed']).nullable(),
    claim: z.string().max(4_000),
    /** How the agent itself classes its failure. */
    runtimeFailure: z.string().min(1).max(100).nullable(),
    /** What its own result protocol says against the run. */
    objection: Objection.nullable(),
    stdout: z.strictObject({ bytes: z.int().nonnegative(), sha256: Digest }),
    stderr: z.strictObject({ bytes: z.int().nonnegative(), sha256: Digest }),
    durationMs: z.number().nonnegative(),
  }),
)

/** What the run did to the workspace, read from git by us. */
export const WorkspaceEvidence = definePredicate(
  'https://portcullis.dev/evidence/workspace/v1',
  z.strictObject({
    before: Digest,
    after: Digest,
    filesChanged: z.int().nonnegative(),
    insertions: z.int().nonnegative(),
    deletions: z.int().nonnegative(),
    /** The patch that is kept for people ends before the difference does. It counts for nothing, but it must not be taken for whole. */
    patchTruncated: z.boolean(),
    /** Files that the probes saw and no patch carries: the workspace ignores them, or git takes no such path. */
    filesLeftOut: z.int().nonnegative(),
    commits: z.array(z.string()),
    files: z.array(z.strictObject({ path: z.string(), insertions: z.int().nonnegative(), deletions: z.int().nonnegative() })),
  }),
)

/**
 * What the completion of a run begins with, stored before its first probe: a process that takes the run up after an interruption
 * has this, and nothing of it from anywhere else.
 */
export const CompletionFacts = z.strictObject({
  /** Digest of the reference solution; null if the task has none. */
  reference: Digest.nullable(),
  stage: Name,
  /** True if target repositories were under watch, which ends with the process. */
  watched: z.boolean(),
  agent: AcceptanceFacts.shape.agent,
  workspace: AcceptanceFacts.shape.workspace,
  /** What the agent said it delivered, pinned when it was done. */
  claims: z.array(DeliveryClaim).max(20),
  binding: z.array(BoundProbe),
  review: BoundReview.nullable(),
})
export type CompletionFacts = z.infer<typeof CompletionFacts>
export const CompletionEvidence = definePredicate('https://portcullis.dev/evidence/completion/v1', CompletionFacts)

/** Which process runs a run, as its events name it. */
export const hostData = ({ pid, startTicks, boot }: RunHost): RunEvent['data'] => ({ pid, start_ticks: startTicks, boot })

/** Of an attempt: which entry of the queue it is for, and under which of its claims. */
export const claimData = (claim: Fence | undefined): RunEvent['data'] => (claim === undefined ? {} : { queue_entry: claim.item, epoch: claim.epoch })

/** The process that an event names; undefined if it names none. */
export function hostOf(event: RunEvent | undefined): RunHost | undefined {
  const { pid, start_ticks: startTicks, boot } = event?.data ?? {}
  return typeof pid === 'number' && typeof startTicks === 'number' && typeof boot === 'string' ? { pid, startTicks, boot } : undefined
}

/** The files that a run left in its directory, beside the ones rendered from the ledger. */
export const ArtefactEvidence = definePredicate(
  'https://portcullis.dev/evidence/artefacts/v1',
  z.strictObject({ files: z.array(z.strictObject({ path: z.string(), bytes: z.int().nonnegative(), sha256: Digest, redacted: z.boolean() })) }),
)
