export { ClusteredWire, type ClusterOptions } from './primary.ts'
export { isWireWorker, reportingTo, serveAsWorker, type WorkerParts } from './worker.ts'
