import * as z from 'zod'
import { sha256 } from '../contract/canonical.ts'
import { PortcullisError } from '../contract/errors.ts'
import { Name, RunId } from '../contract/ids.ts'
import { Digest } from '../contract/verdict.ts'
import { PROBE_STATUSES } from '../gates/acceptance/index.ts'
import { approvalIn, approvalInForce, type ApproveParts, lookedAt, type Picture } from './approvals.ts'
import { ArtefactEvidence } from './observations.ts'
import { RunRecord } from './read-run.ts'
import { RULEBOOK } from './rulebook.ts'
import { type ReadHistory, verifyHistory } from './verify-chain.ts'

/** The pictures of one look at a page: what a person approved, what is there now, and where the two differ. */
export const PICTURE_FORMS = ['approved', 'now', 'difference'] as const
export type PictureForm = (typeof PICTURE_FORMS)[number]

const GivenApproval = z.strictObject({ approval: RunId, sha256: Digest, approved_by: z.string().nullable(), reason: z.string().nullable(), approved_at: z.iso.datetime().nullable(), run_id: RunId.nullable().describe('The run whose picture was approved.') })
export const RunPicture = z.strictObject({
  probe: Name,
  status: z.enum(PROBE_STATUSES),
  summary: z.string(),
  page: z.string(),
  viewport: z.strictObject({ width: z.int(), height: z.int() }),
  image: z.strictObject({ sha256: Digest, width: z.int(), height: z.int() }).nullable().describe('What the page looked like; null where no picture was made, or none was kept.'),
  compared: GivenApproval.nullable().describe('The approval that it was compared with when it was judged; null if there was none.'),
  in_force: GivenApproval.nullable().describe('The last approval of a picture for this definition of the probe: what the next run must look like.'),
  difference: z.strictObject({ changed_pixels: z.int(), changed_share: z.number(), distance: z.number(), sha256: Digest.nullable().describe('Of the picture of it; null where nothing differs, or the run goes on.') }).nullable(),
  at_most: z.strictObject({ changed_share: z.number(), distance: z.number() }),
})
export type RunPicture = Readonly<z.infer<typeof RunPicture>>

export interface HistoryParts {
  readonly ledger: Pick<ApproveParts['ledger'], 'list' | 'history'>
}
type PictureParts = HistoryParts & Pick<ApproveParts, 'images' | 'directoryOf'>

/** What the probes of a run saw of its pages. Throws `run_not_found`, and `store_tampered` for a run whose rows do not verify. */
export async function picturesOf(parts: PictureParts, runId: string): Promise<RunPicture[]> {
  const stored = new RunRecord(await readStrictly(parts, runId))
  return Promise.all(lookedAt(runId, stored).map(async ({ record, payload: { page, viewport, image, approved, difference, at_most } }) => {
    const last = await approvalInForce(parts.ledger, record.probe, record.definition_digest)
    const then = approved === null ? undefined : await approvalIn(parts.ledger, approved.approval)
    return {
      probe: record.probe, status: record.status, summary: record.summary, page, viewport, at_most,
      image: image?.file == null ? null : { sha256: image.sha256, width: image.width, height: image.height },
      compared: approved === null ? null : { ...approved, ...whoGave(then) },
      in_force: last === undefined ? null : { approval: last.runId, sha256: last.approval.image.sha256, ...whoGave(last.approval) },
      difference: difference === null ? null : { changed_pixels: difference.changed_pixels, changed_share: difference.changed_share, distance: difference.distance, sha256: digestOfFile(stored, difference.file) ?? null },
    }
  }))
}

/** Nobody is named for a record that does not verify. */
const whoGave = (approval: Awaited<ReturnType<typeof approvalIn>>): Pick<z.infer<typeof GivenApproval>, 'approved_by' | 'reason' | 'approved_at' | 'run_id'> => ({ approved_by: approval?.approved_by ?? null, reason: approval?.reason ?? null, approved_at: approval?.approved_at ?? null, run_id: approval?.run_id ?? null })

export interface AskedPicture {
  readonly runId: string
  readonly probe: string
  readonly form: PictureForm
  /** Only this one: what is approved changes, and a page must not show the one before. */
  readonly digest?: Digest | undefined
}

/**
 * The bytes of one picture, which are those that the ledger names by their digest: no name that somebody asks with becomes a path.
 * Throws `nothing_stored` for a picture that was never made, and `store_tampered` for one that is gone or another.
 */
export async function pictureBytes(parts: PictureParts, asked: AskedPicture): Promise<Buffer> {
  const stored = new RunRecord(await readStrictly(parts, asked.runId))
  const picture = lookedAt(asked.runId, stored).find(({ record }) => record.probe === asked.probe)
  const named = picture === undefined ? undefined : await namedBy(parts, stored, picture, asked.form)
  const what = `the picture ${asked.form} of ${asked.probe} in run ${asked.runId}`
  if (named === undefined || (asked.digest !== undefined && asked.digest !== named.digest)) throw new PortcullisError('nothing_stored', { asked: what, found: picture === undefined ? 'no such probe with a picture in this run' : named === undefined ? 'that it was never made, or not kept' : `another one, ${named.digest.slice(0, 12)}`, remedy: 'GET /runs/{run}/pictures lists those that there are.' })
  const { digest, content } = named
  if (content !== undefined && sha256(content) === digest && content.subarray(0, PNG.length).equals(PNG)) return content
  throw new PortcullisError('store_tampered', { asked: what, found: content === undefined ? 'that it is gone' : 'another file in its place', remedy: 'Approve nothing of this run; run the task again.' })
}

const PNG = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
/** Where a probe keeps its pictures. What a row says beyond that is no name of a picture. */
const KEPT = /^backend\/[\w.-]+\.png$/

/** Its digest stands where the run says which files it left, so a run that goes on has none to show yet. */
const digestOfFile = (stored: RunRecord, file: string | null): Digest | undefined => stored.all(ArtefactEvidence).at(-1)?.files.find(({ path }) => path === file)?.sha256

async function namedBy(parts: PictureParts, stored: RunRecord, { runId, record, payload }: Picture, form: PictureForm): Promise<{ readonly digest: Digest; readonly content: Buffer | undefined } | undefined> {
  const inRun = (file: string | null | undefined, digest: Digest | undefined) => (file == null || digest === undefined ? undefined : { digest, content: KEPT.test(file) ? parts.directoryOf(runId).read(file) : undefined })
  switch (form) {
    case 'now':
      return inRun(payload.image?.file, payload.image?.sha256)
    case 'difference':
      return inRun(payload.difference?.file, digestOfFile(stored, payload.difference?.file ?? null))
    case 'approved': {
      const digest = payload.approved?.sha256 ?? (await approvalInForce(parts.ledger, record.probe, record.definition_digest))?.approval.image.sha256
      return digest === undefined ? undefined : { digest, content: parts.images.read(digest) }
    }
  }
}

/** A run as it is stored, if every row of it verifies; one that goes on may. Throws `run_not_found` or `store_tampered`. */
export async function readStrictly({ ledger }: HistoryParts, runId: string): Promise<ReadHistory> {
  const history = await ledger.history(runId)
  if (history === undefined) throw new PortcullisError('run_not_found', { asked: `run ${runId}`, found: 'no such run in this ledger', remedy: 'GET /runs lists them; npx portcullis runs does so here.' })
  const { problems, read } = verifyHistory(history, RULEBOOK)
  // One that goes on has left its pictures all the same.
  const problem = problems.find(({ code }) => code !== 'run_unfinished')
  if (problem === undefined) return read
  throw new PortcullisError('store_tampered', { asked: `what the probes of run ${runId} saw`, found: `it does not verify: ${problem.code} at ${problem.where}`, remedy: `See all of it: npx portcullis verify ${runId}` })
}
