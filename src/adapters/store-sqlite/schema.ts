import { type Generated, type Kysely, sql } from 'kysely'
import { AGENT_TABLES, agentConstraints, type AgentTables } from './agent-schema.ts'
import { TICKET_TABLES, ticketConstraints, type TicketTables } from './ticket-schema.ts'
import { LIFECYCLE } from '../../contract/lifecycle.ts'
import { REASONS } from '../../contract/reasons.ts'
import { ENTRY_KINDS, FINAL_STATES, GATES_BEFORE, RUN_KINDS, RUN_STATES } from '../../engine/index.ts'

export interface Tables extends AgentTables, TicketTables {
  portcullis_schema: { version: number }
  run: {
    run_id: string
    number: number
    kind: string
    task_id: string
    state: string
    reason: string | null
    started_at: string
    ended_at: string | null
  }
  entry: {
    position: Generated<number>
    run_id: string
    kind: string
    sequence: number | null
    gate: string | null
    outcome: string | null
    digest: string
    body: string
  }
  charge: {
    profile: string
    day: string
    calls: number
    tokens: number
    cost_nano: number
    unpriced: number
  }
  tree: { level: number; number: number; hash: Uint8Array }
  head: { id: number; size: number; edge: Uint8Array; note: string; key_id: string }
  checkpoint: { size: number; note: string; key_id: string }
}

/** Raised when the tables change; a store of another version is refused, never migrated by guess. */
export const SCHEMA_VERSION = 9

/** Of the tree over all rows, each leaf is kept and each complete tree of 2^8: enough for a proof without reading every row. */
export const BLOCK_LEVEL = 8

const list = (values: readonly string[]): string => values.map((value) => `'${value}'`).join(', ')

/** Last verdict of each gate is a pass, as SQL over `NEW.run_id`. Derived from the same table that the engine uses. */
const passed = (gates: readonly string[]): string =>
  gates
    .map((gate) => `(SELECT outcome FROM entry WHERE run_id = NEW.run_id AND kind = 'verdict' AND gate = '${gate}' ORDER BY sequence DESC LIMIT 1) IS 'pass'`)
    .join(' AND ')

const refuse = (name: string, when: string, message: string): string =>
  `CREATE TRIGGER ${name} BEFORE ${when} BEGIN SELECT RAISE(ABORT, 'portcullis: ${message}'); END`

/** A generation of an agent that was ready at some time; one that never was has failed or was blocked. */
const PROVEN_AGENT = `NEW.kind = 'agent' AND EXISTS (SELECT 1 FROM entry WHERE run_id = NEW.run_id AND gate = 'readiness' AND outcome = 'pass')`

/** A live session of a ticket whose process was the one that was planned. */
const PROVEN_SESSION = `OLD.state = 'started' AND NEW.kind = 'session' AND EXISTS (SELECT 1 FROM entry WHERE run_id = NEW.run_id AND gate = 'readiness' AND outcome = 'pass')`

const TABLES = [
  `CREATE TABLE run (
    run_id TEXT PRIMARY KEY,
    number INTEGER NOT NULL UNIQUE CHECK (number > 0),
    kind TEXT NOT NULL CHECK (kind IN (${list(RUN_KINDS)})),
    task_id TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN (${list(RUN_STATES)})),
    reason TEXT CHECK (reason IN (${list(REASONS)})),
    started_at TEXT NOT NULL,
    ended_at TEXT,
    CHECK ((state IN (${list(FINAL_STATES)})) = (ended_at IS NOT NULL)),
    CHECK ((state IN ('failed', 'blocked')) = (reason IS NOT NULL))
  ) STRICT`,
  `CREATE TABLE entry (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id TEXT NOT NULL REFERENCES run (run_id),
    kind TEXT NOT NULL CHECK (kind IN (${list(ENTRY_KINDS)})),
    sequence INTEGER,
    gate TEXT CHECK (gate IN (${list(LIFECYCLE)})),
    outcome TEXT CHECK (outcome IN ('pass', 'block', 'abstain')),
    digest TEXT NOT NULL CHECK (length(digest) = 64),
    body TEXT NOT NULL,
    CHECK ((kind = 'verdict') = (sequence IS NOT NULL AND gate IS NOT NULL AND outcome IS NOT NULL))
  ) STRICT`,
  'CREATE INDEX entry_of_run ON entry (run_id, position)',
  // Of verdicts alone: an index over every row would be written for each of them, and hold nothing.
  'CREATE UNIQUE INDEX verdict_of_run ON entry (run_id, sequence) WHERE sequence IS NOT NULL',
  // Sums, so that a budget can be asked before each call; whole billionths of a dollar, so that a thousand small costs add up to what they are.
  `CREATE TABLE charge (
    profile TEXT NOT NULL,
    day TEXT NOT NULL CHECK (length(day) = 10),
    calls INTEGER NOT NULL,
    tokens INTEGER NOT NULL,
    cost_nano INTEGER NOT NULL,
    unpriced INTEGER NOT NULL,
    PRIMARY KEY (profile, day)
  ) STRICT, WITHOUT ROWID`,
  `CREATE TABLE tree (
    level INTEGER NOT NULL CHECK (level IN (0, ${BLOCK_LEVEL})),
    number INTEGER NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (level, number)
  ) STRICT, WITHOUT ROWID`,
  // The one signed head; `edge` is what the tree goes on from.
  `CREATE TABLE head (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    size INTEGER NOT NULL,
    edge BLOB NOT NULL,
    note TEXT NOT NULL,
    key_id TEXT NOT NULL CHECK (length(key_id) = 64)
  ) STRICT`,
  // Heads that stay: the one that a run ended with.
  `CREATE TABLE checkpoint (
    size INTEGER PRIMARY KEY,
    note TEXT NOT NULL,
    key_id TEXT NOT NULL CHECK (length(key_id) = 64)
  ) STRICT`,
]

const CONSTRAINTS = [
  refuse('entry_is_final', 'UPDATE ON entry', 'the ledger is append-only'),
  refuse('entry_stays', 'DELETE ON entry', 'the ledger is append-only'),
  refuse('charge_stays', 'DELETE ON charge', 'the ledger is append-only'),
  refuse('charge_grows', 'UPDATE ON charge WHEN NEW.profile <> OLD.profile OR NEW.day <> OLD.day OR NEW.calls < OLD.calls OR NEW.tokens < OLD.tokens OR NEW.cost_nano < OLD.cost_nano OR NEW.unpriced < OLD.unpriced', 'what was spent stays spent'),
  refuse('tree_is_final', 'UPDATE ON tree', 'the ledger is append-only'),
  refuse('tree_stays', 'DELETE ON tree', 'the ledger is append-only'),
  refuse('checkpoint_is_final', 'UPDATE ON checkpoint', 'the ledger is append-only'),
  refuse('checkpoint_stays', 'DELETE ON checkpoint', 'the ledger is append-only'),
  refuse('head_stays', 'DELETE ON head', 'the ledger is append-only'),
  refuse('head_grows', 'UPDATE ON head WHEN NEW.size < OLD.size', 'the ledger is append-only'),
  refuse('entry_of_open_run', `INSERT ON entry WHEN (SELECT state FROM run WHERE run_id = NEW.run_id) IN (${list(FINAL_STATES)})`, 'the run has ended'),
  refuse('verdict_in_order', `INSERT ON entry WHEN NEW.kind = 'verdict' AND NEW.sequence <> (SELECT count(*) FROM entry WHERE run_id = NEW.run_id AND kind = 'verdict')`, 'verdicts of a run are numbered without gaps'),
  refuse('run_stays', 'DELETE ON run', 'the ledger is append-only'),
  refuse('run_begins_open', `INSERT ON run WHEN NEW.state <> 'open'`, 'a run begins open'),
  refuse('run_identity_is_final', 'UPDATE OF run_id, number, kind, task_id, started_at ON run', 'the identity of a run is final'),
  refuse('run_end_is_final', `UPDATE ON run WHEN OLD.state IN (${list(FINAL_STATES)})`, 'the run has ended'),
  refuse('run_started_needs_gates', `UPDATE OF state ON run WHEN NEW.state = 'started' AND NOT (OLD.state IN ('open', 'waiting') AND NEW.kind IN ('task', 'agent', 'session') AND ${passed(GATES_BEFORE.started)})`, 'a process may start only after its gates passed'),
  refuse('run_accepted_needs_gates', `UPDATE OF state ON run WHEN NEW.state = 'accepted' AND NOT (OLD.state = 'started' AND ${passed(GATES_BEFORE.accepted)})`, 'a run is accepted only after every gate passed'),
  refuse('run_checked_needs_gates', `UPDATE OF state ON run WHEN NEW.state = 'checked' AND NOT (OLD.state = 'open' AND NEW.kind = 'probe' AND ${passed(GATES_BEFORE.checked)})`, 'a probe passes only after its gates passed'),
  refuse('run_closed_needs_gates', `UPDATE OF state ON run WHEN NEW.state = 'closed' AND NOT ((OLD.state = 'open' AND NEW.kind IN ('wire', 'review') OR ${PROVEN_AGENT} OR ${PROVEN_SESSION}) AND ${passed(GATES_BEFORE.closed)})`, 'only a licence whose gates passed is closed'),
  refuse('run_recorded_is_an_approval', `UPDATE OF state ON run WHEN NEW.state = 'recorded' AND NOT (OLD.state = 'open' AND NEW.kind = 'approval' AND NEW.reason IS NULL AND (SELECT count(*) FROM entry WHERE run_id = NEW.run_id AND kind = 'evidence') = 1 AND (SELECT count(*) FROM entry WHERE run_id = NEW.run_id AND kind = 'verdict') = 0)`, 'only an approval is recorded, and one at a time'),
  refuse('licence_needs_gates', `INSERT ON entry WHEN NEW.kind = 'event' AND NEW.body LIKE '%"type":"licence_granted"%' AND NOT ((SELECT kind FROM run WHERE run_id = NEW.run_id) = 'wire' AND ${passed(GATES_BEFORE.closed)})`, 'a licence is granted only after its gates passed'),
  refuse('run_waiting_was_started', `UPDATE OF state ON run WHEN NEW.state = 'waiting' AND NOT (OLD.state = 'started' AND NEW.kind = 'task')`, 'only a started task can wait'),
  refuse('run_failed_was_started', `UPDATE OF state ON run WHEN NEW.state = 'failed' AND OLD.state <> 'started'`, 'only a started run can fail'),
  refuse('run_blocked_was_open', `UPDATE OF state ON run WHEN NEW.state = 'blocked' AND OLD.state <> 'open'`, 'only an open run can be blocked'),
]

/** All that makes the tables, in order. */
export const SCHEMA: readonly string[] = ['CREATE TABLE portcullis_schema (version INTEGER NOT NULL) STRICT', ...TABLES, ...CONSTRAINTS, ...AGENT_TABLES, ...agentConstraints(refuse, passed(GATES_BEFORE.closed)), ...TICKET_TABLES, ...ticketConstraints(refuse)]

/** Creates the tables in an empty store, and its first head. Runs inside one transaction, so that a crash leaves an empty store, not half of one. */
export async function createTables(database: Kysely<Tables>, first: { readonly note: string; readonly keyId: string }): Promise<void> {
  for (const statement of SCHEMA) await sql.raw(statement).execute(database)
  await database.insertInto('head').values({ id: 1, size: 0, edge: new Uint8Array(), note: first.note, key_id: first.keyId }).execute()
  await database.insertInto('portcullis_schema').values({ version: SCHEMA_VERSION }).execute()
}
