import type { SessionRuntime } from '../../engine/sessions/runtime.ts'
import { CODEX as CLI } from '../agent-codex/index.ts'
import { type LiveProgram, planLive } from '../session-common/index.ts'
import { manifest } from './manifest.ts'
import { CODEX } from './plan.ts'
import { openSession } from './session.ts'

/** Live sessions of Codex through its app-server. */
export const codexSessions = (location: LiveProgram): SessionRuntime => ({
  name: 'codex',
  mode: 'HEADLESS',
  manifest,
  plan: (request) => planLive(request, location, CLI, CODEX),
  open: (_launch, start, open) => openSession(start, open),
})
