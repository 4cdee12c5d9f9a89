import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, test } from 'node:test'
import * as z from 'zod'
import { runTask, type Scenario, scenario } from '../e2e/scenario.ts'
import { asked, type Cluster, POSTGRES_SKIPPED, startPostgres } from '../helpers/postgres.ts'
import { PORTCULLIS } from '../helpers/run-cli.ts'
import { verifies } from '../verifies.ts'

const TICKET = ['--project', 'p', '--kind', 'code', '--priority', 'low']

/** What ends with the file, and not with the test that began it. */
const endings: (() => void | Promise<void>)[] = []
after(async () => {
  for (const end of endings.toReversed()) await end()
})
const ending = { after: (end: () => void | Promise<void>): void => void endings.push(end) }

let started: Cluster | undefined
/** One server for all tests of this file, each with databases of its own. */
const cluster = (): Cluster => (started ??= startPostgres(ending))

const Copied = z.object({ already: z.boolean(), runs: z.number(), rows: z.number(), checkpoint: z.object({ size: z.number(), at: z.string() }), tables: z.array(z.object({ name: z.string(), rows: z.number(), sha256: z.string() })) })
const Fault = z.object({ error: z.object({ code: z.string(), found: z.string() }) })
const Verified = z.object({ problems: z.array(z.object({ code: z.string() })), runs: z.number(), rows: z.number() })

interface Place {
  readonly made: Scenario
  readonly runId: string
  /** Every text that the command printed, to look for the password in. */
  readonly printed: string[]
  /** Runs the command with a database in its environment. */
  with(url: string, ...args: readonly string[]): Promise<{ readonly code: number | null; readonly stdout: string }>
}

let prepared: Promise<Place> | undefined
/** A ledger with an accepted run, a ticket and a token, written by the command itself. Made once, and changed by no test. */
const place = (): Promise<Place> => (prepared ??= prepare())

async function prepare(): Promise<Place> {
  const made = await scenario(ending as Parameters<typeof scenario>[0])
  const { report } = await runTask(made)
  assert.equal(report.status, 'pass')
  for (const args of [['tokens', 'create', '--kind', 'reader', '--name', 'board', '--expires', '30d'], ['tickets', 'new', '--title', 'Zeichen: ü, 語', '--description', 'a\tb\u0001', ...TICKET]]) {
    const { code, stderr } = await made.portcullis(args)
    assert.equal(code, 0, stderr)
  }
  const printed: string[] = []
  return {
    made,
    runId: report.run_id,
    printed,
    with: async (url, ...args) => {
      made.env['PORTCULLIS_DATABASE_URL'] = url
      const { code, stdout, stderr } = await made.portcullis(args)
      delete made.env['PORTCULLIS_DATABASE_URL']
      printed.push(stdout, stderr)
      return { code, stdout }
    },
  }
}

/** All of it again, for tests that change it. */
function another({ made }: Place, name: string): string {
  const state = join(made.directory, name)
  cpSync(join(made.directory, '.portcullis'), state, { recursive: true })
  return state
}

const copy = async ({ with: run }: Place, url: string, to = 'postgres', ...more: readonly string[]): Promise<z.infer<typeof Copied>> => {
  const { code, stdout } = await run(url, 'store', 'copy', '--to', to, '--json', ...more)
  assert.equal(code, 0, stdout)
  return Copied.parse(JSON.parse(stdout))
}
const faultOf = (stdout: string): z.infer<typeof Fault>['error'] => Fault.parse(JSON.parse(stdout)).error
const tablesIn = async (url: string): Promise<number> => (await asked(url, "SELECT 1 FROM pg_class WHERE relnamespace = 'public'::regnamespace")).length

/** Every table with every row, and everything that the store refuses, as SQLite itself gives them. */
function contentOf(path: string): { readonly rows: Record<string, unknown>; readonly schema: readonly unknown[] } {
  const database = new DatabaseSync(path, { readOnly: true })
  try {
    const schema = database.prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY type, name").all()
    const tables = schema.filter(({ type }) => type === 'table').map(({ name }) => String(name))
    return { schema, rows: Object.fromEntries(tables.map((name) => [name, database.prepare(`SELECT * FROM "${name}"`).all()])) }
  } finally {
    database.close()
  }
}

verifies('ACC-35', 'evidence that went to PostgreSQL and back is the same to the last byte, verifies on both sides, and goes on', async (t) => {
  if (POSTGRES_SKIPPED !== false) return t.skip(POSTGRES_SKIPPED)
  const at = await place()
  const { made, runId } = at
  const url = await cluster().database('there_and_back')
  const there = await copy(at, url)
  assert.ok(!there.already && there.runs >= 2 && there.rows > 20 && there.checkpoint.size === there.rows)
  for (const name of ['run', 'entry', 'charge', 'tree', 'head', 'checkpoint', 'ticket', 'ticket_event', 'access_token']) assert.ok(there.tables.some((table) => table.name === name && table.rows > 0), name)

  // What PostgreSQL itself says of the digests, without any program of ours.
  const other = await asked(url, "SELECT position FROM entry WHERE digest <> encode(sha256(convert_to(body, 'UTF8')), 'hex')")
  assert.deepEqual(other, [])

  // Asked of the database, with no ledger beside the directories of the runs, everything is as it was.
  const local = { show: (await made.portcullis(['show', runId, '--json'])).stdout, runs: (await made.portcullis(['runs', '--json'])).stdout }
  const state = join(made.directory, 'elsewhere')
  mkdirSync(state)
  for (const name of ['keys', 'runs']) cpSync(join(made.directory, '.portcullis', name), join(state, name), { recursive: true })
  for (const [command, expected] of [[['show', runId], local.show], [['runs'], local.runs]] as const) {
    const { code, stdout } = await at.with(url, ...command, '--json', '--state', state)
    assert.deepEqual([code, stdout], [0, expected])
  }
  for (const what of [[], [runId, '--accepted']]) assert.equal((await at.with(url, 'verify', ...what, '--state', state)).code, 0)
  assert.ok(!existsSync(join(state, 'ledger.db')), 'a question made a ledger')

  const back = await copy(at, url, 'embedded', '--state', state)
  assert.deepEqual(back.tables, there.tables)
  assert.deepEqual(readdirSync(state).toSorted(), ['keys', 'ledger.db', 'runs'])
  assert.deepEqual(contentOf(join(state, 'ledger.db')), contentOf(join(made.directory, '.portcullis/ledger.db')))
  assert.equal((await made.portcullis(['verify', '--state', state])).code, 0)
  // It goes on where it was, under the same key and with the same refusals.
  const { result } = await runTask(made, ['--state', state])
  assert.equal(result.code, 0)
  assert.equal((await made.portcullis(['verify', '--state', state])).code, 0)
  assert.ok(at.printed.every((text) => !text.includes(cluster().password)))
})

test('what is changed in PostgreSQL is found there, and is copied nowhere', async (t) => {
  if (POSTGRES_SKIPPED !== false) return t.skip(POSTGRES_SKIPPED)
  const at = await place()
  const attacks: readonly (readonly [name: string, sql: string, codes: readonly string[]])[] = [
    ['changed', "UPDATE entry SET body = replace(body, '\"outcome\":\"pass\"', '\"outcome\":\"abstain\"') WHERE position = (SELECT max(position) FROM entry WHERE gate = 'wire')", ['row_changed']],
    ['removed', 'DELETE FROM entry WHERE position = 5', ['row_removed']],
    ['cut', 'DELETE FROM ticket_event; DELETE FROM ticket; DELETE FROM entry WHERE position > 9', ['tail_truncated']],
    ['swapped', "UPDATE entry SET position = -1 WHERE position = 7; UPDATE entry SET position = 7 WHERE position = 8; UPDATE entry SET position = 8 WHERE position = -1", ['rows_swapped']],
    ['inserted', "INSERT INTO entry (position, run_id, kind, digest, body) SELECT 100000, run_id, kind, digest, body FROM entry WHERE position = 1", ['row_inserted']],
    ['state', "UPDATE run SET state = 'accepted' WHERE kind = 'task'; UPDATE run SET state = 'failed', reason = 'mismatch' WHERE kind = 'task'", ['state_unjustified']],
    ['head', "UPDATE head SET note = replace(note, 'time 2', 'time 1')", ['signature_invalid']],
  ]
  await copy(at, await cluster().database('honest'))
  for (const [name, sql, codes] of attacks) {
    const url = await cluster().database(`attacked_${name}`, 'honest')
    // Whoever owns the tables can put aside what they refuse; then it is the signatures that tell.
    await asked(url, ...['run', 'entry', 'head', 'ticket', 'ticket_event'].map((table) => `ALTER TABLE ${table} DISABLE TRIGGER ALL`), ...sql.split('; '))
    const { code, stdout } = await at.with(url, 'verify', '--json')
    const found = Verified.parse(JSON.parse(stdout)).problems.map((problem) => problem.code)
    assert.equal(code, 3, name)
    assert.ok(codes.every((expected) => found.includes(expected)), `${name}: ${found.join(', ')}`)
    if (name !== 'changed' && name !== 'state') continue
    const state = join(at.made.directory, `from-${name}`)
    mkdirSync(state)
    cpSync(join(at.made.directory, '.portcullis/keys'), join(state, 'keys'), { recursive: true })
    const refused = await at.with(url, 'store', 'copy', '--to', 'embedded', '--state', state, '--json')
    assert.equal(faultOf(refused.stdout).code, 'store_tampered', name)
    assert.deepEqual(readdirSync(state), ['keys'], name)
  }
})

test('the database refuses what the embedded store refuses', async (t) => {
  if (POSTGRES_SKIPPED !== false) return t.skip(POSTGRES_SKIPPED)
  const at = await place()
  const url = await cluster().database('refusing')
  await copy(at, url)
  const names = (rows: readonly Record<string, unknown>[]): readonly string[] => rows.map(({ name }) => String(name)).toSorted()
  const database = new DatabaseSync(join(at.made.directory, '.portcullis/ledger.db'), { readOnly: true })
  const embedded = names(database.prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'").all())
  database.close()
  assert.deepEqual(names(await asked(url, 'SELECT tgname AS name FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid WHERE NOT tgisinternal AND proname <> \'portcullis_truncate\'')), embedded)
  const refusing = ["UPDATE entry SET body = '{}'", 'DELETE FROM entry', 'DELETE FROM run', "UPDATE run SET task_id = 'other'", "UPDATE run SET state = 'accepted', ended_at = 'now'", 'DELETE FROM charge', 'UPDATE charge SET calls = -1', 'DELETE FROM tree', 'UPDATE tree SET number = number + 9', 'DELETE FROM head', 'UPDATE head SET size = 0', 'DELETE FROM checkpoint', "UPDATE checkpoint SET note = ''", "INSERT INTO entry (run_id, kind, digest, body) SELECT run_id, 'event', digest, body FROM entry WHERE run_id IN (SELECT run_id FROM run WHERE kind = 'task') LIMIT 1", 'DELETE FROM ticket', "UPDATE ticket SET version = version + 1", 'DELETE FROM access_token', "UPDATE access_token SET expires_at = '2999'", 'TRUNCATE entry CASCADE', 'TRUNCATE run CASCADE', 'TRUNCATE charge']
  for (const statement of refusing) await assert.rejects(asked(url, statement), /portcullis:/, statement)
  const begins = "INSERT INTO run (run_id, number, kind, task_id, state, started_at) VALUES ('r', 99, 'task', 't', 'open', 'now')"
  for (const [state, more] of [['started', ''], ['accepted', ", ended_at = 'now'"], ['waiting', ''], ['failed', ", ended_at = 'now', reason = 'mismatch'"], ['closed', ", ended_at = 'now'"], ['recorded', ", ended_at = 'now'"]]) await assert.rejects(asked(url, `BEGIN; ${begins}; UPDATE run SET state = '${state}'${more} WHERE run_id = 'r'`), /portcullis:/, state)
  // So that what is refused above is not simply everything.
  await asked(url, `BEGIN; ${begins}; INSERT INTO entry (run_id, kind, digest, body) VALUES ('r', 'event', repeat('a', 64), '{}'); UPDATE run SET state = 'blocked', reason = 'mismatch', ended_at = 'now' WHERE run_id = 'r'; ROLLBACK`)
  assert.equal((await at.with(url, 'verify')).code, 0)
})

test('a copy that is killed half-way leaves nothing, and one whose answer was lost is found again', async (t) => {
  if (POSTGRES_SKIPPED !== false) return t.skip(POSTGRES_SKIPPED)
  const at = await place()
  const url = await cluster().database('killed')
  const state = another(at, 'goes-on')
  // Holds the copy after its rows, before the first of its refusals.
  await asked(url, `CREATE SCHEMA elsewhere`, `CREATE FUNCTION elsewhere.hold() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_advisory_xact_lock(42); END $$`, `CREATE EVENT TRIGGER hold ON ddl_command_end WHEN TAG IN ('CREATE TRIGGER') EXECUTE FUNCTION elsewhere.hold()`)
  const holder = asked(url, `SELECT pg_advisory_lock(42)`, `DO $$ BEGIN LOOP PERFORM pg_stat_clear_snapshot(); EXIT WHEN EXISTS (SELECT 1 FROM pg_stat_activity WHERE application_name = 'holder ends'); PERFORM pg_sleep(0.02); END LOOP; END $$`)
  const child = spawn(process.execPath, [PORTCULLIS, 'store', 'copy', '--to', 'postgres', '--state', state], { cwd: at.made.directory, env: { PATH: process.env['PATH'], HOME: at.made.directory, PORTCULLIS_DATABASE_URL: url }, stdio: 'ignore' })
  await until(url, "SELECT 1 FROM pg_stat_activity WHERE application_name = 'portcullis' AND wait_event_type = 'Lock'")
  const second = await at.with(url, 'store', 'copy', '--to', 'postgres', '--json', '--state', state)
  assert.equal(faultOf(second.stdout).code, 'store_busy')
  child.kill('SIGKILL')
  await once(child, 'exit')
  const ends = asked(url.replace('?', '?application_name=holder%20ends&'), `SELECT pg_advisory_lock(42)`)
  await Promise.all([holder, ends])
  await until(url, "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM pg_stat_activity WHERE application_name = 'portcullis')")
  assert.equal(await tablesIn(url), 0)

  const first = await copy(at, url, 'postgres', '--state', state)
  assert.equal(first.already, false)
  assert.deepEqual(await copy(at, url, 'postgres', '--state', state), { ...first, already: true })
  // The embedded ledger goes on, and what is there is not it any more.
  await runTask(at.made, ['--state', state])
  const before = await asked(url, 'SELECT count(*) FROM entry')
  const refused = await at.with(url, 'store', 'copy', '--to', 'postgres', '--json', '--state', state)
  assert.deepEqual([refused.code, faultOf(refused.stdout).code], [2, 'usage'])
  assert.match(faultOf(refused.stdout).found, /^a ledger with other rows in run, entry/)
  assert.deepEqual(await asked(url, 'SELECT count(*) FROM entry'), before)
})

async function until(url: string, question: string): Promise<void> {
  for (const signal = AbortSignal.timeout(30_000); (await asked(url, question)).length === 0; ) assert.ok(!signal.aborted, `Expected an answer to ${question}`)
}

test('a database that is not empty, or changes what passes, holds nothing of a copy; a ledger that does not verify is not sent', async (t) => {
  if (POSTGRES_SKIPPED !== false) return t.skip(POSTGRES_SKIPPED)
  const at = await place()
  const state = another(at, 'changed')
  const foreign = await cluster().database('foreign_tables')
  await asked(foreign, 'CREATE TABLE customers (name text)')
  const refused = await at.with(foreign, 'store', 'copy', '--to', 'postgres', '--json', '--state', state)
  assert.deepEqual([refused.code, faultOf(refused.stdout).found, await tablesIn(foreign)], [2, 'tables that are no ledger', 1])
  assert.equal(faultOf((await at.with(foreign, 'runs', '--json')).stdout).code, 'run_not_found')

  const changing = await cluster().database('changing')
  await asked(changing, 'CREATE SCHEMA elsewhere', `CREATE FUNCTION elsewhere.rename() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.task_id := 'another'; RETURN NEW; END $$`, `CREATE FUNCTION elsewhere.plant() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN IF to_regclass('run') IS NOT NULL AND NOT EXISTS (SELECT 1 FROM pg_trigger WHERE tgname = 'rename') THEN CREATE TRIGGER rename BEFORE INSERT ON run FOR EACH ROW WHEN (NEW.kind = 'tickets') EXECUTE FUNCTION elsewhere.rename(); END IF; END $$`, `CREATE EVENT TRIGGER plant ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION elsewhere.plant()`)
  const changed = await at.with(changing, 'store', 'copy', '--to', 'postgres', '--json', '--state', state)
  assert.deepEqual([changed.code, faultOf(changed.stdout).found, await tablesIn(changing)], [1, 'others in run', 0])

  const database = new DatabaseSync(join(state, 'ledger.db'))
  database.exec("DROP TRIGGER entry_is_final; UPDATE entry SET body = replace(body, 'pass', 'pbss') WHERE position = 3")
  database.close()
  const empty = await cluster().database('stays_empty')
  const tampered = await at.with(empty, 'store', 'copy', '--to', 'postgres', '--json', '--state', state)
  assert.deepEqual([tampered.code, faultOf(tampered.stdout).code, await tablesIn(empty)], [1, 'store_tampered', 0])
})

test('a password is taken from the environment or a private file alone, and printed by nothing', async (t) => {
  if (POSTGRES_SKIPPED !== false) return t.skip(POSTGRES_SKIPPED)
  const at = await place()
  const url = await cluster().database('private')
  const { password } = cluster()
  const wrong = url.replace(password, 'another-password')
  const file = join(at.made.directory, 'address')
  writeFileSync(file, `${url}\n`, { mode: 0o644 })
  const outcomes = [
    await at.with('', 'store', 'copy', '--to', 'postgres', '--database', url, '--json'),
    await at.with('', 'store', 'copy', '--to', 'postgres', '--database-file', file, '--json'),
    await at.with(wrong, 'store', 'copy', '--to', 'postgres', '--json'),
    await at.with(`postgres://keeper:${password}@127.0.0.1:1/ledger`, 'verify', '--json'),
    await at.with(`${password} is no address`, 'verify', '--json'),
  ]
  assert.deepEqual(outcomes.map(({ stdout }) => faultOf(stdout).code), ['usage', 'file_unreadable', 'store_failed', 'store_failed', 'usage'])
  assert.equal(await tablesIn(url), 0)
  chmodSync(file, 0o600)
  assert.equal((await copy(at, '', 'postgres', '--database-file', file)).already, false)
  assert.ok(at.printed.length > 9 && at.printed.every((text) => !text.includes(password) && !text.includes('another-password')), at.printed.join(''))
})

test('what would be written into a database that is only read is refused, and not written elsewhere', async (t) => {
  if (POSTGRES_SKIPPED !== false) return t.skip(POSTGRES_SKIPPED)
  const at = await place()
  const url = await cluster().database('read_only')
  await copy(at, url)
  const path = join(at.made.directory, '.portcullis/ledger.db')
  const before = contentOf(path)
  const { provider } = at.made
  const calls = provider.requests.length
  for (const args of [['run', 'task.yaml'], ['resume', at.runId], ['serve', '--port', '0', '--wire-port', '0', '--drain', '1s', '--admin-expires', '1d'], ['tokens', 'create', '--kind', 'reader', '--name', 'x', '--expires', '1d'], ['tickets', 'new', '--title', 'x', ...TICKET], ['anchor']]) {
    const { code, stdout } = await at.with(url, ...args, '--json')
    assert.ok(code !== 0, args.join(' '))
    assert.match(faultOf(stdout).found, /a database that is read and copied/, args.join(' '))
  }
  assert.equal(provider.requests.length, calls)
  assert.deepEqual(contentOf(path), before)
  assert.equal((await at.with(url, 'verify')).code, 0)
})
