import type { Reason } from '../../contract/reasons.ts'
import type { GrantRequest, Target } from './ports.ts'

/** Those that may answer one question, in order. */
export type Routing = readonly [Target, ...Target[]]

/**
 * Who may answer a request for `model`: every target for an alias of the grant, exactly one for a model id, and the first
 * for a background model that the profile maps. Undefined if nobody may (WIR-02, WIR-03, WIR-07). Two targets of one model
 * id are two pairs that a request cannot tell apart, so an id that both bear is not admitted.
 */
export function candidatesFor(model: string, grant: GrantRequest, targets: Routing): Routing | undefined {
  if (grant.aliases.includes(model)) return targets
  if (grant.byModelId) {
    const [only, ...others] = targets.filter(({ admitted }) => admitted.model === model)
    if (only !== undefined) return others.length === 0 ? [only] : undefined
  }
  return grant.backgroundModels === 'map' ? [targets[0]] : undefined
}

const PASSING: ReadonlySet<Reason> = new Set<Reason>(['provider_unreachable', 'provider_timeout', 'provider_overloaded', 'provider_rate_limited'])

/**
 * Whether another candidate may be asked after a failure (WIR-31): the provider was busy, broken or silent. Never after a
 * refused credential or request, which would hide a fault of ours, nor after an answer of another model.
 */
export const maySucceedElsewhere = (reason: Reason): boolean => PASSING.has(reason)
