import * as z from 'zod'
import { loadOverride } from '../adapters/configuration/index.ts'
import { printPair } from '../contract/model.ts'
import { REASONS } from '../contract/reasons.ts'
import { RunId } from '../contract/ids.ts'
import { milliseconds } from '../contract/units.ts'
import { Verdict } from '../contract/verdict.ts'
import type { AccessStore } from '../engine/index.ts'
import { resolveProfile, type ResolvedProfile } from '../gates/catalog/index.ts'
import { admissionOf } from './admissions.ts'
import { type AppOptions, configurationOf } from './places.ts'

/**
 * What becomes of a candidate today. `chosen`: a run would take it; `asked_first`: it would ask it, and nobody knows yet whether it
 * answers. `passed_over`: it does not answer, and the alias goes on to the next. `stops`: a run ends here, blocked. `reserve`:
 * one before it is taken. `not_reached`: one before it stops the run.
 */
export const CANDIDATE_STATES = ['chosen', 'asked_first', 'passed_over', 'stops', 'reserve', 'not_reached'] as const

const Candidate = z.strictObject({
  pair: z.string(),
  steps: z.array(z.string()).describe('The aliases walked to it, the asked one first.'),
  state: z.enum(CANDIDATE_STATES),
  reason: z.enum(REASONS).nullable().describe('Why it is passed over, or stops the run.'),
  why: z.string(),
  health: z.enum(['healthy', 'unhealthy', 'unknown']).describe('As the last call found that asked it; what is older than health.maxAge, or was never asked, is unknown.'),
  asked_at: z.iso.datetime().nullable(),
  run_id: RunId.nullable().describe('The run that asked it last.'),
})
export const AliasRow = z.strictObject({
  alias: z.string(),
  profile: z.string(),
  purpose: z.string(),
  overridden: z.boolean().describe('Whether aliases.json is in force for it.'),
  on_unhealthy: z.enum(['next-admitted', 'block']).nullable(),
  resolves_to: z.string().nullable().describe('The exact pair that a run would get now; null where it would be blocked.'),
  candidates: z.array(Candidate),
  refusal: z.strictObject({ reason: z.enum(REASONS), asked: z.string(), found: z.string(), remedy: z.string() }).nullable().describe('Why the name means nothing at all, or why a run is blocked.'),
})
export type AliasRow = Readonly<z.infer<typeof AliasRow>>

/** So many answers of providers are looked back at; a candidate that was not asked among them is unknown. */
const MOST_VERDICTS = 500

interface Heard {
  readonly health: 'healthy' | 'unhealthy'
  readonly reason: z.infer<typeof Candidate>['reason']
  readonly message: string
  readonly at: string
  readonly runId: string
}

/** What every alias means now, for each profile and purpose that uses it, and why: in the steps a run takes through its candidates. */
export async function aliasRows(options: AppOptions, store: Pick<AccessStore, 'newestVerdicts'>): Promise<{ readonly aliases: AliasRow[]; readonly unused: string[] }> {
  const { configuration, directory } = configurationOf(options)
  const names = Object.keys(configuration.aliases ?? {})
  const heard = await heardOf(store, options.clock().getTime() - milliseconds(configuration.health.maxAge))
  const override = loadOverride(directory)
  const users = Object.entries(configuration.profiles).filter(([, { model }]) => names.includes(model))
  const aliases = await Promise.all(users.flatMap(([profile, { model, purposes }]) => purposes.map(async (purpose): Promise<AliasRow> => {
    const resolve = (candidate: number) => resolveProfile({ catalog: configuration, override, profile, purpose, candidate, capability: null })
    const first = resolve(0)
    if ('refusal' in first) {
      const { reason, asked, found, remedy } = first.refusal
      return { alias: model, profile, purpose, overridden: false, on_unhealthy: null, resolves_to: null, candidates: [], refusal: { reason, asked, found, remedy } }
    }
    const resolutions = (first.resolution.alias?.candidates ?? []).flatMap((_, candidate) => {
      const found = resolve(candidate)
      return 'resolution' in found ? [found.resolution] : []
    })
    const { candidates, refusal } = await walk(options, resolutions, heard)
    const taken = candidates.find(({ state }) => state === 'chosen' || state === 'asked_first')
    return { alias: model, profile, purpose, overridden: overrides(override, first.resolution), on_unhealthy: first.resolution.alias?.onUnhealthy ?? null, resolves_to: taken?.pair ?? null, candidates, refusal }
  })))
  const used = new Set([...users.map(([, { model }]) => model), ...aliases.flatMap(({ candidates }) => candidates.flatMap(({ steps }) => steps))])
  return { aliases, unused: names.filter((name) => !used.has(name)) }
}

const overrides = (override: ReturnType<typeof loadOverride>, { alias }: ResolvedProfile): boolean => override !== null && 'value' in override && alias !== null && alias.steps.some((step) => Object.hasOwn(override.value.aliases, step))

/** The candidates in their order, as a run meets them: admission stops it, and so does one that does not answer where the alias says nothing else. */
async function walk(options: AppOptions, resolutions: readonly ResolvedProfile[], heard: ReadonlyMap<string, Heard>): Promise<Pick<AliasRow, 'candidates' | 'refusal'>> {
  const candidates: z.infer<typeof Candidate>[] = []
  let refusal: AliasRow['refusal'] = null
  let over: 'reserve' | 'not_reached' | undefined
  for (const [index, resolution] of resolutions.entries()) {
    const pair = printPair(resolution.pair)
    const last = heard.get(pair)
    const known = { pair, steps: [...(resolution.alias?.steps ?? [])], health: last?.health ?? ('unknown' as const), asked_at: last?.at ?? null, run_id: last?.runId ?? null }
    if (over !== undefined) {
      candidates.push({ ...known, state: over, reason: null, why: over === 'reserve' ? 'one before it is taken' : 'a run is blocked before it comes so far' })
      continue
    }
    const admitted = await admissionOf(options, resolution, undefined)
    const more = resolution.alias?.onUnhealthy === 'next-admitted' && index + 1 < resolutions.length
    if (admitted.refusal !== null) {
      const { reason, message, asked, found, remedy } = admitted.refusal
      candidates.push({ ...known, state: 'stops', reason, why: message })
      refusal = { reason, asked, found, remedy }
      over = 'not_reached'
    } else if (last?.health === 'unhealthy') {
      candidates.push({ ...known, state: more ? 'passed_over' : 'stops', reason: last.reason, why: last.message })
      if (more) continue
      refusal = { reason: last.reason ?? 'health_unknown', asked: `an answer of ${pair}`, found: last.message, remedy: 'Mend the provider, or name another candidate; a run asks it anew.' }
      over = 'not_reached'
    } else {
      candidates.push({ ...known, state: last === undefined ? 'asked_first' : 'chosen', reason: null, why: last?.message ?? 'nobody has asked it of late; a run asks it first' })
      over = 'reserve'
    }
  }
  return { candidates, refusal }
}

/** What each pair answered last, if that is not too long ago. */
async function heardOf(store: Pick<AccessStore, 'newestVerdicts'>, sinceMs: number): Promise<Map<string, Heard>> {
  const heard = new Map<string, Heard>()
  for (const { runId, body } of await store.newestVerdicts('health', MOST_VERDICTS)) {
    const verdict = Verdict.parse(JSON.parse(body))
    const pair = verdict.subject[0]?.name
    if (pair === undefined || heard.has(pair) || Date.parse(verdict.decidedAt) < sinceMs) continue
    heard.set(pair, { health: verdict.outcome === 'pass' ? 'healthy' : 'unhealthy', reason: verdict.outcome === 'pass' ? null : verdict.reason, message: verdict.outcome === 'block' ? verdict.found : verdict.message, at: verdict.decidedAt, runId })
  }
  return heard
}
