import { randomBytes } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import * as z from 'zod'
import { canonicalJson } from '../../contract/canonical.ts'
import { PortcullisError } from '../../contract/errors.ts'
import { type Fence, type Fenced, type HeldClaim, type OrderOutcome, QueuedRun, type RunOrder, type RunQueue, staleEpoch } from '../../engine/index.ts'
import { connect } from './connection.ts'
import { guarded } from './guarded.ts'
import { openLedger } from './ledger.ts'
import { QUEUE_TABLES, QUEUE_VERSION } from './queue-schema.ts'

/** Opens the queue in the ledger at `path`, making both if they are not there. Rejects with `store_failed` or `store_busy`. */
export async function openRunQueue(path: string): Promise<RunQueue> {
  // The ledger makes its own tables, and only in an empty file.
  await (await openLedger(path)).close()
  return guarded('open', path, async () => {
    const { database } = connect(path)
    ensureTables(database)
    const { version } = z.object({ version: z.int() }).parse(database.prepare('SELECT version FROM queue_schema').get())
    if (version === QUEUE_VERSION) return new SqliteRunQueue(database, path)
    throw new PortcullisError('store_failed', { asked: `a queue of version ${QUEUE_VERSION} in ${path}`, found: `version ${version}`, remedy: 'Use the version of Portcullis that wrote it, or point --state at another directory.' })
  })
}

const hasQueue = (database: DatabaseSync): boolean => database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'queue_schema'").get() !== undefined

/** Looked at again inside the transaction: of two workers that start at once one makes the tables. */
function ensureTables(database: DatabaseSync): void {
  if (hasQueue(database)) return
  database.exec('BEGIN IMMEDIATE')
  try {
    if (!hasQueue(database)) database.exec(QUEUE_TABLES.join(';'))
    database.exec('COMMIT')
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK')
    throw error
  }
}

const COLUMNS = 'id, number, state, body, attempts, requester AS "by", queued_at, epoch, beats, worker, lease_ms, outcome, result, ended_at'
const Row = z.looseObject({ body: z.string() })
const ClaimRow = z.object({ item: z.string(), epoch: z.int(), beats: z.int(), leaseMs: z.int() })
const CLAIM = `SET state = 'claimed', epoch = epoch + 1, beats = 0, worker = ?, lease_ms = ?`

class SqliteRunQueue implements RunQueue {
  readonly #database: DatabaseSync
  readonly #path: string

  constructor(database: DatabaseSync, path: string) {
    this.#database = database
    this.#path = path
  }

  add({ order, attempts, key, by, at }: { readonly order: RunOrder; readonly attempts: number; readonly key: string; readonly by: string; readonly at: Date }): Promise<QueuedRun> {
    return this.#guarded('append', () => {
      const id = `q-${randomBytes(6).toString('hex')}`
      // One statement, so that two that add at once get two numbers, and the same key twice one entry.
      this.#database
        .prepare(`INSERT INTO queued_run (id, number, key, state, body, attempts, requester, queued_at, epoch, beats) SELECT ?, coalesce(max(number), 0) + 1, ?, 'queued', ?, ?, ?, ?, 0, 0 FROM queued_run WHERE true ON CONFLICT (key) DO NOTHING`)
        .run(id, key, canonicalJson(order), attempts, by, at.toISOString())
      const row = this.#read(`WHERE key = ?`, key)
      if (row === undefined) throw new Error('an entry that was added is not there')
      if (canonicalJson(row.order) !== canonicalJson(order) || row.attempts !== attempts) throw new PortcullisError('idempotency_key_reused', { asked: `an entry with the key ${key}`, found: `${row.id}, which asks for something else`, remedy: 'Give each request a key of its own.' })
      return row
    })
  }

  find(id: string): Promise<QueuedRun | undefined> {
    return this.#guarded('read', () => this.#read('WHERE id = ?', id))
  }

  list(most: number, before: number = Number.MAX_SAFE_INTEGER): Promise<readonly QueuedRun[]> {
    return this.#guarded('read', () => this.#database.prepare(`SELECT ${COLUMNS} FROM queued_run WHERE number < ? ORDER BY number DESC LIMIT ?`).all(before, most).map((row) => this.#entryOf(row)))
  }

  claimNext(worker: string, leaseMs: number): Promise<QueuedRun | undefined> {
    return this.#guarded('append', () => {
      const row = this.#database.prepare(`UPDATE queued_run ${CLAIM} WHERE id = (SELECT id FROM queued_run WHERE state = 'queued' ORDER BY number LIMIT 1) AND state = 'queued' RETURNING ${COLUMNS}`).get(worker, leaseMs)
      return row === undefined ? undefined : this.#entryOf(row)
    })
  }

  held(): Promise<readonly HeldClaim[]> {
    return this.#guarded('read', () => this.#database.prepare(`SELECT id AS item, epoch, beats, lease_ms AS leaseMs FROM queued_run WHERE state = 'claimed' ORDER BY number`).all().map((row) => ClaimRow.parse(row)))
  }

  takeOver({ item, epoch, beats }: HeldClaim, worker: string, leaseMs: number): Promise<QueuedRun | undefined> {
    return this.#guarded('append', () => {
      const row = this.#database.prepare(`UPDATE queued_run ${CLAIM} WHERE id = ? AND epoch = ? AND beats = ? AND state = 'claimed' RETURNING ${COLUMNS}`).get(worker, leaseMs, item, epoch, beats)
      return row === undefined ? undefined : this.#entryOf(row)
    })
  }

  beat(fence: Fence): Promise<Fenced> {
    return this.#guarded('append', () => this.#changed(fence, `SET beats = beats + 1`))
  }

  standing(fence: Fence): Promise<Fenced> {
    return this.#guarded('read', () => {
      const held = this.#database.prepare(`SELECT 1 FROM queued_run WHERE id = ? AND epoch = ? AND state = 'claimed'`).get(fence.item, fence.epoch)
      return held === undefined ? this.#stale(fence) : { ok: true }
    })
  }

  release(fence: Fence): Promise<Fenced> {
    return this.#guarded('append', () => this.#changed(fence, `SET state = 'queued', worker = NULL, lease_ms = NULL`))
  }

  end(fence: Fence, { outcome, result, at }: { readonly outcome: OrderOutcome; readonly result: string | null; readonly at: Date }): Promise<Fenced> {
    return this.#guarded('append', () => this.#changed(fence, `SET state = 'ended', worker = NULL, lease_ms = NULL, outcome = ?, result = ?, ended_at = ?`, outcome, result, at.toISOString()))
  }

  async close(): Promise<void> {
    this.#database.close()
  }

  /** Changes the entry if the claim is in force, in one statement: looking first and changing then would leave a moment between them. */
  #changed(fence: Fence, set: string, ...values: readonly (string | null)[]): Fenced {
    const { changes } = this.#database.prepare(`UPDATE queued_run ${set} WHERE id = ? AND epoch = ? AND state = 'claimed'`).run(...values, fence.item, fence.epoch)
    return Number(changes) === 1 ? { ok: true } : this.#stale(fence)
  }

  #stale(fence: Fence): Fenced {
    const now = this.#read('WHERE id = ?', fence.item)
    return { ok: false, refusal: staleEpoch(fence, now === undefined ? 'no such entry' : `${now.state} in epoch ${now.epoch}${now.worker === null ? '' : `, by ${now.worker}`}`) }
  }

  #read(where: string, value: string): QueuedRun | undefined {
    const row = this.#database.prepare(`SELECT ${COLUMNS} FROM queued_run ${where}`).get(value)
    return row === undefined ? undefined : this.#entryOf(row)
  }

  #entryOf(row: unknown): QueuedRun {
    const { body, ...entry } = Row.parse(row)
    const order: unknown = JSON.parse(body)
    const runs = this.#database.prepare('SELECT a.run_id AS run, a.epoch, r.state, r.reason FROM queue_attempt a JOIN run r ON r.run_id = a.run_id WHERE a.item = ? ORDER BY a.epoch').all(z.string().parse(entry['id']))
    return QueuedRun.parse({ ...entry, order, runs: runs.map((run) => ({ ...run })) })
  }

  #guarded<Value>(operation: string, act: () => Value): Promise<Value> {
    return guarded(operation, this.#path, async () => act())
  }
}
