import { ACCESS_KINDS, DENIALS, GIVEN_KINDS } from '../../contract/access.ts'

/** The tables of the server, beside those of the ledger and of a version of their own: most ledgers never see a server. */
export const ACCESS_VERSION = 1

const list = (values: readonly string[]): string => values.map((value) => `'${value}'`).join(', ')
const refuse = (name: string, when: string, message: string): string => `CREATE TRIGGER ${name} BEFORE ${when} BEGIN SELECT RAISE(ABORT, 'portcullis: ${message}'); END`

export const ACCESS_TABLES = [
  'CREATE TABLE access_schema (version INTEGER NOT NULL) STRICT',
  `CREATE TABLE access_token (
    id TEXT PRIMARY KEY,
    token_sha256 TEXT NOT NULL UNIQUE CHECK (length(token_sha256) = 64),
    kind TEXT NOT NULL CHECK (kind IN (${list(GIVEN_KINDS)})),
    name TEXT NOT NULL,
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL CHECK (expires_at > created_at),
    last_used_at TEXT,
    revoked_at TEXT
  ) STRICT`,
  `CREATE TABLE access_decision (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL,
    surface TEXT NOT NULL,
    method TEXT NOT NULL,
    route TEXT NOT NULL,
    address TEXT NOT NULL,
    permitted INTEGER NOT NULL CHECK (permitted IN (0, 1)),
    denial TEXT CHECK (denial IN (${list(DENIALS)})),
    kind TEXT CHECK (kind IN (${list(ACCESS_KINDS)})),
    holder TEXT,
    CHECK ((permitted = 1) = (denial IS NULL)),
    CHECK (permitted = 0 OR holder IS NOT NULL)
  ) STRICT`,
  `CREATE TABLE kept_answer (
    holder TEXT NOT NULL,
    key TEXT NOT NULL,
    digest TEXT NOT NULL CHECK (length(digest) = 64),
    at TEXT NOT NULL,
    status INTEGER,
    content_type TEXT,
    body TEXT,
    PRIMARY KEY (holder, key)
  ) STRICT, WITHOUT ROWID`,
  refuse('access_token_stays', 'DELETE ON access_token', 'a token is revoked, never forgotten'),
  refuse('access_token_is_final', 'UPDATE OF id, token_sha256, kind, name, created_at, expires_at ON access_token', 'what a token opens and how long is final'),
  refuse('access_token_stays_revoked', 'UPDATE OF revoked_at ON access_token WHEN OLD.revoked_at IS NOT NULL', 'a revoked token stays revoked'),
  refuse('access_decision_is_final', 'UPDATE ON access_decision', 'the ledger is append-only'),
  refuse('access_decision_stays', 'DELETE ON access_decision', 'the ledger is append-only'),
  refuse('kept_answer_is_final', 'UPDATE ON kept_answer WHEN OLD.status IS NOT NULL', 'an answer that was given is final'),
  `INSERT INTO access_schema (version) VALUES (${ACCESS_VERSION})`,
] as const
