export { LedgerOnDemand } from './ledger-on-demand.ts'
export { openLedger, openLedgerForReading } from './ledger.ts'
