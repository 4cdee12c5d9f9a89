import type { Digest } from '../../contract/verdict.ts'
import type { ProbeCall } from './health-facts.ts'

/** A model call as the wire records it; as much of it as this gate reads. */
export interface RecordedProbe {
  readonly evidence: Digest
  readonly call: Omit<ProbeCall, 'evidence' | 'latencyMs'> & { readonly durationMs: number }
}

/** Bounds of the facts; the whole is in the call's own evidence. */
const MAX_TEXT = 500

/** The part of the facts that the wire observed: how many calls there were, and the first of them. */
export function probeCallOf(recorded: readonly RecordedProbe[]): { readonly calls: number; readonly probe: ProbeCall | null } {
  const [first] = recorded
  return { calls: recorded.length, probe: first === undefined ? null : describe(first) }
}

function describe({ evidence, call }: RecordedProbe): ProbeCall {
  return {
    evidence,
    purpose: call.purpose,
    inference: call.inference,
    requestedModel: bounded(call.requestedModel),
    admitted: call.admitted,
    servedModel: bounded(call.servedModel),
    outcome: call.outcome,
    reason: call.reason,
    detail: bounded(call.detail),
    providerStatus: call.providerStatus,
    toolCalls: call.toolCalls,
    latencyMs: call.durationMs,
    startedAt: call.startedAt,
  }
}

/** Never cuts a character in half: half a surrogate pair has no canonical JSON, and the whole gate would fail over it. */
const bounded = (text: string | null): string | null => {
  if (text === null) return null
  return (text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT - 1)}…`).toWellFormed()
}
