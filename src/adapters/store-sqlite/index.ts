export { openAccessStore } from './access-store.ts'
export { LedgerOnDemand } from './ledger-on-demand.ts'
export { keysBeside, openLedger, openLedgerForReading, type Store } from './ledger.ts'
