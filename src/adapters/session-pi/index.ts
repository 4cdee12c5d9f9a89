import type { SessionRuntime } from '../../engine/sessions/runtime.ts'
import { piAgent } from '../agent-pi/index.ts'
import { manifest } from './manifest.ts'
import { openSession } from './session.ts'

/** Live sessions of pi, in its RPC mode. Planned like its runs: one program, one configuration. */
export function piSessions(location: { readonly program: string | undefined; readonly directory: string }): SessionRuntime {
  const { plan } = piAgent(location)
  return { name: 'pi', mode: 'HEADLESS', manifest, plan, open: (_launch, start, open) => openSession(start, open) }
}
