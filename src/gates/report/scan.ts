import * as z from 'zod'
import { Digest } from '../../contract/verdict.ts'

/** One artefact as it was scanned, or why it could not be. */
export const ScannedSurface = z.strictObject({
  name: z.string().min(1),
  bytes: z.int().nonnegative(),
  sha256: Digest,
  scanned: z.boolean(),
  findings: z.array(z.strictObject({ rule: z.string().min(1), offset: z.int().nonnegative(), hash: z.string().min(1) })),
})
export type ScannedSurface = z.infer<typeof ScannedSurface>

/** Artefacts that every run directory holds; a scan that lacks one of them is not a scan of the run. */
export const REQUIRED_SURFACES = ['report.json', 'report.md', 'trace.jsonl'] as const
