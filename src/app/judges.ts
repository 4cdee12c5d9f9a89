import type { Clock } from '../contract/clock.ts'
import type { World } from '../engine/index.ts'

/** Who judges beside the probes, and what tells whether another process still runs a run. Each is required, as in the world. */
export async function judges(options: { readonly path: string; readonly timeoutMs: number; readonly secrets: () => readonly string[]; readonly clock: Clock }): Promise<Pick<World, 'deliveries' | 'reviewRunner' | 'host' | 'isRunning' | 'machineClock'>> {
  const [{ createDeliveryChecker }, { createReviewRunner }, { isRunning, machineClock, thisProcess }] = await Promise.all([import('../adapters/git-truth/index.ts'), import('../adapters/review-runner/index.ts'), import('../adapters/process/index.ts')])
  return { deliveries: createDeliveryChecker(options), reviewRunner: createReviewRunner(options), host: thisProcess(), isRunning, machineClock: machineClock() }
}
