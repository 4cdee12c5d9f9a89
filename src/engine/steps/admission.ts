import { digestOf } from '../../contract/canonical.ts'
import { printPair } from '../../contract/model.ts'
import { milliseconds } from '../../contract/units.ts'
import { admissionFacts, admissionGate, admissionProof, admissionRequestOf, type AdmittedContent } from '../../gates/admission/index.ts'
import { catalogProof, type Resolution } from '../../gates/catalog/index.ts'
import type { Course, Decided } from '../course.ts'
import { LOCAL_WORK_MS } from '../limits.ts'
import type { World } from '../world.ts'

/** The stage that an ordinary run is: work on a copy. Records name the stages they cover (ADM-A15). */
export const WORK_STAGE = 'work'

/** Gate 2: exactly this pair, at this endpoint, for this runtime and stage, by a record in force. Checked before any process starts (ADM-N1). */
export function decideAdmission(world: World, course: Course, resolution: Resolution, namedFile: string | null): Promise<Decided<'admission', AdmittedContent>> {
  catalogProof.check(resolution, world.clock())
  return course.decide({
    definition: admissionGate,
    mint: admissionProof,
    subject: { name: printPair(resolution.pair), digest: { sha256: digestOf(resolution.pair) } },
    timeoutMs: LOCAL_WORK_MS,
    observe: async () => ({
      facts: admissionFacts({
        ...admissionRequestOf(resolution),
        stage: WORK_STAGE,
        source: await world.readAdmissions(namedFile),
        observedAt: world.clock(),
        validForMs: milliseconds(world.configuration.health.maxAge),
      }),
    }),
  })
}
