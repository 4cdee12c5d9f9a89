import type { Wire } from '../../gates/wire/index.ts'
import type { World } from '../world.ts'
import type { SessionRuntime } from './runtime.ts'

/** What live sessions need of the world, beside what every run does. */
export interface SessionWorld extends World {
  /** Every way to drive a session, told apart by the agent of a profile and by the mode. */
  readonly runtimes: readonly SessionRuntime[]
  /** Ends a process that an earlier server left behind, if it is that very one. */
  endLeftover(pid: number, startTicks: number): Promise<void>
}

/** Where the sessions of a project work, and for what: from portcullis.yaml and nowhere else. */
export interface SessionPlace extends PlacedRepository {
  readonly purpose: string
  /** Of the project, and the name of its folder where it is not the only one. */
  readonly project: string
  /** Whether each answer is held to the schema of a completion. */
  readonly bySchema: boolean
  /** What a ticket of the project may declare beside it, by name. */
  readonly others: ReadonlyMap<string, PlacedRepository>
}

export interface PlacedRepository {
  /** Absolute; a session works on a copy of it. */
  readonly repository: string
  readonly branch: string
}

export interface SessionHostParts {
  /** With the configuration as it is now: it counts for the next session, and changes none that runs (MC-086). */
  world(): SessionWorld
  /** Opened by the first session. */
  wire(): Promise<Wire>
  /** Throws `usage` for a project of which the configuration says nothing. */
  place(project: string): SessionPlace
  /** Where a session completes its turns; undefined while nobody listens there. */
  completionUrl(): string | undefined
}
