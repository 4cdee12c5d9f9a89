import { digestOf } from '../../contract/canonical.ts'
import type { Refusal } from '../../contract/gate.ts'
import { type ModelPair, parsePair } from '../../contract/model.ts'
import type { Digest } from '../../contract/verdict.ts'
import { type AliasFault, expandTarget, type Route } from './alias.ts'
import { type PreflightCapability, readCapability } from './capability.ts'
import { type Alias, type Catalog, entryOf, type Profile, type Provider, type Purpose } from './catalog.ts'
import { aliasesInForce, overrideProblem } from './override.ts'
import type { OverrideState } from './ports.ts'
import { profilesFor } from './slice.ts'

/** What a profile name means, in full: nothing in it has to be looked up again, so a later change of a table cannot reach a run (MC-086). */
export interface ResolvedProfile {
  readonly profileName: string
  readonly profile: Profile
  readonly purpose: string
  readonly purposeRules: Purpose
  /** True when the preflight used a profile that does not list its purpose (MC-089). */
  readonly purposeIgnored: boolean
  /** The model as the profile writes it: an exact pair or an alias. */
  readonly asked: string
  readonly alias: null | {
    readonly name: string
    /** The aliases walked, the asked one first. */
    readonly steps: readonly string[]
    readonly requires: NonNullable<Alias['requires']>
    readonly onUnhealthy: NonNullable<Alias['onUnhealthy']>
    /** Every exact pair the alias can mean, best first. */
    readonly candidates: readonly string[]
    /** Digest of the override that was in force, null if there was none (MC-084). */
    readonly overrideDigest: Digest | null
  }
  readonly pair: ModelPair
  readonly provider: Provider
  /** Which of the candidates this is, from 0. */
  readonly candidateIndex: number
}

export type ResolveOutcome = { readonly resolution: ResolvedProfile } | { readonly refusal: Refusal }

export interface ResolveRequest {
  readonly catalog: Catalog
  readonly override: OverrideState
  readonly profile: string
  /** Required: a caller that does not say what a run is for gets none (MC-088). */
  readonly purpose: string
  /** Which candidate of an alias, from 0. An exact pair has only candidate 0. */
  readonly candidate: number
  /** From `grantPreflightCapability`, or null. */
  readonly capability: PreflightCapability | null
}

/** The question as plain data, in which the capability is what was found of it. */
export interface AskedProfile {
  readonly profile: string
  readonly purpose: string | null
  readonly candidate: number
  readonly capability: 'preflight' | 'forged' | null
}

/** Says which exact provider and model a profile means, or why it may not be used. Pure and total; a refusal is a value. */
export function resolveProfile(request: ResolveRequest): ResolveOutcome {
  return resolveAsked(request.catalog, request.override, askedOf(request))
}

/** Reads a request as it came, also from a caller without types. */
export function askedOf(request: Pick<ResolveRequest, 'profile' | 'purpose' | 'candidate' | 'capability'>): AskedProfile {
  const { profile, purpose, candidate, capability }: Record<string, unknown> = { ...request }
  return {
    profile: typeof profile === 'string' ? profile : '',
    purpose: typeof purpose === 'string' && purpose !== '' ? purpose : null,
    candidate: typeof candidate === 'number' && Number.isSafeInteger(candidate) && candidate >= 0 ? candidate : Number.MAX_SAFE_INTEGER,
    capability: readCapability(capability),
  }
}

/** As `resolveProfile`, from plain data. Not exported from the gate: the capability of a caller is judged in `askedOf`. */
export function resolveAsked(catalog: Catalog, override: OverrideState, asked: AskedProfile): ResolveOutcome {
  const profile = entryOf(catalog.profiles, asked.profile)
  if (profile === undefined) return { refusal: unknownProfile(catalog, asked) }
  const allowed = judgePurpose(catalog, profile, asked)
  if ('refusal' in allowed) return allowed
  const table = judgeOverride(catalog, override, asked)
  return 'refusal' in table ? table : pickCandidate(catalog, table, asked, profile, allowed)
}

const question = (asked: AskedProfile): string => `profile ${show(asked.profile)} for purpose ${asked.purpose === null ? '(none given)' : show(asked.purpose)}`

const show = (text: string): string => (text.length > 100 ? `${text.slice(0, 100)}…` : text === '' ? '(none given)' : text)

function suggestion(catalog: Catalog, purpose: string | null): string {
  const names = profilesFor(catalog, purpose)
  // A preflight may use profiles that do not list its purpose, so for it any profile is one to name.
  if (names.length === 0 && entryOf(catalog.purposes, purpose ?? '')?.mayIgnorePurposeOfProfile === true) return 'this purpose may use every profile'
  return names.length === 0 ? 'no profile allows this purpose' : `profiles allowed for ${show(purpose ?? '')}: ${names.join(', ')}`
}

function unknownProfile(catalog: Catalog, asked: AskedProfile): Refusal {
  return {
    reason: 'profile_unknown',
    message: `No profile is named ${show(asked.profile)}.`,
    asked: question(asked),
    found: 'no such profile in the catalog',
    remedy: `Name a profile of portcullis.yaml; ${suggestion(catalog, asked.purpose)}.`,
  }
}

type PurposeAllowed = { readonly purpose: string; readonly rules: Purpose; readonly ignored: boolean }

function judgePurpose(catalog: Catalog, profile: Profile, asked: AskedProfile): PurposeAllowed | { refusal: Refusal } {
  const violation = (found: string, remedy: string): { refusal: Refusal } => ({
    refusal: { reason: 'runtime_purpose_violation', message: `RuntimePurposeViolation: ${found}.`, asked: question(asked), found, remedy },
  })
  // Sorted, because stored facts do not keep the order of the file, and must give the same words again.
  const known = Object.keys(catalog.purposes).toSorted().join(', ')
  if (asked.purpose === null) return violation('no purpose was given', `Say what the run is for: ${known}.`)
  const rules = entryOf(catalog.purposes, asked.purpose)
  if (rules === undefined) {
    const message = `No purpose is named ${show(asked.purpose)}.`
    return { refusal: { reason: 'purpose_unknown', message, asked: question(asked), found: 'no such purpose in the catalog', remedy: `Use a purpose of portcullis.yaml: ${known}.` } }
  }
  if (asked.capability === 'forged') return violation('a capability that was not granted', 'Call without a capability; only the preflight path is granted one.')
  if (rules.mayIgnorePurposeOfProfile === true && asked.capability !== 'preflight') {
    return violation(`purpose ${asked.purpose} belongs to the preflight`, `Use a purpose that is open to callers; ${asked.purpose} is for the preflight path alone.`)
  }
  const listed = profile.purposes.includes(asked.purpose)
  if (!listed && rules.mayIgnorePurposeOfProfile !== true) {
    return violation(`profile ${asked.profile} allows only ${profile.purposes.join(', ')}`, `Choose another profile (${suggestion(catalog, asked.purpose)}), or have the purpose added to ${asked.profile}.`)
  }
  return { purpose: asked.purpose, rules, ignored: !listed }
}

interface Table {
  readonly aliases: Readonly<Record<string, Alias>>
  readonly digest: Digest | null
}

function judgeOverride(catalog: Catalog, override: OverrideState, asked: AskedProfile): Table | { refusal: Refusal } {
  if (override === null) return { aliases: aliasesInForce(catalog.aliases, null), digest: null }
  const found = 'invalid' in override ? override.invalid : overrideProblem(catalog, override.value)
  if (found !== undefined || !('value' in override)) {
    return {
      refusal: {
        reason: 'alias_override_invalid',
        message: 'aliases.json is not valid, so nothing is resolved.',
        asked: question(asked),
        found: `aliases.json: ${found ?? 'not readable'}`,
        remedy: 'Correct aliases.json or remove it; an override that cannot be read is never ignored.',
      },
    }
  }
  return { aliases: aliasesInForce(catalog.aliases, override.value), digest: digestOf(override.value) }
}

const REMEDY: Readonly<Record<AliasFault['reason'], string>> = {
  alias_unknown: 'Point it at an exact provider/model, or define the alias.',
  alias_cycle: 'Point one of them at an exact provider/model.',
  alias_too_deep: 'Point the alias more directly at an exact provider/model.',
  alias_floating: 'Write the exact id of one model, as in provider/model-2026-01-31.',
  alias_exhausted: 'Add a candidate to the alias, or wait until one is healthy again.',
  alias_override_invalid: 'Correct aliases.json or remove it.',
  provider_unknown: 'Define the provider in portcullis.yaml, or correct its name.',
}

function pickCandidate(catalog: Catalog, table: Table, asked: AskedProfile, profile: Profile, allowed: PurposeAllowed): ResolveOutcome {
  const refuse = (fault: AliasFault): ResolveOutcome => ({
    refusal: {
      reason: fault.reason,
      message: `Profile ${asked.profile} does not lead to an exact model: ${fault.found}.`,
      asked: `${question(asked)}, model ${show(profile.model)}`,
      found: fault.found,
      remedy: REMEDY[fault.reason],
    },
  })
  const expansion = expandTarget(profile.model, { aliases: table.aliases, providers: catalog.providers })
  if ('fault' in expansion) return refuse(expansion.fault)
  const route = expansion.routes[asked.candidate]
  if (route === undefined) {
    const count = expansion.routes.length
    return refuse({ reason: 'alias_exhausted', found: `${show(profile.model)} has ${count === 1 ? 'one candidate' : `${count} candidates`}, and none after them` })
  }
  const pair = parsePair(route.pair)
  const provider = pair === undefined ? undefined : entryOf(catalog.providers, pair.provider)
  if (pair === undefined || provider === undefined) return refuse({ reason: 'provider_unknown', found: route.pair })
  const isAlias = entryOf(table.aliases, profile.model) !== undefined
  return {
    resolution: {
      profileName: asked.profile,
      profile,
      purpose: allowed.purpose,
      purposeRules: allowed.rules,
      purposeIgnored: allowed.ignored,
      asked: profile.model,
      alias: isAlias ? describeAlias(profile.model, route.steps, expansion.routes, table) : null,
      pair,
      provider,
      candidateIndex: asked.candidate,
    },
  }
}

function describeAlias(name: string, steps: readonly string[], routes: readonly Route[], table: Table): NonNullable<ResolvedProfile['alias']> {
  const walked = steps.map((step) => entryOf(table.aliases, step))
  return {
    name,
    steps,
    requires: [...new Set(walked.flatMap((alias) => alias?.requires ?? []))],
    // One alias on the way that does not allow failing over is enough to forbid it.
    onUnhealthy: walked.every((alias) => alias?.onUnhealthy === 'next-admitted') ? 'next-admitted' : 'block',
    candidates: routes.map((route) => route.pair),
    overrideDigest: table.digest,
  }
}
