import type { DatabaseSync } from 'node:sqlite'
import * as z from 'zod'
import type { LedgerView, StoredRow } from '../../engine/index.ts'

/** How many rows are handed on together. */
const PAGE_ROWS = 1_000

const Bytes = z.instanceof(Uint8Array)
const Head = z.object({ size: z.number(), edge: Bytes, note: z.string(), key_id: z.string() })
const Kept = z.array(z.object({ note: z.string(), key_id: z.string() }))

/** Shows all that is stored within one read transaction, which sees nothing of what is written meanwhile. */
export async function readSnapshot<Result>(database: DatabaseSync, read: (view: LedgerView) => Promise<Result>): Promise<Result> {
  database.exec('BEGIN')
  try {
    const head = Head.parse(database.prepare('SELECT size, edge, note, key_id FROM head').get() ?? { size: 0, edge: new Uint8Array(), note: '', key_id: '' })
    const kept = Kept.parse(database.prepare('SELECT note, key_id FROM checkpoint ORDER BY size').all())
    const hash = database.prepare('SELECT hash FROM tree WHERE level = 0 AND number = ?')
    return await read({
      head: { note: head.note, keyId: head.key_id },
      size: head.size,
      edge: head.edge,
      kept: kept.map((row) => ({ note: row.note, keyId: row.key_id })),
      rows: () => pagesOf(database),
      hashAt: (position) => Bytes.safeParse(hash.get(position - 1)?.['hash']).data ?? null,
    })
  } finally {
    database.exec('COMMIT')
  }
}

const ROWS = 'SELECT position, run_id AS runId, kind, sequence, gate, outcome, digest, body, hash FROM entry LEFT JOIN tree ON level = 0 AND number = position - 1 ORDER BY position'

async function* pagesOf(database: DatabaseSync): AsyncGenerator<readonly StoredRow[]> {
  let page: StoredRow[] = []
  // The columns are typed by the tables, which are STRICT; a million rows are not parsed a second time.
  for (const row of database.prepare(ROWS).iterate() as Iterable<unknown> as Iterable<StoredRow>) {
    page.push(row)
    if (page.length < PAGE_ROWS) continue
    yield page
    page = []
  }
  yield page
}
