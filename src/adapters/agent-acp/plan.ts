import type { Planned, PlanRequest } from '../../gates/launch/index.ts'
import { planCommand } from '../agent-command/index.ts'
import { refusePlan } from '../runtime-process/index.ts'
import { acpEnvironmentOf } from './configuration.ts'

/**
 * Plans the argv of a profile. Only in the mode bypass: nothing else could hold a program of unknown making to a mode. What such a
 * program reads in a repository by itself, before it has its prompt, only its user can know: hooks, tools, another model. Whoever has
 * not looked that up has not said that the repository brings none of it, and a run too few is the lesser error.
 */
export async function plan(request: PlanRequest): Promise<Planned> {
  if (request.profile.refuses !== undefined) return await planCommand(request, acpEnvironmentOf)
  return refusePlan({
    reason: 'agent_setting_unsupported',
    message: 'The profile does not say which settings of a repository its program would take.',
    asked: `profile ${request.profileName}: refuses`,
    found: 'none',
    remedy: 'Name what the program reads in a repository, as in refuses: [.agent/settings.json, .env]; refuses: [] says that it reads nothing there.',
  })
}
