export { startWire, type WireOptions } from './start-wire.ts'
