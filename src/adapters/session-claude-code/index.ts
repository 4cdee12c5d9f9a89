import type { SessionRuntime } from '../../engine/sessions/runtime.ts'
import { planLive } from '../session-common/index.ts'
import { manifest } from './manifest.ts'
import { CLAUDE } from './plan.ts'
import { openSession } from './session.ts'

export { CLAUDE } from './plan.ts'

/** Live sessions of Claude Code over stream-json. `program` is the absolute path of its program. */
export const claudeCodeSessions = ({ program }: { readonly program: string }): SessionRuntime => ({
  name: 'claude-code',
  mode: 'HEADLESS',
  manifest,
  plan: (request) => planLive(request, program, CLAUDE),
  open: (_launch, start, open) => openSession(start, open),
})
