import { timingSafeEqual } from 'node:crypto'
import { sha256 } from '../../contract/canonical.ts'
import type { Clock } from '../../contract/clock.ts'
import { createRunToken } from '../../contract/ids.ts'
import type { Dialect } from '../../contract/model.ts'
import { accountOf, type CallRecorder, type Charge, type Grant, type GrantRequest, type LastWords, type Licence, NOTHING_SPENT, type RecordedCall, type Tally, type Withdrawal } from '../../gates/wire/index.ts'
import { OpenCall, type Asking } from './open-call.ts'

/** One live licence: what it may ask, what it has used, which calls are under way and which are recorded. */
export class LiveGrant {
  readonly request: GrantRequest
  readonly clock: Clock
  readonly recorder: CallRecorder
  unrecorded = 0
  lastActivity: Date | undefined
  /** Why nothing is forwarded any more, although the token still lives. */
  withdrawal: Withdrawal | undefined
  lastWords: LastWords | null = null
  readonly #recorded: RecordedCall[] = []
  readonly #open = new Set<OpenCall>()
  readonly #tally: Tally
  readonly #sockets: (() => Promise<void>)[] = []
  /** By what the tally knows this grant: the hash of its token, once it is in the table. */
  #key = ''
  #revoked = false

  constructor(request: GrantRequest, recorder: CallRecorder, clock: Clock, tally: Tally) {
    this.request = request
    this.#tally = tally
    this.recorder = recorder
    this.clock = clock
  }

  get expired(): boolean {
    return this.clock().getTime() >= this.request.expiresAt.getTime()
  }

  get revoked(): boolean {
    return this.#revoked
  }

  /** A socket of this run alone, by what closes it: it goes with the grant. */
  opened(close: () => Promise<void>): void {
    this.#sockets.push(close)
  }

  /** Begins the record of one request. From here on exactly one `ModelCall` is written for it, however it ends. */
  open(asking: Asking): OpenCall {
    const call = new OpenCall(this, this.#tally.number(this.request.runId), asking, (ended) => this.#open.delete(ended))
    this.#open.add(call)
    this.touch()
    // A request that was bound in the very moment of the revocation is cut before it asks anything.
    if (this.#revoked) call.cut('revoked')
    return call
  }

  enter(key: string, from: { readonly lastNumber: number; readonly spent: Licence['spent'] }): void {
    this.#key = key
    this.#tally.open(key, this.request.runId, from)
  }

  /** Takes a place in every budget for one call, or says why there is none (WIR-23). Rejects if what was spent cannot be read. */
  async take(call: OpenCall): Promise<string | undefined> {
    const { profile, limits: allowance, budgets } = this.request
    const at = this.clock()
    const shared = await Promise.all(budgets.map(async (budget) => ({ budget, charged: await this.recorder.charged(accountOf(budget, at)) })))
    const over = await this.#tally.take({ grant: this.#key, profile, allowance, shared })
    call.placed = over === undefined
    return over
  }

  settle(charge: Charge | undefined): void {
    this.#tally.settle(this.#key, this.request.profile, charge ?? NOTHING_SPENT)
  }

  touch(): void {
    this.lastActivity = this.clock()
  }

  /** Calls may end in another order than they came in: what the later one heard stays. */
  heard(words: LastWords): void {
    if (words.number > (this.lastWords?.number ?? 0)) this.lastWords = words
  }

  keep(recorded: RecordedCall): void {
    // Calls end nearly in the order in which they came, so the place is near the end.
    let place = this.#recorded.length
    while (place > 0 && (this.#recorded[place - 1]?.call.number ?? 0) > recorded.call.number) place -= 1
    this.#recorded.splice(place, 0, recorded)
  }

  recorded(): readonly RecordedCall[] {
    return [...this.#recorded]
  }

  /** Nothing more will be asked of the tally. */
  leave(): void {
    this.#tally.close(this.#key)
  }

  async revoke(): Promise<void> {
    this.#revoked = true
    const open = [...this.#open]
    for (const call of open) call.cut('revoked')
    await Promise.all(open.map((call) => call.ended))
    await Promise.all(this.#sockets.splice(0).map((close) => close()))
  }
}

/** Which token opens which grant. Tokens are kept as SHA-256 only (SEC-02). */
export class GrantTable {
  readonly #byHash = new Map<string, { readonly hash: string; readonly grant: LiveGrant }>()
  readonly #epoch = new Map<string, number>()

  /** The grant of a token, or undefined. What the look-up time tells is about a hash; the last comparison takes constant time. */
  find(token: string): LiveGrant | undefined {
    const hash = sha256(token)
    const entry = this.#byHash.get(hash)
    return entry !== undefined && timingSafeEqual(Buffer.from(entry.hash), Buffer.from(hash)) ? entry.grant : undefined
  }

  /** True if a later generation of the same run has been granted: whoever holds this token is not the run any more. */
  isStale(live: LiveGrant): boolean {
    return live.request.epoch < (this.#epoch.get(live.request.runId) ?? 0)
  }

  add(live: LiveGrant, baseUrl: Readonly<Record<Dialect, string>>): Omit<Grant, 'listen'> {
    const token = createRunToken()
    return { token, ...this.#enter(live, baseUrl, { tokenSha256: sha256(token), lastNumber: 0, spent: NOTHING_SPENT }) }
  }

  /** The same for a licence that another process granted: its calls are numbered and its limits counted from where they stood. */
  adopt(live: LiveGrant, baseUrl: Readonly<Record<Dialect, string>>, licence: Licence): Omit<Grant, 'token' | 'listen'> {
    return this.#enter(live, baseUrl, licence)
  }

  #enter(live: LiveGrant, baseUrl: Readonly<Record<Dialect, string>>, { tokenSha256: hash, lastNumber, spent }: Licence): Omit<Grant, 'token' | 'listen'> {
    const { runId, epoch } = live.request
    this.#epoch.set(runId, Math.max(epoch, this.#epoch.get(runId) ?? 0))
    live.enter(hash, { lastNumber, spent })
    this.#byHash.set(hash, { hash, grant: live })
    return {
      baseUrl,
      calls: () => live.recorded(),
      unrecordedCalls: () => live.unrecorded,
      lastWords: () => live.lastWords,
      lastActivityAt: () => live.lastActivity,
      withdraw: (withdrawal) => {
        live.withdrawal ??= withdrawal
      },
      revoke: async () => {
        this.#byHash.delete(hash)
        await live.revoke()
        live.leave()
      },
    }
  }

  async revokeAll(): Promise<void> {
    const grants = [...this.#byHash.values()].map((entry) => entry.grant)
    this.#byHash.clear()
    await Promise.all(grants.map((grant) => grant.revoke()))
  }
}
