import * as z from 'zod'
import { LIFECYCLE } from '../contract/lifecycle.ts'
import { REASONS } from '../contract/reasons.ts'

/** The shapes of answers, for the surfaces that publish them. */
export { PROBLEM_CODES, RunSummary } from '../engine/index.ts'
export { ModelCall as CallShape } from '../gates/wire/index.ts'
export { renderCtrf, renderJunit, Report } from '../gates/report/index.ts'

/** What one probe found, as the engine answers it. */
export const ProbedShape = z.strictObject({
  profile: z.string(),
  run_id: z.string(),
  static_ok: z.boolean(),
  healthy: z.boolean(),
  stage: z.enum(LIFECYCLE),
  reason: z.enum(REASONS).nullable(),
  message: z.string(),
  pair: z.string().nullable(),
  served_model: z.string().nullable(),
  latency_ms: z.number().nullable(),
  tools: z.boolean().nullable(),
  refusal: z.strictObject({ asked: z.string(), found: z.string(), remedy: z.string() }).nullable(),
})
