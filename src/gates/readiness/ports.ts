import type { ExactPermission } from '../catalog/index.ts'
import type { LaunchPlan } from '../launch/index.ts'
import type { AgentReadinessFacts } from './agent-facts.ts'
import type { ReadinessFacts } from './readiness-facts.ts'

/** Looks at the process that runs and at the files it was given, as they are now. Never trusts the plan, never throws for what it does not find. */
export interface AgentObserver {
  observe(plan: LaunchPlan): Promise<Omit<ReadinessFacts['observed'], 'responded' | 'claims'>>
}

/** One observation of an agent: where its card is, what may be asked beside it, and what the question is bound to. */
export interface AgentQuestion {
  readonly cardUrl: string
  readonly permission: ExactPermission
  readonly runId: string
  readonly generation: number
  /** Fresh for every question, and not to be guessed. */
  readonly nonce: string
  /** The tool servers it must be connected to; with null, whichever it says. */
  readonly servers: readonly { readonly name: string; readonly url: string | null }[]
  /** Whether the agent is to ask its model now; a light look costs nothing. */
  readonly callModel: boolean
  /** For each single request. */
  readonly timeoutMs: number
  /** Ends the observation at once; what was not seen by then counts as not found. */
  readonly signal: AbortSignal
}

/** Looks at an agent from outside: its card, its answer, its tool servers. Never throws for what it does not find. */
export interface AgentProber {
  observe(question: AgentQuestion): Promise<Pick<AgentReadinessFacts, 'card' | 'challenge' | 'servers'>>
  /** Why an address may not be called, now; undefined if it may. For what somebody registers, before anything of it is stored. */
  judge(url: string, permission: ExactPermission): Promise<string | undefined>
}

/** The key with which an agent shows that it holds bytes: bound to run, generation and nonce, so that no answer serves twice. */
export const challengeKey = ({ runId, generation, nonce }: Pick<AgentQuestion, 'runId' | 'generation' | 'nonce'>): string => `portcullis-challenge/v1\n${runId}\n${generation}\n${nonce}`
