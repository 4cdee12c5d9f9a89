import type { Clock } from '../../contract/clock.ts'
import type { Launcher } from '../../engine/world.ts'
import type { ProcessSpec } from '../process/index.ts'
import { observeReadiness } from './observe.ts'
import { startAgent } from './start-agent.ts'

/** Starts agents as processes of this machine, and looks at them there. `keep` bounds what is held of their output in memory. */
export function processLauncher({ now, keep }: { readonly now: Clock; readonly keep: ProcessSpec['keep'] }): Launcher {
  return {
    start: (permit, launch, options) => startAgent(permit, launch, { now, keep, logs: options.logs, onStdout: options.onStdout.bind(options) }),
    observe: observeReadiness,
  }
}
