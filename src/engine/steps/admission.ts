import { digestOf } from '../../contract/canonical.ts'
import { type ModelPair, printPair } from '../../contract/model.ts'
import { milliseconds } from '../../contract/units.ts'
import { type AdmissionFacts, admissionFacts, admissionGate, admissionProof, admissionRequestOf, type AdmittedContent } from '../../gates/admission/index.ts'
import { catalogProof, type Resolution } from '../../gates/catalog/index.ts'
import type { Grant } from '../../gates/wire/index.ts'
import type { Course, Decided } from '../course.ts'
import { ADMISSION_WATCH_MS, LOCAL_WORK_MS } from '../limits.ts'
import type { World } from '../world.ts'

/** Where a run's record comes from, and what was asked for beside the profile. */
export interface AskedAdmission {
  /** The one record that may admit the run; null takes those beside the configuration. */
  readonly admissionFile: string | null
  readonly asked: ModelPair | null
}

/** Gate 2: exactly this pair, at this endpoint, for this runtime and stage, by a record in force. Checked before any process starts (ADM-N1). */
export function decideAdmission(world: World, course: Course, resolution: Resolution, asking: AskedAdmission): Promise<Decided<'admission', AdmittedContent>> {
  catalogProof.check(resolution, world.clock())
  return course.decide({
    definition: admissionGate,
    mint: admissionProof,
    subject: { name: printPair(resolution.pair), digest: { sha256: digestOf(resolution.pair) } },
    timeoutMs: LOCAL_WORK_MS,
    observe: async () => ({ facts: await admissionNow(world, resolution, asking) }),
  })
}

const admissionNow = async (world: World, resolution: Resolution, { admissionFile, asked }: AskedAdmission): Promise<AdmissionFacts> =>
  admissionFacts({
    ...admissionRequestOf(resolution, world.configuration.networkClasses),
    asked,
    source: await world.readAdmissions(admissionFile),
    decisions: await world.readDecisions(),
    observedAt: world.clock(),
    validForMs: milliseconds(world.configuration.health.maxAge),
  })

/**
 * Reads the record of a running agent again and again, and withdraws its licence as soon as the record does not admit it
 * any more: revoked, removed, changed or unreadable (WIR-04). What cannot be looked at in time is not in force. Ends when
 * the returned function is called.
 */
export function watchAdmission(world: World, resolution: Resolution, asking: AskedAdmission, grant: Pick<Grant, 'withdraw'>): () => void {
  let since: number | undefined
  const look = async (): Promise<void> => {
    const finding = admissionGate.decide(await admissionNow(world, resolution, asking), ['0'.repeat(64)])
    if (finding.outcome !== 'pass') grant.withdraw({ reason: finding.reason, found: finding.message, remedy: 'The approval ended while the agent ran. Nothing more is forwarded; have the pair approved again, then run it again.' })
  }
  const failed = (found: string): void => grant.withdraw({ reason: 'gate_crashed', found, remedy: 'Make the directory of the admission records readable, then run it again.' })
  const timer = setInterval(() => {
    // A look that takes longer than the time between two is late; one that is later still shows nothing in force.
    if (since !== undefined) {
      if (performance.now() - since > ADMISSION_WATCH_MS * 1.5) failed('the admission records could not be read in time')
      return
    }
    since = performance.now()
    look()
      .catch((error: unknown) => failed(`the admission records could not be read (${error instanceof Error ? error.name : typeof error})`))
      .finally(() => (since = undefined))
  }, ADMISSION_WATCH_MS)
  return () => clearInterval(timer)
}
