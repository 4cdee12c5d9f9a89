export { ActBook, type ActOutcome, PERSON_ACTS, PersonAct, StoredAct } from './acts.ts'
export { type AccessStore, type ActRowsAsked, type Change, denialOf, type EarlierRequest, type StoredAnswer, type TokenFacts } from './access.ts'
export { CAPABILITIES, type Capability } from './agent.ts'
export type { AgentAdapter, AgentManifest, AgentProcess, AgentReadiness, AgentSession } from './agent.ts'
export { ProbeOutput, probeOutputsOf } from './probe-outputs.ts'
export { type AskedPicture, PICTURE_FORMS, pictureBytes, picturesOf, RunPicture } from './pictures.ts'
export { type ApprovedImages, approveRender, type ApproveParts, createApprovals, type RecordedApproval, type RenderApprovalRequest } from './approvals.ts'
export { Configuration, HealthPolicy, ServerSettings, type TelemetrySettings } from './configuration.ts'
export { AgentDefinition, AgentDefinitions } from './agents/configuration.ts'
export { type AgentMessenger, AgentWithdrawn, converse, type Conversed } from './agents/converse.ts'
export { type AgentAccess, LicensedAgent } from './agents/generation.ts'
export { AgentHost, type Begun, type Route } from './agents/host.ts'
export { isRoutable, transition } from './agents/transition.ts'
export type { AgentWorld } from './agents/world.ts'
export { AGENT_STAGES, AGENT_STATES, AGENT_TRANSITIONS, AgentCondition, AgentRecord, type AgentStage, type AgentState, AgentStep, CONDITION_TYPES } from './agents/states.ts'
export type { AgentBirth, AgentChange, AgentStore } from './agents/store.ts'
export { type CourseWatcher, refuseSecretsIn } from './course.ts'
export { type FinishedRun, runTask, type TaskRequest, type TaskWatcher } from './run-task.ts'
export { answerQuestion, type GivenAnswer, type GivenReview, giveReview } from './give-review.ts'
export type { ReviewRecord } from '../gates/acceptance/index.ts'
export { answersOf, correctionsOf } from './people.ts'
export { type ResumedRun, resumeRun } from './resume.ts'
export { type ShownRun, showRun } from './show.ts'
export { readHistory } from './finish.ts'
export { renderedFiles, type RenderedRun, renderRun, storedEnding } from './render-run.ts'
export { BUNDLE_FILE, proveRun, type RunProof, statementsOf } from './bundle.ts'
export { printEnvelopes, sealEnvelope } from './envelope.ts'
export type { Trust } from './anchors.ts'
export { auditLedger, type LedgerAudit } from './audit.ts'
export { type VerifiedBundle, verifyBundle } from './verify-bundle.ts'
export {
  ENTRY_KINDS,
  EVENT_TYPES,
  FINAL_STATES,
  GATES_BEFORE,
  isFinal,
  type HashedRow,
  type Ledger,
  type LedgerArchive,
  LedgerEntry,
  type LedgerProofs,
  type LedgerRow,
  type LedgerView,
  type LedgerWrite,
  leafText,
  RUN_KINDS,
  RUN_STATES,
  rowsOf,
  type RunBeginning,
  RunEvent,
  type RunHistory,
  type RunState,
  RunSummary,
  type StoredCheckpoint,
  type StoredPage,
} from './ledger.ts'
export { bytesOf, consistencyProof, GrowingTree, hashesOf, inclusionProof, leafHash, leafHashText, rootOf, type SubtreeRoot, type TreeHead, verifyConsistency, verifyInclusion } from './merkle.ts'
export { algorithmOf, digestFor, KEY_ALGORITHMS, type KeyAlgorithm, readVerificationKey, signatureHolds, type Signer, type VerificationKey } from './verification-key.ts'
export { type Checkpoint, notesIn, openNote, parseNote, signCheckpoint } from './checkpoint.ts'
export { GrantedLicence, grantLicence, type LicenceAnswer, type LicenceRecord, licencesIn, renewLicence, revokeLicence } from './licence.ts'
export { fencedLedger } from './fenced-ledger.ts'
export { type Fence, type Fenced, type HeldClaim, LeaseWatch, ORDER_OUTCOMES, ORDER_STATES, type OrderOutcome, QueuedRun, RunOrder, type RunQueue, staleEpoch } from './queue.ts'
export { createCallRecorder } from './recorder.ts'
export { CURRENT_MS, type ServedWire, serveLicences } from './serve-licences.ts'
export { healthThresholds, KEPT_OUTPUT, LOCAL_WORK_MS, LOG_BYTES, MARGIN_MS, probeLimitMs } from './limits.ts'
export { type ProbedProfile, probeProfile } from './probe-profile.ts'
export type { LeftFile, RunDirectory, StoredFile } from './run-directory.ts'
export { AcceptanceItem, Task } from './task.ts'
export { type PassSearch, type WorkItem, workItemOf } from './work-item.ts'
export { type VerifiedRun, verifyFiles, verifyRun } from './verify-run.ts'
export { verifyOneRun, verifyRunOf } from './verify-stored.ts'
export { type Problem, PROBLEM_CODES } from './verify-chain.ts'
export type { DeliveryChecker, DeliveryRequest, IsolationFinder, Launcher, PrepareRequest, RunHost, StartOptions, TargetWatch, TargetWatcher, WorkspaceChanges, World, Workspaces } from './world.ts'
export type { AttachedBytes, TicketQuery, TicketStore, TicketWrite } from './tickets/store.ts'
export { ACCEPTANCE_GATE, addItems, attach, autoTriage, choosePhases, claim, claimNext, close as closeTicket, type Closing, comment, holdsClaim, judgeItem, move, releaseClaim, releaseExpired, renewClaim, reviewReady, type TriagePolicy } from './tickets/acts.ts'
export { type AskQuestion, askTriage } from './tickets/triage-model.ts'
export { type Outcome, type RefusalDetails, TicketBook, type TicketChange, type TicketDraft } from './tickets/book.ts'
export { movesOf, NextAction, nextActionOf, TicketView, viewOf } from './tickets/view.ts'
export { PHASE_KINDS, RETRY_LIMIT, TicketSettings } from './tickets/configuration.ts'
export type { DispatcherParts } from './tickets/dispatcher-parts.ts'
export { Dispatcher } from './tickets/dispatcher.ts'
export type { Sent } from './tickets/messages.ts'
export type { Message as TicketMessage } from './tickets/sessions.ts'
export { editMessage, removeMessage, waiting as waitingMessages } from './tickets/queue.ts'
export { noRuntime } from './tickets/refusals.ts'
export { type ChannelRequest, type ChannelStarter, type Handed, type HandedMessage, type RuntimeEnding, type SessionChannel, SessionRefused, type WorkWatch } from './tickets/channel.ts'
export { LicensedSession } from './sessions/begin-session.ts'
export { type LeftSession, SessionHost } from './sessions/host.ts'
export type { HeldSession } from './sessions/held-session.ts'
export { RUNTIME_CAPABILITIES, type RuntimeManifest, type SessionRuntime } from './sessions/runtime.ts'
export type { PlacedRepository, SessionPlace, SessionWorld } from './sessions/world.ts'
export { applyRun, closeByRun, type RunResult } from './tickets/work.ts'
