import * as z from 'zod'
import { RunId } from './ids.ts'
import { LIFECYCLE } from './lifecycle.ts'
import { REASONS } from './reasons.ts'

/** SHA-256, lower-case hex. */
export const Digest: z.ZodString = z.string().regex(/^[0-9a-f]{64}$/, 'expected a SHA-256 digest: 64 lower-case hex digits')
export type Digest = string

/** What was judged. Shaped as an in-toto ResourceDescriptor; a verdict holds only for the digest it names. */
export const Subject = z.strictObject({
  name: z.string().min(1),
  digest: z.strictObject({ sha256: Digest }),
})
export type Subject = z.infer<typeof Subject>

const common = {
  gate: z.enum(LIFECYCLE),
  runId: RunId,
  sequence: z.int().nonnegative(),
  subject: z.array(Subject).min(1),
  policy: Subject,
  decidedAt: z.iso.datetime(),
  /** Evidence digests; the first one is the statement of the facts that were judged. */
  evidence: z.array(Digest),
  /** Digest of the verdict before this one in the same run; null for the first. */
  previous: Digest.nullable(),
}

export const Verdict = z.discriminatedUnion('outcome', [
  z.strictObject({ ...common, outcome: z.literal('pass'), evidence: z.array(Digest).min(1), message: z.string().min(1), expiresAt: z.iso.datetime() }),
  z.strictObject({ ...common, outcome: z.literal('block'), reason: z.enum(REASONS), message: z.string().min(1), asked: z.string().min(1), found: z.string().min(1), remedy: z.string().min(1) }),
  z.strictObject({ ...common, outcome: z.literal('abstain'), reason: z.enum(REASONS), message: z.string().min(1) }),
])
export type Verdict = z.infer<typeof Verdict>
export type Pass = Extract<Verdict, { outcome: 'pass' }>
export type Block = Extract<Verdict, { outcome: 'block' }>

/** The only question an enforcement point may ask. An expired or abstaining verdict does not permit. */
export function permits(verdict: Verdict, subject: Subject, now: Date): verdict is Pass {
  return (
    verdict.outcome === 'pass' &&
    now.getTime() < Date.parse(verdict.expiresAt) &&
    verdict.subject.some((judged) => judged.name === subject.name && judged.digest.sha256 === subject.digest.sha256)
  )
}
