import type { SessionRuntime } from '../../engine/sessions/runtime.ts'
import { planLive } from '../session-common/index.ts'
import { manifest } from './manifest.ts'
import { CODEX } from './plan.ts'
import { openSession } from './session.ts'

/** Live sessions of Codex through its app-server. `program` is the absolute path of its program. */
export const codexSessions = ({ program }: { readonly program: string }): SessionRuntime => ({
  name: 'codex',
  mode: 'HEADLESS',
  manifest,
  plan: (request) => planLive(request, program, CODEX),
  open: (_launch, start, open) => openSession(start, open),
})
