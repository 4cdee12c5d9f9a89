import { digestOf } from '../contract/canonical.ts'
import type { Subject } from '../contract/verdict.ts'
import { ProbeRecordEvidence } from '../gates/acceptance/index.ts'
import { RunRecord } from './read-run.ts'
import type { ReadHistory } from './verify-chain.ts'

/** One statement of a bundle, before its subjects are added. */
export interface Attested {
  readonly predicateType: string
  readonly predicate: Readonly<Record<string, unknown>>
}

export const TEST_RESULT = 'https://in-toto.io/attestation/test-result/v0.1'
export const SCAI = 'https://in-toto.io/attestation/scai/v0.3'
export const SVR = 'https://in-toto.io/attestation/svr/v0.2'

/** Who says so. Raised when the same evidence would give other properties. */
const VERIFIER = 'https://portcullis.dev/verifier/v1'

/**
 * What the run shows, in the public types that other tools read: the probes, the served model, the summary. Each is a pure
 * function of what is stored, and each says only what passed, but for the probes, whose type has a word for failure.
 */
export function attestationsOf(read: ReadHistory): Attested[] {
  const record = new RunRecord(read)
  return [...testResult(record), ...servedModel(record), summary(read, record)]
}

function testResult(record: RunRecord): Attested[] {
  const probes = record.all(ProbeRecordEvidence).filter((probe) => probe.phase === 'result')
  if (probes.length === 0) return []
  const named = (passed: boolean): string[] => probes.filter((probe) => (probe.status === 'passed') === passed).map((probe) => probe.probe)
  const configuration: Subject[] = probes.map((probe) => ({ name: probe.probe, digest: { sha256: probe.definition_digest } }))
  return [{ predicateType: TEST_RESULT, predicate: { result: named(false).length === 0 ? 'PASSED' : 'FAILED', configuration, passedTests: named(true), warnedTests: [], failedTests: named(false) } }]
}

function servedModel(record: RunRecord): Attested[] {
  const verdict = record.last('wire')
  const { resolution } = record
  if (verdict?.outcome !== 'pass' || resolution === undefined) return []
  const served = [...new Set(record.agentCalls.flatMap((call) => call.servedModel ?? []))]
  const conditions = { provider: resolution.pair.provider, admittedModel: resolution.pair.model, servedModels: served, modelCalls: record.agentCalls.length }
  return [{ predicateType: SCAI, predicate: { attributes: [{ attribute: 'SERVED_MODEL_IS_ADMITTED_MODEL', conditions, evidence: { name: 'verdict of the wire gate', digest: { sha256: digestOf(verdict) } } }] } }]
}

function summary({ run }: ReadHistory, record: RunRecord): Attested {
  const gates = [...new Set(record.verdicts.map((verdict) => verdict.gate))]
  const passed = gates.filter((gate) => record.last(gate)?.outcome === 'pass').map((gate) => `PORTCULLIS_GATE_${gate.toUpperCase()}_PASSED`)
  const policies = [...new Map(record.verdicts.map((verdict) => [digestOf(verdict.policy), verdict.policy])).values()]
  return {
    predicateType: SVR,
    predicate: { verifier: { id: VERIFIER, policies }, timeCreated: run.endedAt ?? run.startedAt, properties: [...passed, ...(run.state === 'accepted' ? ['PORTCULLIS_RUN_ACCEPTED'] : [])] },
  }
}
