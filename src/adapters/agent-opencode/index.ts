import type { AgentAdapter } from '../../engine/agent.ts'
import { AcpProtocol, openCliSession, planCli } from '../agent-cli/index.ts'
import { manifest } from './manifest.ts'
import { OPENCODE } from './plan.ts'

export { filesOf as opencodeFiles, PROVIDER, settingsOf as opencodeSettings, TOKEN_VARIABLE } from './configuration.ts'
export { OPENCODE } from './plan.ts'

/** Drives opencode. `program` names it; if undefined it is looked for from `directory` upwards in node_modules/.bin, then on PATH. */
export function opencodeAgent(location: { readonly program: string | undefined; readonly directory: string }): AgentAdapter {
  return {
    name: OPENCODE.agent,
    manifest,
    plan: (request) => planCli(request, location, OPENCODE),
    // It answers about itself before it gets its prompt: readiness asks it.
    preflight: () => Promise.resolve(null),
    // It calls a model `provider/model`, and a model may have a slash of its own.
    open: (launch, start, now) => openCliSession(new AcpProtocol({ workspace: launch.plan.workspace, modelOf: (id) => id.slice(id.indexOf('/') + 1), versionPlanned: true, allows: false }), OPENCODE.title, start, now),
  }
}
