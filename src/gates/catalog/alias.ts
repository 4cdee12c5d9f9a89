import { parsePair } from '../../contract/model.ts'
import type { Reason } from '../../contract/reasons.ts'
import { type Alias, type Catalog, entryOf } from './catalog.ts'

/** How many aliases may lead into one another before an exact id must stand (MC-083). */
export const MAX_ALIAS_STEPS = 5

/** A way from an alias to an exact id: the aliases walked, in order. */
export interface Route {
  readonly pair: string
  readonly steps: readonly string[]
}

export interface AliasFault {
  readonly reason: Extract<Reason, `alias_${string}` | 'provider_unknown'>
  readonly found: string
}

export type Expansion = { readonly routes: readonly Route[] } | { readonly fault: AliasFault }

const MOVING_WORD = /(^|[-_:@./])(latest|newest|default|auto)$/i
// Family names that agents and vendors move from one model to the next; as a whole id they pin nothing.
const FAMILY = /^(opus|sonnet|haiku|best|opusplan|pro|flash|flash-lite)$/i

/** Why an id cannot be an exact one (`coder-latest`, `sonnet`, `*`, `opus[1m]`), or undefined. Names that move are the worse error: they change models unseen. */
export function floatingReason(model: string): string | undefined {
  if (/[*?]/.test(model)) return 'it is a pattern'
  if (/[[\]]/.test(model)) return 'a context variant in brackets is a field of its own, not part of an id'
  if (MOVING_WORD.test(model)) return 'it names whatever is newest'
  if (FAMILY.test(model)) return 'it names a family, not a model'
  return undefined
}

/**
 * Follows a name to every exact id it can mean, in order of preference. All of its targets must be sound, not only the
 * one that is used today: a broken second candidate is found now and not during the failover.
 */
export function expandTarget(target: string, tables: Pick<Catalog, 'aliases' | 'providers'>): Expansion {
  const routes = new Map<string, Route>()
  const heights = new Map<string, number>()

  const visit = (text: string, above: readonly string[]): number | AliasFault => {
    const alias: Alias | undefined = entryOf(tables.aliases, text)
    const path = [...above, text]
    if (alias === undefined) {
      const fault = endFault(text, path, tables.providers)
      if (fault !== undefined) return fault
      if (!routes.has(text)) routes.set(text, { pair: text, steps: above })
      return 0
    }
    if (above.includes(text)) return { reason: 'alias_cycle', found: path.join(' -> ') }
    const known = heights.get(text)
    if (above.length + (known ?? 1) > MAX_ALIAS_STEPS) return { reason: 'alias_too_deep', found: `${path.join(' -> ')}, more than ${MAX_ALIAS_STEPS} steps` }
    if (known !== undefined) return known
    let below = 0
    for (const candidate of alias.candidates) {
      const height = visit(candidate, path)
      if (typeof height !== 'number') return height
      below = Math.max(below, height)
    }
    heights.set(text, below + 1)
    return below + 1
  }

  const height = visit(target, [])
  return typeof height === 'number' ? { routes: [...routes.values()] } : { fault: height }
}

function endFault(text: string, path: readonly string[], providers: Catalog['providers']): AliasFault | undefined {
  const walked = path.join(' -> ')
  const pair = parsePair(text)
  if (pair === undefined) {
    const floats = floatingReason(text)
    return floats === undefined ? { reason: 'alias_unknown', found: `${walked}, which is neither an alias nor provider/model` } : { reason: 'alias_floating', found: `${walked}: ${floats}` }
  }
  const floats = floatingReason(pair.model)
  if (floats !== undefined) return { reason: 'alias_floating', found: `${walked}: ${floats}` }
  if (entryOf(providers, pair.provider) === undefined) return { reason: 'provider_unknown', found: `${walked}, and no provider is named ${pair.provider}` }
  return undefined
}
