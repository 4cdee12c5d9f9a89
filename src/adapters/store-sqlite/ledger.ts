import { dirname } from 'node:path'
import { type Kysely, type Selectable, sql, type Transaction } from 'kysely'
import { PortcullisError } from '../../contract/errors.ts'
import { runIdOf } from '../../contract/ids.ts'
import type { Account, Spending } from '../../gates/wire/index.ts'
import { type Ledger, LedgerEntry, type LedgerWrite, type RunHistory, RunSummary } from '../../engine/index.ts'
import { makeDirectory } from '../directories/index.ts'
import { type Connection, connect, connectForReading } from './connection.ts'
import { GroupCommit } from './group-commit.ts'
import { createTables, SCHEMA_VERSION, type Tables } from './schema.ts'

/** Opens the embedded store at `path`, creating it if it is not there. Rejects with `store_failed` or `store_busy`. */
export async function openLedger(path: string): Promise<Ledger> {
  return guarded('open', path, async () => {
    makeDirectory(dirname(path), 0o700)
    const connection = connect(path)
    await connection.kysely.transaction().execute(async (transaction) => ensureTables(transaction, path))
    return new SqliteLedger(connection, path)
  })
}

/** Opens an existing store for questions: a file and a directory that may only be read are enough. Rejects with `store_failed` or `store_busy`. */
export async function openLedgerForReading(path: string): Promise<Ledger> {
  return guarded('open', path, async () => {
    const connection = connectForReading(path)
    await requireVersion(await tablesOf(connection.kysely), connection.kysely, path)
    return new SqliteLedger(connection, path)
  })
}

async function tablesOf(database: Kysely<Tables>): Promise<readonly string[]> {
  const tables = await sql<{ name: string }>`SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`.execute(database)
  return tables.rows.map((table) => table.name)
}

async function ensureTables(transaction: Transaction<Tables>, path: string): Promise<void> {
  const tables = await tablesOf(transaction)
  return tables.length === 0 ? createTables(transaction) : requireVersion(tables, transaction, path)
}

async function requireVersion(tables: readonly string[], database: Kysely<Tables>, path: string): Promise<void> {
  const versions = tables.includes('portcullis_schema') ? await database.selectFrom('portcullis_schema').selectAll().execute() : []
  if (versions.length === 1 && versions[0]?.version === SCHEMA_VERSION) return
  throw new PortcullisError('store_failed', {
    asked: `a ledger of schema version ${SCHEMA_VERSION} at ${path}`,
    found: versions[0] === undefined ? 'a database that is not a ledger' : `schema version ${versions[0].version}`,
    remedy: 'Use the version of Portcullis that wrote it, or point --state at another directory.',
  })
}

class SqliteLedger implements Ledger {
  readonly #database: Kysely<Tables>
  readonly #path: string
  readonly #writes: GroupCommit

  constructor({ kysely, database }: Connection, path: string) {
    this.#database = kysely
    this.#path = path
    this.#writes = new GroupCommit(database, (act) => kysely.connection().execute(async () => act()))
  }

  async begin(run: { readonly kind: RunSummary['kind']; readonly taskId: string; readonly startedAt: Date }): Promise<RunSummary> {
    return guarded('begin', this.#path, () =>
      this.#database.transaction().execute(async (transaction) => {
        const last = await transaction.selectFrom('run').select(({ fn }) => fn.max('number').as('number')).executeTakeFirst()
        const number = (last?.number ?? 0) + 1
        const summary: RunSummary = {
          runId: runIdOf(run.startedAt, run.taskId, number),
          number,
          kind: run.kind,
          taskId: run.taskId,
          state: 'open',
          reason: null,
          startedAt: run.startedAt.toISOString(),
          endedAt: null,
        }
        await transaction
          .insertInto('run')
          .values({ run_id: summary.runId, number, kind: run.kind, task_id: run.taskId, state: 'open', reason: null, started_at: summary.startedAt, ended_at: null })
          .execute()
        return summary
      }),
    )
  }

  async append(write: LedgerWrite): Promise<void> {
    await guarded('append', this.#path, () => this.#writes.append(write))
  }

  async history(runId: string): Promise<RunHistory | undefined> {
    return guarded('read', this.#path, async () => {
      const run = await this.#database.selectFrom('run').selectAll().where('run_id', '=', runId).executeTakeFirst()
      if (run === undefined) return undefined
      const entries = await this.#database.selectFrom('entry').select(['position', 'kind', 'digest', 'body']).where('run_id', '=', runId).orderBy('position').execute()
      return { run: summaryOf(run), entries: entries.map((entry) => LedgerEntry.parse(entry)) }
    })
  }

  async list(): Promise<readonly RunSummary[]> {
    return guarded('read', this.#path, async () => {
      const runs = await this.#database.selectFrom('run').selectAll().orderBy('number', 'desc').execute()
      return runs.map(summaryOf)
    })
  }

  async rowsAfter(kind: LedgerEntry['kind'], position: number, most: number): Promise<readonly { runId: string; position: number; body: string }[]> {
    return guarded('read', this.#path, async () => {
      const rows = await this.#database.selectFrom('entry').select(['run_id', 'position', 'body']).where('kind', '=', kind).where('position', '>', position).orderBy('position').limit(most).execute()
      return rows.map((row) => ({ runId: row.run_id, position: row.position, body: row.body }))
    })
  }

  async charged({ profile, day }: Account): Promise<Spending> {
    return guarded('read', this.#path, async () => {
      const { sum } = this.#database.fn
      const sums = await this.#database
        .selectFrom('charge')
        .select([sum('calls').as('calls'), sum('tokens').as('tokens'), sum('cost_nano').as('costNano'), sum('unpriced').as('unpriced')])
        .$if(profile !== null, (query) => query.where('profile', '=', profile ?? ''))
        .$if(day !== null, (query) => query.where('day', '=', day ?? ''))
        .executeTakeFirstOrThrow()
      return { calls: Number(sums.calls), tokens: Number(sums.tokens), costUsd: Number(sums.costNano) / 1e9, unpriced: Number(sums.unpriced) }
    })
  }

  async close(): Promise<void> {
    await this.#database.destroy()
  }
}

const summaryOf = (row: Selectable<Tables['run']>): RunSummary =>
  RunSummary.parse({ runId: row.run_id, number: row.number, kind: row.kind, taskId: row.task_id, state: row.state, reason: row.reason, startedAt: row.started_at, endedAt: row.ended_at })

/** Turns whatever SQLite throws into one fault. Its text names the operation and the engine's own message, which quotes no bound value. */
async function guarded<Result>(operation: string, path: string, action: () => Promise<Result>): Promise<Result> {
  try {
    return await action()
  } catch (error) {
    if (error instanceof PortcullisError) throw error
    const message = error instanceof Error ? error.message : String(error)
    const busy = /database is (locked|busy)/.test(message)
    throw new PortcullisError(busy ? 'store_busy' : 'store_failed', {
      asked: `to ${operation} the ledger ${path}`,
      found: message,
      remedy: busy ? 'Another process holds the ledger; try again when it is done.' : 'Nothing was written. Check the disk and the file, then try again.',
      cause: error,
    })
  }
}
