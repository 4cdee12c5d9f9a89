import * as z from 'zod'
import { definePredicate } from '../../contract/evidence.ts'
import { REASONS } from '../../contract/reasons.ts'
import { IsolationLevel } from '../catalog/index.ts'
import { LaunchPlan } from './launch-plan.ts'
import type { Planned, PlanRequest } from './ports.ts'
import { findSecretSurfaces } from './secret-surfaces.ts'

const Sentence = z.string().min(1).max(4_096)

/** A refusal as an adapter gave it while planning: the agent is not installed, does not speak the dialect, ... */
export const PlanRefusal = z.strictObject({ reason: z.enum(REASONS), message: Sentence, asked: Sentence, found: Sentence, remedy: Sentence })

/** What was observed about a launch that is about to happen. Exactly one of `plan` and `refusal` is set. */
export const LaunchFacts = z.strictObject({
  observedAt: z.iso.datetime(),
  /** How long the permit may be used, in milliseconds. */
  validForMs: z.int().positive(),
  plan: LaunchPlan.nullable(),
  refusal: PlanRefusal.nullable(),
  /** `reached` was found by trying; `obstacle` says why it is not more, and is null where it is what was required. */
  isolation: z.strictObject({ required: IsolationLevel, reached: IsolationLevel, obstacle: Sentence.nullable() }),
  runDirectory: z.string().min(1),
  /** Surfaces in which a credential was found: `argv`, `environment:NAME`, `file:path`. Names only. */
  secretsFound: z.array(z.string().min(1)).max(1_000),
  /** Names of variables whose value came from our own environment. */
  inheritedNames: z.array(z.string().min(1)).max(200),
  /** Limits of the profile that nothing can hold the agent to, each as a sentence. */
  limits: z.strictObject({ unenforceable: z.array(Sentence).max(20) }),
})
export type LaunchFacts = Readonly<z.infer<typeof LaunchFacts>>

export const LaunchEvidence = definePredicate('https://portcullis.dev/evidence/launch/v1', LaunchFacts)

/** What the engine knows beside the plan. */
export interface LaunchCircumstances {
  readonly observedAt: Date
  readonly validForMs: number
  readonly runDirectory: string
  readonly isolation: LaunchFacts['isolation']
  /** Every credential value that is known; compared, never stored. */
  readonly secrets: readonly string[]
  readonly unenforceableLimits: readonly string[]
}

/** Composes the facts of a launch from what was planned. Pure: what is compared here is given, and only names leave. */
export function composeLaunchFacts(planned: Planned, request: Pick<PlanRequest, 'inherited' | 'runToken'>, circumstances: LaunchCircumstances): LaunchFacts {
  const common = {
    observedAt: circumstances.observedAt.toISOString(),
    validForMs: circumstances.validForMs,
    isolation: circumstances.isolation,
    runDirectory: circumstances.runDirectory,
    limits: { unenforceable: [...circumstances.unenforceableLimits] },
  }
  if (!planned.ok) return { ...common, plan: null, refusal: planned.refusal, secretsFound: [], inheritedNames: [] }
  const { plan, environment } = planned.launch
  return {
    ...common,
    plan,
    refusal: null,
    secretsFound: findSecretSurfaces(planned.launch, circumstances.secrets, request.runToken),
    inheritedNames: inheritedNames(environment, plan.environmentSettings, request.inherited),
  }
}

/** A variable counts as inherited if it has our own value, unless that is the value the adapter itself fixes. */
function inheritedNames(environment: Readonly<Record<string, string>>, settings: Readonly<Record<string, string>>, inherited: PlanRequest['inherited']): string[] {
  return Object.entries(environment)
    .filter(([name, value]) => inherited[name] === value && settings[name] !== value)
    .map(([name]) => name)
    .sort()
}
