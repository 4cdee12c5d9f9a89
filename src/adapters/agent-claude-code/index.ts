import type { AgentAdapter } from '../../engine/agent.ts'
import { openCliSession, planCli } from '../agent-cli/index.ts'
import { manifest } from './manifest.ts'
import { CLAUDE_CODE } from './plan.ts'
import { ClaudeProtocol } from './protocol.ts'

export { CONTEXTS, contextSetting } from './configuration.ts'
export { CLAUDE_CODE } from './plan.ts'

/** Drives Claude Code. `program` names it; if undefined it is looked for from `directory` upwards in node_modules/.bin, then on PATH. */
export function claudeCodeAgent(location: { readonly program: string | undefined; readonly directory: string }): AgentAdapter {
  return {
    name: CLAUDE_CODE.agent,
    manifest,
    plan: (request) => planCli(request, location, CLAUDE_CODE),
    // It answers about itself before it gets its prompt: readiness asks it.
    preflight: () => Promise.resolve(null),
    open: (launch, start, now) => openCliSession(new ClaudeProtocol(launch.plan.model.model), CLAUDE_CODE.title, start, now),
  }
}
