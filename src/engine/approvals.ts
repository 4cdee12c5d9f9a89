import type { Clock } from '../contract/clock.ts'
import { digestOf, sha256 } from '../contract/canonical.ts'
import { PortcullisError } from '../contract/errors.ts'
import type { Digest } from '../contract/verdict.ts'
import { Approval, ApprovalEvidence, type Approvals, type ProbeRecord, ProbeRecordEvidence, recordDigest, RenderHashPayload } from '../gates/acceptance/index.ts'
import type { SecretScanner } from '../gates/report/index.ts'
import { Course } from './course.ts'
import type { Ledger } from './ledger.ts'
import { RunRecord } from './read-run.ts'
import { RULEBOOK } from './rulebook.ts'
import type { RunDirectory } from './run-directory.ts'
import { verifyHistory } from './verify-chain.ts'
import { verifyRun } from './verify-run.ts'

/** Where approved images are kept, by their digest. */
export interface ApprovedImages {
  /** Durable when it returns. */
  write(image: Buffer): Digest
  /** Undefined if there is none, or another one in its place. */
  read(digest: Digest): Buffer | undefined
}

/** What the ledger says that people have approved, read anew each time. An approval whose record does not verify is none. */
export function createApprovals(ledger: Pick<Ledger, 'list' | 'history'>, images: ApprovedImages): Approvals {
  return {
    render: async (probe, definitionDigest) => {
      const last = await approvalInForce(ledger, probe, definitionDigest)
      return last === undefined ? undefined : { approval: last.runId, sha256: last.approval.image.sha256, image: images.read(last.approval.image.sha256) }
    },
  }
}

/** The last approval of a picture of this definition of a probe; undefined if nobody gave one that verifies. */
export async function approvalInForce(ledger: Pick<Ledger, 'list' | 'history'>, probe: string, definitionDigest: Digest): Promise<RecordedApproval | undefined> {
  const recorded = (await ledger.list()).filter(({ kind, state }) => kind === 'approval' && state === 'recorded').toSorted((one, other) => other.number - one.number)
  for (const { runId } of recorded) {
    const approval = await approvalIn(ledger, runId)
    if (approval?.probe === probe && approval.definition_digest === definitionDigest) return { runId, approval }
  }
  return undefined
}

/** What one record of an approval says; undefined for one that does not verify. */
export async function approvalIn(ledger: Pick<Ledger, 'history'>, runId: string): Promise<Approval | undefined> {
  const history = await ledger.history(runId)
  if (history === undefined) return undefined
  const { problems, read } = verifyHistory(history, RULEBOOK)
  return problems.length > 0 ? undefined : new RunRecord(read).all(ApprovalEvidence)[0]
}

export interface ApproveParts {
  readonly ledger: Ledger
  readonly scanner: SecretScanner
  readonly clock: Clock
  readonly images: ApprovedImages
  readonly directoryOf: (runId: string) => Pick<RunDirectory, 'read' | 'files'>
}

export interface RenderApprovalRequest {
  /** A run, or a probe: then the last run that has a picture of it. */
  readonly of: string
  /** Which probe of the run, where it has several with a picture. */
  readonly probe: string | undefined
  /** The picture that was looked at, where whoever approves saw it and did not read the file: another one is not approved. */
  readonly image?: Digest | undefined
  readonly approvedBy: string
  readonly reason: string
}

export interface RecordedApproval {
  /** The record of the approval in the ledger. */
  readonly runId: string
  readonly approval: Approval
}

/** Records that a person approves the picture that a run left. Throws `usage` or `run_not_found` if there is none, `store_tampered` if it is not the one the run left. */
export async function approveRender(parts: ApproveParts, request: RenderApprovalRequest): Promise<RecordedApproval> {
  const { runId, record, payload } = await pictureOf(parts, request)
  const { image } = payload
  if (request.image !== undefined && image?.sha256 !== request.image) throw new PortcullisError('usage', { asked: `to approve picture ${request.image.slice(0, 12)} of ${record.probe}`, found: `picture ${image?.sha256.slice(0, 12) ?? 'none'} in run ${runId}`, remedy: 'Look at the picture that the run left, and approve that one.' })
  const content = image?.file == null ? undefined : parts.directoryOf(runId).read(image.file)
  if (image === null || content === undefined || sha256(content) !== image.sha256) {
    throw new PortcullisError('store_tampered', { asked: `the picture that ${record.probe} made in ${runId}`, found: content === undefined ? `no file ${image?.file ?? ''} in the directory of the run` : 'another picture in its place', remedy: 'Approve nothing of this run; run the task again.' })
  }
  const approval = Approval.parse({
    of: 'render', probe: record.probe, definition_digest: record.definition_digest, image: { sha256: parts.images.write(content), width: image.width, height: image.height },
    run_id: runId, record: recordDigest(record), approved_by: request.approvedBy, reason: request.reason, approved_at: parts.clock().toISOString(),
  })
  return recordApproval(parts, approval)
}

/** One approval is one record of its own kind in the ledger: it stands beside the run that it is about, which has ended. */
async function recordApproval({ ledger, scanner, clock }: ApproveParts, approval: Approval): Promise<RecordedApproval> {
  const run = await ledger.begin({ kind: 'approval', taskId: approval.probe, startedAt: clock() })
  const course = new Course({ run, ledger, scanner, clock, policyDigest: digestOf(approval), watcher: { gateBegan: () => undefined, gateDecided: () => undefined } })
  await course.append({
    evidence: [ApprovalEvidence.state([{ name: approval.of, digest: { sha256: approval.image.sha256 } }], approval)],
    events: [course.event('run_ended', { state: 'recorded' })],
    state: { to: 'recorded', reason: null, at: clock() },
  })
  return { runId: run.runId, approval }
}

/** The picture of one probe that a run left of its work, and the record of it. */
export interface Picture {
  readonly runId: string
  readonly record: ProbeRecord
  readonly payload: RenderHashPayload
}

async function pictureOf(parts: ApproveParts, request: RenderApprovalRequest): Promise<Picture> {
  const named = await parts.ledger.history(request.of)
  if (named !== undefined) return onlyOne(request, await picturesIn(parts, request.of, request.probe))
  for (const { runId, kind } of await parts.ledger.list()) {
    const [picture] = kind === 'task' ? await picturesIn(parts, runId, request.of) : []
    if (picture !== undefined) return picture
  }
  throw new PortcullisError('run_not_found', { asked: `a picture of ${request.of}`, found: 'neither a run of this name nor a run with a picture of such a probe', remedy: 'List the runs: npx portcullis runs' })
}

/** The pictures of the work that a run left, each with its record. Throws `store_tampered` for a run that does not verify. */
async function picturesIn({ ledger, directoryOf }: ApproveParts, runId: string, probe: string | undefined): Promise<Picture[]> {
  const history = await ledger.history(runId)
  if (history === undefined) return []
  const pictures = lookedAt(runId, new RunRecord(verifyHistory(history, RULEBOOK).read)).filter(({ record, payload }) => payload.image?.file != null && (probe === undefined || record.probe === probe))
  if (pictures.length === 0) return []
  const problems = verifyRun(history, directoryOf(runId)).problems
  const [problem] = problems
  if (problem === undefined) return pictures
  throw new PortcullisError('store_tampered', { asked: `to approve what run ${runId} left`, found: `it does not verify: ${problem.code} at ${problem.where}`, remedy: `See all of it: npx portcullis verify ${runId}` })
}

/** What each probe with a picture found of the work. A run that was taken up may have looked twice; the last look is the one whose files are there. */
export function lookedAt(runId: string, record: RunRecord): Picture[] {
  const last = new Map<string, Picture>()
  for (const found of record.all(ProbeRecordEvidence)) {
    const payload = found.kind === 'render_hash' && found.phase === 'result' ? RenderHashPayload.safeParse(found.payload) : undefined
    if (payload?.success === true) last.set(found.probe, { runId, record: found, payload: payload.data })
  }
  return [...last.values()]
}

function onlyOne({ of, probe }: RenderApprovalRequest, pictures: readonly Picture[]): Picture {
  const [picture, ...more] = pictures
  if (picture === undefined) throw new PortcullisError('usage', { asked: `a picture of ${probe ?? 'a page'} in run ${of}`, found: 'none', remedy: 'Name a run in which a render_hash probe looked at the work, and one of its probes.' })
  if (more.length > 0) throw new PortcullisError('usage', { asked: `one picture of run ${of}`, found: `pictures of ${pictures.map(({ record }) => record.probe).join(', ')}`, remedy: 'Say which with --probe; each is approved for itself.' })
  return picture
}
