import type { SessionRuntime } from '../../engine/sessions/runtime.ts'
import { OPENCODE as CLI } from '../agent-opencode/index.ts'
import { refusePlan } from '../runtime-process/index.ts'
import { type LiveProgram, planLive } from '../session-common/index.ts'
import { manifest } from './manifest.ts'
import { OPENCODE, sealedRefusal } from './plan.ts'
import { openSession } from './session.ts'

/** Live sessions of opencode through its server. */
export const opencodeSessions = (location: LiveProgram): SessionRuntime => ({
  name: 'opencode',
  mode: 'HEADLESS',
  manifest,
  plan: async (request) => {
    const sealed = sealedRefusal(request)
    return sealed === undefined ? await planLive(request, location, CLI, OPENCODE) : refusePlan(sealed)
  },
  open: (launch, start, open) => openSession(launch, start, open),
})
