import { digestOf } from '../../contract/canonical.ts'
import { printPair } from '../../contract/model.ts'
import { milliseconds } from '../../contract/units.ts'
import { type Admitted, admissionProof } from '../../gates/admission/index.ts'
import { catalogProof, type CredentialSource, type Resolution } from '../../gates/catalog/index.ts'
import { healthGate, type HealthFacts, type HealthyContent, healthyProof, probeCallOf } from '../../gates/health/index.ts'
import { NO_SETTINGS, type RecordedCall, type Wire } from '../../gates/wire/index.ts'
import type { Course, Decided, Step } from '../course.ts'
import { MARGIN_MS, probeLimitMs, wireBudgets } from '../limits.ts'
import type { World } from '../world.ts'
import { pinned } from './wire.ts'

type HealthStep = Step<'health', HealthFacts, HealthyContent>

export interface HealthCircumstances {
  readonly together?: HealthStep['together']
  /** Whoever cancels what the model is probed for does not wait for its answer. */
  readonly cancelled?: AbortSignal
}

/** Gate 3: one real call through the same wire, credential and model id as the run. */
export function decideHealth(world: World, course: Course, wire: Wire, resolution: Resolution, admitted: Admitted, { together, cancelled }: HealthCircumstances = {}): Promise<Decided<'health', HealthyContent>> {
  catalogProof.check(resolution, world.clock())
  admissionProof.check(admitted, world.clock())
  const { pair, provider } = resolution
  const limitMs = probeLimitMs(provider) + MARGIN_MS
  return course.decide({
    definition: healthGate,
    mint: healthyProof,
    subject: { name: printPair(pair), digest: { sha256: digestOf(pair) } },
    timeoutMs: limitMs + MARGIN_MS,
    ...(together === undefined ? {} : { together }),
    observe: async (signal) => {
      const budgets = wireBudgets(resolution, world.configuration)
      const grant = wire.grant({
        runId: course.run.runId,
        purpose: 'health',
        admitted: pair,
        provider,
        servedModelIds: admitted.servedModelIds,
        ...pinned(admitted),
        aliases: [],
        backgroundModels: 'refuse',
        settings: NO_SETTINGS,
        providerTools: [],
        // The probe is exactly one call, whatever the profile allows a run.
        ...budgets,
        limits: { ...budgets.limits, calls: 1 },
        expiresAt: new Date(world.clock().getTime() + limitMs),
      })
      await world.probeModel({ grant, dialect: provider.dialect, model: pair.model, timeoutMs: probeLimitMs(provider), signal: cancelled === undefined ? signal : AbortSignal.any([signal, cancelled]) })
      await grant.revoke()
      return { facts: factsOf(world, resolution, admitted, grant.calls()) }
    },
  })
}

function factsOf(world: World, resolution: Resolution, admitted: Admitted, calls: readonly RecordedCall[]): HealthFacts {
  const { credential } = resolution.provider
  return {
    observedAt: world.clock().toISOString(),
    pair: resolution.pair,
    servedModelIds: [...admitted.servedModelIds],
    credential: { class: credential.class, source: describeSource(credential) },
    staticOk: true,
    toolsRequired: resolution.alias?.requires.includes('tools') ?? false,
    ...probeCallOf(calls),
    maxAgeMs: milliseconds(world.configuration.health.maxAge),
  }
}

/** Where the wire looks for a credential, in words; never what it finds there. */
function describeSource(credential: CredentialSource): string {
  switch (credential.source) {
    case 'env':
      return `env ${credential.name}`
    case 'file':
    case 'oauth-file':
      return `${credential.source} ${credential.path}`
    case 'command':
      return `command ${credential.command[0] ?? ''}`
    case 'none':
      return 'none'
  }
}
