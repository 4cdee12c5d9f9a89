import type { Client } from 'pg'
import * as z from 'zod'
import { PortcullisError } from '../../contract/errors.ts'
import { type Cell, freeze, type FrozenStore, type StoredRows, tableShapes, type TableShape } from '../store-sqlite/index.ts'
import { type DatabaseAddress, inTransaction } from './connection.ts'
import { postgresConstraints, postgresTables } from './schema.ts'

const BATCH_ROWS = 1_000
/** By which copies into one database find each other; any number that nobody else takes. */
const LOCK = 7_262_013_118

const TYPES = { INTEGER: 'bigint', TEXT: 'text', BLOB: 'bytea' } as const
const columnsOf = ({ columns }: TableShape): string => columns.map(({ name }) => `"${name}"`).join(', ')

const Cells: z.ZodType<Cell[][]> = z.array(z.array(z.union([z.string(), z.number(), z.null(), z.instanceof(Uint8Array)])))

/** The rows of a store in PostgreSQL, as the transaction of this connection sees them. */
function postgresRows(client: Client): StoredRows {
  return {
    async *rows(shape) {
      await client.query(`DECLARE portcullis_rows NO SCROLL CURSOR FOR SELECT ${columnsOf(shape)} FROM "${shape.name}"`)
      for (;;) {
        const { rows } = await client.query<unknown[]>({ text: `FETCH ${BATCH_ROWS} FROM portcullis_rows`, rowMode: 'array' })
        if (rows.length === 0) break
        yield Cells.parse(rows)
      }
      await client.query('CLOSE portcullis_rows')
    },
  }
}

/** Freezes the store at an address. Rejects with `store_failed`, and with `run_not_found` for a database that holds none. */
export function freezePostgres(address: DatabaseAddress): Promise<FrozenStore> {
  return inTransaction(address, 'read', async (client) => {
    if (!(await tablesIn(client)).includes('portcullis_schema')) throw new PortcullisError('run_not_found', { asked: `the ledger in ${address.shown}`, found: 'a database that holds none', remedy: 'Check the address, or copy one there: npx portcullis store copy --to postgres' })
    return freeze(postgresRows(client), address.shown)
  })
}

/**
 * Writes a frozen store into an empty database: tables, rows, and all that they refuse, in one transaction. `check` is given what the database then
 * holds, before anybody else can see it; what it throws leaves the database empty. Returns false if the database is not empty, and writes nothing then.
 */
export function fillPostgres(address: DatabaseAddress, frozen: FrozenStore, check: (written: FrozenStore) => void): Promise<boolean> {
  return inTransaction(address, 'write', async (client) => {
    const { rows } = await client.query<{ taken: boolean; encoding: string }>(`SELECT pg_try_advisory_xact_lock(${LOCK}) AS taken, current_setting('server_encoding') AS encoding`)
    if (rows[0]?.taken !== true) throw new PortcullisError('store_busy', { asked: `to write the ledger into ${address.shown}`, found: 'somebody else copies a ledger there', remedy: 'Wait for it, then see what is there.' })
    if (rows[0].encoding !== 'UTF8') throw new PortcullisError('store_failed', { asked: `a database in UTF8 at ${address.shown}`, found: rows[0].encoding, remedy: 'Create it with: createdb --encoding=UTF8 --template=template0' })
    if ((await tablesIn(client)).length > 0) return false
    for (const statement of postgresTables()) await client.query(statement)
    for (const shape of tableShapes()) await pour(client, frozen, shape)
    for (const statement of postgresConstraints()) await client.query(statement)
    const written = await freeze(postgresRows(client), address.shown)
    try {
      check(written)
    } finally {
      await written.close()
    }
    return true
  })
}

async function pour(client: Client, source: StoredRows, shape: TableShape): Promise<void> {
  const columns = shape.columns.map(({ type }, index) => `$${index + 1}::${TYPES[type]}[]`)
  const insert = { name: `into ${shape.name}`, text: `INSERT INTO "${shape.name}" (${columnsOf(shape)}) SELECT * FROM unnest(${columns.join(', ')})` }
  for await (const rows of source.rows(shape)) await client.query({ ...insert, values: shape.columns.map((_column, index) => rows.map((row) => bound(row[index] ?? null))) })
  // What is added one day goes on behind what is there.
  for (const { name } of shape.columns.filter(({ type }) => type === 'INTEGER')) {
    await client.query(`SELECT setval(sequence::regclass, (SELECT max("${name}") FROM "${shape.name}")) FROM pg_get_serial_sequence('${shape.name}', '${name}') AS sequence WHERE sequence IS NOT NULL AND EXISTS (SELECT 1 FROM "${shape.name}")`)
  }
}

/** The driver knows bytes by its own kind of them alone. */
const bound = (cell: Cell): Cell => (cell instanceof Uint8Array ? Buffer.from(cell.buffer, cell.byteOffset, cell.byteLength) : cell)

/** Everything that has a name where tables would be made. */
async function tablesIn(client: Client): Promise<readonly string[]> {
  const { rows } = await client.query<{ name: string }>("SELECT relname AS name FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S')")
  return rows.map(({ name }) => name)
}
