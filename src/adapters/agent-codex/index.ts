import type { AgentAdapter } from '../../engine/agent.ts'
import { openCliSession, planCli } from '../agent-cli/index.ts'
import { manifest } from './manifest.ts'
import { CODEX } from './plan.ts'
import { CodexProtocol } from './protocol.ts'

export { COMPLETION_VARIABLE, filesOf as codexFiles, TOKEN_VARIABLE } from './configuration.ts'
export { CODEX } from './plan.ts'

/** Drives Codex. `program` names it; if undefined it is looked for from `directory` upwards in node_modules/.bin, then on PATH. */
export function codexAgent(location: { readonly program: string | undefined; readonly directory: string }): AgentAdapter {
  return {
    name: CODEX.agent,
    manifest,
    plan: (request) => planCli(request, location, CODEX),
    // `--strict-config` refuses a configuration it does not understand before anything is asked.
    preflight: () => Promise.resolve(null),
    open: (_launch, start, now) => openCliSession(new CodexProtocol(), CODEX.title, start, now),
  }
}
