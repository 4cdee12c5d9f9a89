/**
 * `failed`: the probe looked and what it looks for is not so. `error`: it could not look. The two are never mixed: a
 * failure on the untouched copy is proof of a working probe, an error is proof of nothing. `needs_approval`: it looked, and no
 * person has said yet that this is how it should be.
 */
export const PROBE_STATUSES = ['passed', 'failed', 'timed_out', 'error', 'unimplemented', 'cancelled', 'needs_approval'] as const
export type ProbeStatus = (typeof PROBE_STATUSES)[number]
