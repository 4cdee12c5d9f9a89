import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { PortcullisError } from '../../contract/errors.ts'
import { type Fence, staleEpoch } from '../../engine/index.ts'

interface Statements {
  readonly current: StatementSync
  readonly raise: StatementSync
  readonly lower: StatementSync
  readonly attempt: StatementSync
}

/** Writes that come under a claim of the queue, inside the transaction of what is written: a claim that was taken over a moment before takes all of it with it. */
export class FenceWrites {
  readonly #database: DatabaseSync
  #prepared: Statements | undefined

  constructor(database: DatabaseSync) {
    this.#database = database
  }

  /** Does what comes under the claim. Throws `claim_lost` if it is not in force, and then nothing may stay. */
  under(fence: Fence, act: () => void): void {
    const { raise, lower } = this.#statements
    this.#require(fence)
    raise.run(fence.item, fence.epoch)
    act()
    lower.run()
  }

  /** A run that was just opened is an attempt of the claim. */
  attempt(runId: string, fence: Fence): void {
    this.#require(fence)
    this.#statements.attempt.run(runId, fence.item, fence.epoch)
  }

  #require(fence: Fence): void {
    const held = this.#statements.current.get(fence.item)
    if (held?.['epoch'] === fence.epoch && held['state'] === 'claimed') return
    const { reason, asked, found, remedy } = staleEpoch(fence, held === undefined ? 'no such entry' : `${String(held['state'])} in epoch ${String(held['epoch'])}`)
    throw new PortcullisError('claim_lost', { asked: `to write under ${asked}`, found: `${reason}: ${found}`, remedy })
  }

  /** Prepared by the first write of the kind: a ledger without a queue has no such tables. */
  get #statements(): Statements {
    this.#prepared ??= {
      current: this.#database.prepare('SELECT epoch, state FROM queued_run WHERE id = ?'),
      raise: this.#database.prepare('INSERT INTO queue_fence (item, epoch) VALUES (?, ?)'),
      lower: this.#database.prepare('DELETE FROM queue_fence'),
      attempt: this.#database.prepare('INSERT INTO queue_attempt (run_id, item, epoch) VALUES (?, ?, ?)'),
    }
    return this.#prepared
  }
}
