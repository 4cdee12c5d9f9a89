export { openLedger } from './ledger.ts'
