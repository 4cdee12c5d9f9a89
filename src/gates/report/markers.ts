import type { Reason } from '../../contract/reasons.ts'

/** Files that say in one glance, without a parser, why a run was refused. A passing run has none (ADM-M5). */
const MARKER_OF: Partial<Record<Reason, string>> = {
  missing_admission: 'backend/provider-model-not-admitted.txt',
  mismatch: 'backend/provider-model-not-admitted.txt',
  invalid_admission: 'backend/provider-model-not-admitted.txt',
  not_admitted: 'backend/provider-model-not-admitted.txt',
  credential_unavailable: 'backend/provider-auth-unavailable.txt',
  provider_auth: 'backend/provider-auth-unavailable.txt',
  auth_route_missing: 'backend/provider-auth-unavailable.txt',
  local_config_missing: 'backend/provider-local-config-missing.txt',
  catalogue_model_unknown: 'backend/provider-model-not-in-catalogue.txt',
  agent_does_not_start: 'backend/runtime-does-not-start.txt',
  agent_protocol: 'backend/provider-agent-protocol.txt',
}

/** Every path that a marker can have. */
export const MARKER_PATHS: readonly string[] = [...new Set(Object.values(MARKER_OF))]

export interface Marker {
  readonly path: string
  readonly text: string
}

/** The markers of a run that ended for `reason`; none for a pass or for a reason without one. */
export function markersOf(reason: Reason | null, refusal: { readonly asked: string; readonly found: string; readonly remedy: string } | undefined): readonly Marker[] {
  const path = reason === null ? undefined : MARKER_OF[reason]
  if (reason === null || path === undefined || refusal === undefined) return []
  return [{ path, text: `status: ${reason}\nasked: ${oneLine(refusal.asked)}\nfound: ${oneLine(refusal.found)}\ndo: ${oneLine(refusal.remedy)}\n` }]
}

const oneLine = (text: string): string => text.replace(/\s+/g, ' ').trim()
