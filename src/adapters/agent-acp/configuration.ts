import type { PlanRequest } from '../../gates/launch/index.ts'
import { environmentOf } from '../agent-command/index.ts'

/** What a program finds in its environment. Beside the names of the other dialects those that Google's own command line reads. */
export function acpEnvironmentOf(request: PlanRequest): ReturnType<typeof environmentOf> {
  if (request.dialect !== 'gemini') return environmentOf(request)
  return {
    environment: { GOOGLE_GEMINI_BASE_URL: request.baseUrl, GEMINI_API_KEY: request.runToken },
    settings: { PORTCULLIS_MODEL: request.pair.model, PORTCULLIS_RUN_ID: request.runId },
  }
}
