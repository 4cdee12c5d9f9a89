import { timingSafeEqual } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import * as z from 'zod'
import { AccessDecision, AccessToken } from '../../contract/access.ts'
import { PortcullisError } from '../../contract/errors.ts'
import type { GateName } from '../../contract/lifecycle.ts'
import type { Digest } from '../../contract/verdict.ts'
import type { AccessStore, ActRowsAsked, Change, EarlierRequest, StoredAnswer } from '../../engine/index.ts'
import { ACCESS_TABLES, ACCESS_VERSION } from './access-schema.ts'
import { connect } from './connection.ts'
import { guarded } from './guarded.ts'
import { openLedger } from './ledger.ts'

/** Opens the server's tables in the ledger at `path`, making both if they are not there. Rejects with `store_failed` or `store_busy`. */
export async function openAccessStore(path: string): Promise<AccessStore> {
  // The ledger makes its own tables, and only in an empty file.
  await (await openLedger(path)).close()
  return guarded('open', path, async () => {
    const { database } = connect(path)
    if (database.prepare("SELECT name FROM sqlite_schema WHERE name = 'access_schema'").get() === undefined) inTransaction(database, () => database.exec(ACCESS_TABLES.join(';')))
    const { version } = z.object({ version: z.int() }).parse(database.prepare('SELECT version FROM access_schema').get())
    if (version === ACCESS_VERSION) return new SqliteAccessStore(database, path)
    throw new PortcullisError('store_failed', { asked: `the server's tables of version ${ACCESS_VERSION} in ${path}`, found: `version ${version}`, remedy: 'Use the version of Portcullis that wrote it, or point --state at another directory.' })
  })
}

function inTransaction<Value>(database: DatabaseSync, act: () => Value): Value {
  database.exec('BEGIN IMMEDIATE')
  try {
    const value = act()
    database.exec('COMMIT')
    return value
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK')
    throw error
  }
}

const TOKEN_COLUMNS = 'id, kind, name, created_at AS createdAt, expires_at AS expiresAt, last_used_at AS lastUsedAt, revoked_at AS revokedAt'
const HashedToken = AccessToken.extend({ hash: z.string() })
const DecisionRow = AccessDecision.extend({ position: z.int(), permitted: z.literal([0, 1]) })
const ChangeRow = z.object({ position: z.int(), runId: z.string(), kind: z.enum(['event', 'verdict']), body: z.string() })
const ActEntry = ChangeRow.pick({ position: true, body: true })
const VerdictEntry = ChangeRow.omit({ kind: true })
const DECISION_COLUMNS = 'position, at, surface, method, route, address, permitted, denial, kind, holder'
const decisionOf = (row: unknown): AccessDecision & { readonly position: number } => {
  const read = DecisionRow.parse(row)
  return { ...read, permitted: read.permitted === 1 }
}
const CountRow = z.object({ gate: z.string(), outcome: z.string(), count: z.int() })
const KeptRow = z.object({ digest: z.string(), status: z.int().nullable(), contentType: z.string().nullable(), body: z.string().nullable() })

const GATHER_MS = 3

interface Waiting {
  readonly decision: AccessDecision
  resolve(): void
  reject(error: unknown): void
}

class SqliteAccessStore implements AccessStore {
  readonly #database: DatabaseSync
  readonly #path: string
  readonly #waiting: Waiting[] = []

  constructor(database: DatabaseSync, path: string) {
    this.#database = database
    this.#path = path
  }

  tokens(): Promise<readonly AccessToken[]> {
    return this.#guarded('read', () => this.#database.prepare(`SELECT ${TOKEN_COLUMNS} FROM access_token ORDER BY created_at DESC, id`).all().map((row) => AccessToken.parse(row)))
  }

  /** What the look-up's time tells is about a hash; the last comparison takes constant time. */
  tokenOf(sha256: Digest): Promise<AccessToken | undefined> {
    return this.#guarded('read', () => {
      const row = this.#database.prepare(`SELECT ${TOKEN_COLUMNS}, token_sha256 AS hash FROM access_token WHERE token_sha256 = ?`).get(sha256)
      if (row === undefined) return undefined
      const { hash, ...token } = HashedToken.parse(row)
      return hash.length === sha256.length && timingSafeEqual(Buffer.from(hash), Buffer.from(sha256)) ? token : undefined
    })
  }

  token(id: string): Promise<AccessToken | undefined> {
    return this.#guarded('read', () => {
      const row = this.#database.prepare(`SELECT ${TOKEN_COLUMNS} FROM access_token WHERE id = ?`).get(id)
      return row === undefined ? undefined : AccessToken.parse(row)
    })
  }

  create(token: AccessToken, sha256: Digest): Promise<void> {
    return this.#guarded('append', () => {
      const { id, kind, name, createdAt, expiresAt } = AccessToken.parse(token)
      this.#database.prepare('INSERT INTO access_token (id, token_sha256, kind, name, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?)').run(id, sha256, kind, name, createdAt, expiresAt)
    })
  }

  revoke(id: string, at: Date): Promise<boolean> {
    return this.#guarded('append', () => this.#database.prepare('UPDATE access_token SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL').run(at.toISOString(), id).changes === 1)
  }

  decided(decision: AccessDecision): Promise<void> {
    return guarded('append', this.#path, () => new Promise((resolve, reject) => {
      this.#waiting.push({ decision, resolve, reject })
      // Each commit waits for the disk with all of the process; a moment more, and what else is decided meanwhile goes under the same one.
      if (this.#waiting.length === 1) setTimeout(() => this.#writeDecisions(), GATHER_MS)
    }))
  }

  #writeDecisions(): void {
    const group = this.#waiting.splice(0)
    try {
      inTransaction(this.#database, () => {
        const insert = this.#database.prepare('INSERT INTO access_decision (at, surface, method, route, address, permitted, denial, kind, holder) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)')
        const used = this.#database.prepare('UPDATE access_token SET last_used_at = ? WHERE id = ?')
        for (const { decision } of group) {
          const { at, surface, method, route, address, permitted, denial, kind, holder } = decision
          insert.run(at, surface, method, route, address, permitted ? 1 : 0, denial, kind, holder)
          if (permitted && holder !== null) used.run(at, holder)
        }
      })
      for (const { resolve } of group) resolve()
      return
    } catch (error) {
      // Each of them is told: nobody is let in on a decision that is not stored.
      return group.forEach(({ reject }) => reject(error))
    }
  }

  decisionsAfter(position: number, most: number): Promise<readonly (AccessDecision & { readonly position: number })[]> {
    return this.#guarded('read', () => this.#database.prepare(`SELECT ${DECISION_COLUMNS} FROM access_decision WHERE position > ? ORDER BY position LIMIT ?`).all(position, most).map(decisionOf))
  }

  newestDecisions(most: number): Promise<readonly (AccessDecision & { readonly position: number })[]> {
    return this.#guarded('read', () => this.#database.prepare(`SELECT ${DECISION_COLUMNS} FROM access_decision ORDER BY position DESC LIMIT ?`).all(most).map(decisionOf))
  }

  takeKey({ holder, key, digest, at }: { readonly holder: string; readonly key: string; readonly digest: Digest; readonly at: Date }): Promise<EarlierRequest> {
    return this.#guarded('append', () => {
      const { changes } = this.#database.prepare('INSERT INTO kept_answer (holder, key, digest, at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING').run(holder, key, digest, at.toISOString())
      if (changes === 1) return { state: 'none' }
      const row = KeptRow.parse(this.#database.prepare('SELECT digest, status, content_type AS contentType, body FROM kept_answer WHERE holder = ? AND key = ?').get(holder, key))
      if (row.digest !== digest) return { state: 'other' }
      return { state: 'same', answer: row.status === null || row.contentType === null || row.body === null ? null : { status: row.status, contentType: row.contentType, body: row.body } }
    })
  }

  keepAnswer({ holder, key }: { readonly holder: string; readonly key: string }, { status, contentType, body }: StoredAnswer): Promise<void> {
    return this.#guarded('append', () => void this.#database.prepare('UPDATE kept_answer SET status = ?, content_type = ?, body = ? WHERE holder = ? AND key = ?').run(status, contentType, body, holder, key))
  }

  releaseKey({ holder, key }: { readonly holder: string; readonly key: string }): Promise<void> {
    return this.#guarded('append', () => void this.#database.prepare('DELETE FROM kept_answer WHERE holder = ? AND key = ? AND status IS NULL').run(holder, key))
  }

  changesAfter(position: number, most: number): Promise<readonly Change[]> {
    return this.#guarded('read', () =>
      this.#database.prepare("SELECT position, run_id AS runId, kind, body FROM entry WHERE position > ? AND kind IN ('event', 'verdict') ORDER BY position LIMIT ?").all(position, most).map((row) => ChangeRow.parse(row)),
    )
  }

  /** Each book by the index of its run: acts are few among the rows of a ledger. Two servers that began at once may have opened two. */
  actRows({ type, order, beyond, most }: ActRowsAsked): Promise<readonly Pick<Change, 'position' | 'body'>[]> {
    const [than, way, sign] = order === 'newest' ? (['<', 'DESC', -1] as const) : (['>', 'ASC', 1] as const)
    return this.#guarded('read', () => {
      const books = this.#database.prepare("SELECT run_id AS runId FROM run WHERE kind = 'acts'").all().map((row) => z.object({ runId: z.string() }).parse(row).runId)
      const rows = this.#database.prepare(`SELECT position, body FROM entry WHERE run_id = ? AND position ${than} ? AND kind = 'event' AND body ->> '$.type' = ? ORDER BY position ${way} LIMIT ?`)
      return books.flatMap((book) => rows.all(book, beyond, type, most).map((row) => ActEntry.parse(row))).toSorted((one, other) => sign * (one.position - other.position)).slice(0, most)
    })
  }

  lastPosition(): Promise<number> {
    return this.#guarded('read', () => z.object({ last: z.int() }).parse(this.#database.prepare('SELECT coalesce(max(position), 0) AS last FROM entry').get()).last)
  }

  verdictsSince(since: Date): Promise<readonly { readonly gate: string; readonly outcome: string; readonly count: number }[]> {
    return this.#guarded('read', () =>
      this.#database.prepare("SELECT gate, outcome, count(*) AS count FROM entry WHERE sequence IS NOT NULL AND body ->> '$.decidedAt' >= ? GROUP BY gate, outcome").all(since.toISOString()).map((row) => CountRow.parse(row)),
    )
  }

  newestVerdicts(gate: GateName, most: number): Promise<readonly Pick<Change, 'position' | 'runId' | 'body'>[]> {
    return this.#guarded('read', () =>
      this.#database.prepare('SELECT position, run_id AS runId, body FROM entry WHERE gate = ? ORDER BY position DESC LIMIT ?').all(gate, most).map((row) => VerdictEntry.parse(row)),
    )
  }

  proveWritable(): Promise<void> {
    return this.#guarded('append', () => {
      this.#database.exec('BEGIN IMMEDIATE')
      try {
        this.#database.prepare("INSERT INTO kept_answer (holder, key, digest, at) VALUES ('', '', ?, '')").run('0'.repeat(64))
      } finally {
        this.#database.exec('ROLLBACK')
      }
    })
  }

  async close(): Promise<void> {
    this.#database.close()
  }

  #guarded<Value>(operation: string, act: () => Value): Promise<Value> {
    return guarded(operation, this.#path, async () => act())
  }
}
