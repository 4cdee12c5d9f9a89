import type { SessionRuntime } from '../../engine/sessions/runtime.ts'
import { type LiveLaunch, planLive } from '../session-common/index.ts'
import { manifest } from './manifest.ts'
import { openSession } from './session.ts'

export { GEMINI } from './plan.ts'

/** Live sessions of an agent that speaks the Agent Client Protocol; `launch` says how it is started. `program` is the absolute path of its program. */
export const acpSessions = ({ name, program, launch }: { readonly name: string; readonly program: string; readonly launch: LiveLaunch }): SessionRuntime => ({
  name,
  mode: 'HEADLESS',
  manifest,
  plan: (request) => planLive(request, program, launch),
  open: (_launch, start, open) => openSession(start, open),
})
