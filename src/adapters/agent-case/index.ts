import type { AgentAdapter } from '../../engine/agent.ts'
import { manifest } from './manifest.ts'
import { plan, preflight } from './plan.ts'
import { openSession } from './session.ts'

export { caseRequestOf, VARIABLES } from './requests.ts'

/** Drives Case: the program and the Bun that a profile names, asked for by the variables of its documents. */
export const caseAgent: AgentAdapter = { name: 'case', manifest, plan, preflight, open: openSession }
