import type { Refusal } from '../../contract/gate.ts'
import type { Dialect, ModelPair } from '../../contract/model.ts'
import type { Profile } from '../catalog/index.ts'
import type { LaunchPlan } from './launch-plan.ts'

/** What an adapter needs to plan a launch. Every directory exists, is empty and lies in the run's own directory. */
export interface PlanRequest {
  readonly runId: string
  readonly profileName: string
  readonly profile: Profile
  readonly pair: ModelPair
  readonly dialect: Dialect
  /** The provider's own address, which only the wire calls. For comparing: an agent is never given it. */
  readonly endpoint: string
  /** The wire's base URL for the dialect, and the run token that opens it. The token is the only secret an agent ever holds. */
  readonly baseUrl: string
  readonly runToken: string
  readonly workspace: string
  readonly home: string
  readonly configuration: string
  readonly temporary: string
  /** The values an agent may inherit from our environment, by name; adapters pick from it by an allow-list of their own. */
  readonly inherited: Readonly<Record<string, string | undefined>>
}

/** A file that must stand, with exactly these bytes, before the agent starts. */
export interface PlannedFile {
  readonly path: string
  readonly content: string
}

/**
 * A planned launch: `plan` is what is stored and judged (no secret in it), the rest is what is really started.
 * Planning starts no process.
 */
export interface PlannedLaunch {
  readonly plan: LaunchPlan
  readonly argv: readonly [string, ...string[]]
  readonly environment: Readonly<Record<string, string>>
  readonly files: readonly PlannedFile[]
}

export type Planned = { readonly ok: true; readonly launch: PlannedLaunch } | { readonly ok: false; readonly refusal: Refusal }
