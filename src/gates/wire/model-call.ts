import * as z from 'zod'
import { definePredicate } from '../../contract/evidence.ts'
import { Dialect, ModelPair } from '../../contract/model.ts'
import { REASONS } from '../../contract/reasons.ts'
import { Digest } from '../../contract/verdict.ts'

/** Who caused the call: the agent's work, or Portcullis' own health probe, which must never count as work. */
export const CALL_PURPOSES = ['agent', 'health'] as const
export const CallPurpose = z.enum(CALL_PURPOSES)
export type CallPurpose = z.infer<typeof CallPurpose>

export const TokenUsage = z.strictObject({
  inputTokens: z.int().nonnegative(),
  outputTokens: z.int().nonnegative(),
  cacheReadTokens: z.int().nonnegative(),
  cacheWriteTokens: z.int().nonnegative(),
  reasoningTokens: z.int().nonnegative(),
})
export type TokenUsage = z.infer<typeof TokenUsage>

/** One try at a candidate that did not become the answer: it was skipped, or failed before the agent got a byte (WIR-31, WIR-32). */
export const Hop = z.strictObject({
  admitted: ModelPair,
  reason: z.enum(REASONS),
  detail: z.string(),
  providerStatus: z.int().nullable(),
  durationMs: z.number().nonnegative(),
})
export type Hop = z.infer<typeof Hop>

/**
 * What happened to one request on the wire (WIR-20). `requestedModel`, `admitted` and `servedModel` are three facts and
 * are never filled from one another: an answer that names no model has `servedModel: null`.
 */
export const ModelCall = z.strictObject({
  /** Order of arrival within the run, from 1. */
  number: z.int().positive(),
  /** The generation of the run whose token was presented. */
  epoch: z.int().positive(),
  purpose: CallPurpose,
  dialect: Dialect.nullable(),
  method: z.string(),
  /** The route, without any run token or query. */
  route: z.string(),
  /** True for requests that ask a model for an answer; false for listings, `HEAD /` and the like. */
  inference: z.boolean(),
  requestedModel: z.string().nullable(),
  /** What the request asked for beside the model, as the wire read it. Left out where the profile names neither. */
  effort: z.string().max(100).nullable().optional(),
  context: z.string().max(100).nullable().optional(),
  /** The pair that the call ended at, after the hops. */
  admitted: ModelPair,
  hops: z.array(Hop).max(100),
  servedModel: z.string().nullable(),
  endpoint: z.url(),
  /** `answered`: complete, by an admitted model. `refused`: by the wire, nothing was forwarded. `failed`: forwarded, but no complete admitted answer. */
  outcome: z.enum(['answered', 'refused', 'failed']),
  /** Why it was refused or failed; null when answered. */
  reason: z.enum(REASONS).nullable(),
  /** A sentence for people. Never quotes a header, a credential or a body. */
  detail: z.string().nullable(),
  /** The provider's status; null when nothing came back. */
  providerStatus: z.int().nullable(),
  /** The status the agent received; null when it had gone. */
  clientStatus: z.int().nullable(),
  stream: z.boolean(),
  /** True when the answer contains at least one tool call. */
  toolCalls: z.boolean(),
  usage: TokenUsage.nullable(),
  costUsd: z.number().nonnegative().nullable(),
  requestBytes: z.int().nonnegative(),
  responseBytes: z.int().nonnegative(),
  requestDigest: Digest,
  responseDigest: Digest.nullable(),
  providerRequestId: z.string().nullable(),
  startedAt: z.iso.datetime(),
  firstByteMs: z.number().nonnegative().nullable(),
  durationMs: z.number().nonnegative(),
})
export type ModelCall = z.infer<typeof ModelCall>

export const ModelCallEvidence = definePredicate('https://portcullis.dev/evidence/model-call/v1', ModelCall)
