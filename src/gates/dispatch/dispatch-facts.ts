import * as z from 'zod'
import { definePredicate } from '../../contract/evidence.ts'
import { Digest } from '../../contract/verdict.ts'

export const SESSION_STATES = ['idle', 'running', 'dead'] as const
export type SessionState = (typeof SESSION_STATES)[number]

/** What was observed about a session that a prompt is to enter, or did not enter. */
export const DispatchFacts = z.strictObject({
  observedAt: z.iso.datetime(),
  validForMs: z.int().positive(),
  pid: z.int().positive(),
  promptDigest: Digest,
  promptBytes: z.int().nonnegative(),
  sessionState: z.enum(SESSION_STATES),
  /** How often this prompt was already handed to a session of this run, whether or not that worked: sent twice is worse than not sent (MC-036). */
  deliveriesBefore: z.int().nonnegative(),
  /** `before` asks whether the prompt may enter; `failed` records that it was tried and did not. */
  phase: z.enum(['before', 'failed']),
  /** What was found when the delivery failed; null before it is tried. */
  failure: z.string().min(1).max(4_096).nullable(),
})
export type DispatchFacts = Readonly<z.infer<typeof DispatchFacts>>

export const DispatchEvidence = definePredicate('https://portcullis.dev/evidence/dispatch/v1', DispatchFacts)

/** That a prompt entered a session, and how that is known. Evidence beside the verdict, which comes before the act. */
export const Delivery = z.strictObject({
  deliveredAt: z.iso.datetime(),
  pid: z.int().positive(),
  promptDigest: Digest,
  promptBytes: z.int().nonnegative(),
  /** What the session gave back for it: the agent's own acceptance, or that the system took every byte. */
  receipt: z.string().min(1).max(1_024),
})
export type Delivery = Readonly<z.infer<typeof Delivery>>

export const DeliveryEvidence = definePredicate('https://portcullis.dev/evidence/delivery/v1', Delivery)
