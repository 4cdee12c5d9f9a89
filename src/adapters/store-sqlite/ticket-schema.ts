import type { Generated } from 'kysely'
import { ACTOR_KINDS, PRIORITIES, QUEUED_STATES, RESOLUTIONS, RUNTIME_STATES, TICKET_STATES, TICKET_TRANSITIONS, TURN_STATES } from '../../gates/dispatch/index.ts'

export interface TicketTables {
  ticket: {
    id: string
    number: number
    version: number
    /** The event in the chain that made it what it is. */
    position: number
    state: string
    resolution: string | null
    priority: number
    project: string
    owner: string | null
    epoch: number
    claimed_until: string | null
    retry_at: string | null
    body: string
  }
  ticket_event: { position: number; ticket: string; sequence: number }
  ticket_actor: { id: string; kind: string }
  ticket_session: { id: string; ticket: string; epoch: number; state: string; token_sha256: string; body: string }
  ticket_turn: { id: string; ticket: string; attempt: number; session: string; epoch: number; state: string; key: string; nonce_sha256: string; nonce_spent: number; lease_until: string; body: string }
  ticket_message: { position: Generated<number>; id: string; ticket: string; state: string; key: string; body: string }
  ticket_attachment: { ticket: string; sha256: string; bytes: Uint8Array }
}

const list = (values: readonly string[]): string => values.map((value) => `'${value}'`).join(', ')

export const TICKET_TABLES = [
  // The columns are what is asked for; `body` is the whole ticket, and a CHECK keeps the two alike.
  `CREATE TABLE ticket (
    id TEXT PRIMARY KEY CHECK (id = 'T-' || number),
    number INTEGER NOT NULL UNIQUE CHECK (number > 0),
    version INTEGER NOT NULL CHECK (version > 0),
    position INTEGER NOT NULL UNIQUE REFERENCES entry (position),
    state TEXT NOT NULL CHECK (state IN (${list(TICKET_STATES)})),
    resolution TEXT CHECK (resolution IN (${list(RESOLUTIONS)})),
    priority INTEGER NOT NULL CHECK (priority BETWEEN 0 AND ${PRIORITIES.length - 1}),
    project TEXT NOT NULL,
    owner TEXT,
    epoch INTEGER NOT NULL CHECK (epoch >= 0),
    claimed_until TEXT,
    retry_at TEXT,
    body TEXT NOT NULL,
    CHECK ((state = 'closed') = (resolution IS NOT NULL)),
    CHECK (state <> 'in_progress' OR claimed_until IS NOT NULL),
    CHECK (json_extract(body, '$.id') = id AND json_extract(body, '$.version') = version AND json_extract(body, '$.state') = state AND json_extract(body, '$.epoch') = epoch AND json_extract(body, '$.resolution') IS resolution)
  ) STRICT`,
  // Of those that wait the most urgent, and of these the oldest, without sorting all that wait.
  'CREATE INDEX ticket_to_do ON ticket (state, priority DESC, number)',
  'CREATE INDEX ticket_in_state ON ticket (state, number DESC)',
  'CREATE INDEX ticket_claimed ON ticket (claimed_until) WHERE claimed_until IS NOT NULL',
  `CREATE TABLE ticket_event (
    position INTEGER PRIMARY KEY REFERENCES entry (position),
    ticket TEXT NOT NULL REFERENCES ticket (id),
    sequence INTEGER NOT NULL,
    UNIQUE (ticket, sequence)
  ) STRICT`,
  `CREATE TABLE ticket_actor (id TEXT PRIMARY KEY CHECK (id = lower(id)), kind TEXT NOT NULL CHECK (kind IN (${list(ACTOR_KINDS)}))) STRICT, WITHOUT ROWID`,
  `CREATE TABLE ticket_session (
    id TEXT PRIMARY KEY,
    ticket TEXT NOT NULL REFERENCES ticket (id),
    epoch INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN (${list(RUNTIME_STATES)})),
    token_sha256 TEXT NOT NULL UNIQUE CHECK (length(token_sha256) = 64),
    body TEXT NOT NULL,
    UNIQUE (ticket, epoch)
  ) STRICT`,
  'CREATE INDEX session_of_ticket ON ticket_session (ticket)',
  // Ended, and the record of its end, are one thing: neither is there without the other (MC-050).
  `CREATE TABLE ticket_turn (
    id TEXT PRIMARY KEY,
    ticket TEXT NOT NULL REFERENCES ticket (id),
    attempt INTEGER NOT NULL,
    session TEXT NOT NULL REFERENCES ticket_session (id),
    epoch INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN (${list(TURN_STATES)})),
    key TEXT NOT NULL,
    nonce_sha256 TEXT NOT NULL UNIQUE CHECK (length(nonce_sha256) = 64),
    nonce_spent INTEGER NOT NULL CHECK (nonce_spent IN (0, 1)),
    lease_until TEXT NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (ticket, attempt),
    CHECK ((state IN ('leased', 'delivered')) = (json_extract(body, '$.terminal') IS NULL)),
    CHECK (state <> 'delivered' OR json_extract(body, '$.receipt') IS NOT NULL)
  ) STRICT`,
  // The lease: of one session, one turn at a time (MC-034).
  `CREATE UNIQUE INDEX turn_holds_session ON ticket_turn (session) WHERE state IN ('leased', 'delivered')`,
  // The same request never begins a second turn; one that was refused before a byte was sent may be sent again (MC-036).
  `CREATE UNIQUE INDEX turn_of_key ON ticket_turn (ticket, key) WHERE state <> 'refused'`,
  `CREATE TABLE ticket_message (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    ticket TEXT NOT NULL REFERENCES ticket (id),
    state TEXT NOT NULL CHECK (state IN (${list(QUEUED_STATES)})),
    key TEXT NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (ticket, key)
  ) STRICT`,
  `CREATE TABLE ticket_attachment (
    ticket TEXT NOT NULL REFERENCES ticket (id),
    sha256 TEXT NOT NULL CHECK (length(sha256) = 64),
    bytes BLOB NOT NULL,
    PRIMARY KEY (ticket, sha256)
  ) STRICT, WITHOUT ROWID`,
]

const ALLOWED = Object.entries(TICKET_TRANSITIONS)
  .flatMap(([from, targets]) => targets.map((to) => `(OLD.state = '${from}' AND NEW.state = '${to}')`))
  .join(' OR ')

/** The row that stands at its position is the event of this very change. */
const ITS_EVENT = `EXISTS (SELECT 1 FROM entry WHERE position = NEW.position AND kind = 'event' AND json_extract(body, '$.type') = 'ticket_changed'
  AND json_extract(body, '$.data.ticket') = NEW.id AND json_extract(body, '$.data.sequence') = NEW.version AND json_extract(body, '$.data.state') = NEW.state)`

const UNPROVEN = `json_array_length(NEW.body, '$.acceptance') = 0 OR EXISTS (SELECT 1 FROM json_each(NEW.body, '$.acceptance') WHERE json_extract(value, '$.verdict') IS NOT 'pass' OR json_array_length(value, '$.evidence') = 0)`
const WITHOUT_EVIDENCE = `json_array_length(NEW.body, '$.evidence') = 0`

export function ticketConstraints(refuse: (name: string, when: string, message: string) => string): readonly string[] {
  const append = 'the ledger is append-only'
  return [
    refuse('ticket_stays', 'DELETE ON ticket', append),
    refuse('ticket_begins', `INSERT ON ticket WHEN NEW.version <> 1 OR NEW.state NOT IN ('triage', 'todo') OR NEW.epoch <> 0 OR NOT ${ITS_EVENT}`, 'a ticket begins with its first event, and with nothing done'),
    refuse('ticket_keeps_its_id', 'UPDATE OF id, number ON ticket', 'a ticket has one id'),
    refuse('ticket_is_closed', `UPDATE ON ticket WHEN OLD.state = 'closed'`, 'the ticket is closed'),
    refuse('ticket_transition', `UPDATE ON ticket WHEN NEW.state <> OLD.state AND NOT (${ALLOWED})`, 'no such transition of a ticket'),
    refuse('ticket_change_is_an_event', `UPDATE ON ticket WHEN NEW.version <> OLD.version + 1 OR NEW.position <= OLD.position OR NOT ${ITS_EVENT}`, 'each change of a ticket is one event in the chain'),
    refuse('ticket_epoch_grows', 'UPDATE ON ticket WHEN NEW.epoch < OLD.epoch OR NEW.epoch > OLD.epoch + 1', 'the epoch of a ticket only grows'),
    refuse('ticket_closes_proven', `UPDATE ON ticket WHEN NEW.state = 'closed' AND NEW.resolution = 'accepted' AND (OLD.state NOT IN ('done', 'review') OR ${UNPROVEN} OR ${WITHOUT_EVIDENCE})`, 'a ticket closes as accepted only with evidence, and with each acceptance item proven'),
    `CREATE TRIGGER ticket_is_told_at_first AFTER INSERT ON ticket BEGIN INSERT INTO ticket_event (position, ticket, sequence) VALUES (NEW.position, NEW.id, NEW.version); END`,
    `CREATE TRIGGER ticket_is_told AFTER UPDATE ON ticket BEGIN INSERT INTO ticket_event (position, ticket, sequence) VALUES (NEW.position, NEW.id, NEW.version); END`,
    refuse('ticket_event_is_of_a_change', 'INSERT ON ticket_event WHEN NOT EXISTS (SELECT 1 FROM ticket WHERE id = NEW.ticket AND version = NEW.sequence AND position = NEW.position)', 'the store itself writes the history'),
    refuse('ticket_event_is_final', 'UPDATE ON ticket_event', append),
    refuse('ticket_event_stays', 'DELETE ON ticket_event', append),
    refuse('ticket_actor_is_one', 'UPDATE ON ticket_actor', 'an actor keeps its kind'),
    refuse('ticket_actor_stays', 'DELETE ON ticket_actor', append),
    refuse('ticket_session_stays', 'DELETE ON ticket_session', append),
    refuse('ticket_session_identity', 'UPDATE OF id, ticket, epoch, token_sha256 ON ticket_session', 'the identity of a session is final'),
    refuse('ticket_session_is_over', `UPDATE ON ticket_session WHEN OLD.state IN ('failed', 'closed') AND NEW.state <> OLD.state`, 'a session that has ended stays ended'),
    refuse('ticket_turn_stays', 'DELETE ON ticket_turn', append),
    refuse('ticket_turn_begins', `INSERT ON ticket_turn WHEN NEW.state NOT IN ('leased', 'refused') OR NEW.nonce_spent <> 0`, 'a turn begins with a lease, or is refused'),
    refuse('ticket_turn_identity', 'UPDATE OF id, ticket, attempt, session, epoch, key, nonce_sha256 ON ticket_turn', 'the identity of a turn is final'),
    refuse('ticket_turn_needs_session', `INSERT ON ticket_turn WHEN NEW.state = 'leased' AND NOT EXISTS (SELECT 1 FROM ticket_session AS s JOIN ticket AS t ON t.id = s.ticket WHERE s.id = NEW.session AND s.ticket = NEW.ticket AND s.epoch = NEW.epoch AND t.epoch = NEW.epoch AND s.state IN ('starting', 'ready', 'running'))`, 'a turn needs a live session of the current epoch'),
    refuse('ticket_turn_after_unknown', `INSERT ON ticket_turn WHEN NEW.state = 'leased' AND EXISTS (SELECT 1 FROM ticket_turn WHERE session = NEW.session AND state = 'unknown')`, 'nothing is sent to a session that may already have the message'),
    refuse('ticket_turn_is_over', `UPDATE ON ticket_turn WHEN OLD.state IN ('refused', 'unknown', 'ended')`, 'a turn that has ended stays ended'),
    refuse('ticket_turn_transition', `UPDATE ON ticket_turn WHEN NOT (NEW.state = OLD.state OR (OLD.state = 'leased' AND NEW.state IN ('delivered', 'unknown', 'ended')) OR (OLD.state = 'delivered' AND NEW.state = 'ended'))`, 'no such transition of a turn'),
    refuse('ticket_nonce_once', 'UPDATE ON ticket_turn WHEN NEW.nonce_spent < OLD.nonce_spent', 'a nonce is spent once'),
    refuse('ticket_message_stays', 'DELETE ON ticket_message', append),
    refuse('ticket_message_is_over', `UPDATE ON ticket_message WHEN OLD.state = 'removed' OR NEW.id <> OLD.id OR NEW.ticket <> OLD.ticket OR NEW.key <> OLD.key`, 'a message that was removed stays removed'),
    refuse('ticket_attachment_is_final', 'UPDATE ON ticket_attachment', append),
  ]
}
