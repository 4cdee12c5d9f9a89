import { createLog, type Log } from '../adapters/log/index.ts'
import type { RunWatcher } from '../app.ts'
import type { SteadyClock } from '../contract/clock.ts'
import { type ErrorCode, ERROR_TABLE, PortcullisError } from '../contract/errors.ts'
import { type Fence, isFinal, LeaseWatch, type OrderOutcome, type QueuedRun, RUN_STATES, type RunQueue, type RunState } from '../engine/index.ts'
import { attempt, type AttemptParts, closeAttempt, type Held } from './attempts.ts'
import { type AppOptions, configurationOf, stateDirectoryOf } from './places.ts'
import { ledgerIn, queueIn } from './store.ts'

export interface WorkerOrder {
  /** The name under which claims are held. */
  readonly name: string
  /** How long a claim stands without a sign of life. */
  readonly leaseMs: number
  /** True to end once nothing waits and nobody holds a claim. */
  readonly untilEmpty: boolean
  readonly cancelled: AbortSignal
  readonly steadyMs: SteadyClock
  /** Where a line of the log goes. */
  log(line: string): void
}

/** How often claims are looked at, and the queue if nothing is carried: well below the second within which a claim must be taken over (REL-04). */
const LOOK_MS = 150
/** So many signs of life in a lease that some may fail. */
const BEATS_IN_A_LEASE = 4
const QUIET: RunWatcher = { opened: () => undefined, gateBegan: () => undefined, gateDecided: () => undefined, note: () => undefined }

/** Carries runs of the queue until it is told to end: one that waited at a time, and beside it whatever it takes over from a worker that gave no sign of life. */
export async function work(options: AppOptions, order: WorkerOrder): Promise<void> {
  const stateDirectory = stateDirectoryOf(options)
  const ledgers = ledgerIn(options, stateDirectory)
  const queue = await queueIn(options, stateDirectory)
  try {
    // Paths of orders are from the directory of the configuration, wherever the worker was started.
    const parts = { options: { ...options, cwd: configurationOf(options).directory }, ledgers, stateDirectory }
    await new Worker(queue, parts, order).toTheEnd()
  } finally {
    await queue.close()
    await ledgers.close()
  }
}

class Worker {
  readonly #queue: RunQueue
  readonly #parts: AttemptParts
  readonly #order: WorkerOrder
  readonly #watch: LeaseWatch
  readonly #log: Log
  readonly #carried = new Set<Promise<void>>()
  #own: Promise<void> | undefined

  constructor(queue: RunQueue, parts: AttemptParts, order: WorkerOrder) {
    this.#queue = queue
    this.#parts = parts
    this.#order = order
    this.#watch = new LeaseWatch(order.steadyMs)
    this.#log = createLog((line) => order.log(line))
  }

  async toTheEnd(): Promise<void> {
    const { cancelled } = this.#order
    while (!cancelled.aborted && (await this.#look()) !== 'empty') {
      // A run that ends is followed by the next at once.
      await Promise.race([pause(LOOK_MS, cancelled), ...(this.#own === undefined ? [] : [this.#own])])
    }
    await Promise.all(this.#carried)
  }

  /** Takes over what gave no sign of life, and claims the next entry if nothing is carried. `empty`: nobody has anything to do, and the worker was to end then. */
  async #look(): Promise<'empty' | 'looked'> {
    const { name, leaseMs, untilEmpty } = this.#order
    try {
      const held = await this.#queue.held()
      await this.#takeOver(this.#watch.lapsed(held))
      const next = this.#own === undefined ? await this.#queue.claimNext(name, leaseMs) : undefined
      // Asked again: the last entry that waited may have been claimed by somebody else in between.
      if (next === undefined) return untilEmpty && this.#carried.size === 0 && (await this.#queue.held()).length === 0 ? 'empty' : 'looked'
      this.#own = this.#carry(next).finally(() => (this.#own = undefined))
      this.#follow(this.#own)
      return 'looked'
    } catch (error) {
      if (!(error instanceof PortcullisError)) throw error
      // A store that cannot be read gives no claim; what is held stands or falls by its own writes.
      this.#log.error({ part: 'worker', fault: error.code }, 'the queue could not be read')
      return 'looked'
    }
  }

  async #takeOver(lapsed: ReturnType<LeaseWatch['lapsed']>): Promise<void> {
    for (const claim of lapsed) {
      const taken = await this.#queue.takeOver(claim, this.#order.name, this.#order.leaseMs)
      if (taken === undefined) continue
      this.#log.info({ part: 'worker', item: taken.id, epoch: taken.epoch }, 'a claim was taken over')
      // Beside its own: waiting for the end of that would make the entry wait longer than its lease.
      this.#follow(this.#carry(taken))
    }
  }

  #follow(carried: Promise<void>): void {
    const kept = carried.finally(() => this.#carried.delete(kept))
    this.#carried.add(kept)
  }

  /** One claimed entry to its end, or to the end of the claim. Never rejects: what became of it stands in the queue. */
  async #carry(claimed: QueuedRun): Promise<void> {
    const log = this.#log
    const { cancelled, leaseMs } = this.#order
    const fence: Fence = { item: claimed.id, epoch: claimed.epoch }
    const lost = new AbortController()
    const beat = async (): Promise<void> => {
      const answer = await this.#queue.beat(fence)
      if (answer.ok || lost.signal.aborted) return
      log.error({ part: 'worker', item: fence.item, epoch: fence.epoch, reason: answer.refusal.reason, found: answer.refusal.found }, 'a sign of life was refused')
      lost.abort()
    }
    const beating = setInterval(() => {
      // A store that is away for a moment ends nothing; if it stays away, no write of the run succeeds either.
      beat().catch((error: unknown) => log.error({ part: 'worker', item: fence.item, fault: codeOf(error) }, 'a sign of life could not be given'))
    }, leaseMs / BEATS_IN_A_LEASE)
    const held: Held = {
      fence,
      standing: async () => {
        const standing = await this.#queue.standing(fence)
        if (!standing.ok) lost.abort()
        return standing
      },
    }
    await this.#toResult(claimed, held, AbortSignal.any([cancelled, lost.signal]))
      .catch((error: unknown) => this.#failed(claimed, held, error))
      .finally(() => clearInterval(beating))
  }

  async #toResult(claimed: QueuedRun, held: Held, cancelled: AbortSignal): Promise<void> {
    for (const run of claimed.runs) if (!isFinal(stateOf(run.state)) && run.state !== 'waiting') await closeAttempt(this.#parts, held, run.run, QUIET)
    const now = await this.#queue.find(claimed.id)
    const result = now?.runs.find((run) => run.reason !== 'interrupted' && outcomeOf(run.state) !== undefined)
    const outcome = result === undefined ? undefined : outcomeOf(result.state)
    if (result !== undefined && outcome !== undefined) return this.#end(held, outcome, result.run)
    // Each claim is an attempt, also one that never came to open a run.
    if (claimed.epoch > claimed.attempts) return this.#end(held, 'given_up', null)
    const { order } = claimed
    const answer = await attempt(this.#parts, held, { task: order.task, profile: order.profile ?? undefined, purpose: order.purpose ?? undefined, backend: order.backend ?? undefined, admissionFile: order.admission ?? undefined, cancelled }, QUIET)
    const ended = (await this.#queue.find(claimed.id))?.runs.find(({ run }) => run === answer.report.run_id)
    const came = ended === undefined || ended.reason === 'interrupted' ? undefined : outcomeOf(ended.state)
    if (came === undefined) return this.#release(held)
    return this.#end(held, came, answer.report.run_id)
  }

  async #end(held: Held, outcome: OrderOutcome, result: string | null): Promise<void> {
    const ended = await this.#queue.end(held.fence, { outcome, result, at: this.#parts.options.clock() })
    const { item, epoch } = held.fence
    if (ended.ok) this.#log.info({ part: 'worker', item, epoch, outcome, run: result }, 'an entry has ended')
    else this.#log.error({ part: 'worker', item, epoch, reason: ended.refusal.reason, found: ended.refusal.found }, 'a late end was refused')
  }

  async #release(held: Held): Promise<void> {
    const released = await this.#queue.release(held.fence)
    const { item, epoch } = held.fence
    if (released.ok) this.#log.info({ part: 'worker', item, epoch }, 'an attempt was interrupted; the entry waits again')
    else this.#log.error({ part: 'worker', item, epoch, reason: released.refusal.reason, found: released.refusal.found }, 'a late release was refused')
  }

  /** A fault is no result. One that only the caller can mend ends the entry; any other lets somebody try again, as often as it may be tried. */
  async #failed(claimed: QueuedRun, held: Held, error: unknown): Promise<void> {
    const log = this.#log
    const code = codeOf(error)
    const { item, epoch } = held.fence
    log.error({ part: 'worker', item, epoch, fault: code, ...(error instanceof PortcullisError ? { found: error.found } : {}) }, code === 'claim_lost' ? 'a late write was refused' : 'an attempt failed by a fault')
    if (code === 'claim_lost') return
    const hopeless = code !== 'unexpected' && ERROR_TABLE[code].exit === 2
    // If this fails as well, the claim ends by itself.
    await (hopeless || claimed.epoch >= claimed.attempts ? this.#end(held, 'given_up', null) : this.#release(held)).catch((failed: unknown) => log.error({ part: 'worker', item, fault: codeOf(failed) }, 'the claim could not be given up'))
  }
}

const OUTCOMES = ['accepted', 'failed', 'blocked', 'waiting'] as const
const outcomeOf = (state: string): OrderOutcome | undefined => OUTCOMES.find((outcome) => outcome === state)
const stateOf = (state: string): RunState => RUN_STATES.find((known) => known === state) ?? 'open'
const codeOf = (error: unknown): ErrorCode => (error instanceof PortcullisError ? error.code : 'unexpected')

function pause(milliseconds: number, cancelled: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer)
      cancelled.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, milliseconds)
    cancelled.addEventListener('abort', done, { once: true })
  })
}
