import { milliseconds } from '../contract/units.ts'
import { printPair } from '../contract/model.ts'
import { admissionFacts, admissionOf, admissionRequestOf } from '../gates/admission/index.ts'
import { type ResolvedProfile, resolveProfile } from '../gates/catalog/index.ts'
import { type CallRecorder, type Grant, type LicenceWire, type ModelCall, spentBy, type Target } from '../gates/wire/index.ts'
import { GrantedLicence, licenceOf, type LicenceRecord } from './licence.ts'
import { RunEvent } from './ledger.ts'
import { settingsOf, wireBudgets } from './limits.ts'
import { createCallRecorder } from './recorder.ts'
import type { World } from './world.ts'

/** How often licences and admission records are read again, so that their end stops the next call within a second (WIR-04). */
export const LICENCE_WATCH_MS = 300
/** So old may the last good reading be; after that nothing is forwarded until there is another. */
export const CURRENT_MS = 900
const ROWS_AT_ONCE = 500

export interface ServedWire {
  readonly address: string
  /** Licences that a client can use now. */
  live(): number
  /** Cuts what is under way, makes its evidence durable, and leaves the licences for the next start. */
  close(): Promise<void>
}

export interface LicenceService {
  /** Opens the wire. `ageMs` is how long ago what licences rest on was read; beyond `CURRENT_MS` nothing may be forwarded. */
  open(recorder: CallRecorder, ageMs: () => number): Promise<LicenceWire>
  /** What an operator should know, a sentence each. */
  noted(text: string): void
  /** A call whose evidence is durable. */
  recorded(call: ModelCall): void
  /** A call whose evidence could not be stored. */
  unrecorded(): void
}

interface Held {
  readonly record: LicenceRecord
  /** One for each generation of its token; all but the last are stale, and the wire says so to whoever still holds them. */
  readonly grants: readonly Pick<Grant, 'withdraw' | 'revoke'>[]
  readonly targets: string
  withdrawn: boolean
}

/**
 * Serves every licence of the ledger on one port, for clients that Portcullis did not start. What each rests on is read
 * again and again: a licence that is revoked, has expired or is of an earlier generation, and a pair whose record does not
 * admit it any more, get no further call.
 */
export async function serveLicences(world: World, { open, noted, recorded, unrecorded }: LicenceService): Promise<ServedWire> {
  const host = new LicenceHost(world, noted)
  const durable = createCallRecorder(world.ledger, world.scanner)
  const recorder: CallRecorder = {
    charged: (account) => durable.charged(account),
    record: async (runId, call, charge) => {
      const digest = await durable.record(runId, call, charge).catch((error: unknown) => {
        unrecorded()
        throw error
      })
      recorded(call)
      return digest
    },
  }
  const wire = await open(recorder, () => host.ageMs())
  host.serve(wire)
  await host.refresh()
  const timer = setInterval(() => host.refreshSoon(), LICENCE_WATCH_MS)
  return {
    address: wire.address,
    live: () => host.live(),
    close: async () => {
      clearInterval(timer)
      await host.settled()
      await wire.close()
    },
  }
}

class LicenceHost {
  readonly #world: World
  readonly #noted: (text: string) => void
  readonly #held = new Map<string, Held>()
  #wire: LicenceWire | undefined
  #position = 0
  #readAt = Number.NEGATIVE_INFINITY
  #reading: Promise<void> | undefined

  constructor(world: World, noted: (text: string) => void) {
    this.#world = world
    this.#noted = noted
  }

  serve(wire: LicenceWire): void {
    this.#wire = wire
  }

  ageMs(): number {
    return performance.now() - this.#readAt
  }

  live(): number {
    return [...this.#held.values()].filter((held) => !held.withdrawn).length
  }

  async settled(): Promise<void> {
    await this.#reading
  }

  refreshSoon(): void {
    this.#reading ??= this.refresh()
      .catch((error: unknown) => this.#noted(`the licences could not be read: ${error instanceof Error ? error.message : typeof error}`))
      .finally(() => (this.#reading = undefined))
  }

  /** Reads what was added to the ledger, then looks at every licence again. Rejects if anything could not be read. */
  async refresh(): Promise<void> {
    const beganAt = performance.now()
    for (;;) {
      const rows = await this.#world.ledger.rowsAfter('event', this.#position, ROWS_AT_ONCE)
      for (const row of rows) {
        await this.#take(row.runId, RunEvent.parse(JSON.parse(row.body)))
        this.#position = row.position
      }
      if (rows.length < ROWS_AT_ONCE) break
    }
    for (const [runId, held] of this.#held) await this.#look(runId, held)
    this.#readAt = beganAt
  }

  async #take(runId: string, event: RunEvent): Promise<void> {
    if (event.type === 'licence_granted') await this.#adopt(runId, GrantedLicence.parse(event.data))
    else if (event.type === 'licence_revoked') await this.#end(runId, 'revoked')
    else if (event.type === 'run_ended') this.#held.delete(runId)
  }

  async #adopt(runId: string, licence: GrantedLicence): Promise<void> {
    const history = await this.#world.ledger.history(runId)
    const record = history === undefined ? undefined : licenceOf(history)
    // Read from the start, the ledger tells of licences that ended long ago.
    if (this.#wire === undefined || record === undefined || record.state !== 'open' || record.revoked) return
    const targets = await this.#targetsOf(licence)
    const [first, ...fallbacks] = targets
    if (first === undefined) return this.#noted(`${runId}: no admitted pair, so its token opens nothing`)
    const resolution = first.resolution
    const calls = record.calls
    const grant = this.#wire.adopt(
      {
        ...first.target,
        runId,
        epoch: licence.epoch,
        purpose: 'agent',
        aliases: resolution.alias === null ? [] : [resolution.alias.name],
        // A grant of an alias does not imply one of the model behind it (WIR-07).
        byModelId: resolution.alias === null,
        fallbacks: resolution.alias?.onUnhealthy === 'next-admitted' ? fallbacks.map(({ target }) => target) : [],
        backgroundModels: resolution.profile.backgroundModels,
        settings: settingsOf(resolution.profile),
        providerTools: resolution.profile.providerTools ?? [],
        ...wireBudgets(resolution, this.#world.configuration),
        expiresAt: new Date(licence.expires_at),
      },
      { tokenSha256: licence.token_sha256, lastNumber: Math.max(0, ...calls.map((call) => call.number)), spent: spentBy(calls.filter((call) => call.purpose === 'agent'), (call) => this.#priceOf(call)) },
    )
    const before = this.#held.get(runId)
    this.#held.set(runId, { record: { ...record, licence }, grants: [...(before?.grants ?? []), grant], targets: keyOf(targets), withdrawn: false })
    this.#noted(`${runId}: ${licence.profile} for ${licence.purpose}, ${targets.map(({ target }) => printPair(target.admitted)).join(', ')}, until ${licence.expires_at}`)
  }

  #priceOf(call: ModelCall) {
    return this.#world.configuration.providers[call.admitted.provider]?.prices?.[call.admitted.model]
  }

  async #look(runId: string, held: Held): Promise<void> {
    if (this.#world.clock().getTime() >= Date.parse(held.record.licence.expires_at)) return this.#end(runId, 'expired')
    if (held.withdrawn || keyOf(await this.#targetsOf(held.record.licence)) === held.targets) return
    held.withdrawn = true
    const found = 'what admitted its pairs, or what its profile means, has changed since the token was taken up'
    for (const grant of held.grants) grant.withdraw({ reason: 'not_admitted', found, remedy: 'Have the pair approved, then renew the token (portcullis tokens renew) or start the wire again.' })
    this.#noted(`${runId}: withdrawn; ${found}`)
  }

  /** Ends a licence: nothing more is forwarded, what is under way is cut and recorded, and its run is closed. */
  async #end(runId: string, why: 'revoked' | 'expired'): Promise<void> {
    const held = this.#held.get(runId)
    if (held === undefined) return
    this.#held.delete(runId)
    await Promise.all(held.grants.map((grant) => grant.revoke()))
    const at = this.#world.clock()
    await this.#world.ledger.append({ runId, state: { to: 'closed', reason: null, at }, events: [{ type: 'run_ended', at: at.toISOString(), data: { state: 'closed' } }] })
    this.#noted(`${runId}: ${why}`)
  }

  /** Every pair that the licence may reach today: each candidate of its profile that a record in force admits. */
  async #targetsOf({ profile, purpose }: GrantedLicence): Promise<{ readonly target: Target; readonly resolution: ResolvedProfile }[]> {
    const { configuration } = this.#world
    const override = await this.#world.loadOverride()
    const targets: { target: Target; resolution: ResolvedProfile }[] = []
    for (let candidate = 0; ; candidate++) {
      const outcome = resolveProfile({ catalog: configuration, override, profile, purpose, candidate, capability: null })
      if ('refusal' in outcome) return targets
      const { resolution } = outcome
      const target = await this.#admitted(resolution)
      if (target !== undefined) targets.push({ target, resolution })
      if (resolution.alias === null) return targets
    }
  }

  async #admitted(resolution: ResolvedProfile): Promise<Target | undefined> {
    const facts = admissionFacts({
      ...admissionRequestOf(resolution, this.#world.configuration.networkClasses),
      source: await this.#world.readAdmissions(null),
      decisions: await this.#world.readDecisions(),
      observedAt: this.#world.clock(),
      validForMs: milliseconds(this.#world.configuration.health.maxAge),
    })
    const admission = admissionOf(facts)
    if (admission === undefined) return undefined
    return { admitted: resolution.pair, provider: resolution.provider, servedModelIds: admission.servedModelIds, admittedUntil: admission.endsAt === null ? null : new Date(admission.endsAt) }
  }
}

/** What must stay the same for a licence to stay in force. */
const keyOf = (targets: readonly { readonly target: Target }[]): string =>
  JSON.stringify(targets.map(({ target }) => [target.admitted, target.provider, target.servedModelIds, target.admittedUntil]))
