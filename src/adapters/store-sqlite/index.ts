export { openAccessStore } from './access-store.ts'
export { LedgerOnDemand } from './ledger-on-demand.ts'
export { openRunQueue } from './queue-store.ts'
export { keysBeside, openLedger, openLedgerForReading, type Store, type Store as StoredLedger } from './ledger.ts'
