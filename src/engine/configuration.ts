import * as z from 'zod'
import { Name } from '../contract/ids.ts'
import { Duration } from '../contract/units.ts'
import { Catalog } from '../gates/catalog/index.ts'
import { ProbeDefinition, TaskClass } from '../gates/catalog/index.ts'

/** How old a health probe may be and still count; older is unknown, and unknown is not healthy (MC-106). */
export const HealthPolicy = z.strictObject({
  onStart: z.boolean().describe('Probe when Portcullis starts.'),
  every: Duration.describe('How often a profile is probed.'),
  maxAge: Duration.describe('How old a probe may be and still count.'),
})

/** `portcullis.yaml`: every table of it is required where something refers to it, and nothing has a default. */
export const Configuration = Catalog.extend({
  $schema: z.string().optional(),
  version: z.literal(1),
  probes: z.record(Name, ProbeDefinition).describe('Commands that prove work, by name.'),
  taskClasses: z.record(Name, TaskClass).describe('Kinds of work, and the probes that prove them.'),
  health: HealthPolicy.describe('How often providers are asked whether they answer.'),
})
export type Configuration = z.infer<typeof Configuration>
