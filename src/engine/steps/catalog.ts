import { digestOf } from '../../contract/canonical.ts'
import { milliseconds } from '../../contract/units.ts'
import { catalogFacts, catalogGate, catalogProof, type PreflightCapability, type ResolvedProfile } from '../../gates/catalog/index.ts'
import type { Course, Decided } from '../course.ts'
import { LOCAL_WORK_MS } from '../limits.ts'
import type { World } from '../world.ts'

export interface AskedOfCatalog {
  readonly profile: string
  readonly purpose: string
  readonly candidate: number
  readonly capability: PreflightCapability | null
}

/** Gate 1: the name becomes one exact provider and model, for a purpose. */
export function decideCatalog(world: World, course: Course, asked: AskedOfCatalog): Promise<Decided<'catalog', ResolvedProfile>> {
  const { catalog, validForMs } = { catalog: catalogOf(world), validForMs: milliseconds(world.configuration.health.maxAge) }
  return course.decide({
    definition: catalogGate,
    mint: catalogProof,
    subject: { name: `profile ${asked.profile}`, digest: { sha256: digestOf({ profile: asked.profile, purpose: asked.purpose }) } },
    timeoutMs: LOCAL_WORK_MS,
    observe: async () => ({ facts: catalogFacts({ catalog, override: await world.loadOverride(), ...asked, observedAt: world.clock(), validForMs }) }),
  })
}

function catalogOf({ configuration: { providers, aliases, profiles, purposes } }: World) {
  return { providers, ...(aliases === undefined ? {} : { aliases }), profiles, purposes }
}
