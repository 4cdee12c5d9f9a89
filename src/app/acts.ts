// Surfaces know the app and the contract alone.
export { type PersonAct, StoredAct } from '../engine/index.ts'
