import { milliseconds } from '../../contract/units.ts'
import { type Admitted, admissionProof } from '../../gates/admission/index.ts'
import { catalogProof, type IsolationLevel, type Resolution } from '../../gates/catalog/index.ts'
import { type Healthy, healthyProof } from '../../gates/health/index.ts'
import { type Grant, type GrantRequest, ModelCallEvidence, type Wire, wireGate, witnessed, witnessedCall, type WitnessedContent } from '../../gates/wire/index.ts'
import type { Course, Decided } from '../course.ts'
import { LOCAL_WORK_MS, settingsOf, wireBudgets } from '../limits.ts'
import type { RunRecord } from '../read-run.ts'
import type { World } from '../world.ts'
import { sessionSubject } from './launch.ts'

/** What gates 1 to 3 came to: an exact pair, admitted and alive. */
export interface ChosenPair {
  readonly resolution: Resolution
  readonly admitted: Admitted
  readonly healthy: Healthy
}

/** The licence of the agent's own calls, for nobody without all three proofs. It ends with the run, and no later than the profile's limit. */
export function grantToAgent(world: World, course: Course, wire: Wire, chosen: ChosenPair): Grant {
  const request = licenceRequest(world, course, chosen)
  return wire.grant(request)
}

/** What such a licence is for, also where its token was made by an earlier process. */
export function licenceRequest(world: World, course: Course, { resolution, admitted, healthy }: ChosenPair): GrantRequest {
  catalogProof.check(resolution, world.clock())
  admissionProof.check(admitted, world.clock())
  healthyProof.check(healthy, world.clock())
  const { profile, provider, pair } = resolution
  return {
    runId: course.run.runId,
    purpose: 'agent',
    admitted: pair,
    provider,
    servedModelIds: admitted.servedModelIds,
    ...pinned(admitted),
    ...(world.claim === undefined ? {} : { epoch: world.claim.epoch }),
    aliases: resolution.alias === null ? [] : [resolution.alias.name],
    backgroundModels: profile.backgroundModels,
    settings: settingsOf(profile),
    providerTools: profile.providerTools ?? [],
    ...wireBudgets(resolution, world.configuration),
    expiresAt: new Date(world.clock().getTime() + milliseconds(profile.limits.total) + LOCAL_WORK_MS),
  }
}

/** A run is pinned to the pair that its gates chose: the wire never fails over from it (WIR-31). A one-shot run has one generation. */
export const pinned = ({ endsAt }: Admitted) => ({ epoch: 1, byModelId: true, fallbacks: [], admittedUntil: endsAt === null ? null : new Date(endsAt) })

/** Gate 7: what the wire saw of the whole run. The licence has ended before it is judged, so nothing can be added to it. */
export function decideWire(world: World, course: Course, { resolution, admitted }: ChosenPair, grant: Grant, turn: { readonly beganAt: number; readonly processRanMs: number; readonly isolation: IsolationLevel }): Promise<Decided<'wire', WitnessedContent>> {
  return course.decide({
    definition: wireGate,
    mint: witnessed,
    subject: sessionSubject(course, resolution),
    timeoutMs: LOCAL_WORK_MS,
    beganAt: turn.beganAt,
    observe: async () => {
      await grant.revoke()
      return {
        facts: {
          observedAt: world.clock().toISOString(),
          validForMs: milliseconds(world.configuration.health.maxAge),
          admitted: resolution.pair,
          servedModelIds: [...admitted.servedModelIds],
          // Below isolation `network` a call that went round the wire cannot be excluded (ISO-07).
          recordComplete: turn.isolation === 'network',
          processRanMs: turn.processRanMs,
          unrecordedCalls: grant.unrecordedCalls(),
          calls: grant.calls().map(witnessedCall),
        },
      }
    },
  })
}

/**
 * Gate 7 again, for a run that another process takes up: its licence has ended, and the calls are those of the ledger. Undefined
 * if the gate never judged the run.
 */
export async function decideWireAgain(world: World, course: Course, record: RunRecord): Promise<Decided<'wire', WitnessedContent> | undefined> {
  const stored = record.facts(wireGate)
  const subject = record.last('wire')?.subject[0]
  if (stored === undefined || subject === undefined) return undefined
  const recorded = new Map([...record.history.statements].flatMap(([evidence, statement]) => {
    const call = ModelCallEvidence.read(statement)?.predicate
    return call === undefined || call.purpose !== 'agent' ? [] : [[evidence, witnessedCall({ evidence, call })] as const]
  }))
  return course.decide({
    definition: wireGate,
    mint: witnessed,
    subject,
    timeoutMs: LOCAL_WORK_MS,
    observe: () => Promise.resolve({ facts: { ...stored, observedAt: world.clock().toISOString(), calls: [...recorded.values()] } }),
  })
}
