import * as z from 'zod'
import { definePredicate } from '../../contract/evidence.ts'
import { Name, RunId } from '../../contract/ids.ts'
import { Digest } from '../../contract/verdict.ts'

/** Who says so, and why: never taken from the machine, because a process could say it too. */
const who = {
  approved_by: z.string().trim().min(1).max(200),
  reason: z.string().trim().min(1).max(1_000),
  approved_at: z.iso.datetime(),
}

/** A person says that a page looks as it should: this image, for this definition of this probe. */
export const RenderApproval = z.strictObject({
  of: z.literal('render'),
  probe: Name,
  definition_digest: Digest,
  image: z.strictObject({ sha256: Digest, width: z.int().positive(), height: z.int().positive() }),
  /** The run whose picture it was, and the record of the probe that made it. */
  run_id: RunId,
  record: Digest,
  ...who,
})
export type RenderApproval = z.infer<typeof RenderApproval>

/** What people approve. Each kind of it adds a member here; one record in the ledger holds one approval. */
export const Approval = z.discriminatedUnion('of', [RenderApproval])
export type Approval = z.infer<typeof Approval>

export const ApprovalEvidence = definePredicate('https://portcullis.dev/evidence/approval/v1', Approval)
