import cluster, { type Worker } from 'node:cluster'
import { PortcullisError } from '../../contract/errors.ts'
import type { Ledger } from '../../engine/index.ts'
import type { Grant, GrantRequest, Licence, LicenceWire, ModelCall, Tally } from '../../gates/wire/index.ts'
import type { Asked, ToPrimary, ToWorker } from './messages.ts'

export interface ClusterOptions {
  readonly workers: number
  readonly ledger: Pick<Ledger, 'append' | 'charged'>
  /** Numbers and counts for all workers: what two of them asked for at once is decided here, one after the other. */
  readonly tally: Tally
  /** How old the last good reading of licences and records is, in milliseconds. */
  readonly ageMs: () => number
  noted(text: string): void
  recorded(call: ModelCall): void
  unrecorded(): void
}

/** How often workers are told that what they rest on is current. */
const HEARTBEAT_MS = 100
/** So many workers in a row that end before they listen are a fault of the machine, not of one request. */
const MOST_FAILED_STARTS = 3

interface Hand {
  readonly worker: Worker
  readonly ready: PromiseWithResolvers<string>
  /** Calls that were given a number and have no outcome yet. */
  underWay: number
  /** Places taken in budgets and not settled yet, by `grant profile`. */
  readonly places: Map<string, { readonly grant: string; readonly profile: string; count: number }>
  readonly revoking: Map<string, () => void>
}

/**
 * The wire of several processes on one port (WIR-54). Workers read, judge, forward and answer; this process alone holds the
 * ledger, the numbers and the budgets, so that the evidence of a run is in one order whoever served it. A worker that ends is
 * replaced; when this process ends, so do they.
 */
export class ClusteredWire implements LicenceWire {
  readonly #options: ClusterOptions
  readonly #hands = new Map<number, Hand>()
  readonly #grants = new Map<string, { readonly request: GrantRequest; readonly licence: Licence; withdrawal?: Parameters<Grant['withdraw']>[0] }>()
  readonly #heartbeat: NodeJS.Timeout
  #failedStarts = 0
  #closing = false
  address = ''

  private constructor(options: ClusterOptions) {
    this.#options = options
    // Workers accept for themselves: a connection that this process hands to a worker which is killed at that moment would hang for ever.
    cluster.schedulingPolicy = cluster.SCHED_NONE
    cluster.setupPrimary({ serialization: 'advanced' })
    cluster.on('message', this.#heard)
    cluster.on('exit', this.#ended)
    this.#heartbeat = setInterval(() => this.#beat(), HEARTBEAT_MS)
  }

  /** Starts the workers, which are this program with the same arguments. Rejects with what kept the first of them from listening. */
  static async open(options: ClusterOptions): Promise<ClusteredWire> {
    const wire = new ClusteredWire(options)
    try {
      const hands = Array.from({ length: options.workers }, () => wire.#fork())
      const [address = ''] = await Promise.all(hands.map(({ ready }) => ready.promise))
      wire.address = address
      return wire
    } catch (error) {
      await wire.close()
      throw error
    }
  }

  adopt(request: GrantRequest, licence: Licence): Pick<Grant, 'withdraw' | 'revoke'> {
    const grant = licence.tokenSha256
    this.#options.tally.open(grant, request.runId, licence)
    const held: { request: GrantRequest; licence: Licence; withdrawal?: Parameters<Grant['withdraw']>[0] } = { request, licence }
    this.#grants.set(grant, held)
    this.#tellAll({ kind: 'adopt', request, licence })
    return {
      withdraw: (withdrawal) => {
        held.withdrawal ??= withdrawal
        this.#tellAll({ kind: 'withdraw', grant, withdrawal })
      },
      revoke: async () => {
        this.#grants.delete(grant)
        await Promise.all([...this.#hands.values()].map((hand) => this.#revokeAt(hand, grant)))
        this.#options.tally.close(grant)
      },
    }
  }

  async close(): Promise<void> {
    this.#closing = true
    clearInterval(this.#heartbeat)
    await Promise.all(
      [...this.#hands.values()].map(async ({ worker }) => {
        const ended = new Promise((resolve) => worker.once('exit', resolve))
        tell(worker, { kind: 'close' })
        await ended
      }),
    )
    cluster.off('message', this.#heard)
    cluster.off('exit', this.#ended)
  }

  #fork(): Hand {
    const worker = cluster.fork()
    const hand: Hand = { worker, ready: Promise.withResolvers(), underWay: 0, places: new Map(), revoking: new Map() }
    this.#hands.set(worker.id, hand)
    for (const { request, licence, withdrawal } of this.#grants.values()) {
      tell(worker, { kind: 'adopt', request, licence })
      if (withdrawal !== undefined) tell(worker, { kind: 'withdraw', grant: licence.tokenSha256, withdrawal })
    }
    return hand
  }

  #beat(): void {
    this.#tellAll({ kind: 'current', ageMs: this.#options.ageMs() })
  }

  #tellAll(message: ToWorker): void {
    for (const { worker } of this.#hands.values()) tell(worker, message)
  }

  async #revokeAt(hand: Hand, grant: string): Promise<void> {
    const revoked = new Promise<void>((resolve) => hand.revoking.set(grant, resolve))
    tell(hand.worker, { kind: 'revoke', grant })
    await revoked
  }

  readonly #heard = (worker: Worker, message: ToPrimary): void => {
    const hand = this.#hands.get(worker.id)
    if (hand === undefined) return
    switch (message.kind) {
      case 'ready':
        this.#failedStarts = 0
        return hand.ready.resolve(message.address)
      case 'failed':
        return hand.ready.reject(new PortcullisError(message.fault.code, message.fault))
      case 'ask':
        return void this.#answer(hand, message.question, message.asked)
      case 'settle':
        return this.#settle(hand, message)
      case 'recorded':
        hand.underWay -= 1
        return this.#options.recorded(message.call)
      case 'unrecorded':
        hand.underWay -= 1
        return this.#options.unrecorded()
      case 'revoked':
        hand.revoking.get(message.grant)?.()
        hand.revoking.delete(message.grant)
    }
  }

  async #answer(hand: Hand, question: number, asked: Asked): Promise<void> {
    const answer = await this.#valueOf(hand, asked).then(
      (value) => ({ ok: true as const, value }),
      // The worker need not know more than that it has no evidence; whoever runs this process is told by the ledger's own fault.
      (error: unknown) => ({ ok: false as const, fault: error instanceof Error ? error.message : typeof error }),
    )
    tell(hand.worker, { kind: 'answer', question, answer })
  }

  async #valueOf(hand: Hand, asked: Asked) {
    const { tally, ledger } = this.#options
    switch (asked.what) {
      case 'number':
        hand.underWay += 1
        return tally.number(asked.runId)
      case 'take': {
        const over = await tally.take(asked.order)
        if (over === undefined) this.#place(hand, asked.order, 1)
        return over
      }
      case 'append':
        await ledger.append(asked.write)
        return undefined
      case 'charged':
        return ledger.charged(asked.account)
    }
  }

  #settle(hand: Hand, { grant, profile, used }: Extract<ToPrimary, { kind: 'settle' }>): void {
    this.#place(hand, { grant, profile }, -1)
    this.#options.tally.settle(grant, profile, used)
  }

  #place(hand: Hand, { grant, profile }: { readonly grant: string; readonly profile: string }, by: number): void {
    const key = `${grant} ${profile}`
    const place = hand.places.get(key) ?? { grant, profile, count: 0 }
    place.count += by
    if (place.count === 0) hand.places.delete(key)
    else hand.places.set(key, place)
  }

  readonly #ended = (worker: Worker, code: number | null, signal: string | null): void => {
    const hand = this.#hands.get(worker.id)
    if (hand === undefined) return
    this.#hands.delete(worker.id)
    for (const revoked of hand.revoking.values()) revoked()
    this.#lost(hand)
    const how = signal ?? `exit ${code ?? '?'}`
    hand.ready.reject(new PortcullisError('unexpected', { asked: 'a worker of the wire', found: `it ended before it listened (${how})`, remedy: 'Read what it printed; start the wire with one worker to see whether that runs.' }))
    if (this.#closing || this.address === '') return
    this.#options.noted(`a worker ended (${how}); ${hand.underWay} of its calls have no evidence, another worker takes its place`)
    this.#failedStarts += 1
    if (this.#failedStarts > MOST_FAILED_STARTS) this.#options.noted(`${this.#failedStarts - 1} workers in a row ended before they listened; ${this.#hands.size} are left and no further one is started`)
    else this.#fork().ready.promise.catch(() => undefined)
  }

  /** What a worker had under way when it ended: nobody got a whole answer of it, and what it may have used is counted as calls. */
  #lost(hand: Hand): void {
    for (const { grant, profile, count } of hand.places.values()) {
      for (let index = 0; index < count; index++) this.#options.tally.settle(grant, profile, { calls: 1, tokens: 0, costUsd: 0, unpriced: 0 })
    }
    for (let index = 0; index < hand.underWay; index++) this.#options.unrecorded()
  }
}

/** A worker that has ended in the meantime needs to be told nothing more; its end is an event of its own. */
function tell(worker: Worker, message: ToWorker): void {
  if (worker.isConnected()) worker.send(message, () => undefined)
}
