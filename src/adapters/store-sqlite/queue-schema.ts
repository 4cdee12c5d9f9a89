import { ORDER_OUTCOMES, ORDER_STATES } from '../../engine/index.ts'

/** The tables of the queue, beside those of the ledger and of a version of their own: most ledgers never see a worker. */
export const QUEUE_VERSION = 1

const list = (values: readonly string[]): string => values.map((value) => `'${value}'`).join(', ')
const refuse = (name: string, when: string, message: string): string => `CREATE TRIGGER ${name} BEFORE ${when} BEGIN SELECT RAISE(ABORT, 'portcullis: ${message}'); END`

/** The run is an attempt of an entry that somebody holds, and this write does not come under the claim in force. */
const UNFENCED = `EXISTS (SELECT 1 FROM queue_attempt a JOIN queued_run q ON q.id = a.item WHERE a.run_id = NEW.run_id AND q.state = 'claimed' AND NOT EXISTS (SELECT 1 FROM queue_fence f WHERE f.item = q.id AND f.epoch = q.epoch))`
const CURRENT_CLAIM = `EXISTS (SELECT 1 FROM queued_run WHERE id = NEW.item AND epoch = NEW.epoch AND state = 'claimed')`
/** What counts as the result has ended itself, or waits for a person. */
const RESULT_STANDS = `EXISTS (SELECT 1 FROM queue_attempt a JOIN run r ON r.run_id = a.run_id WHERE a.item = NEW.id AND a.run_id = NEW.result AND r.state = NEW.outcome)`

export const QUEUE_TABLES = [
  'CREATE TABLE queue_schema (version INTEGER NOT NULL) STRICT',
  `CREATE TABLE queued_run (
    id TEXT PRIMARY KEY,
    number INTEGER NOT NULL UNIQUE CHECK (number > 0),
    key TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL CHECK (state IN (${list(ORDER_STATES)})),
    body TEXT NOT NULL,
    attempts INTEGER NOT NULL CHECK (attempts > 0),
    requester TEXT NOT NULL,
    queued_at TEXT NOT NULL,
    epoch INTEGER NOT NULL CHECK (epoch >= 0),
    beats INTEGER NOT NULL CHECK (beats >= 0),
    worker TEXT,
    lease_ms INTEGER CHECK (lease_ms > 0),
    outcome TEXT CHECK (outcome IN (${list(ORDER_OUTCOMES)})),
    result TEXT REFERENCES run (run_id),
    ended_at TEXT,
    CHECK ((state = 'claimed') = (worker IS NOT NULL AND lease_ms IS NOT NULL)),
    CHECK ((state = 'ended') = (outcome IS NOT NULL AND ended_at IS NOT NULL)),
    CHECK ((outcome IS NULL OR outcome = 'given_up') = (result IS NULL))
  ) STRICT`,
  `CREATE INDEX queued_run_by_state ON queued_run (state, number) WHERE state <> 'ended'`,
  `CREATE TABLE queue_attempt (
    run_id TEXT PRIMARY KEY REFERENCES run (run_id),
    item TEXT NOT NULL REFERENCES queued_run (id),
    epoch INTEGER NOT NULL CHECK (epoch > 0),
    UNIQUE (item, epoch)
  ) STRICT, WITHOUT ROWID`,
  // Holds the claim of the write that goes on, inside its transaction, and is empty outside of one.
  'CREATE TABLE queue_fence (item TEXT PRIMARY KEY, epoch INTEGER NOT NULL) STRICT, WITHOUT ROWID',
  refuse('queued_run_stays', 'DELETE ON queued_run', 'what was queued stays'),
  refuse('queued_run_identity_is_final', 'UPDATE OF id, number, key, body, attempts, requester, queued_at ON queued_run', 'what was queued is final'),
  refuse('queued_run_begins_queued', `INSERT ON queued_run WHEN NEW.state <> 'queued' OR NEW.epoch <> 0`, 'an entry begins queued'),
  refuse('queued_run_end_is_final', `UPDATE ON queued_run WHEN OLD.state = 'ended'`, 'an entry that has ended stays ended'),
  refuse('queued_run_epoch_grows', 'UPDATE ON queued_run WHEN NEW.epoch < OLD.epoch OR (NEW.epoch = OLD.epoch AND NEW.worker IS NOT OLD.worker AND NEW.worker IS NOT NULL)', 'each claim has an epoch of its own'),
  refuse('queued_run_ends_claimed', `UPDATE ON queued_run WHEN NEW.state = 'ended' AND OLD.state <> 'claimed'`, 'only a claim ends an entry'),
  refuse('queued_run_result_stands', `UPDATE ON queued_run WHEN NEW.result IS NOT NULL AND NOT ${RESULT_STANDS}`, 'the result is an attempt that ended so'),
  refuse('queue_attempt_is_final', 'UPDATE ON queue_attempt', 'an attempt is final'),
  refuse('queue_attempt_stays', 'DELETE ON queue_attempt', 'an attempt is final'),
  refuse('queue_attempt_of_claim', `INSERT ON queue_attempt WHEN NOT ${CURRENT_CLAIM}`, 'stale_epoch: an attempt needs the claim in force'),
  refuse('entry_of_stale_epoch', `INSERT ON entry WHEN ${UNFENCED}`, 'stale_epoch: the run belongs to a claim that this write does not come under'),
  refuse('run_of_stale_epoch', `UPDATE OF state ON run WHEN ${UNFENCED}`, 'stale_epoch: the run belongs to a claim that this write does not come under'),
  `INSERT INTO queue_schema (version) VALUES (${QUEUE_VERSION})`,
] as const
