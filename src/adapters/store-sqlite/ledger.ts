import { dirname, join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { type Kysely, type Selectable, sql, type Transaction } from 'kysely'
import { systemClock } from '../../contract/clock.ts'
import { PortcullisError } from '../../contract/errors.ts'
import type { Account, Spending } from '../../gates/wire/index.ts'
import { type AgentStore, isFinal, type Ledger, type LedgerArchive, LedgerEntry, type LedgerProofs, type LedgerView, type LedgerWrite, type RunBeginning, type RunHistory, RunSummary, type Signer, type StoredCheckpoint, type TicketStore } from '../../engine/index.ts'
import { makeDirectory } from '../directories/index.ts'
import { createKey, listKeys, openSigner, trustedKeys } from '../keys/index.ts'
import { agentStore } from './agent-reads.ts'
import { type Connection, connect, connectForReading } from './connection.ts'
import { GroupCommit } from './group-commit.ts'
import { guarded } from './guarded.ts'
import { createTables, SCHEMA_VERSION, type Tables } from './schema.ts'
import { SignedTree } from './signed-tree.ts'
import { readSnapshot } from './snapshot.ts'
import { StoredTree } from './stored-tree.ts'
import { ticketStore } from './ticket-reads.ts'

/** The ledger, its archive, and what is kept of agents and tickets in the same store. */
export type Store = Ledger & LedgerArchive & { readonly agents: AgentStore; readonly tickets: TicketStore }

/** Where the keys of a store are that stands at `path`. */
export const keysBeside = (path: string): string => join(dirname(path), 'keys')

/**
 * Opens the embedded store at `path`, creating it if it is not there, and with it a key to sign it with if there is none.
 * Rejects with `store_failed` or `store_busy`, and with `key_missing` for a store whose key is gone.
 */
export async function openLedger(path: string): Promise<Store> {
  return guarded('open', path, async () => {
    makeDirectory(dirname(path), 0o700)
    const connection = connect(path)
    // A transaction that waits for anything in between would hold up every other connection of this process; only a new file needs one.
    const tables = await tablesOf(connection.kysely)
    if (tables.length === 0) return new SqliteLedger(connection, path, await connection.kysely.transaction().execute(async (transaction) => ensureTables(transaction, path)))
    await requireVersion(tables, connection.kysely, path)
    return new SqliteLedger(connection, path, openSigner(keysBeside(path)))
  })
}

/** Opens an existing store for questions: a file and a directory that may only be read are enough. Rejects with `store_failed` or `store_busy`. */
export async function openLedgerForReading(path: string): Promise<Store> {
  return guarded('open', path, async () => {
    return ledgerOver(connectForReading(path), path)
  })
}

/** The ledger that a connection holds, for questions; `name` is what its faults call it. Rejects with `store_failed` for one of another version. */
export async function ledgerOver(connection: Connection, name: string): Promise<Store> {
  await requireVersion(await tablesOf(connection.kysely), connection.kysely, name)
  return new SqliteLedger(connection, name, undefined)
}

async function tablesOf(database: Kysely<Tables>): Promise<readonly string[]> {
  const tables = await sql<{ name: string }>`SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`.execute(database)
  return tables.rows.map((table) => table.name)
}

/** The transaction keeps other processes away, so that two of them that begin at once make one key. */
async function ensureTables(transaction: Transaction<Tables>, path: string): Promise<Signer> {
  const tables = await tablesOf(transaction)
  const keys = keysBeside(path)
  if (tables.length > 0) {
    await requireVersion(tables, transaction, path)
    return openSigner(keys)
  }
  const at = systemClock()
  if (listKeys(keys).length === 0) createKey(keys, { algorithm: 'ecdsa-p256', privateKeyFile: undefined, at })
  const signer = openSigner(keys)
  await createTables(transaction, SignedTree.first(signer, at))
  return signer
}

async function requireVersion(tables: readonly string[], database: Kysely<Tables>, path: string): Promise<void> {
  const versions = tables.includes('portcullis_schema') ? await database.selectFrom('portcullis_schema').selectAll().execute() : []
  if (versions.length === 1 && versions[0]?.version === SCHEMA_VERSION) return
  throw new PortcullisError('store_failed', {
    asked: `a ledger of schema version ${SCHEMA_VERSION} at ${path}`,
    found: versions[0] === undefined ? 'a database that is not a ledger' : `schema version ${versions[0].version}`,
    remedy: 'Use the version of Portcullis that wrote it, or point --state at another directory.',
  })
}

class SqliteLedger implements Store {
  readonly agents: AgentStore
  readonly tickets: TicketStore
  readonly #database: Kysely<Tables>
  readonly #connection: DatabaseSync
  readonly #path: string
  readonly #tree: StoredTree
  /** Undefined for one that is opened for questions. */
  readonly #writes: GroupCommit | undefined

  constructor({ kysely, database }: Connection, path: string, signer: Signer | undefined) {
    this.#database = kysely
    this.#connection = database
    this.#path = path
    this.agents = agentStore(kysely, (operation, action) => guarded(operation, path, action), async (name, at) => this.#writable().heartbeat(name, at))
    this.tickets = ticketStore(kysely, (operation, action) => guarded(operation, path, action))
    this.#tree = new StoredTree(database)
    if (signer === undefined) return
    const tree = new SignedTree(database, { signer, trusted: () => trustedKeys(keysBeside(path)), clock: systemClock })
    this.#writes = new GroupCommit(database, tree, (act) => kysely.connection().execute(async () => act()))
  }

  async begin(run: RunBeginning): Promise<RunSummary> {
    return guarded('begin', this.#path, async () => {
      return this.#writable().begin(run)
    })
  }

  async append(write: LedgerWrite): Promise<void> {
    await guarded('append', this.#path, async () => {
      await this.#writable().append(write)
    })
  }

  async history(runId: string): Promise<RunHistory | undefined> {
    return guarded('read', this.#path, async () => {
      const run = await this.#database.selectFrom('run').selectAll().where('run_id', '=', runId).executeTakeFirst()
      if (run === undefined) return undefined
      const entries = await this.#database.selectFrom('entry').select(['position', 'kind', 'digest', 'body']).where('run_id', '=', runId).orderBy('position').execute()
      return { run: summaryOf(run), entries: entries.map((entry) => LedgerEntry.parse(entry)), checkpoint: await this.#checkpointOf(summaryOf(run), entries.at(-1)?.position) }
    })
  }

  /** Of a run that has ended: the first head that was kept at its last row or after it, which is the one of the commit that ended it. */
  async #checkpointOf({ state }: RunSummary, lastPosition: number | undefined): Promise<StoredCheckpoint | null> {
    if (!isFinal(state) || lastPosition === undefined) return null
    const kept = await this.#database.selectFrom('checkpoint').select(['note', 'key_id']).where('size', '>=', lastPosition).orderBy('size').limit(1).executeTakeFirst()
    return kept === undefined ? null : { note: kept.note, keyId: kept.key_id }
  }

  async head(): Promise<StoredCheckpoint> {
    return guarded('read', this.#path, async () => {
      const head = await this.#database.selectFrom('head').select(['note', 'key_id']).executeTakeFirstOrThrow()
      return { note: head.note, keyId: head.key_id }
    })
  }

  async kept(below: number, most: number): Promise<readonly StoredCheckpoint[]> {
    return guarded('read', this.#path, async () => {
      const rows = await this.#database.selectFrom('checkpoint').select(['note', 'key_id']).where('size', '<', below).orderBy('size', 'desc').limit(most).execute()
      return rows.map((row) => ({ note: row.note, keyId: row.key_id }))
    })
  }

  async keep(): Promise<StoredCheckpoint> {
    return guarded('append', this.#path, async () => {
      const head = await this.#database.selectFrom('head').select(['size', 'note', 'key_id']).executeTakeFirstOrThrow()
      await this.#database.insertInto('checkpoint').values({ size: head.size, note: head.note, key_id: head.key_id }).onConflict((conflict) => conflict.doNothing()).execute()
      return { note: head.note, keyId: head.key_id }
    })
  }

  async snapshot<Result>(read: (view: LedgerView) => Promise<Result>): Promise<Result> {
    return guarded('read', this.#path, () => this.#database.connection().execute(() => readSnapshot(this.#connection, read)))
  }

  async proofs({ positions, size, from }: Parameters<LedgerArchive['proofs']>[0]): Promise<LedgerProofs> {
    return guarded('read', this.#path, async () => ({ inclusion: this.#tree.inclusion(positions, size), consistency: from.map((earlier) => this.#tree.consistency(earlier, size)) }))
  }

  async list(): Promise<readonly RunSummary[]> {
    return guarded('read', this.#path, async () => {
      const runs = await this.#database.selectFrom('run').selectAll().orderBy('number', 'desc').execute()
      return runs.map(summaryOf)
    })
  }

  async rowsAfter(kind: LedgerEntry['kind'], position: number, most: number): Promise<readonly { runId: string; position: number; body: string }[]> {
    return guarded('read', this.#path, async () => {
      const rows = await this.#database.selectFrom('entry').select(['run_id', 'position', 'body']).where('kind', '=', kind).where('position', '>', position).orderBy('position').limit(most).execute()
      return rows.map((row) => ({ runId: row.run_id, position: row.position, body: row.body }))
    })
  }

  async charged({ profile, day }: Account): Promise<Spending> {
    return guarded('read', this.#path, async () => {
      const { sum } = this.#database.fn
      const sums = await this.#database
        .selectFrom('charge')
        .select([sum('calls').as('calls'), sum('tokens').as('tokens'), sum('cost_nano').as('costNano'), sum('unpriced').as('unpriced')])
        .$if(profile !== null, (query) => query.where('profile', '=', profile ?? ''))
        .$if(day !== null, (query) => query.where('day', '=', day ?? ''))
        .executeTakeFirstOrThrow()
      return { calls: Number(sums.calls), tokens: Number(sums.tokens), costUsd: Number(sums.costNano) / 1e9, unpriced: Number(sums.unpriced) }
    })
  }

  #writable(): GroupCommit {
    if (this.#writes === undefined) throw new Error('it is readonly, open for questions alone')
    return this.#writes
  }

  async close(): Promise<void> {
    await this.#writes?.settled()
    await this.#database.destroy()
  }
}

const summaryOf = (row: Selectable<Tables['run']>): RunSummary =>
  RunSummary.parse({ runId: row.run_id, number: row.number, kind: row.kind, taskId: row.task_id, state: row.state, reason: row.reason, startedAt: row.started_at, endedAt: row.ended_at })
