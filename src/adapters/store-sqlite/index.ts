export { LedgerOnDemand } from './ledger-on-demand.ts'
export { openLedger } from './ledger.ts'
