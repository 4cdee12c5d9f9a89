import type { AgentAdapter } from '../../engine/agent.ts'
import { manifest } from './manifest.ts'
import { plan } from './plan.ts'
import { openSession } from './session.ts'

/** Drives pi. `program` names it; if undefined it is looked for from `directory` upwards in node_modules/.bin, then on PATH. */
export function piAgent(location: { readonly program: string | undefined; readonly directory: string }): AgentAdapter {
  return {
    name: 'pi',
    manifest,
    plan: (request) => plan(request, location),
    // Pi answers about itself before it gets its prompt: readiness asks it.
    preflight: () => Promise.resolve(null),
    open: openSession,
  }
}
