import { z } from 'zod'
import { Name } from '../contract/ids.ts'

export const AcceptanceItem = z.strictObject({
  id: z.int().positive(),
  text: z.string().min(1),
  probes: z.array(Name).min(1),
})
export type AcceptanceItem = z.infer<typeof AcceptanceItem>

/** One piece of work (`task.yaml`). Paths are relative to the file. */
export const Task = z.strictObject({
  $schema: z.string().optional(),
  id: Name,
  title: z.string().min(1),
  class: Name,
  purpose: Name,
  profile: Name,
  /** The run works on a copy; the original is never written. */
  repositories: z.array(z.strictObject({ path: z.string().min(1), branch: z.string().min(1) })).length(1, 'exactly one repository can be worked on in a run'),
  prompt: z.string().min(1),
  acceptance: z.array(AcceptanceItem),
  /** `untouched: must-fail` runs the probes on the untouched copy, where they must fail; `reference` is a patch with which they must pass. */
  baseline: z.strictObject({ untouched: z.literal('must-fail'), reference: z.string().min(1).optional() }),
})
export type Task = z.infer<typeof Task>
