export { Delivery, DeliveryEvidence, DispatchEvidence, DispatchFacts, SESSION_STATES, type SessionState } from './dispatch-facts.ts'
export { dispatchGate, dispatchProof } from './gate.ts'
export type { DispatchTarget } from './ports.ts'
export { spendTurn, type Turn, type TurnContent } from './turn.ts'
