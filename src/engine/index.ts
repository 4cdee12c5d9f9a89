export { Configuration, HealthPolicy } from './configuration.ts'
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
  RunEvent,
  type RunHistory,
  type RunState,
  RunSummary,
} from './ledger.ts'
export { AcceptanceItem, Task } from './task.ts'
