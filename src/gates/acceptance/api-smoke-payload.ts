import * as z from 'zod'
import { Digest } from '../../contract/verdict.ts'
import { REQUESTS_AT_MOST } from '../catalog/index.ts'
import { Cause, OutputPreview, VariableNames } from './output-preview.ts'
import type { ProbeStatus } from './probe-status.ts'

/** More of what was wrong with one answer helps nobody. */
export const EXCHANGE_FAULTS = 3

/** Beside the declared requests: an unknown path, a malformed body, and whether the service lives on after that. */
const ALWAYS_ASKED = ['unknown_path', 'malformed_body', 'afterwards'] as const

/** One request and what came of it. */
export const Exchange = z.strictObject({
  purpose: z.enum(['declared', ...ALWAYS_ASKED]),
  method: z.string().max(10),
  path: z.string().max(500),
  /** `200`, or `4xx`. */
  expected: z.string().max(10),
  /** Null if no answer came. */
  status: z.int().nullable(),
  /** Of the body, which was read to its end. */
  bytes: z.int().nonnegative().nullable(),
  sha256: Digest.nullable(),
  faults: z.array(z.string().min(1).max(200)).max(EXCHANGE_FAULTS),
})
export type Exchange = z.infer<typeof Exchange>

/** How a service ended, and whether it did so when it was asked to. */
export const ServiceEnd = z.strictObject({ asked: z.boolean(), exit_code: z.int().nullable(), signal: z.string().max(50).nullable(), leaked: z.boolean() })
export type ServiceEnd = z.infer<typeof ServiceEnd>

export const ApiSmokePayload = z.strictObject({
  error: Cause,
  /** How many requests the definition declares. */
  declared: z.int().positive(),
  /** Null if the service never became ready. */
  ready_after_ms: z.number().nonnegative().nullable(),
  exchanges: z.array(Exchange).max(REQUESTS_AT_MOST + ALWAYS_ASKED.length),
  /** Null if the service was not started. */
  end: ServiceEnd.nullable(),
  stdout: OutputPreview.nullable(),
  stderr: OutputPreview.nullable(),
  environment: VariableNames,
  environment_withheld: VariableNames,
})
export type ApiSmokePayload = z.infer<typeof ApiSmokePayload>

/** Ended because it was asked to, by itself, with nothing left behind. SIGTERM that nobody catches ends a program just so. */
export const endedCleanly = (end: ServiceEnd | null): boolean => end !== null && end.asked && !end.leaked && (end.exit_code === 0 || end.signal === 'SIGTERM')

/** Why a status cannot follow from a payload of this kind; undefined if it can. */
export function contradictionOfApiSmoke(status: ProbeStatus, payload: unknown): string | undefined {
  const parsed = ApiSmokePayload.safeParse(payload)
  if (!parsed.success) return 'a payload that is not one of api_smoke'
  const { error, declared, ready_after_ms, exchanges, end } = parsed.data
  const wanted = [...Array.from({ length: declared }, () => 'declared'), ...ALWAYS_ASKED]
  const whole = error === null && ready_after_ms !== null && endedCleanly(end) && exchanges.map(({ purpose }) => purpose).join() === wanted.join() && exchanges.every(({ status: answered, faults }) => answered !== null && faults.length === 0)
  if (status === 'passed' && !whole) return 'a pass without an expected answer to every request, or without a clean end'
  if (status === 'failed' && error !== null) return 'a failure of a service that was not looked at'
  if (status === 'error' && error === null) return 'an error without its cause'
  if (status === 'needs_approval') return 'a service that waits for an approval'
  return undefined
}
