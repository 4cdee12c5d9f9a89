/**
 * `failed`: the probe looked and what it looks for is not so. `error`: it could not look. The two are never mixed: a
 * failure on the untouched copy is proof of a working probe, an error is proof of nothing.
 */
export const PROBE_STATUSES = ['passed', 'failed', 'timed_out', 'error', 'unimplemented', 'cancelled'] as const
export type ProbeStatus = (typeof PROBE_STATUSES)[number]
