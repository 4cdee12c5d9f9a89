import type { SessionRuntime } from '../../engine/sessions/runtime.ts'
import { CLAUDE_CODE } from '../agent-claude-code/index.ts'
import { type LiveProgram, planLive } from '../session-common/index.ts'
import { manifest } from './manifest.ts'
import { CLAUDE } from './plan.ts'
import { openSession } from './session.ts'

export { CLAUDE } from './plan.ts'

/** Live sessions of Claude Code over stream-json. */
export const claudeCodeSessions = (location: LiveProgram): SessionRuntime => ({
  name: 'claude-code',
  mode: 'HEADLESS',
  manifest,
  plan: (request) => planLive(request, location, CLAUDE_CODE, CLAUDE),
  open: (_launch, start, open) => openSession(start, open),
})
