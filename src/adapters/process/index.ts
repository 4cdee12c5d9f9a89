export type * from './ports.ts'
export { processIdentity, type ProcessIdentity } from './process-table.ts'
export { ProcessError, startProcess } from './start-process.ts'
export { isRunning, thisProcess } from './host.ts'
