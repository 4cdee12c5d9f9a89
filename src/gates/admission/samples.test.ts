import { sha256 } from '../../contract/canonical.ts'
import { admissionFacts, type AdmissionFacts, type AdmissionFile } from './admission-facts.ts'
import { readRecord } from './read-record.ts'

/** Samples for the tests of this folder. Holds no test itself; named as one so that it is never built. */
export const formerRecord = (changes: Record<string, unknown> = {}): Record<string, unknown> => ({
  status: 'admitted',
  provider: 'qwen-local',
  model: 'qwen3.6-35b-a3b',
  credential_source_class: 'pi-models-json-local-provider-no-secret',
  allowed_network_class: 'local-tailscale-vllm-spark1',
  approval_source: 'JP chat approval on 2026-05-31',
  admission_timestamp: '2026-06-01T00:00:00Z',
  review_trigger: 'review when the model or the endpoint changes',
  ...changes,
})

export const currentRecord = (changes: Record<string, unknown> = {}): Record<string, unknown> => ({
  status: 'admitted',
  provider: 'scripted',
  model: 'coder-1',
  endpoint: 'http://127.0.0.1:4010/v1',
  runtime: 'pi',
  stages: ['work'],
  credential_source_class: 'no-secret',
  allowed_network_class: 'loopback',
  approval_source: 'the maintainers, with the example',
  admission_timestamp: '2026-06-01T00:00:00Z',
  review_trigger: { expires_at: '2027-06-01T00:00:00Z', conditions: ['model or endpoint changes'] },
  served_model_ids: ['coder-1'],
  evidence_expectations: ['every model call served by this pair'],
  ...changes,
})

export function fileOf(document: unknown, path = 'admissions/scripted--coder-1.json'): AdmissionFile {
  const reading = readRecord(document)
  return { path, sha256: sha256(JSON.stringify(document)), record: reading.record, problems: [...reading.problems] }
}

export const observedAt = new Date('2026-11-20T21:39:18.000Z')

type Question = Parameters<typeof admissionFacts>[0]

/** Facts of a run of pi on scripted/coder-1, admitted unless changed. */
export const sampleFacts = (files: readonly AdmissionFile[] = [fileOf(currentRecord())], changes: Partial<Question> = {}): AdmissionFacts =>
  admissionFacts({
    requested: { provider: 'scripted', model: 'coder-1' },
    asked: null,
    runtime: 'pi',
    stage: 'work',
    endpoint: 'http://127.0.0.1:4010/v1',
    networkClass: 'loopback',
    credentialClass: 'no-secret',
    external: false,
    decisions: { path: 'decisions/', problem: null, files: [] },
    observedAt,
    validForMs: 3_600_000,
    source: { kind: 'directory', path: 'admissions/', problem: null, files },
    ...changes,
  })

/** The same, for a record that the caller names. */
export const namedFacts = (file: AdmissionFile | null, changes: Partial<Question> = {}): AdmissionFacts =>
  sampleFacts([], { source: { kind: 'file', path: file?.path ?? 'admissions/gone.json', problem: null, files: file === null ? [] : [file] }, ...changes })

/** Facts of a run of Case on the pair of the former record. */
export const caseFacts = (files: readonly AdmissionFile[], changes: Partial<Question> = {}): AdmissionFacts =>
  sampleFacts(files, {
    requested: { provider: 'qwen-local', model: 'qwen3.6-35b-a3b' },
    runtime: 'case',
    stage: 'stage-2',
    endpoint: 'http://spark1:8000/v1',
    networkClass: 'local-tailscale-vllm-spark1',
    credentialClass: 'pi-models-json-local-provider-no-secret',
    ...changes,
  })

export const CASE_FILE = '.sot/CTO-CASE-MODEL-PROVIDER-ADMISSION.qwen-local-qwen3.6-35b-a3b.json'
