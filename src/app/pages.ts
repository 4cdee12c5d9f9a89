import type { RunSummary } from '../app.ts'
import { PortcullisError } from '../contract/errors.ts'
import type { Ledger } from '../engine/index.ts'
import { type ModelCall, ModelCallEvidence } from '../gates/wire/index.ts'

export interface Page<Row> {
  readonly rows: readonly Row[]
  /** What to ask with for the next page; null on the last. */
  readonly next: string | null
}

/** A page of what grows at its end: `last` is where the next look begins, also after the last page. */
export interface GrowingPage<Row> extends Page<Row> {
  readonly last: string
}

/** Runs newest first, before a cursor: one that begins in the meantime moves no row to another page. */
export async function pageOfRuns(ledger: Ledger, asked: { readonly cursor: number | undefined; readonly limit: number }): Promise<Page<RunSummary>> {
  const runs = (await ledger.list()).filter((run) => asked.cursor === undefined || run.number < asked.cursor)
  const rows = runs.slice(0, asked.limit)
  const last = rows.at(-1)
  return { rows, next: last === undefined || runs.length === rows.length ? null : String(last.number) }
}

export async function runOf(ledger: Ledger, runId: string): Promise<RunSummary> {
  const history = await ledger.history(runId)
  if (history !== undefined) return history.run
  throw new PortcullisError('run_not_found', { asked: `run ${runId}`, found: 'no such run in this ledger', remedy: 'GET /runs lists them; npx portcullis runs does so here.' })
}

/** So many rows of evidence are looked at for one page at most: a run without calls must not read the whole ledger. */
const MOST_ROWS = 5_000

/** Model calls in the order in which they were stored, after a cursor. A page may be short, or empty, and yet not be the last. */
export async function pageOfCalls(ledger: Ledger, asked: { readonly runId: string | undefined; readonly cursor: number; readonly limit: number }): Promise<GrowingPage<{ readonly runId: string; readonly call: ModelCall }>> {
  const found: { readonly runId: string; readonly call: ModelCall }[] = []
  const rows = await ledger.rowsAfter('evidence', asked.cursor, MOST_ROWS)
  for (const row of rows) {
    const call = asked.runId === undefined || row.runId === asked.runId ? ModelCallEvidence.read(JSON.parse(row.body)) : undefined
    if (call !== undefined) found.push({ runId: row.runId, call: call.predicate })
    if (found.length === asked.limit) return { rows: found, next: String(row.position), last: String(row.position) }
  }
  const last = String(rows.at(-1)?.position ?? asked.cursor)
  return { rows: found, next: rows.length === MOST_ROWS ? last : null, last }
}
