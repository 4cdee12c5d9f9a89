import { statSync } from 'node:fs'
import { PortcullisError } from '../../contract/errors.ts'
import { openLedger, openLedgerForReading, type Store } from './ledger.ts'

/** The ledger at a path, which is made by the first run and never by a question. */
export class LedgerOnDemand {
  readonly #path: string
  #writable: Promise<Store> | undefined
  #readable: Promise<Store> | undefined

  constructor(path: string) {
    this.#path = path
  }

  /** Opens it, and makes it if it is not there. Rejects with `store_failed` or `store_busy`. */
  open(): Promise<Store> {
    this.#writable ??= openLedger(this.#path)
    return this.#writable
  }

  /** Opens it for questions if it is there. Who may only read it is answered too. */
  async openExisting(): Promise<Store | undefined> {
    if (this.#writable !== undefined) return this.#writable
    if (this.#readable === undefined && !this.#exists()) return undefined
    this.#readable ??= openLedgerForReading(this.#path)
    return this.#readable
  }

  /** Opens it for a question about a run. Rejects with `run_not_found` where there is none: a mistyped directory is no empty ledger. */
  async openFor(runId: string): Promise<Store> {
    const ledger = await this.openExisting()
    if (ledger !== undefined) return ledger
    throw new PortcullisError('run_not_found', { asked: `run ${runId}`, found: `no ledger at ${this.#path}`, remedy: 'Name its directory with --state, or the configuration beside it with -c.' })
  }

  async close(): Promise<void> {
    for (const opened of [this.#writable, this.#readable]) await (await opened)?.close()
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
