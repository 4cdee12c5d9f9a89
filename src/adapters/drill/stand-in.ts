import { join } from 'node:path'
import { digestOf, sha256 } from '../../contract/canonical.ts'
import type { AgentAdapter } from '../../engine/index.ts'
import type { PlannedLaunch, PlanRequest } from '../../gates/launch/index.ts'
import { commandAgent } from '../agent-command/index.ts'
import type { DrillCopy } from './copy.ts'

/**
 * Runs the shipped stand-in under the name of the profile's own agent, so that records, purposes and limits are judged as
 * the user wrote them. The agent's own program is not started: a drill spends no token.
 */
export function standIn(copy: DrillCopy): AgentAdapter {
  return {
    name: copy.profile.agent,
    manifest: commandAgent.manifest,
    open: commandAgent.open,
    preflight: commandAgent.preflight,
    async plan(request) {
      const { agentVersion: _version, ...profile } = request.profile
      const planned = await commandAgent.plan({ ...request, profile: { ...profile, command: [...copy.command()], permissions: 'bypass' } })
      return planned.ok ? { ok: true, launch: withPlanted(planned.launch, request, copy) } : planned
    },
  }
}

/** As an adapter would plan it that hands the provider's credential on to the agent. */
function withPlanted(launch: PlannedLaunch, request: PlanRequest, { handed, canary }: DrillCopy): PlannedLaunch {
  if (handed === 'environment') {
    const environment = { ...launch.environment, PROVIDER_KEY: canary }
    return { ...launch, environment, plan: { ...launch.plan, environmentNames: Object.keys(environment).sort(), environmentDigest: digestOf(environment) } }
  }
  if (handed !== 'configuration') return launch
  const path = join(request.configuration, 'models.json')
  return { ...launch, files: [...launch.files, { path, content: canary }], plan: { ...launch.plan, files: [...launch.plan.files, { path, sha256: sha256(canary) }] } }
}
