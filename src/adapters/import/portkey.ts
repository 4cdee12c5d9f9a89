import * as z from 'zod'
import { printName } from '../../contract/secret-like.ts'
import type { Candidate, Draft, KeySource } from './imported.ts'
import { dialectOf, unreachable } from './vocabulary.ts'

const Strategy = z.looseObject({ mode: z.string() })

/** One target of a Portkey config, or the config itself: they have the same fields. Names are compared in snake_case. */
interface Target {
  readonly name?: string | undefined
  readonly provider?: string | undefined
  readonly api_key?: string | undefined
  readonly virtual_key?: string | undefined
  readonly custom_host?: string | undefined
  readonly request_timeout?: number | undefined
  readonly override_params?: { readonly [name: string]: unknown; readonly model?: string | undefined } | undefined
  readonly strategy?: z.infer<typeof Strategy> | undefined
  readonly targets?: readonly unknown[] | undefined
}

export const PortkeyTarget = z.preprocess(
  snakeCase,
  z.looseObject({
    name: z.string().optional(),
    provider: z.string().min(1).optional(),
    api_key: z.string().optional(),
    virtual_key: z.string().optional(),
    custom_host: z.string().optional(),
    request_timeout: z.number().positive().optional(),
    override_params: z.looseObject({ model: z.string().min(1).optional() }).optional(),
    strategy: Strategy.optional(),
    targets: z.array(z.unknown()).optional(),
  }),
)

/** Both spellings are read by Portkey; only the names of fields are changed here. */
function snakeCase(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), member]))
}

const KNOWN = new Set(['name', 'provider', 'api_key', 'virtual_key', 'custom_host', 'request_timeout', 'override_params', 'strategy', 'targets', 'weight'])

interface Inherited {
  readonly model: string | undefined
  readonly timeoutMs: number | undefined
}

/** Reads a Portkey config into a draft: targets become providers, the config one alias, named after its file. */
export function readPortkey(config: unknown, name: string, draft: Draft): void {
  const candidates = visit(config, 'config', { model: undefined, timeoutMs: undefined }, draft)
  draft.alias(name, 'config', candidates, candidates.length > 1)
}

function visit(unread: unknown, where: string, inherited: Inherited, draft: Draft): readonly Candidate[] {
  const read = PortkeyTarget.safeParse(unread)
  if (!read.success) {
    draft.remark(where, `it has a field of another kind: ${read.error.issues.map((issue) => issue.path.map(String).join('.')).join(', ')}`)
    return []
  }
  const target: Target = read.data
  remarkFields(target, where, draft)
  const passedOn = { model: target.override_params?.model ?? inherited.model, timeoutMs: target.request_timeout ?? inherited.timeoutMs }
  if (target.targets === undefined) return leaf(target, where, passedOn, draft)
  const below = target.targets.map((each, index) => visit(each, `${where}.targets[${index}]`, passedOn, draft))
  return chosen(target.strategy?.mode, below, where, draft)
}

/** Which of the candidates below a strategy stand in an alias, and in which order. */
function chosen(mode: string | undefined, below: readonly (readonly Candidate[])[], where: string, draft: Draft): readonly Candidate[] {
  switch (mode) {
    case 'fallback':
      return below.flat()
    case 'loadbalance':
      draft.remark(`${where}.strategy`, 'calls are spread over the targets by weight there; here the first one is used and the others stand in the order of the file')
      return below.flat()
    case 'single':
    case undefined:
      if (below.length > 1) draft.remark(where, 'only the first of its targets is ever used there, and only it stands in the alias')
      return below[0] ?? []
    default:
      draft.remark(`${where}.strategy`, `mode ${printName(mode)} chooses by what a request says, which an alias does not; its targets became providers, and stand in no alias`)
      return []
  }
}

function leaf(target: Target, where: string, { model, timeoutMs }: Inherited, draft: Draft): readonly Candidate[] {
  const named = nameProvider(target, model)
  if (named.kind === undefined) {
    draft.remark(where, 'it names no provider: with a virtual key alone, only the vault of the other gateway knows which it is. Fill in the dialect and the address')
  }
  const why = named.kind === undefined ? undefined : unreachable(named.kind)
  if (why !== undefined) {
    draft.remark(where, `${named.kind}: ${why}`)
    return []
  }
  const dialect = named.kind === undefined || named.slug ? undefined : dialectOf(named.kind)
  if (named.kind !== undefined && dialect === undefined) draft.remark(where, `${printName(named.kind)} is no provider whose API is known here; fill in the dialect if it speaks one of ours`)
  const candidate = draft.add({ where, kind: named.kind ?? target.name ?? 'provider', dialect, address: target.custom_host, key: keyOf(target, named.slug, draft), totalMs: timeoutMs, model: named.model, price: undefined })
  return candidate === undefined ? [] : [candidate]
}

/** `@slug` and `@slug/model` name an entry of the model catalog of Portkey, which says there, and not here, what it is. */
function nameProvider({ provider }: Target, model: string | undefined): { readonly kind: string | undefined; readonly slug: boolean; readonly model: string | undefined } {
  const cataloged = /^@([^/]+)\/(.+)$/.exec(model ?? '')
  if (cataloged !== null) return { kind: cataloged[1], slug: true, model: cataloged[2] }
  return provider?.startsWith('@') === true ? { kind: provider.slice(1), slug: true, model } : { kind: provider, slug: false, model }
}

function keyOf({ api_key: key, virtual_key: virtual }: Target, slug: boolean, draft: Draft): KeySource {
  if (virtual !== undefined) draft.secrets.add(virtual)
  if (key !== undefined && key !== '') return draft.inline(key)
  return virtual !== undefined || slug ? { kind: 'vault' } : { kind: 'absent' }
}

/** Names of what stands in a target and has no counterpart. Values are not repeated. */
function remarkFields(target: Target, where: string, draft: Draft): void {
  const names = Object.keys(target).filter((name) => !KNOWN.has(name))
  for (const [name, value] of Object.entries(target)) if (!KNOWN.has(name) && typeof value === 'string' && /key|token|secret|password|credential/i.test(name)) draft.secrets.add(value)
  const parameters = Object.keys(target.override_params ?? {}).filter((name) => name !== 'model').map((name) => `override_params.${name}`)
  const strategy = Object.keys(target.strategy ?? {}).filter((name) => name !== 'mode').map((name) => `strategy.${name}`)
  const left = [...names, ...parameters, ...strategy]
  if (left.length > 0) draft.remark(where, `not taken over: ${left.map(printName).join(', ')}. The wire changes nothing of a request but its model`)
  if (target.targets !== undefined && (target.provider ?? target.custom_host ?? target.api_key ?? target.virtual_key) !== undefined) {
    draft.remark(where, 'it has targets and a provider of its own; only the targets were taken over')
    if (target.api_key !== undefined) draft.secrets.add(target.api_key)
    if (target.virtual_key !== undefined) draft.secrets.add(target.virtual_key)
  }
}
