import type { ModelPair } from '../../contract/model.ts'

/**
 * The variables by which a run of Case is asked for. Each is a request and nothing more: the record admits, the configuration
 * of Portcullis says where a provider is, and a value here that agrees with neither is refused.
 */
export const VARIABLES = {
  provider: 'CTO_HARNESS_CASE_MODEL_PROVIDER',
  model: 'CTO_HARNESS_CASE_MODEL',
  admissionFile: 'CTO_HARNESS_CASE_MODEL_ADMISSION_FILE',
  bridge: 'CTO_HARNESS_CASE_OPENAI_CODEX_AUTH_BRIDGE',
  localBaseUrl: 'CTO_HARNESS_CASE_LOCAL_BASE_URL',
} as const

type Environment = Readonly<Record<string, string | undefined>>

/** Longer than any name that could be admitted. */
const MAX_LENGTH = 300

export interface CaseRequest {
  /** The pair that is asked for; an empty text where nothing was said. */
  readonly asked: ModelPair
  /** The one record that may admit it; undefined if none was named. */
  readonly admissionFile: string | undefined
}

/** What the environment asks of a run of Case. */
export function caseRequestOf(environment: Environment): CaseRequest {
  const file = environment[VARIABLES.admissionFile]
  const text = (name: string): string => (environment[name] ?? '').slice(0, MAX_LENGTH)
  return { asked: { provider: text(VARIABLES.provider), model: text(VARIABLES.model) }, admissionFile: file === '' ? undefined : file }
}

/** Only the exact value `1` is a yes (ADM-E3). */
export const bridgeAsked = (environment: Environment): boolean => environment[VARIABLES.bridge] === '1'

/** The endpoint that was named for a local provider; undefined if none was. */
export const localBaseUrlOf = (environment: Environment): string | undefined => environment[VARIABLES.localBaseUrl] || undefined
