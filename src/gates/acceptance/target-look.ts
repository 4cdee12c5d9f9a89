import * as z from 'zod'
import { type Fault, fault } from './fault.ts'

/** The stage whose runs may not touch a target repository (ADM-N12). */
export const STAGE_2 = 'stage-2'

/** What was seen of one target repository when the run was over. */
export const TargetLook = z.strictObject({
  /** As the configuration writes it. */
  path: z.string().min(1).max(1_000),
  canary: z.boolean(),
  /** How many entries were compared. */
  entries: z.int().positive(),
  /** Entries that were read, listed, changed or removed; some of them, where there are many. */
  touched: z.array(z.string().min(1).max(300)).max(20),
  touched_count: z.int().nonnegative(),
})
export type TargetLook = z.infer<typeof TargetLook>

/** Why a run is not shown to have stayed away from the target repositories. */
export function faultOfTargets({ stage, targets }: { readonly stage: string; readonly targets: readonly TargetLook[] | null }): Fault | undefined {
  const asked = 'a run that reads, lists and copies nothing of a target repository'
  if (targets === null) return stage === STAGE_2 ? fault('targets_not_watched', 'Nobody watched the target repositories.', asked, 'no look at them after the run') : undefined
  const touched = targets.filter((target) => target.touched_count > 0 || target.touched.length > 0)
  if (touched.length === 0) return undefined
  const found = touched.map(({ path, touched: names, touched_count: count }) => `${path} (${names.slice(0, 5).join(', ')}${count > 5 ? ` and ${count - 5} more` : ''})`).join('; ')
  return fault('target_repository_touched', `A target repository was touched while the run went on: ${found}.`, asked, found)
}
