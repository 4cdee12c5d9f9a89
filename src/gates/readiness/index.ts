export { readinessGate, readinessProof, type Ready, type ReadyContent } from './gate.ts'
export type { AgentObserver } from './ports.ts'
export { AgentClaims, expectationOf, ReadinessEvidence, ReadinessFacts } from './readiness-facts.ts'
