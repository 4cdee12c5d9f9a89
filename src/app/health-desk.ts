import * as z from 'zod'
import { loadOverride } from '../adapters/configuration/index.ts'
import type { Log } from '../adapters/log/index.ts'
import type { App } from '../app.ts'
import { digestOf } from '../contract/canonical.ts'
import type { SteadyClock } from '../contract/clock.ts'
import { PortcullisError } from '../contract/errors.ts'
import { RunId } from '../contract/ids.ts'
import { milliseconds } from '../contract/units.ts'
import { type AccessStore, type Ledger, MARGIN_MS, probeLimitMs, type RunSummary } from '../engine/index.ts'
import { type CatalogFacts, catalogGate, isUnchanged } from '../gates/catalog/index.ts'
import { type AppOptions, configurationOf } from './places.ts'
import { ProbeAges } from './probe-ages.ts'

const PastProbe = z.strictObject({
  run_id: RunId,
  at: z.iso.datetime(),
  found: z.enum(['healthy', 'unhealthy', 'going_on']),
  reason: z.string().nullable(),
  as_today: z.boolean().describe('Whether the profile meant then what it means today; false also where that is not known.'),
})

/** How a profile stands by its last probe. Only `healthy` is routable; what is too old, or was never asked, is unknown (MC-106). */
export const ProfileHealth = z.strictObject({
  profile: z.string(),
  health: z.enum(['healthy', 'unhealthy', 'unknown']),
  routable: z.boolean(),
  probing: z.boolean().describe('Whether a probe is under way, by this server or another one on the same ledger.'),
  reason: z.string().nullable(),
  probed_at: z.iso.datetime().nullable(),
  run_id: RunId.nullable().describe('The run that holds the verdicts and the evidence.'),
  history: z.array(PastProbe).describe('Its last probes, newest first.'),
})
export type ProfileHealth = Readonly<z.infer<typeof ProfileHealth>>

/** How often a server looks whether a probe may be due, and how long it may go without asking the ledger. */
export const DUE_MS = 1_000
const LONGEST_LOOK_MS = 60_000

/** So many probes of each profile are told, and so many of all of them are looked through for that. */
const HISTORY_PROBES = 24
const MOST_PROBES = 1_000

/** In whose name probes are claimed; no token has such an id. */
const HOLDER = 'schedule'

/** What a probe was of. `facts`: what the name meant then; undefined for one that did not come so far. */
interface Probed {
  readonly profile: string
  readonly facts: CatalogFacts | undefined
}

const Opened = z.looseObject({ type: z.literal('run_opened'), data: z.looseObject({ profile: z.string() }) })

/** Probes profiles at the start and at the interval of the configuration. When each was probed last stands in the ledger, so a restart forgets nothing. */
export class HealthDesk {
  readonly #options: AppOptions
  readonly #app: Pick<App, 'probe'>
  readonly #ledger: Ledger
  readonly #store: AccessStore
  readonly #log: Log
  readonly #steadyMs: SteadyClock
  readonly #probed = new Map<string, Probed>()
  readonly #ages: ProbeAges
  readonly #ending = new AbortController()
  /** The newest probe of each profile as the first look found it: what follows was made in this life. */
  #inherited: ReadonlyMap<string, string> | undefined
  #nextLookMs = Number.NEGATIVE_INFINITY
  #digest: string | undefined

  constructor(parts: { readonly options: AppOptions; readonly app: Pick<App, 'probe'>; readonly ledger: Ledger; readonly store: AccessStore; readonly log: Log; readonly steadyMs: SteadyClock }) {
    this.#options = parts.options
    this.#app = parts.app
    this.#ledger = parts.ledger
    this.#store = parts.store
    this.#log = parts.log
    this.#steadyMs = parts.steadyMs
    this.#ages = new ProbeAges(parts.options.clock, parts.steadyMs)
  }

  /** Probes every profile of which a probe is due, one after the other. */
  async sweep(): Promise<void> {
    const { configuration, digest } = configurationOf(this.#options)
    const { onStart, every } = configuration.health
    // A file that has changed may name a profile that nobody asked yet.
    if (digest === this.#digest && this.#steadyMs() < this.#nextLookMs) return
    this.#digest = digest
    this.#nextLookMs = this.#steadyMs() + Math.min(LONGEST_LOOK_MS, milliseconds(every) / 10)
    const last = new Map([...(await this.#lastProbes(1))].flatMap(([profile, [run]]) => (run === undefined ? [] : [[profile, run] as const])))
    const inherited = (this.#inherited ??= new Map([...last].map(([profile, { runId }]) => [profile, runId])))
    for (const profile of Object.keys(configuration.profiles)) {
      if (this.#ending.signal.aborted) return
      const before = last.get(profile)
      if (before !== undefined && this.#isUnderWay(before)) continue
      const aged = before === undefined || this.#ages.of(before) >= milliseconds(every)
      // Told by the run and not by its time: a clock that was set back would make every probe one of an earlier life, and each be followed by the next.
      const due = aged || (onStart && inherited.get(profile) === before.runId) || this.#means(before) === 'another'
      if (!due) continue
      // Whoever took the claim may have ended before it asked anything: a whole interval later it may be tried again.
      const attempt = Math.floor(this.#ages.waiting(profile, before?.runId ?? null) / milliseconds(every))
      const key = `probe ${digestOf({ profile, before: before?.runId ?? null, attempt })}`
      if (await this.#claim(key, profile, this.#options.clock())) await this.#probe(profile, key)
    }
  }

  /** Every profile of the configuration, as its last probe left it. */
  async profiles(): Promise<readonly ProfileHealth[]> {
    const { configuration } = configurationOf(this.#options)
    const [probes, maxAgeMs] = [await this.#lastProbes(HISTORY_PROBES), milliseconds(configuration.health.maxAge)]
    return Object.keys(configuration.profiles).map((profile): ProfileHealth => {
      const [run, ...before] = probes.get(profile) ?? []
      const young = run !== undefined && this.#ages.of(run) < maxAgeMs
      // A probe of what the name meant before says nothing of what it means now.
      const health = !young || run.state === 'open' || this.#means(run) !== 'the same' ? 'unknown' : run.state === 'checked' ? 'healthy' : 'unhealthy'
      return { profile, health, routable: health === 'healthy', probing: run !== undefined && this.#isUnderWay(run), reason: run?.reason ?? null, probed_at: run?.startedAt ?? null, run_id: run?.runId ?? null, history: run === undefined ? [] : [run, ...before].map((probe) => this.#past(probe)) }
    })
  }

  #past(run: RunSummary): z.infer<typeof PastProbe> {
    return { run_id: run.runId, at: run.startedAt, found: run.state === 'open' ? 'going_on' : run.state === 'checked' ? 'healthy' : 'unhealthy', reason: run.reason, as_today: this.#means(run) === 'the same' }
  }

  /** Begins no more probes, and cuts none that goes on. */
  end(): void {
    this.#ending.abort()
  }

  /** Longer than a probe may take, whoever makes it has ended without a word. */
  #isUnderWay(run: RunSummary): boolean {
    const { configuration } = configurationOf(this.#options)
    const longestMs = Math.max(...Object.values(configuration.providers).map((provider) => probeLimitMs(provider))) + 2 * MARGIN_MS
    return run.state === 'open' && this.#ages.of(run) < longestMs
  }

  /** Of several servers on one ledger one alone makes the probe that follows another. */
  async #claim(key: string, profile: string, now: Date): Promise<boolean> {
    return (await this.#store.takeKey({ holder: HOLDER, key, digest: digestOf(profile), at: now })).state === 'none'
  }

  async #probe(profile: string, key: string): Promise<void> {
    const beganMs = this.#steadyMs()
    try {
      const { records } = await this.#app.probe({ profiles: [profile], cancelled: this.#ending.signal }, () => undefined)
      for (const { run_id: run } of records) this.#ages.began(run, beganMs)
      for (const { healthy, stage, reason, run_id: run } of records) this.#log[healthy ? 'info' : 'error']({ part: 'health', profile, healthy, stage, reason, run }, 'probed')
    } catch (error) {
      if (!(error instanceof PortcullisError)) throw error
      // Nothing was asked, so the next look may ask it.
      await this.#store.releaseKey({ holder: HOLDER, key })
      this.#log.error({ part: 'health', profile, fault: error.code, found: error.found }, 'a profile could not be probed, and is unknown')
      return
    }
  }

  /** Whether a profile is today what a probe of it asked; `unknown` for a probe that ended before it knew. */
  #means({ runId }: RunSummary): 'the same' | 'another' | 'unknown' {
    const facts = this.#probed.get(runId)?.facts
    if (facts === undefined) return 'unknown'
    const { configuration: { providers, aliases, profiles, purposes }, directory } = configurationOf(this.#options)
    const catalog = { providers, ...(aliases === undefined ? {} : { aliases }), profiles, purposes }
    return isUnchanged(facts, { catalog, override: loadOverride(directory) }) ? 'the same' : 'another'
  }

  /** The newest probes of each profile, so many of each at most; the newest one of each is found however long ago it was. */
  async #lastProbes(most: number): Promise<Map<string, RunSummary[]>> {
    const last = new Map<string, RunSummary[]>()
    const { profiles } = configurationOf(this.#options).configuration
    const has = (count: number): boolean => Object.keys(profiles).every((name) => (last.get(name)?.length ?? 0) >= count)
    let looked = 0
    for (const run of await this.#ledger.list()) {
      if (run.kind !== 'probe') continue
      const profile = (this.#probed.get(run.runId) ?? (await this.#read(run)))?.profile
      const found = profile === undefined ? undefined : (last.get(profile) ?? [])
      if (profile !== undefined && found !== undefined && found.length < most) last.set(profile, [...found, run])
      if (has(most) || (++looked >= MOST_PROBES && has(1))) break
    }
    return last
  }

  async #read({ runId, state }: RunSummary): Promise<Probed | undefined> {
    const rows = (await this.#ledger.history(runId))?.entries.map(({ kind, body }): { readonly kind: string; readonly row: unknown } => ({ kind, row: JSON.parse(body) })) ?? []
    const profile = rows.flatMap(({ kind, row }) => (kind === 'event' ? (Opened.safeParse(row).data?.data.profile ?? []) : [])).at(0)
    if (profile === undefined) return undefined
    const probed = { profile, facts: rows.flatMap(({ kind, row }) => (kind === 'evidence' ? (catalogGate.facts.read(row)?.predicate ?? []) : [])).at(0) }
    // One that goes on may still come to know.
    if (state !== 'open') this.#probed.set(runId, probed)
    return probed
  }
}
