export { probeHealth } from './probe-health.ts'
export { PROBE_TOOL, probeMessage, type ProbeMessage } from './probe-message.ts'
