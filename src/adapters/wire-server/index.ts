export { LocalTally } from './tally.ts'
export { startWire, type WireOptions } from './start-wire.ts'
