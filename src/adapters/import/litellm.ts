import * as z from 'zod'
import { parseMoney } from '../../contract/units.ts'
import { printName } from '../../contract/secret-like.ts'
import type { Candidate, Deployment, Draft, KeySource } from './imported.ts'
import { dialectOf, unreachable } from './vocabulary.ts'

const Fallbacks = z.array(z.record(z.string(), z.array(z.unknown()))).optional()
const Aliases = z.record(z.string(), z.union([z.string(), z.looseObject({ model: z.string() })])).optional()
const Seconds = z.number().positive().max(86_400).optional()

const Entry = z.looseObject({
  model_name: z.string().min(1),
  litellm_params: z.looseObject({
    model: z.string().min(1),
    custom_llm_provider: z.string().min(1).optional(),
    api_base: z.string().optional(),
    base_url: z.string().optional(),
    api_key: z.string().optional(),
    timeout: z.union([z.number(), z.string()]).optional(),
    input_cost_per_token: z.number().optional(),
    output_cost_per_token: z.number().optional(),
  }),
  model_info: z.looseObject({ mode: z.string().optional(), input_cost_per_token: z.number().optional(), output_cost_per_token: z.number().optional() }).optional(),
})
type Entry = z.infer<typeof Entry>

/** A LiteLLM `config.yaml`. Everything else in it is named in a remark, and not taken over. */
export const LiteLlmConfig = z.looseObject({
  model_list: z.array(z.unknown()).min(1),
  litellm_settings: z.looseObject({ fallbacks: Fallbacks, model_alias_map: Aliases, request_timeout: Seconds }).nullish(),
  router_settings: z.looseObject({ fallbacks: Fallbacks, model_group_alias: Aliases, timeout: Seconds }).nullish(),
})
export type LiteLlmConfig = z.infer<typeof LiteLlmConfig>

/** Reads a LiteLLM configuration into a draft: deployments become providers, model names aliases. */
export function readLiteLlm(config: LiteLlmConfig, draft: Draft): void {
  const groups = new Map<string, Candidate[]>()
  const stated = config.router_settings?.timeout ?? config.litellm_settings?.request_timeout
  for (const [index, unread] of config.model_list.entries()) {
    const where = `model_list[${index}]`
    const entry = Entry.safeParse(unread)
    if (!entry.success) {
      draft.remark(where, `it has no model_name with litellm_params.model, or a field of another kind: ${entry.error.issues.map((issue) => issue.path.map(String).join('.')).join(', ')}`)
      continue
    }
    const deployment = deploymentOf(entry.data, where, stated, draft)
    const candidate = deployment === undefined ? undefined : draft.add(deployment)
    const group = groups.get(entry.data.model_name) ?? []
    groups.set(entry.data.model_name, candidate === undefined ? group : [...group, candidate])
  }
  writeAliases(config, groups, draft)
  remarkRest(config, draft)
}

function deploymentOf(entry: Entry, where: string, stated: number | undefined, draft: Draft): Deployment | undefined {
  const { model_info: info, litellm_params: given } = entry
  const named = splitModel(given.model, given.custom_llm_provider)
  if (named === undefined) return skip(draft, where, 'its model names no provider, and LiteLLM would guess one from the name. Write it as provider/model there, or by hand here')
  const why = unreachable(named.kind)
  if (why !== undefined) return skip(draft, where, `${named.kind}: ${why}`)
  if (info?.mode !== undefined && !['chat', 'responses', 'completion'].includes(info.mode)) return skip(draft, where, `mode ${printName(info.mode)}: the wire forwards chat, responses and messages only`)
  remarkFields(entry, where, draft)
  const dialect = named.responses ? 'openai-responses' : dialectOf(named.kind)
  if (dialect === undefined) draft.remark(where, `${printName(named.kind)} is no provider whose API is known here; fill in the dialect if it speaks one of ours`)
  const seconds = secondsOf(given.timeout, where, draft) ?? stated
  return {
    where,
    kind: named.kind,
    dialect,
    address: addressOf(given.api_base ?? given.base_url, where, draft),
    key: keyOf(given.api_key, draft),
    totalMs: seconds === undefined ? undefined : Math.round(seconds * 1_000),
    model: named.model,
    price: priceOf(given.input_cost_per_token ?? info?.input_cost_per_token, given.output_cost_per_token ?? info?.output_cost_per_token, where, draft),
  }
}

function skip(draft: Draft, where: string, why: string): undefined {
  draft.remark(where, why)
  return undefined
}

function splitModel(text: string, provider: string | undefined): { readonly kind: string; readonly model: string; readonly responses: boolean } | undefined {
  const [kind = '', ...rest] = (provider === undefined || text.startsWith(`${provider}/`) ? text : `${provider}/${text}`).split('/')
  const responses = kind === 'openai' && rest[0] === 'responses' && rest.length > 1
  const model = rest.slice(responses ? 1 : 0).join('/')
  return kind === '' || model === '' ? undefined : { kind, model, responses }
}

const FROM_ENVIRONMENT = /^os\.environ\/([A-Za-z_][A-Za-z0-9_]*)$/

function keyOf(text: string | undefined, draft: Draft): KeySource {
  if (text === undefined || text === '') return { kind: 'absent' }
  const variable = FROM_ENVIRONMENT.exec(text)?.[1]
  return variable === undefined ? draft.inline(text) : { kind: 'variable', name: variable }
}

function addressOf(text: string | undefined, where: string, draft: Draft): string | undefined {
  if (text === undefined || text === '') return undefined
  if (!text.startsWith('os.environ/')) return text
  return skip(draft, where, 'its address comes from the environment; write down which it is, because admission records bind it')
}

function secondsOf(given: number | string | undefined, where: string, draft: Draft): number | undefined {
  if (given === undefined) return undefined
  const seconds = Seconds.safeParse(Number(given))
  return seconds.success ? seconds.data : skip(draft, where, 'its timeout is no number of seconds')
}

/** Dollars a token become dollars a million tokens; what cannot be written exactly is not written. */
function priceOf(input: number | undefined, output: number | undefined, where: string, draft: Draft): Deployment['price'] {
  if (input === undefined && output === undefined) return undefined
  const perMillion = (amount: number | undefined): string | undefined => {
    const text = amount === undefined ? undefined : `USD ${Number((amount * 1_000_000).toFixed(6))}`
    return text === undefined || parseMoney(text) === undefined ? undefined : text
  }
  const price = { input: perMillion(input), output: perMillion(output) }
  if (price.input !== undefined && price.output !== undefined) return { input: price.input, output: price.output }
  return skip(draft, where, 'a price needs both input_cost_per_token and output_cost_per_token, as amounts that can be written exactly')
}

/** Names of what stands in an entry and is no part of a provider. Values are not repeated. */
function remarkFields({ litellm_params: given, model_info: info, ...rest }: Entry, where: string, draft: Draft): void {
  const known = new Set(['model', 'custom_llm_provider', 'api_base', 'base_url', 'api_key', 'timeout', 'input_cost_per_token', 'output_cost_per_token', 'mode', 'model_name'])
  const names = [...Object.keys(given), ...Object.keys(rest), ...Object.keys(info ?? {}).map((name) => `model_info.${name}`)].filter((name) => !known.has(name.replace('model_info.', '')))
  for (const [name, value] of Object.entries(given)) if (!known.has(name) && typeof value === 'string' && /key|token|secret|password|credential/i.test(name)) draft.secrets.add(value)
  if (names.length > 0) draft.remark(where, `not taken over: ${names.map(printName).join(', ')}. The wire changes nothing of a request but its model, and limits stand in profiles`)
}

function writeAliases(config: LiteLlmConfig, groups: ReadonlyMap<string, readonly Candidate[]>, draft: Draft): void {
  const fallbacks = fallbacksOf(config, groups, draft)
  for (const [name, candidates] of groups) {
    const more = (fallbacks.get(name) ?? []).flatMap((other) => groups.get(other) ?? [])
    if (candidates.length > 1) draft.remark(`model_name ${printName(name)}`, 'LiteLLM spreads calls over its deployments; here the first one is used and the others stand in the order of the file')
    draft.alias(name, `model_name ${printName(name)}`, [...candidates, ...more], candidates.length + more.length > 1)
  }
  for (const [section, table] of [['router_settings.model_group_alias', config.router_settings?.model_group_alias], ['litellm_settings.model_alias_map', config.litellm_settings?.model_alias_map]] as const) {
    for (const [name, target] of Object.entries(table ?? {})) {
      const meant = typeof target === 'string' ? target : target.model
      const candidates = groups.get(meant)
      const where = `${section}.${printName(name)}`
      if (groups.has(name)) draft.remark(where, 'a model of this name stands in model_list as well; only that one was taken over')
      else if (candidates === undefined) draft.remark(where, `${printName(meant)} is no model_name of this file`)
      else draft.alias(name, where, [...candidates, ...(fallbacks.get(meant) ?? []).flatMap((other) => groups.get(other) ?? [])], candidates.length > 1 || fallbacks.has(meant))
    }
  }
}

function fallbacksOf(config: LiteLlmConfig, groups: ReadonlyMap<string, unknown>, draft: Draft): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, readonly string[]>()
  for (const [section, list] of [['litellm_settings.fallbacks', config.litellm_settings?.fallbacks], ['router_settings.fallbacks', config.router_settings?.fallbacks]] as const) {
    for (const [name, targets] of (list ?? []).flatMap((row) => Object.entries(row))) {
      const known = targets.filter((target) => typeof target === 'string').filter((target) => groups.has(target))
      if (known.length < targets.length) draft.remark(`${section}.${printName(name)}`, 'it falls back to something that is no model_name of this file')
      if (groups.has(name)) found.set(name, [...(found.get(name) ?? []), ...known])
      else draft.remark(section, `${printName(name)} is no model_name of this file`)
    }
  }
  return found
}

/** Names of the settings that have no counterpart. */
function remarkRest({ model_list: _models, litellm_settings: settings, router_settings: router, ...rest }: LiteLlmConfig, draft: Draft): void {
  const left = (section: string, value: object | null | undefined, known: readonly string[]): void => {
    const names = Object.keys(value ?? {}).filter((name) => !known.includes(name))
    if (names.length > 0) draft.remark(section, `not taken over: ${names.map(printName).join(', ')}`)
  }
  left('litellm_settings', settings, ['fallbacks', 'model_alias_map', 'request_timeout'])
  left('router_settings', router, ['fallbacks', 'model_group_alias', 'timeout'])
  for (const name of Object.keys(rest)) draft.remark(printName(name), 'this section has no counterpart here and was not read')
}
