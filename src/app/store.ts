import { join } from 'node:path'
import { LedgerOnDemand, openAccessStore, openRunQueue, type Store } from '../adapters/store-sqlite/index.ts'
import type { PortcullisError } from '../contract/errors.ts'
import type { AccessStore, RunQueue } from '../engine/index.ts'
import { type AppOptions, usage } from './places.ts'

/** Names the PostgreSQL database that questions about runs are asked of, instead of the embedded ledger. */
export const DATABASE_VARIABLE = 'PORTCULLIS_DATABASE_URL'

/** The address that the environment names; undefined if it names none. */
export function databaseUrlOf({ environment }: Pick<AppOptions, 'environment'>): string | undefined {
  const named = environment[DATABASE_VARIABLE]
  return named === undefined || named === '' ? undefined : named
}

/** Where the embedded ledger of a state directory is. */
export const embeddedPath = (stateDirectory: string): string => join(stateDirectory, 'ledger.db')

/** The ledger that questions and runs of this process go to. The only place that says which. */
export function ledgerIn(options: Pick<AppOptions, 'environment'>, stateDirectory: string): LedgerOnDemand {
  const url = databaseUrlOf(options)
  return url === undefined ? new LedgerOnDemand(embeddedPath(stateDirectory)) : new LedgerInPostgres(url, stateDirectory)
}

/** The server's own tables. Throws `usage` where a database is named, which nothing is written to. */
export async function accessStoreIn(options: Pick<AppOptions, 'environment'>, stateDirectory: string): Promise<AccessStore> {
  if (databaseUrlOf(options) !== undefined) throw readOnly('what a server keeps')
  return openAccessStore(embeddedPath(stateDirectory))
}

/** The queue of runs, beside the ledger. Throws `usage` where a database is named, which nothing is written to. */
export async function queueIn(options: Pick<AppOptions, 'environment'>, stateDirectory: string): Promise<RunQueue> {
  if (databaseUrlOf(options) !== undefined) throw readOnly('a queue of runs')
  return openRunQueue(embeddedPath(stateDirectory))
}

/** Going on in the embedded store instead would write a second history beside the one that was named. */
const readOnly = (asked: string): PortcullisError =>
  usage(`to write ${asked} into the database of ${DATABASE_VARIABLE}`, 'a database that is read and copied, and never written run by run', `Leave ${DATABASE_VARIABLE} away: runs are written into the embedded ledger, and copied with: npx portcullis store copy --to postgres`)

/** A copy of a ledger in PostgreSQL, for questions: as it is at the moment of the first one. */
class LedgerInPostgres extends LedgerOnDemand {
  readonly #url: string
  #opened: Promise<Store> | undefined

  constructor(url: string, stateDirectory: string) {
    super(embeddedPath(stateDirectory))
    this.#url = url
  }

  override async open(): Promise<Store> {
    throw readOnly('a run')
  }

  override openExisting(): Promise<Store> {
    this.#opened ??= this.#open()
    return this.#opened
  }

  override async close(): Promise<void> {
    await (await this.#opened)?.close()
  }

  async #open(): Promise<Store> {
    const { databaseAddress, freezePostgres } = await import('../adapters/store-postgres/index.ts')
    return (await freezePostgres(databaseAddress(this.#url))).ledger
  }
}
