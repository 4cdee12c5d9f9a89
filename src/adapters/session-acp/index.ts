import type { SessionRuntime } from '../../engine/sessions/runtime.ts'
import { type Installed, type LiveLaunch, type LiveProgram, planLive } from '../session-common/index.ts'
import { manifest } from './manifest.ts'
import { openSession } from './session.ts'

export { GEMINI } from './plan.ts'

/** Live sessions of an agent that speaks the Agent Client Protocol; `launch` says how it is started, `cli` how it is installed. */
export const acpSessions = ({ name, cli, launch, ...location }: LiveProgram & { readonly name: string; readonly cli: Installed; readonly launch: LiveLaunch }): SessionRuntime => ({
  name,
  mode: 'HEADLESS',
  manifest,
  plan: (request) => planLive(request, location, cli, launch),
  open: (_launch, start, open) => openSession(start, open),
})
