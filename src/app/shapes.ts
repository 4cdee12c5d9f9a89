import * as z from 'zod'
import { LIFECYCLE } from '../contract/lifecycle.ts'
import { REASONS } from '../contract/reasons.ts'
import { RunId } from '../contract/ids.ts'
import type { AgentPath } from '../gates/readiness/index.ts'

/** The shapes of answers, for the surfaces that publish them. */
export { PROBLEM_CODES, QueuedRun, RunSummary } from '../engine/index.ts'
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

export { type AgentView, Fleet, FleetPage, ShownAgent } from './fleet.ts'
export { ProfileHealth } from './health-desk.ts'

/** Why an agent may be started by hand; every other path is the server's own. */
export const STARTING_PATHS = ['create', 'external_create', 'import', 'bundle', 'team', 'resume', 'configuration_refresh'] as const satisfies readonly AgentPath[]

/** A generation that has begun, with what an agent of somebody else needs to reach its model. */
export const AgentStarted = z.strictObject({
  run_id: RunId,
  generation: z.int().positive(),
  access: z.strictObject({ token: z.string(), base_url: z.url(), expires_at: z.iso.datetime() }).nullable(),
})
