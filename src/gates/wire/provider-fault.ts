import type { Reason } from '../../contract/reasons.ts'
import { member } from './usage.ts'

/** Why a forwarded call gave no admitted answer. `detail` never quotes a header, a credential or a body. */
export interface Fault {
  readonly reason: Reason
  readonly detail: string
}

/** The class of a provider's error status (ADM-N16). Undefined for 2xx: that is judged by its body. */
export function faultOfStatus(status: number): Fault | undefined {
  if (status >= 200 && status < 300) return undefined
  const detail = `the provider answered ${status}`
  if (status === 401 || status === 403) return { reason: 'provider_auth', detail }
  if (status === 404) return { reason: 'provider_model_unknown', detail }
  if (status === 429) return { reason: 'provider_rate_limited', detail }
  if (status >= 500) return { reason: 'provider_overloaded', detail }
  if (status >= 400) return { reason: 'provider_rejected', detail }
  // A redirect would send the prompt, and perhaps the credential, to an address nobody admitted.
  return { reason: 'provider_malformed', detail: `the provider answered ${status}, which is no answer; redirects are not followed` }
}

/** The class of an error that a provider reports inside a 200 answer, by its own error type or code. */
export function faultOfError(error: unknown): Fault {
  // Words only: whatever else stands there may be anything, a key included.
  const name = [member(error, 'code'), member(error, 'type')].filter((kind) => typeof kind === 'string').find((kind) => kind.length <= 40 && /^[a-z]+(?:_[a-z]+)*$/.test(kind)) ?? ''
  const detail = name === '' ? 'the provider reported an error inside its answer' : `the provider reported ${name} inside its answer`
  if (/rate_limit|quota|resource_exhausted/.test(name)) return { reason: 'provider_rate_limited', detail }
  if (/auth|permission|api_key/.test(name)) return { reason: 'provider_auth', detail }
  if (/not_found/.test(name)) return { reason: 'provider_model_unknown', detail }
  if (/overloaded|server|api_error|unavailable|timeout|^internal$|^deadline_exceeded$/.test(name)) return { reason: 'provider_overloaded', detail }
  return { reason: 'provider_rejected', detail }
}

/** The judgement on one model name in an answer; undefined if it is admitted (WIR-21). */
export function faultOfServed(servedModel: string | null, servedModelIds: readonly string[]): Fault | undefined {
  if (servedModel === null) return { reason: 'served_model_unknown', detail: 'the answer names no model' }
  return servedModelIds.includes(servedModel)
    ? undefined
    : { reason: 'served_model_mismatch', detail: `served by ${servedModel}; admitted ${servedModelIds.join(', ')}` }
}
