import * as z from 'zod'
import { RunId } from '../../contract/ids.ts'
import { Digest } from '../../contract/verdict.ts'
import { endedCleanly, ServiceEnd } from './api-smoke-payload.ts'
import { Cause, OutputPreview, VariableNames } from './output-preview.ts'
import type { ProbeStatus } from './probe-status.ts'

const Share = z.number().min(0).max(1)
/** A file in the directory of the run; null where it is not kept. */
const KeptFile = z.string().max(300).nullable()

export const RenderHashPayload = z.strictObject({
  error: Cause,
  browser: z.strictObject({ version: z.string().max(100), sandboxed: z.boolean() }).nullable(),
  /** What was looked at, and the window it was looked at in. */
  page: z.string().max(500),
  viewport: z.strictObject({ width: z.int().positive(), height: z.int().positive() }),
  /** Why there is no picture, in the words of the browser; null if there is one. */
  page_fault: z.string().min(1).max(300).nullable(),
  /** What the page threw, and what it asked for outside itself and did not get. */
  page_errors: z.int().nonnegative(),
  blocked_requests: z.int().nonnegative(),
  image: z.strictObject({ sha256: Digest, width: z.int().positive(), height: z.int().positive(), colours: z.int().positive(), file: KeptFile }).nullable(),
  /** The image that a person has approved for this definition, and the record of the approval. */
  approved: z.strictObject({ sha256: Digest, approval: RunId }).nullable(),
  difference: z.strictObject({ changed_pixels: z.int().nonnegative(), changed_share: Share, distance: Share, file: KeptFile }).nullable(),
  at_most: z.strictObject({ changed_share: Share, distance: Share }),
  /** How the service ended; null where there is none. */
  end: ServiceEnd.nullable(),
  service: z.boolean(),
  stdout: OutputPreview.nullable(),
  stderr: OutputPreview.nullable(),
  environment: VariableNames,
  environment_withheld: VariableNames,
})
export type RenderHashPayload = z.infer<typeof RenderHashPayload>

/** Both limits, each for itself: many small differences and one large one are two things. */
export const withinLimits = ({ difference, at_most }: Pick<RenderHashPayload, 'difference' | 'at_most'>): boolean => difference !== null && difference.changed_share <= at_most.changed_share && difference.distance <= at_most.distance

/** Why a status cannot follow from a payload of this kind; undefined if it can. */
export function contradictionOfRenderHash(status: ProbeStatus, payload: unknown): string | undefined {
  const parsed = RenderHashPayload.safeParse(payload)
  if (!parsed.success) return 'a payload that is not one of render_hash'
  const { error, page_fault, image, approved, service, end } = parsed.data
  const seen = error === null && page_fault === null && image !== null && image.colours > 1 && (!service || endedCleanly(end))
  if (status === 'passed' && !(seen && approved !== null && withinLimits(parsed.data))) return 'a pass without a picture that is near enough to an approved one'
  if (status === 'needs_approval' && !(seen && approved === null)) return 'a wait for an approval of nothing, or of what is approved'
  if (status === 'failed' && error !== null) return 'a failure of a page that was not looked at'
  if (status === 'error' && error === null) return 'an error without its cause'
  return undefined
}
