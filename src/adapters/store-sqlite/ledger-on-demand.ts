import { statSync } from 'node:fs'
import { PortcullisError } from '../../contract/errors.ts'
import type { Ledger } from '../../engine/index.ts'
import { openLedger } from './ledger.ts'

/** The ledger at a path, which is made by the first run and never by a question. */
export class LedgerOnDemand {
  readonly #path: string
  #opened: Promise<Ledger> | undefined

  constructor(path: string) {
    this.#path = path
  }

  /** Opens it, and makes it if it is not there. Rejects with `store_failed` or `store_busy`. */
  open(): Promise<Ledger> {
    this.#opened ??= openLedger(this.#path)
    return this.#opened
  }

  /** Opens it if it is there. */
  async openExisting(): Promise<Ledger | undefined> {
    return this.#exists() ? this.open() : undefined
  }

  /** Opens it for a question about a run. Rejects with `run_not_found` where there is none: a mistyped directory is no empty ledger. */
  async openFor(runId: string): Promise<Ledger> {
    const ledger = await this.openExisting()
    if (ledger !== undefined) return ledger
    throw new PortcullisError('run_not_found', { asked: `run ${runId}`, found: `no ledger at ${this.#path}`, remedy: 'Name its directory with --state, or the configuration beside it with -c.' })
  }

  async close(): Promise<void> {
    await (await this.#opened)?.close()
  }

  #exists(): boolean {
    try {
      return statSync(this.#path, { throwIfNoEntry: false }) !== undefined
    } catch {
      // What cannot be looked at may be there; opening it says what is wrong.
      return true
    }
  }
}
