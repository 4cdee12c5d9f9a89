import { parsePair } from '../../contract/model.ts'
import type { Configuration } from '../../engine/index.ts'
import { type AdmissionRecord, type AdmissionSource, type DecisionSource, fileNameOf, type RecordScope, scopeOf } from '../../gates/admission/index.ts'
import { entryOf, type OverrideState, type Profile, type ResolvedProfile, resolveProfile } from '../../gates/catalog/index.ts'

/** What is drilled: one profile of the user's own configuration, with everything beside it that a run of it would read. */
export interface DrillTarget {
  readonly profileName: string
  readonly profile: Profile
  readonly configuration: Configuration
  readonly override: OverrideState
  readonly admissions: AdmissionSource
  readonly decisions: DecisionSource
  /** The first purpose that the profile lists and that a caller may use; undefined if there is none. */
  readonly purpose: string | undefined
  /** What the profile means today; undefined if the catalog refuses it, and then the control will show why. */
  readonly resolution: ResolvedProfile | undefined
  /** The scopes of the valid records that name the pair. */
  readonly scopes: readonly RecordScope[]
}

/** What a drill attacks. Undefined if no profile has this name. Pure: what was read is given. */
export function targetOf(read: { readonly configuration: Configuration; readonly override: OverrideState; readonly admissions: AdmissionSource; readonly decisions: DecisionSource }, profileName: string): DrillTarget | undefined {
  const { configuration, override } = read
  const profile = entryOf(configuration.profiles, profileName)
  if (profile === undefined) return undefined
  const purpose = profile.purposes.find((name) => entryOf(configuration.purposes, name)?.mayIgnorePurposeOfProfile !== true)
  const outcome = resolveProfile({ catalog: configuration, override, profile: profileName, purpose: purpose ?? '', candidate: 0, capability: null })
  const resolution = 'resolution' in outcome ? outcome.resolution : undefined
  const scopes = resolution === undefined ? [] : recordsFor(read.admissions, resolution).map(({ record }) => scopeOf(record))
  return { ...read, profileName, profile, purpose, resolution, scopes }
}

function recordsFor(admissions: AdmissionSource, { pair }: ResolvedProfile): { name: string; record: AdmissionRecord }[] {
  return admissions.files.flatMap(({ path, record }) => (record !== null && record.provider === pair.provider && record.model === pair.model ? [{ name: fileNameOf(path), record }] : []))
}

/** The name by which the provider must answer to count as the admitted model. */
export const servedNameOf = ({ scopes, resolution, profile }: DrillTarget): string => {
  const [first, ...rest] = scopes
  const common = first?.servedModelIds.find((id) => rest.every(({ servedModelIds }) => servedModelIds.includes(id)))
  return common ?? resolution?.pair.model ?? parsePair(profile.model)?.model ?? profile.model
}
