import * as z from 'zod'
import { Digest } from '../../contract/verdict.ts'

export const PREVIEW_CHARACTERS = 4_096

/** The beginning and the end of an output, as text and without the secrets we know, and what all of it was. */
export const OutputPreview = z.strictObject({
  head: z.string().max(PREVIEW_CHARACTERS),
  tail: z.string().max(PREVIEW_CHARACTERS),
  bytes: z.int().nonnegative(),
  sha256: Digest,
  truncated: z.boolean(),
})
export type OutputPreview = z.infer<typeof OutputPreview>

/** Names of variables: those that a command saw, or those that it asked for and did not get because they hold a credential. */
export const VariableNames = z.array(z.string().max(200)).max(200)

/** Why a probe could not look (`ENOENT`); null if it could. */
export const Cause = z.string().min(1).max(200).nullable()
