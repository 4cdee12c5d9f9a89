import { createHash } from 'node:crypto'
import { existsSync, linkSync, mkdtempSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { PortcullisError, systemCode } from '../../contract/errors.ts'
import { makeDirectory } from '../directories/index.ts'
import { connect, connectForReading, kyselyOver } from './connection.ts'
import { guarded } from './guarded.ts'
import { ledgerOver, type Store } from './ledger.ts'
import { type Cell, CONSTRAINT_STATEMENTS, type StoredRows, TABLE_STATEMENTS, tableShapes, type TableShape } from './tables.ts'

/** How many rows are handed on together. */
const BATCH_ROWS = 1_000

export interface TableDigest {
  readonly name: string
  readonly rows: number
  /** SHA-256 over all rows in the order of their key, each as a line of JSON. */
  readonly sha256: string
}

/** A store as it was at one moment, in a file that has no name and ends with it. Anything fits into it, so that what somebody changed is read as it is. */
export interface FrozenStore extends StoredRows {
  readonly ledger: Store
  readonly digests: readonly TableDigest[]
  close(): Promise<void>
}

const listed = (names: readonly string[]): string => names.map((name) => `"${name}"`).join(', ')
const columnsOf = ({ columns }: TableShape): string => listed(columns.map(({ name }) => name))

/** Copies every row of every table aside, so that what is checked is what is then handed on. */
export async function freeze(source: StoredRows, name: string): Promise<FrozenStore> {
  const database = new DatabaseSync('')
  try {
    database.exec('PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA trusted_schema = OFF')
    const shapes = tableShapes()
    for (const shape of shapes) {
      database.exec(`CREATE TABLE "${shape.name}" (${shape.columns.map((column) => `"${column.name}" ${column.type}`).join(', ')})`)
      await pour(database, source, shape)
      database.exec(`CREATE INDEX "key_of_${shape.name}" ON "${shape.name}" (${listed(shape.key)})`)
    }
    database.exec('CREATE INDEX entry_of_run ON entry (run_id, position)')
    // A copy: what were written into it would be lost with it.
    database.exec('PRAGMA query_only = ON')
    const ledger = await ledgerOver({ database, kysely: kyselyOver(database) }, name)
    return { ledger, digests: shapes.map((shape) => digestOf(database, shape)), ...sqliteRows(database), close: () => ledger.close() }
  } catch (error) {
    if (database.isOpen) database.close()
    throw error
  }
}

/** Writes every row of a table. Of what a number, a text or bytes is, nothing changes on the way. */
async function pour(database: DatabaseSync, source: StoredRows, shape: TableShape): Promise<void> {
  const insert = database.prepare(`INSERT INTO "${shape.name}" (${columnsOf(shape)}) VALUES (${shape.columns.map(() => '?').join(', ')})`)
  for await (const rows of source.rows(shape)) {
    for (const row of rows) insert.run(...row)
  }
}

/** The rows of an SQLite store, within whatever transaction its caller has open; a table that is not there has none. */
function sqliteRows(database: DatabaseSync): StoredRows {
  return {
    async *rows(shape) {
      if (database.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?").get(shape.name) === undefined) return
      let batch: Cell[][] = []
      for (const row of rowsOf(database, shape)) {
        batch.push(row)
        if (batch.length < BATCH_ROWS) continue
        yield batch
        batch = []
      }
      if (batch.length > 0) yield batch
    },
  }
}

function* rowsOf(database: DatabaseSync, shape: TableShape): Generator<Cell[]> {
  for (const row of database.prepare(`SELECT ${columnsOf(shape)} FROM "${shape.name}" ORDER BY ${listed(shape.key)}`).iterate()) {
    yield shape.columns.map(({ name }) => {
      const value = row[name]
      if (typeof value === 'bigint' || value === undefined) throw new Error(`a value of ${shape.name}.${name} that no store of ours writes`)
      return value
    })
  }
}

function digestOf(database: DatabaseSync, shape: TableShape): TableDigest {
  const sum = createHash('sha256')
  let rows = 0
  for (const row of rowsOf(database, shape)) {
    sum.update(`${JSON.stringify(row.map((cell) => (cell instanceof Uint8Array ? { hex: Buffer.from(cell).toString('hex') } : cell)))}\n`)
    rows += 1
  }
  return { name: shape.name, rows, sha256: sum.digest('hex') }
}

/** What no copy would hold must not be left behind unseen: the queue of runs has tables of its own. */
function refuseUnknown(database: DatabaseSync, path: string): void {
  const known = new Set(tableShapes().map(({ name }) => name))
  const others = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'").all().flatMap(({ name }) => (known.has(String(name)) ? [] : [String(name)]))
  if (others.length === 0) return
  throw new PortcullisError('store_failed', { asked: `every table of ${path} in a copy of it`, found: `${others.join(', ')}, which no copy holds`, remedy: 'A store with a queue of runs stays where it is: it is not copied yet.' })
}

/** Freezes the embedded store at `path`, whoever writes meanwhile. Rejects with `store_failed` or `store_busy`. */
export function freezeEmbedded(path: string): Promise<FrozenStore> {
  return guarded('read', path, async () => {
    const { database, kysely } = connectForReading(path)
    try {
      database.exec('BEGIN')
      refuseUnknown(database, path)
      return await freeze(sqliteRows(database), path)
    } finally {
      if (database.isTransaction) database.exec('ROLLBACK')
      await kysely.destroy()
      if (database.isOpen) database.close()
    }
  })
}

/**
 * Makes an embedded store at `path` out of a frozen one: whole, with all that it refuses, and read back before it has its name; or not at all.
 * Rejects with `file_exists` if there is one.
 */
export function fillEmbedded(path: string, frozen: FrozenStore, check: (written: FrozenStore) => void): Promise<void> {
  return guarded('write', path, async () => {
    makeDirectory(dirname(path), 0o700)
    // The log of a ledger that is gone would be taken for the new one's, and written into it.
    if (existsSync(`${path}-wal`)) throw new PortcullisError('file_exists', { asked: `a new ledger at ${path}`, found: `${path}-wal, the log of another one`, remedy: 'Name another directory with --state. Nothing was written.' })
    const scratch = mkdtempSync(join(dirname(path), '.copying-'))
    try {
      const made = join(scratch, 'ledger.db')
      await build(made, frozen)
      const written = await freezeEmbedded(made)
      try {
        check(written)
      } finally {
        await written.close()
      }
      giveName(made, path)
    } finally {
      rmSync(scratch, { recursive: true, force: true })
    }
  })
}

async function build(path: string, frozen: FrozenStore): Promise<void> {
  const { database, kysely } = connect(path)
  try {
    // Most ledgers never see a server, and then have none of its tables.
    const served = (frozen.digests.find(({ name }) => name === 'access_schema')?.rows ?? 0) > 0
    const wanted = (statement: string): boolean => served || !/^CREATE \w+ (INDEX )?(access_|kept_)/.test(statement)
    database.exec('BEGIN IMMEDIATE')
    for (const statement of TABLE_STATEMENTS.filter(wanted)) database.exec(statement)
    for (const shape of tableShapes()) if (wanted(`CREATE TABLE ${shape.name}`)) await pour(database, frozen, shape)
    for (const statement of CONSTRAINT_STATEMENTS.filter(wanted)) database.exec(statement)
    database.exec('COMMIT; PRAGMA wal_checkpoint(TRUNCATE)')
  } finally {
    await kysely.destroy()
    if (database.isOpen) database.close()
  }
}

/** A link, because it never replaces what somebody made in the meantime. */
function giveName(made: string, path: string): void {
  try {
    linkSync(made, path)
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error
    throw new PortcullisError('file_exists', { asked: `a new ledger at ${path}`, found: 'a file of that name', remedy: 'Name another directory with --state. Nothing was written.' })
  }
}
