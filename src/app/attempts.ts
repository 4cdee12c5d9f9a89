import type { LedgerOnDemand } from '../adapters/store-sqlite/index.ts'
import { composeWorld, runAnswerOf, type RunAnswer, taskWatcherOf, type RunWatcher } from '../app.ts'
import { type Fence, type Fenced, fencedLedger, resumeRun, runTask, type World } from '../engine/index.ts'
import type { AppOptions } from './places.ts'
import { type AskedTask, taskRequestOf } from './task-request.ts'

/** A claim as the attempts that come under it see it. */
export interface Held {
  readonly fence: Fence
  standing(): Promise<Fenced>
}

export interface AttemptParts {
  readonly options: AppOptions
  readonly ledgers: LedgerOnDemand
  readonly stateDirectory: string
}

/** The world of an attempt: nothing is written, and no model asked, under a claim that is not in force any more. */
async function worldUnder({ options, ledgers, stateDirectory }: AttemptParts, held: Held): Promise<World> {
  const world = await composeWorld(options, ledgers, stateDirectory)
  const withdrawn = async () => {
    const standing = await held.standing()
    return standing.ok ? undefined : standing.refusal
  }
  return { ...world, claim: held.fence, ledger: fencedLedger(world.ledger, held.fence), openWire: (recorder, served) => world.openWire(recorder, { port: 0, current: () => true, ...served, withdrawn }) }
}

/** Takes a task through every gate under a claim, in a run of its own. */
export async function attempt(parts: AttemptParts, held: Held, request: AskedTask, watcher: RunWatcher): Promise<RunAnswer> {
  const { asked, world } = taskRequestOf(parts.options, await worldUnder(parts, held), request)
  return runAnswerOf(parts.options, await runTask(world, asked, taskWatcherOf(watcher)))
}

/** Ends the run of an earlier attempt as interrupted, whatever it had come to: its worker may still be alive, and nothing that it left is built upon. */
export async function closeAttempt(parts: AttemptParts, held: Held, runId: string, watcher: RunWatcher): Promise<void> {
  const world = await worldUnder(parts, held)
  // The claim says whose it is: a worker that was only stopped is still in the table of processes.
  await resumeRun({ ...world, isRunning: () => false }, runId, { cancelled: new AbortController().signal, watcher: taskWatcherOf(watcher), abandon: true })
}
