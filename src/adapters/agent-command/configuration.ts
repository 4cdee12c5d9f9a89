import type { Dialect } from '../../contract/model.ts'
import type { PlanRequest } from '../../gates/launch/index.ts'

/** The names under which the SDKs of a dialect look for an address and a key. Gemini's has none that all of them read. */
const VARIABLES: Readonly<Partial<Record<Dialect, { readonly baseUrl: string; readonly token: string }>>> = {
  'openai-chat': { baseUrl: 'OPENAI_BASE_URL', token: 'OPENAI_API_KEY' },
  'openai-responses': { baseUrl: 'OPENAI_BASE_URL', token: 'OPENAI_API_KEY' },
  'anthropic-messages': { baseUrl: 'ANTHROPIC_BASE_URL', token: 'ANTHROPIC_API_KEY' },
}

/** What a command finds in its environment: the wire for a provider, the run token for a key. Undefined for a dialect without such names. */
export function environmentOf(request: PlanRequest): { environment: Record<string, string>; settings: Record<string, string> } | undefined {
  const names = VARIABLES[request.dialect]
  if (names === undefined) return undefined
  const { effort, context } = request.profile
  return {
    environment: { [names.baseUrl]: request.baseUrl, [names.token]: request.runToken },
    settings: {
      PORTCULLIS_MODEL: request.pair.model,
      PORTCULLIS_RUN_ID: request.runId,
      ...(effort === undefined ? {} : { PORTCULLIS_EFFORT: effort }),
      ...(context === undefined ? {} : { PORTCULLIS_CONTEXT: context }),
    },
  }
}
