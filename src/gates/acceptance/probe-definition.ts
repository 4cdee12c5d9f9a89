import { z } from 'zod'
import { Name } from '../../contract/ids.ts'
import { Duration } from '../../contract/units.ts'

export const PROBE_KINDS = ['headless_run', 'api_smoke', 'render_hash', 'sim_trace'] as const
export type ProbeKind = (typeof PROBE_KINDS)[number]

/** A command that must end as expected within its limit. At least one expectation is required: a probe that asserts nothing proves nothing (ACC-53). */
export const HeadlessRunProbe = z.strictObject({
  kind: z.literal('headless_run'),
  command: z.array(z.string().min(1)).min(1),
  timeout: Duration,
  /** `stdout` is a regular expression that the output must match. */
  expect: z.strictObject({ exitCode: z.int().min(0).max(255), stdout: z.string().min(1).optional() }),
  /** Environment variables the command may see beside the basic ones, by name. */
  environment: z.array(z.string().min(1)).optional(),
  allowsWrites: z.boolean().optional(),
})

/** A kind of probe that is named by the documents and has no runner yet: it can be declared, and it blocks (ACC-11). */
export const UnimplementedProbe = z.looseObject({
  kind: z.enum(['api_smoke', 'render_hash', 'sim_trace']),
  timeout: Duration,
})

export const ProbeDefinition = z.discriminatedUnion('kind', [HeadlessRunProbe, UnimplementedProbe])
export type ProbeDefinition = z.infer<typeof ProbeDefinition>
export type HeadlessRunProbe = z.infer<typeof HeadlessRunProbe>

/** What kind of work a task is, and which probes prove it. `product` needs at least one probe (ACC-14). */
export const TaskClass = z.strictObject({
  completion: z.enum(['product', 'code', 'review']),
  probes: z.array(Name),
})
export type TaskClass = z.infer<typeof TaskClass>
