import { printDigest } from '../contract/canonical.ts'
import { admissionStatus } from '../gates/admission/index.ts'
import type { Report } from '../gates/report/index.ts'
import { AgentExitEvidence, RunEvidence } from './observations.ts'
import type { RunRecord } from './read-run.ts'

/** What Case falls back to when it finds no model of its own, as was observed. It is told, and never used (ADM-N8). */
const CASE_FALLBACK = { provider: 'anthropic', model: 'claude-sonnet-4-6' } as const

/** The setting by which an adapter says which bridge it put between an agent and its key. */
export const BRIDGE_SETTING = 'PORTCULLIS_BRIDGE_SHA256'

type CaseFields = Pick<
  Report,
  | 'backend' | 'case_process_started' | 'case_model_provider' | 'case_model' | 'case_model_admission_status'
  | 'case_observed_fallback_provider' | 'case_observed_fallback_model' | 'case_bridge_sha256'
  | 'served_provider' | 'served_model' | 'wire_requests' | 'runtime_failure_class'
>

/** The fields that the documents of the Case runs name, beside our own. What they say follows from the same evidence. */
export function caseFieldsOf(record: RunRecord): CaseFields {
  const [opened] = record.all(RunEvidence)
  const [exit] = record.all(AgentExitEvidence)
  const served = record.agentCalls.findLast((call) => call.servedModel !== null)
  const common = {
    backend: record.resolution?.profile.agent ?? opened?.backend ?? null,
    served_provider: served?.admitted.provider ?? null,
    served_model: served?.servedModel ?? null,
    wire_requests: record.agentCalls.length,
    runtime_failure_class: exit?.runtimeFailure ?? null,
  }
  if (common.backend !== 'case') {
    return {
      ...common,
      case_process_started: null,
      case_model_provider: null,
      case_model: null,
      case_model_admission_status: null,
      case_observed_fallback_provider: null,
      case_observed_fallback_model: null,
      case_bridge_sha256: null,
    }
  }
  const asked = opened?.asked ?? record.resolution?.pair
  const bridge = record.launch?.plan?.environmentSettings[BRIDGE_SETTING]
  return {
    ...common,
    case_process_started: record.event('case_process_started') !== undefined,
    // An empty text is what was asked for: nothing.
    case_model_provider: asked?.provider ?? null,
    case_model: asked?.model ?? null,
    case_model_admission_status: record.admission === undefined ? null : admissionStatus(record.admission),
    case_observed_fallback_provider: CASE_FALLBACK.provider,
    case_observed_fallback_model: CASE_FALLBACK.model,
    case_bridge_sha256: bridge === undefined ? null : printDigest(bridge),
  }
}
