export { healthGate, type Healthy, type HealthyContent, healthyProof } from './gate.ts'
export { HealthEvidence, HealthFacts, ProbeCall } from './health-facts.ts'
export type { Probe, ProbeRequest, ProbeSight, ProbeTarget } from './ports.ts'
export { probeCallOf, type RecordedProbe } from './probe-call.ts'
