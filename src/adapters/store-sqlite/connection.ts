import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import { Kysely, SqliteDialect } from 'kysely'
import type { Tables } from './schema.ts'

/** How long a writer waits for another process' transaction; ours last milliseconds, so a longer wait means a stuck holder (REL-03). */
const BUSY_TIMEOUT_MS = 1_000

/**
 * Kysely over the SQLite that Node brings. WAL with `synchronous=FULL`: an acknowledged row survives a power cut (REL-01).
 * `begin` is made `begin immediate`, because a transaction that reads first and writes later would fail half-way when
 * another process wrote in between.
 */
export function connect(path: string): Kysely<Tables> {
  const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS, enableForeignKeyConstraints: true })
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF')
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
