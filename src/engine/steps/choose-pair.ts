import type { Refusal } from '../../contract/gate.ts'
import type { Reason } from '../../contract/reasons.ts'
import type { Verdict } from '../../contract/verdict.ts'
import type { Wire } from '../../gates/wire/index.ts'
import type { Course } from '../course.ts'
import type { World } from '../world.ts'
import { decideAdmission } from './admission.ts'
import { decideCatalog } from './catalog.ts'
import { decideHealth } from './health.ts'
import type { ChosenPair } from './wire.ts'

/** Why something that lives on was not begun. The verdict that says so is durable. */
export class NotBegun extends Error {
  override readonly name = 'NotBegun'
  readonly reason: Reason
  readonly found: string
  /** In the words of the gate that refused it; undefined where no gate was asked. */
  readonly refusal: Refusal | undefined

  constructor(reason: Reason, found: string, refusal?: Refusal) {
    super(found)
    this.reason = reason
    this.found = found
    this.refusal = refusal
  }
}

/** Gates 1 to 3, for the first candidate; and for the next one, where the alias says so and only its health was lacking. */
export async function choosePair(world: World, course: Course, wire: Wire, { profile, purpose, cancelled }: { readonly profile: string; readonly purpose: string; readonly cancelled?: AbortSignal }): Promise<ChosenPair> {
  for (let candidate = 0; ; candidate += 1) {
    const resolution = required(await decideCatalog(world, course, { profile, purpose, candidate, capability: null }))
    const admitted = required(await decideAdmission(world, course, resolution, { admissionFile: null, asked: null }))
    const health = await decideHealth(world, course, wire, resolution, admitted, cancelled === undefined ? {} : { cancelled })
    if (health.ok) return { resolution, admitted, healthy: health.proof }
    const more = cancelled?.aborted !== true && resolution.alias?.onUnhealthy === 'next-admitted' && candidate + 1 < resolution.alias.candidates.length
    if (!more) throw notBegun(health)
  }
}

/** The proof, or what the gate refused, thrown. */
export function required<Content>(decided: { readonly ok: true; readonly proof: Content } | { readonly ok: false; readonly reason: Reason; readonly verdict: Verdict }): Content {
  if (!decided.ok) throw notBegun(decided)
  return decided.proof
}

function notBegun({ reason, verdict }: { readonly reason: Reason; readonly verdict: Verdict }): NotBegun {
  if (verdict.outcome !== 'block') return new NotBegun(reason, verdict.message)
  const { message, asked, found, remedy } = verdict
  return new NotBegun(reason, message, { reason: verdict.reason, message, asked, found, remedy })
}
