import type { LaunchPlan } from '../launch/index.ts'
import type { ReadinessFacts } from './readiness-facts.ts'

/** Looks at the process that runs and at the files it was given, as they are now. Never trusts the plan, never throws for what it does not find. */
export interface AgentObserver {
  observe(plan: LaunchPlan): Promise<Omit<ReadinessFacts['observed'], 'responded' | 'claims'>>
}
