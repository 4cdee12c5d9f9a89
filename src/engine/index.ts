export type { AgentAdapter, AgentManifest, AgentProcess, AgentReadiness, AgentSession } from './agent.ts'
export { Configuration, HealthPolicy } from './configuration.ts'
export type { CourseWatcher } from './course.ts'
export { type FinishedRun, runTask, type TaskRequest, type TaskWatcher } from './run-task.ts'
export { answerQuestion, type GivenAnswer, type GivenReview, giveReview } from './give-review.ts'
export type { ReviewRecord } from '../gates/acceptance/index.ts'
export { answersOf, correctionsOf } from './people.ts'
export { type ResumedRun, resumeRun } from './resume.ts'
export { type ShownRun, showRun } from './show.ts'
export { readHistory, type RenderedRun, renderRun, storedEnding } from './finish.ts'
export {
  ENTRY_KINDS,
  EVENT_TYPES,
  FINAL_STATES,
  GATES_BEFORE,
  isFinal,
  type Ledger,
  LedgerEntry,
  type LedgerWrite,
  RUN_KINDS,
  RUN_STATES,
  rowsOf,
  RunEvent,
  type RunHistory,
  type RunState,
  RunSummary,
} from './ledger.ts'
export { grantLicence, type LicenceAnswer, type LicenceRecord, licencesIn, renewLicence, revokeLicence } from './licence.ts'
export { createCallRecorder } from './recorder.ts'
export { CURRENT_MS, type ServedWire, serveLicences } from './serve-licences.ts'
export { healthThresholds, KEPT_OUTPUT, LOCAL_WORK_MS, LOG_BYTES } from './limits.ts'
export { type ProbedProfile, probeProfile } from './probe-profile.ts'
export type { LeftFile, RunDirectory, StoredFile } from './run-directory.ts'
export { AcceptanceItem, Task } from './task.ts'
export { type PassSearch, type WorkItem, workItemOf } from './work-item.ts'
export type { Problem } from './verify-chain.ts'
export { type VerifiedRun, verifyRun } from './verify-run.ts'
export type { DeliveryChecker, DeliveryRequest, Launcher, PrepareRequest, RunHost, TargetWatch, TargetWatcher, WorkspaceChanges, World, Workspaces } from './world.ts'
