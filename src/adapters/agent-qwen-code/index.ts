import type { AgentAdapter } from '../../engine/agent.ts'
import { AcpProtocol, openCliSession, planCli } from '../agent-cli/index.ts'
import { manifest } from './manifest.ts'
import { modelOf, QWEN_CODE } from './plan.ts'

/** Drives Qwen Code. `program` names it; if undefined it is looked for from `directory` upwards in node_modules/.bin, then on PATH. */
export function qwenCodeAgent(location: { readonly program: string | undefined; readonly directory: string }): AgentAdapter {
  return {
    name: QWEN_CODE.agent,
    manifest,
    plan: (request) => planCli(request, location, QWEN_CODE),
    // It answers about itself before it gets its prompt: readiness asks it.
    preflight: () => Promise.resolve(null),
    open: (launch, start, now) => openCliSession(new AcpProtocol({ workspace: launch.plan.workspace, modelOf, versionPlanned: true, allows: false }), QWEN_CODE.title, start, now),
  }
}
