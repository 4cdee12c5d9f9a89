export {
  AdmissionRecord,
  CurrentRecord,
  FormerRecord,
  isNeverCovered,
  type RecordScope,
  ReviewTrigger,
  scopeOf,
  STAGES_NEVER_COVERED,
} from './admission-record.ts'
export { AdmissionFacts, admissionFacts, AdmissionFile, type AdmissionRequest, admissionRequestOf, DecisionFile, WORK_STAGE } from './admission-facts.ts'
export { type Approval, isExternal } from './approval.ts'
export { DECISION_EFFECT, DECISION_STATUSES, DecisionRecord, type DecisionReading, PROVIDER_CLASSES, readDecision, readDecisionText } from './decision-record.ts'
export { caseRecordFileName, fileNameOf, nameAgrees, nameFits, readRecordFileName, recordFileName, scopedRecordFileName } from './file-name.ts'
export { admissionGate, admissionOf, admissionProof, admissionStatus, type Admitted, type AdmittedContent } from './gate.ts'
export { ADMISSION_STATUSES, type AdmissionStatus } from './judge-records.ts'
export { readRecord, readRecordText, type RecordReading } from './read-record.ts'
export type * from './ports.ts'
