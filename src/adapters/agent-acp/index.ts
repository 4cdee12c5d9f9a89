import type { AgentAdapter } from '../../engine/agent.ts'
import { AcpProtocol, openCliSession } from '../agent-cli/index.ts'
import { manifest } from './manifest.ts'
import { plan } from './plan.ts'

/**
 * Any program that speaks the Agent Client Protocol over its standard input and output, by the argv of its profile. It chooses its
 * model by that argv or by its environment; the wire knows what it asked.
 */
export const acpAgent: AgentAdapter = {
  name: 'acp',
  manifest,
  plan,
  // It answers about itself before it gets its prompt: readiness asks it.
  preflight: () => Promise.resolve(null),
  open(launch, start, now) {
    const { model } = launch.plan.model
    // Of its version nothing is planned that what it says could contradict.
    const protocol = new AcpProtocol({ workspace: launch.plan.workspace, modelOf: (id) => (id.endsWith(`/${model}`) ? model : id), versionPlanned: false, allows: launch.plan.permissions.mode === 'bypass' })
    return openCliSession(protocol, 'The agent', start, now)
  },
}
