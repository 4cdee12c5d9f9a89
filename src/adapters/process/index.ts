export type * from './ports.ts'
export { processIdentity, type ProcessIdentity } from './process-table.ts'
export { Descendants, MARKER_NAME } from './descendants.ts'
export { ProcessError, startProcess } from './start-process.ts'
