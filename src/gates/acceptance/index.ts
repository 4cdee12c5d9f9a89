export { AcceptanceEvidence, AcceptanceFacts, BoundProbe, Objection, recordsOf, RunnerState } from './acceptance-facts.ts'
export { bindProbes, type Binding, type BindingRequest, type BindingResult } from './binding.ts'
export { isReadyForReview, type Accepted, type AcceptedContent, acceptanceGate, acceptedProof, type ItemStatus, itemStatuses } from './gate.ts'
export { CHANGE_CHECK, type ComparedCheck, type Comparison, compareWithBaseline } from './comparison.ts'
export { faultOfExpression } from './expression.ts'
export { FakeWork, fakeWorkDigest, FakeWorkEvidence, fakeWorkStatement } from './fake-work.ts'
export type { ProbeRequest, ProbeRunner, ReviewAnswered, ReviewRequest, ReviewRunner, ReviewTarget } from './ports.ts'
export {
  HeadlessRunPayload,
  OutputPreview,
  PREVIEW_CHARACTERS,
  PROBE_PHASES,
  PROBE_STATUSES,
  type ProbePhase,
  ProbeRecord,
  ProbeRecordEvidence,
  type ProbeStatus,
  recordDigest,
  recordStatement,
} from './probe-record.ts'
export { type PhaseResult, runProbes } from './run-probes.ts'
export { DeliveredRepository, DeliveryClaim, differenceOf } from './delivery.ts'
export { type AskedReview, reviewRecordOf } from './make-review.ts'
export { authorityDigest, HUMAN_FAMILY, type ReviewStanding, standingOf } from './judge-reviews.ts'
export { judgeAnswer, ReviewAnswer, type ReviewSight } from './review-answer.ts'
export { BoundReview, BoundReviewer, bindReview, type NamedReviewer, type ReviewBinding } from './review-binding.ts'
export { blockingFindings, droppedBlockingFindings, Finding as ReviewFinding, reviewDigest, ReviewEvidence, ReviewRecord, ReviewScope, reviewStatement, type ReviewVerdict } from './review-record.ts'
export { STAGE_2, TargetLook } from './target-look.ts'
export { vacuousReason } from './vacuous.ts'
