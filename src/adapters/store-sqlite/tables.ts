import { DatabaseSync } from 'node:sqlite'
import * as z from 'zod'
import { ACCESS_TABLES } from './access-schema.ts'
import { SCHEMA } from './schema.ts'

export type Cell = string | number | null | Uint8Array

/** A table as every store has it: its columns in their order, and by which its rows are told apart. */
export interface TableShape {
  readonly name: string
  readonly columns: readonly { readonly name: string; readonly type: 'INTEGER' | 'TEXT' | 'BLOB' }[]
  readonly key: readonly string[]
}

/** Whatever holds the rows of a store, handed on some at a time, as they are at one moment. */
export interface StoredRows {
  rows(table: TableShape): AsyncIterable<readonly (readonly Cell[])[]>
}

const ALL: readonly string[] = [...SCHEMA, ...ACCESS_TABLES]

/** What makes the tables of a ledger and of a server, in an order in which none needs a later one. */
export const TABLE_STATEMENTS = ALL.filter((statement) => /^CREATE (TABLE|INDEX|UNIQUE INDEX) /.test(statement))
/** What makes the store refuse. It comes after the rows of a copy, which were judged when they were written. */
export const CONSTRAINT_STATEMENTS = ALL.filter((statement) => statement.startsWith('CREATE TRIGGER '))

const Named = z.array(z.object({ name: z.string() }))
const Columns = z.array(z.object({ name: z.string(), type: z.enum(['INTEGER', 'TEXT', 'BLOB']), pk: z.int() }))

/** The tables as the statements above make them, asked of the engine itself, so that none can be left out of a copy. */
export function tableShapes(): readonly TableShape[] {
  const database = new DatabaseSync(':memory:')
  try {
    for (const statement of TABLE_STATEMENTS) database.exec(statement)
    const tables = Named.parse(database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY rowid").all())
    return tables.map(({ name }) => {
      const columns = Columns.parse(database.prepare('SELECT name, type, pk FROM pragma_table_info(?) ORDER BY cid').all(name))
      const key = columns.filter(({ pk }) => pk > 0).toSorted((a, b) => a.pk - b.pk)
      return { name, columns: columns.map((column) => ({ name: column.name, type: column.type })), key: (key.length === 0 ? columns : key).map((column) => column.name) }
    })
  } finally {
    database.close()
  }
}
