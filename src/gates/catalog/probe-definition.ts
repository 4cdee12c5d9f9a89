import * as z from 'zod'
import { digestOf } from '../../contract/canonical.ts'
import { Name } from '../../contract/ids.ts'
import type { Digest } from '../../contract/verdict.ts'
import { ApiSmokeProbe } from './api-smoke-probe.ts'
import { AllowsWrites, Expression, ProbeCommand, ProbeEnvironment, ProbeTimeout } from './probe-parts.ts'
import { RenderHashProbe } from './render-hash-probe.ts'
import { SimTraceProbe } from './sim-trace-probe.ts'
import { ReviewRule } from './reviewer-definition.ts'

export const PROBE_KINDS = ['headless_run', 'api_smoke', 'render_hash', 'sim_trace'] as const
export type ProbeKind = (typeof PROBE_KINDS)[number]

/** A command that must end as expected within its limit. At least one expectation is required: a probe that asserts nothing proves nothing (ACC-53). */
export const HeadlessRunProbe = z.strictObject({
  kind: z.literal('headless_run'),
  command: ProbeCommand,
  timeout: ProbeTimeout,
  expect: z
    .strictObject({
      exitCode: z.int().min(0).max(255).describe('The exit code that passes.'),
      stdout: Expression.optional().describe('A regular expression that the output must match; `^` and `$` match at lines.'),
    })
    .describe('What must hold for the probe to pass.'),
  environment: ProbeEnvironment.optional(),
  allowsWrites: AllowsWrites.optional(),
})

export const ProbeDefinition = z.discriminatedUnion('kind', [HeadlessRunProbe, ApiSmokeProbe, RenderHashProbe, SimTraceProbe])
export type ProbeDefinition = z.infer<typeof ProbeDefinition>
export type HeadlessRunProbe = z.infer<typeof HeadlessRunProbe>

/** Whether what is run may change files. It then works on a copy that is thrown away. */
export const mayWrite = (definition: ProbeDefinition): boolean => 'allowsWrites' in definition && definition.allowsWrites === true

/** What a record names its definition by: a changed definition needs a new record. */
export const definitionDigest = (definition: ProbeDefinition): Digest => digestOf(definition)

/** What kind of work a task is, and which probes prove it. `product` needs at least one probe (ACC-14). */
export const TaskClass = z.strictObject({
  completion: z.enum(['product', 'code', 'review']).describe('product: probes must pass. code: a change is enough. review: a reviewer must agree.'),
  probes: z.array(Name).describe('The probes of every task of this class, in order.'),
  review: ReviewRule.optional().describe('Who must agree to the work beside its probes. A class whose completion is review and that names none refuses every task.'),
})
export type TaskClass = z.infer<typeof TaskClass>
export const COMPLETIONS = ['product', 'code', 'review'] as const
