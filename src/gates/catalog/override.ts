import { type Alias, type AliasOverride, type Catalog, entryOf } from './catalog.ts'
import { expandTarget } from './alias.ts'

type AliasTable = Readonly<Record<string, Alias>>

/**
 * The alias table in force. An override changes where an alias points; it can add to what a target must prove, and can
 * never lower it, so an operator who drains a model at night does not switch a check off by leaving out a line.
 */
export function aliasesInForce(aliases: AliasTable | undefined, override: AliasOverride | null): AliasTable {
  const inForce: Record<string, Alias> = { ...aliases }
  for (const [name, replacement] of Object.entries(override?.aliases ?? {})) {
    const original = entryOf(aliases, name)
    const requires = [...new Set([...(original?.requires ?? []), ...(replacement.requires ?? [])])]
    inForce[name] = { ...original, ...replacement, ...(requires.length > 0 ? { requires } : {}) }
  }
  return inForce
}

/**
 * What is wrong with an override as a whole, or undefined. It is judged before any use, also where the asked profile
 * does not touch it: an override with a typo that is silently without effect would leave the drained model in service.
 */
export function overrideProblem(catalog: Pick<Catalog, 'aliases' | 'providers'>, override: AliasOverride): string | undefined {
  const tables = { aliases: aliasesInForce(catalog.aliases, override), providers: catalog.providers }
  for (const name of Object.keys(override.aliases)) {
    if (entryOf(catalog.aliases, name) === undefined) return `it names ${name}, which the catalog does not define as an alias`
    const expansion = expandTarget(name, tables)
    if ('fault' in expansion) return expansion.fault.found
  }
  return undefined
}
