import type { AgentAdapter } from '../../engine/agent.ts'
import { AcpProtocol, openCliSession, planCli } from '../agent-cli/index.ts'
import { manifest } from './manifest.ts'
import { GEMINI_CLI } from './plan.ts'

export { sessionFilesOf as geminiSessionFiles, settingsOf as geminiSettings } from './configuration.ts'
export { GEMINI_CLI } from './plan.ts'

/** Drives Gemini CLI. `program` names it; if undefined it is looked for from `directory` upwards in node_modules/.bin, then on PATH. */
export function geminiCliAgent(location: { readonly program: string | undefined; readonly directory: string }): AgentAdapter {
  return {
    name: GEMINI_CLI.agent,
    manifest,
    plan: (request) => planCli(request, location, GEMINI_CLI),
    // It answers about itself before it gets its prompt: readiness asks it.
    preflight: () => Promise.resolve(null),
    open: (launch, start, now) => openCliSession(new AcpProtocol({ workspace: launch.plan.workspace, modelOf: (id) => id, versionPlanned: true, allows: false }), GEMINI_CLI.title, start, now),
  }
}
