import { sha256 } from '../../contract/canonical.ts'
import type { Dialect } from '../../contract/model.ts'
import { type Charge, costOf, dayOf, type Fault, type Hop, type ModelCall, type ModelSettings, type Target, type TokenUsage, usedBy } from '../../gates/wire/index.ts'
import type { LiveGrant } from './grant-table.ts'

/** What is known of a request when it arrives. */
export interface Asking {
  readonly method: string
  readonly route: string
  readonly dialect: Dialect | null
}

/** What became of it. */
export interface Conclusion {
  readonly outcome: ModelCall['outcome']
  readonly fault: Fault | undefined
  readonly clientStatus: number | null
  readonly providerStatus: number | null
  readonly servedModel: string | null
  readonly usage: TokenUsage | null
  readonly toolCalls: boolean
  readonly stream: boolean
  readonly responseBytes: number
  readonly responseDigest: string | null
  readonly providerRequestId: string | null
  readonly firstByteMs: number | null
}

/** A conclusion of a request that was never forwarded. */
export const notForwarded = (outcome: 'answered' | 'refused', clientStatus: number | null, stream: boolean, fault?: Fault): Conclusion => ({
  outcome, fault, clientStatus, stream,
  providerStatus: null, servedModel: null, usage: null, toolCalls: false, responseBytes: 0, responseDigest: null, providerRequestId: null, firstByteMs: null,
})

export type Cut = 'client' | 'revoked'

/** One request of a run from its arrival to its durable evidence. */
export class OpenCall {
  readonly #number: number | Promise<number>
  readonly grant: LiveGrant
  readonly asking: Asking
  requestedModel: string | null = null
  inference = false
  /** What it asked for beside the model, where that was compared. */
  settings: ModelSettings | undefined
  /** True once the call took a place in the limits of its run. */
  placed = false
  /** Who is asked at present; at the end, the pair that the call ended at. */
  target: Target
  readonly #hops: Hop[] = []
  readonly #startedAt: Date
  readonly #began = performance.now()
  readonly #onEnd: (call: OpenCall) => void
  #cutBy: Cut | undefined
  #whenCut: (() => void)[] = []
  #requestBytes = 0
  #requestDigest = DIGEST_OF_NOTHING
  #concluded = false
  #over = false
  #ending: PromiseWithResolvers<void> | undefined

  constructor(grant: LiveGrant, number: number | Promise<number>, asking: Asking, onEnd: (call: OpenCall) => void) {
    this.grant = grant
    this.target = grant.request
    this.#number = number
    this.asking = asking
    this.#onEnd = onEnd
    this.#startedAt = grant.clock()
  }

  /** Resolves when the evidence is durable, or could not be made so. */
  get ended(): Promise<void> {
    if (this.#over) return Promise.resolve()
    this.#ending ??= Promise.withResolvers()
    return this.#ending.promise
  }

  /** Why the call was cut, if it was: the agent has gone, or the grant was revoked. */
  get cutBy(): Cut | undefined {
    return this.#cutBy
  }

  /** Calls `act` once when the call is cut, at once if it was already. */
  onCut(act: () => void): void {
    if (this.#cutBy === undefined) this.#whenCut.push(act)
    else act()
  }

  cut(by: Cut): void {
    if (this.#cutBy !== undefined) return
    this.#cutBy = by
    for (const act of this.#whenCut.splice(0)) act()
  }

  received(body: Uint8Array): void {
    this.#requestBytes = body.length
    this.#requestDigest = sha256(body)
  }

  /** Notes a try that did not become the answer. The limits count what it used as well. */
  hop(fault: Fault, providerStatus: number | null, durationMs: number): void {
    this.#hops.push({ admitted: this.target.admitted, reason: fault.reason, detail: fault.detail.slice(0, 500), providerStatus, durationMs: Math.max(0, Math.round(durationMs * 1_000) / 1_000) })
  }

  elapsedMs(): number {
    return Math.round((performance.now() - this.#began) * 1_000) / 1_000
  }

  /** Writes the one record of this request. True only once it is durable; false if it could not be stored. `words` are in no record. */
  async conclude(conclusion: Conclusion, words = ''): Promise<boolean> {
    if (this.#concluded) return false
    this.#concluded = true
    const { grant } = this
    let charge: Charge | undefined
    try {
      const call = this.#record(conclusion, typeof this.#number === 'number' ? this.#number : await this.#number)
      charge = this.#charge(call)
      const evidence = await grant.recorder.record(grant.request.runId, call, charge)
      grant.keep({ evidence, call })
      if (call.inference && call.outcome === 'answered') grant.heard({ number: call.number, text: words })
      return true
    } catch {
      // Not lost: the grant counts it, and the caller answers `evidence_unavailable` instead of the answer.
      grant.unrecorded += 1
      return false
    } finally {
      if (this.placed) grant.settle(charge)
      grant.touch()
      this.#onEnd(this)
      this.#over = true
      this.#ending?.resolve()
    }
  }

  /** What a forwarded call is charged with; undefined for one that was not. */
  #charge(call: ModelCall): Charge | undefined {
    if (!call.inference || call.outcome === 'refused') return undefined
    return { ...usedBy(call, this.#price()), profile: this.grant.request.profile, day: dayOf(this.grant.clock()) }
  }

  #price(): { input: string; output: string } | undefined {
    const { provider, admitted } = this.target
    return provider.prices !== undefined && Object.hasOwn(provider.prices, admitted.model) ? provider.prices[admitted.model] : undefined
  }

  #record(conclusion: Conclusion, number: number): ModelCall {
    const { fault, outcome, clientStatus, providerStatus, servedModel, usage, toolCalls, stream, responseBytes, responseDigest, providerRequestId, firstByteMs } = conclusion
    const { request } = this.grant
    const { method, route, dialect } = this.asking
    return {
      number,
      epoch: request.epoch,
      purpose: request.purpose,
      method, route, dialect,
      outcome, clientStatus, providerStatus, servedModel, usage, toolCalls, stream, responseBytes, responseDigest, providerRequestId, firstByteMs,
      inference: this.inference,
      requestedModel: this.requestedModel,
      ...this.settings,
      admitted: this.target.admitted,
      hops: this.#hops,
      endpoint: publicUrlOf(this.target.provider),
      reason: fault?.reason ?? null,
      detail: fault === undefined ? null : fault.detail.slice(0, 500),
      costUsd: this.inference ? costOf(usage, this.#price()) : null,
      requestBytes: this.#requestBytes,
      requestDigest: this.#requestDigest,
      startedAt: this.#startedAt.toISOString(),
      durationMs: this.elapsedMs(),
    }
  }
}

const DIGEST_OF_NOTHING = sha256('')

const publicUrls = new WeakMap<Target['provider'], string>()

/** A base URL as it may stand in evidence: without a user, a password or a query that could hold a key. Taken apart once for each provider. */
function publicUrlOf(provider: Target['provider']): string {
  const known = publicUrls.get(provider)
  if (known !== undefined) return known
  const shown = new URL(provider.baseUrl)
  shown.username = ''
  shown.password = ''
  shown.search = ''
  shown.hash = ''
  publicUrls.set(provider, shown.href)
  return shown.href
}
