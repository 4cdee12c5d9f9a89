import type { AgentAdapter } from '../../engine/agent.ts'
import { manifest } from './manifest.ts'
import { plan } from './plan.ts'
import { openSession } from './session.ts'

export { environmentOf } from './configuration.ts'
export { planCommand } from './plan.ts'

/** Any argv that reads a base URL and a token from its environment, and its prompt from standard input. */
export const commandAgent: AgentAdapter = {
  name: 'command',
  manifest,
  plan,
  // Its plan names no more than files, and those were looked at.
  preflight: () => Promise.resolve(null),
  open: (_launch, start, now) => openSession(start, now),
}
