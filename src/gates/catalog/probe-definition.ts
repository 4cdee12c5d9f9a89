import * as z from 'zod'
import { digestOf } from '../../contract/canonical.ts'
import { Name } from '../../contract/ids.ts'
import { Duration, parseDuration } from '../../contract/units.ts'
import type { Digest } from '../../contract/verdict.ts'
import { ReviewRule } from './reviewer-definition.ts'

export const PROBE_KINDS = ['headless_run', 'api_smoke', 'render_hash', 'sim_trace'] as const
export type ProbeKind = (typeof PROBE_KINDS)[number]

/** No probe may take longer than this, whatever its definition says (ACC-43). */
export const LONGEST_PROBE_MS = 3_600_000

/** Required in every kind: a probe without a limit is refused. */
const ProbeTimeout = Duration.refine((text) => (parseDuration(text) ?? Number.POSITIVE_INFINITY) <= LONGEST_PROBE_MS, 'expected a limit of at most 1h').describe('The probe is ended, with all its processes, when it takes longer; at most 1h.')

/** A command that must end as expected within its limit. At least one expectation is required: a probe that asserts nothing proves nothing (ACC-53). */
export const HeadlessRunProbe = z.strictObject({
  kind: z.literal('headless_run'),
  command: z.array(z.string().min(1)).min(1).describe('The program and its arguments; no shell is involved.'),
  timeout: ProbeTimeout,
  expect: z
    .strictObject({
      exitCode: z.int().min(0).max(255).describe('The exit code that passes.'),
      stdout: z.string().min(1).max(1_000).optional().describe('A regular expression that the output must match; `^` and `$` match at lines.'),
    })
    .describe('What must hold for the probe to pass.'),
  environment: z.array(z.string().min(1)).optional().describe('Environment variables the command may see beside the basic ones, by name.'),
  allowsWrites: z.boolean().optional().describe('The command may change files; it runs on a copy that is thrown away.'),
})

/** A kind of probe that is named by the documents and has no runner yet: it can be declared, and it blocks (ACC-11). */
export const UnimplementedProbe = z.looseObject({
  kind: z.enum(['api_smoke', 'render_hash', 'sim_trace']),
  timeout: ProbeTimeout,
})

export const ProbeDefinition = z.discriminatedUnion('kind', [HeadlessRunProbe, UnimplementedProbe])
export type ProbeDefinition = z.infer<typeof ProbeDefinition>
export type HeadlessRunProbe = z.infer<typeof HeadlessRunProbe>

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
