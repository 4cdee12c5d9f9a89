import type { DatabaseSync } from 'node:sqlite'
import * as z from 'zod'
import type { HashedRow, LedgerView, StoredPage } from '../../engine/index.ts'

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
    const row = database.prepare(ROW)
    return await read({
      head: { note: head.note, keyId: head.key_id },
      size: head.size,
      edge: head.edge,
      kept: kept.map((row) => ({ note: row.note, keyId: row.key_id })),
      pages: () => pagesOf(database),
      rowAt: (position) => Row.safeParse(row.get(position)).data,
      hashAt: (position) => Bytes.safeParse(hash.get(position - 1)?.['hash']).data ?? null,
    })
  } finally {
    database.exec('COMMIT')
  }
}

/** What `leafText` says of a row, with the zero byte of RFC 6962 before it, put together where the row is: a million rows are not taken apart first. */
const TEXT = "char(0) || position || char(10) || run_id || char(10) || kind || char(10) || coalesce(sequence, '') || char(10) || coalesce(gate, '') || char(10) || coalesce(outcome, '') || char(10) || digest || char(10) || body"
const ROWS = `SELECT position, ${TEXT} AS text FROM entry WHERE position > ? ORDER BY position LIMIT ${PAGE_ROWS}`
const HASHES = "SELECT count(*) AS count, group_concat(hex(hash), '') AS hashes FROM (SELECT hash FROM tree WHERE level = 0 AND number >= ? AND number < ? ORDER BY number)"
const ROW = 'SELECT position, run_id AS runId, kind, sequence, gate, outcome, digest, body FROM entry WHERE position = ?'

const Row: z.ZodType<HashedRow> = z.object({ position: z.number(), runId: z.string(), kind: z.string(), sequence: z.number().nullable(), gate: z.string().nullable(), outcome: z.string().nullable(), digest: z.string(), body: z.string() })
const Hashes = z.object({ count: z.number(), hashes: z.string().nullable() })

async function* pagesOf(database: DatabaseSync): AsyncGenerator<StoredPage> {
  const rows = database.prepare(ROWS)
  const hashes = database.prepare(HASHES)
  for (let after = Number.MIN_SAFE_INTEGER; ; ) {
    const page = rows.all(after).map(rowOf)
    const [first, last] = [page[0]?.position, page.at(-1)?.position]
    if (first === undefined || last === undefined) return
    yield { rows: page, hashes: last - first + 1 === page.length ? stored(hashes.get(first - 1, last), page.length) : null }
    after = last
  }
}

/** Somebody who changed the tables may have put anything there: what is no text has another hash than any row. */
const rowOf = ({ position, text }: Record<string, unknown>): StoredPage['rows'][number] => ({ position: Number(position), text: typeof text === 'string' ? text : '' })

function stored(found: unknown, rows: number): Uint8Array | null {
  const { count, hashes } = Hashes.parse(found)
  const bytes = Buffer.from(hashes ?? '', 'hex')
  return count === rows && bytes.length === 32 * rows ? bytes : null
}
