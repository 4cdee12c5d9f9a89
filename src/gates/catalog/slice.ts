import { parsePair } from '../../contract/model.ts'
import type { OverrideState } from './ports.ts'
import { type Alias, type Catalog, entryOf, type Profile, type Provider } from './catalog.ts'

/** How many profiles a refusal names as fit for the purpose. */
export const SUGGESTED_PROFILES = 10

/** Names of profiles that list the purpose, sorted: stored facts do not keep the order of the file, and must name the same ones again. */
export const profilesFor = (catalog: Pick<Catalog, 'profiles'>, purpose: string | null): string[] =>
  purpose === null ? [] : Object.entries(catalog.profiles).filter(([, profile]) => profile.purposes.includes(purpose)).map(([name]) => name).toSorted().slice(0, SUGGESTED_PROFILES)

/**
 * The part of a catalog that a question touches, itself a catalog: resolving in it gives what resolving in the whole
 * gives. It is what the ledger keeps, so that the decision can be made again without the configuration of that day.
 */
export function sliceCatalog(catalog: Catalog, asked: { readonly profile: string; readonly purpose: string | null }, override: OverrideState): Catalog {
  const profiles: Record<string, Profile> = {}
  const profile = entryOf(catalog.profiles, asked.profile)
  if (profile !== undefined) profiles[asked.profile] = profile
  if (profile === undefined || asked.purpose === null || !profile.purposes.includes(asked.purpose)) {
    for (const name of profilesFor(catalog, asked.purpose)) {
      const suggested = entryOf(catalog.profiles, name)
      if (suggested !== undefined) profiles[name] = suggested
    }
  }
  const overridden = override !== null && 'value' in override ? override.value.aliases : {}
  const { aliases, providers } = reach(catalog, [profile?.model ?? '', ...Object.keys(overridden), ...Object.values(overridden).flatMap((alias) => alias.candidates)])
  const ordered = Object.fromEntries(Object.entries(catalog.profiles).filter(([name]) => Object.hasOwn(profiles, name)))
  return { providers, ...(catalog.aliases === undefined ? {} : { aliases }), profiles: ordered, purposes: { ...catalog.purposes } }
}

function reach(catalog: Catalog, roots: readonly string[]): { aliases: Record<string, Alias>; providers: Record<string, Provider> } {
  const aliases: Record<string, Alias> = {}
  const providers: Record<string, Provider> = {}
  const waiting = [...roots]
  for (let text = waiting.pop(); text !== undefined; text = waiting.pop()) {
    const alias = entryOf(catalog.aliases, text)
    if (alias !== undefined && !Object.hasOwn(aliases, text)) {
      aliases[text] = alias
      waiting.push(...alias.candidates)
    }
    const name = parsePair(text)?.provider
    const provider = name === undefined ? undefined : entryOf(catalog.providers, name)
    if (name !== undefined && provider !== undefined) providers[name] = provider
  }
  return { aliases, providers }
}
