import type { Digests } from '../../contract/evidence.ts'
import { defineGate, type Finding } from '../../contract/gate.ts'
import { type ModelPair, printPair, samePair } from '../../contract/model.ts'
import { defineProof, type Proof } from '../../contract/proof.ts'
import type { Reason } from '../../contract/reasons.ts'
import { printMilliseconds } from '../../contract/units.ts'
import type { Digest } from '../../contract/verdict.ts'
import { HealthEvidence, type HealthFacts, type ProbeCall } from './health-facts.ts'
import { remedyFor } from './remedy.ts'

/** Gate 3: does it answer, as itself, now? Only a recorded, recent, complete answer of the admitted model passes. */
export const healthGate = defineGate({
  name: 'health',
  facts: HealthEvidence,
  decide(facts, evidence) {
    const judged = judgeProbe(facts)
    if ('fault' in judged) return refuse(facts, evidence, judged.fault)
    const { probe, servedModel } = judged
    return {
      outcome: 'pass',
      message: `answered as ${servedModel} in ${printMilliseconds(probe.latencyMs)}${probe.toolCalls ? ', tools work' : ''}`,
      evidence,
      // The answer is what ages, not our reading of it: a stored probe must not be renewed by being looked at.
      expiresAt: new Date(Math.min(Date.parse(facts.observedAt), Date.parse(probe.startedAt)) + facts.maxAgeMs),
    }
  },
})

export interface HealthyContent {
  readonly pair: ModelPair
  /** The name by which the provider reported the model. */
  readonly servedModel: string
  readonly toolsWork: boolean
  /** Digest of the evidence of the call that proves it. */
  readonly probeEvidence: Digest
}

/** What the health gate hands on: this pair answered, as itself. */
export type Healthy = Proof<'health', HealthyContent>

export const healthyProof = defineProof(healthGate, (facts): HealthyContent => {
  const judged = judgeProbe(facts)
  if ('fault' in judged) throw new TypeError('A proof was asked for facts that the health gate refuses')
  return { pair: facts.pair, servedModel: judged.servedModel, toolsWork: judged.probe.toolCalls, probeEvidence: judged.probe.evidence }
})

interface Fault {
  readonly reason: Reason
  readonly found: string
}

type Judged = { readonly fault: Fault } | { readonly probe: ProbeCall; readonly servedModel: string }

function judgeProbe(facts: HealthFacts): Judged {
  const { probe } = facts
  if (!facts.staticOk) return { fault: { reason: 'credential_unavailable', found: `the static check failed: no credential source can be named for provider ${facts.pair.provider}` } }
  if (probe === null) return { fault: { reason: 'health_unknown', found: 'static_ok: the configuration parses, but no model call was recorded' } }
  const { servedModel } = probe
  const unproven = faultOfRecord(facts, probe) ?? faultOfOutcome(probe)
  if (unproven !== undefined) return { fault: unproven }
  if (servedModel === null) return { fault: { reason: 'served_model_unknown', found: 'an answer that names no model' } }
  if (!facts.servedModelIds.includes(servedModel)) return { fault: { reason: 'served_model_mismatch', found: `an answer of ${servedModel}` } }
  const fault = faultOfTime(facts, probe) ?? faultOfTools(facts, probe)
  return fault === undefined ? { probe, servedModel } : { fault }
}

/** Is this the probe's own call? Somebody else's call, or a second one under the probe's licence, proves nothing about the pair. */
function faultOfRecord(facts: HealthFacts, probe: ProbeCall): Fault | undefined {
  const wrong = (found: string): Fault => ({ reason: 'evidence_invalid', found })
  if (facts.calls !== 1) return wrong(`${facts.calls} calls under the probe's licence, where a probe is exactly one`)
  if (probe.purpose !== 'health' || !probe.inference) return wrong(`a call that is no probe (purpose ${probe.purpose})`)
  if (!samePair(probe.admitted, facts.pair)) return wrong(`a call to ${printPair(probe.admitted)}`)
  if (probe.requestedModel !== facts.pair.model) return wrong(`a call that asked for ${probe.requestedModel ?? 'no model'}`)
  if ((probe.outcome === 'answered') !== (probe.reason === null)) return wrong(`a call that is ${probe.outcome} with reason ${probe.reason ?? 'none'}`)
  return undefined
}

function faultOfOutcome(probe: ProbeCall): Fault | undefined {
  if (probe.outcome !== 'answered') return { reason: probe.reason ?? 'evidence_invalid', found: describeFailure(probe) }
  // A 4xx is never healthy (WIR-34), also if a record should call it answered.
  const complete = probe.providerStatus !== null && probe.providerStatus >= 200 && probe.providerStatus <= 299
  return complete ? undefined : { reason: 'evidence_invalid', found: `a call recorded as answered, with status ${probe.providerStatus ?? 'unknown'}` }
}

function faultOfTime(facts: HealthFacts, probe: ProbeCall): Fault | undefined {
  const ageMs = Date.parse(facts.observedAt) - Date.parse(probe.startedAt)
  return ageMs >= facts.maxAgeMs
    ? { reason: 'health_unknown', found: `a probe ${printMilliseconds(ageMs)} old, where at most ${printMilliseconds(facts.maxAgeMs)} counts` }
    : undefined
}

function faultOfTools(facts: HealthFacts, probe: ProbeCall): Fault | undefined {
  return facts.toolsRequired && !probe.toolCalls
    ? { reason: 'tools_not_supported', found: `an answer of ${probe.servedModel} without a tool call, though it was asked to call one` }
    : undefined
}

function describeFailure(probe: ProbeCall): string {
  const status = probe.providerStatus === null ? 'no status' : `status ${probe.providerStatus}`
  return `${probe.reason ?? probe.outcome} (${status})${probe.detail === null ? '' : `: ${probe.detail}`}`
}

function refuse(facts: HealthFacts, evidence: Digests, { reason, found }: Fault): Finding {
  return {
    outcome: 'block',
    reason,
    message: `${printPair(facts.pair)} is not healthy: ${reason}.`,
    asked: `one model call to ${printPair(facts.pair)}${facts.toolsRequired ? ', with a tool to call' : ''}, at the health gate`,
    found,
    remedy: remedyFor(reason, facts),
    evidence,
  }
}
