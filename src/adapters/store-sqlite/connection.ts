import { statSync } from 'node:fs'
import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { Kysely, SqliteDialect } from 'kysely'
import type { Tables } from './schema.ts'

/** How long a writer waits for another process' transaction; ours last milliseconds, so a longer wait means a stuck holder (REL-03). */
const BUSY_TIMEOUT_MS = 1_000

/** One connection, as Kysely uses it and as SQLite has it. */
export interface Connection {
  readonly kysely: Kysely<Tables>
  readonly database: DatabaseSync
}

/**
 * Kysely over the SQLite that Node brings. WAL with `synchronous=FULL`: an acknowledged row survives a power cut (REL-01).
 * `begin` is made `begin immediate`, because a transaction that reads first and writes later would fail half-way when
 * another process wrote in between.
 */
export function connect(path: string): Connection {
  const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS, enableForeignKeyConstraints: true })
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF')
  return { kysely: kyselyOver(database), database }
}

/**
 * The same store for questions alone: nothing is created or written, so that somebody who may only read can verify a run.
 * A store in a directory that cannot be written is opened as a file that does not change; a write-ahead log beside it
 * would be left out then, so where there is one the fault of SQLite stands.
 */
export function connectForReading(path: string): Connection {
  try {
    const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS, readOnly: true })
    database.prepare('SELECT count(*) FROM sqlite_schema').get()
    return { kysely: kyselyOver(database), database }
  } catch (error) {
    if (!(error instanceof Error) || !/unable to open database file|readonly database/.test(error.message) || hasLog(path)) throw error
    const unchanging = pathToFileURL(path)
    unchanging.searchParams.set('immutable', '1')
    const database = new DatabaseSync(unchanging, { readOnly: true })
    return { kysely: kyselyOver(database), database }
  }
}

/** True for a write-ahead log with rows in it. */
const hasLog = (path: string): boolean => (statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0

/** Kysely over a connection that is there. */
export function kyselyOver(database: DatabaseSync): Kysely<Tables> {
  return new Kysely<Tables>({
    dialect: new SqliteDialect({
      database: {
        close: () => database.close(),
        prepare: (text) => {
          const statement = database.prepare(text === 'begin' ? 'begin immediate' : text)
          return {
            reader: statement.columns().length > 0,
            all: (parameters) => statement.all(...(parameters as SQLInputValue[])),
            run: (parameters) => statement.run(...(parameters as SQLInputValue[])),
            iterate: (parameters) => statement.iterate(...(parameters as SQLInputValue[])),
          }
        },
      },
    }),
  })
}
