import type { Reason } from '../../contract/reasons.ts'
import type { AgentPath } from '../../gates/readiness/index.ts'
import type { AgentCondition, AgentRecord, AgentStage, AgentState, AgentStep } from './states.ts'

/** A new generation of an agent: the only way out of `failed`. Written with the first rows of its run. */
export interface AgentBirth {
  readonly name: string
  readonly deployment: string
  readonly path: AgentPath
  readonly message: string
  readonly at: Date
}

/** What changes of an agent, in one transaction with the rows of its run that it follows from. */
export interface AgentChange {
  readonly name: string
  readonly generation: number
  readonly to: AgentState
  readonly stage: AgentStage
  readonly reason: Reason | null
  readonly message: string
  readonly failures: number
  readonly at: Date
  /** `verdict`: the passing verdict of the same write keeps it online, until it expires. Anything but online has none. */
  readonly proof: 'verdict' | null
  readonly conditions: readonly Omit<AgentCondition, 'lastTransitionTime' | 'observedGeneration'>[]
}

/** What is kept of agents. Rejects with a `store_*` PortcullisError if the store is down; it is never taken for "no agent". */
export interface AgentStore {
  all(): Promise<readonly AgentRecord[]>
  find(name: string): Promise<AgentRecord | undefined>
  conditions(name: string): Promise<readonly AgentCondition[]>
  /** The whole history of an agent, in order, over all of its generations (RDY-44). */
  steps(name: string): Promise<readonly AgentStep[]>
  /** The statement of this type that was stored last in a run; undefined if there is none. */
  lastEvidence(runId: string, predicateType: string): Promise<unknown>
  /** The event by which a run was opened, as it is stored; undefined if there is no such run. */
  opening(runId: string): Promise<unknown>
  /** Notes a heartbeat. It changes no state: nothing that an agent sends raises it (RDY-14). */
  heartbeat(name: string, at: Date): Promise<void>
}
