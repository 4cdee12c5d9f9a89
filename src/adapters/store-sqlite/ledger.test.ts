import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { sql } from 'kysely'
import { ledgerSuite } from '../../../test/suites/ledger.ts'
import { verifies } from '../../../test/verifies.ts'
import { connect } from './connection.ts'
import { openLedger, openLedgerForReading } from './index.ts'

const scratch = (): string => mkdtempSync(join(tmpdir(), 'portcullis-ledger-'))

ledgerSuite('store-sqlite', async () => {
  const directory = scratch()
  return { open: () => openLedger(join(directory, 'state', 'ledger.db')), destroy: async () => rmSync(directory, { recursive: true }) }
})

verifies('EVD-01', 'a row cannot be changed or removed through SQL, by any connection', async () => {
  const directory = scratch()
  const path = join(directory, 'ledger.db')
  const ledger = await openLedger(path)
  const { runId } = await ledger.begin({ kind: 'task', taskId: 't', startedAt: new Date(0) })
  await ledger.append({ runId, events: [{ type: 'run_opened', at: new Date(0).toISOString(), data: {} }], charge: { profile: 'p', day: '2026-11-20', calls: 1, tokens: 1, costUsd: 1, unpriced: 0 } })
  const ended = await ledger.begin({ kind: 'task', taskId: 't', startedAt: new Date(0) })
  await ledger.append({ runId: ended.runId, state: { to: 'blocked', reason: 'mismatch', at: new Date(0) } })
  const other = new DatabaseSync(path)
  for (const statement of ["UPDATE entry SET body = '{}'", 'DELETE FROM entry', 'DELETE FROM run', "UPDATE run SET task_id = 'other'", "UPDATE run SET state = 'accepted', ended_at = 'now'", 'DELETE FROM charge', 'UPDATE charge SET calls = 0', "UPDATE charge SET day = '2026-11-19'", 'DELETE FROM tree', 'UPDATE tree SET number = number + 9', 'DELETE FROM head', 'UPDATE head SET size = 0', 'DELETE FROM checkpoint', "UPDATE checkpoint SET note = ''"]) {
    assert.throws(() => other.exec(statement), /portcullis:/, statement)
  }
  other.close()
  await ledger.close()
  rmSync(directory, { recursive: true })
})

test('rows that no engine writes are refused by the store itself', async () => {
  const directory = scratch()
  const path = join(directory, 'ledger.db')
  const ledger = await openLedger(path)
  const { runId } = await ledger.begin({ kind: 'task', taskId: 't', startedAt: new Date(0) })
  const other = new DatabaseSync(path)
  const run = (id: string, number: number, state: string, endedAt: string): string => `INSERT INTO run VALUES ('${id}', ${number}, 'task', 't', '${state}', NULL, 'then', ${endedAt})`
  const entry = (kind: string, gate: string): string => `INSERT INTO entry (run_id, kind, sequence, gate, outcome, digest, body) VALUES ('${runId}', '${kind}', ${gate}, '${'a'.repeat(64)}', '{}')`
  for (const [statement, why] of [
    [run('born-accepted', 2, 'accepted', "'now'"), /portcullis: a run begins open/],
    [run('same-number', 1, 'open', 'NULL'), /UNIQUE/],
    ["UPDATE run SET state = 'blocked', reason = 'mismatch'", /CHECK/],
    [entry('verdict', 'NULL, NULL, NULL'), /CHECK/],
    [entry('event', "0, 'catalog', 'pass'"), /CHECK/],
  ] as const) assert.throws(() => other.exec(statement), why, statement)
  other.close()
  await ledger.close()
  rmSync(directory, { recursive: true })
})

test('a store that waits for every commit to reach the disk is what we open', async () => {
  const directory = scratch()
  const ledger = await openLedger(join(directory, 'ledger.db'))
  const other = new DatabaseSync(join(directory, 'ledger.db'))
  // How long a commit waits is a setting of each connection, so it is asked of one of ours: 2 is FULL (REL-01).
  const { kysely: ours } = connect(join(directory, 'ledger.db'))
  assert.equal((await sql<{ synchronous: number }>`PRAGMA synchronous`.execute(ours)).rows[0]?.synchronous, 2)
  await ours.destroy()
  assert.equal(other.prepare('PRAGMA journal_mode').get()?.['journal_mode'], 'wal')
  other.close()
  await ledger.close()
  rmSync(directory, { recursive: true })
})

test('a store that another process holds is refused within about a second, and nothing is lost', async () => {
  const directory = scratch()
  const path = join(directory, 'ledger.db')
  const ledger = await openLedger(path)
  const other = new DatabaseSync(path)
  other.exec('BEGIN EXCLUSIVE')
  const began = performance.now()
  await assert.rejects(ledger.begin({ kind: 'task', taskId: 't', startedAt: new Date(0) }), { code: 'store_busy' })
  assert.ok(performance.now() - began < 5_000, 'nobody waits for long')
  other.exec('ROLLBACK')
  assert.equal((await ledger.begin({ kind: 'task', taskId: 't', startedAt: new Date(0) })).number, 1)
  other.close()
  await ledger.close()
  rmSync(directory, { recursive: true })
})

test('a file that is no ledger, and a ledger of another version, are refused and left alone', async () => {
  const directory = scratch()
  const text = join(directory, 'text.db')
  writeFileSync(text, 'not a database, not even close to one, but long enough to be looked at as one'.repeat(20))
  await assert.rejects(openLedger(text), { code: 'store_failed' })
  const foreign = join(directory, 'foreign.db')
  const database = new DatabaseSync(foreign)
  database.exec('CREATE TABLE customers (name TEXT)')
  database.close()
  await assert.rejects(openLedger(foreign), { code: 'store_failed', found: 'a database that is not a ledger' })
  const newer = join(directory, 'newer.db')
  const other = new DatabaseSync(newer)
  other.exec('CREATE TABLE portcullis_schema (version INTEGER); INSERT INTO portcullis_schema VALUES (99)')
  other.close()
  await assert.rejects(openLedger(newer), { code: 'store_failed', found: 'schema version 99' })
  rmSync(directory, { recursive: true })
})

/** Runs a question about a ledger in a process that may read it and write nothing, also where the tests run as root. */
async function asReader(path: string, question: string): Promise<string> {
  const program = `
    import { openLedgerForReading } from ${JSON.stringify(new URL('./index.ts', import.meta.url).href)}
    if (process.getuid() === 0) process.setuid(65534)
    const ledger = await openLedgerForReading(${JSON.stringify(path)})
    ${question}`
  return (await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program])).stdout.trim()
}

test('who may only read a ledger and its directory can ask it, and cannot write', async () => {
  const directory = scratch()
  const path = join(directory, 'ledger.db')
  const ledger = await openLedger(path)
  await ledger.begin({ kind: 'task', taskId: 't', startedAt: new Date(0) })
  await ledger.close()
  chmodSync(path, 0o444)
  chmodSync(directory, 0o555)
  assert.equal(await asReader(path, 'console.log((await ledger.list()).length)'), '1')
  assert.match(await asReader(path, "console.log(await ledger.begin({ kind: 'task', taskId: 't', startedAt: new Date(0) }).catch((error) => error.code + ' ' + error.found))"), /store_failed .*readonly/)
  assert.deepEqual(readdirSync(directory), ['keys', 'ledger.db'])
  chmodSync(directory, 0o755)
  rmSync(directory, { recursive: true })
})

verifies('WIR-22', 'writes that are asked for together are stored in their order, and one that the store refuses takes none of the others with it', async () => {
  const directory = scratch()
  const path = join(directory, 'ledger.db')
  const ledger = await openLedger(path)
  const { runId } = await ledger.begin({ kind: 'task', taskId: 't', startedAt: new Date(0) })
  const event = (number: number) => ({ type: 'run_opened' as const, at: new Date(number).toISOString(), data: { number } })
  const writes = Array.from({ length: 200 }, (_, number) => ledger.append({ runId: number % 10 === 7 ? 'nobody' : runId, events: [event(number), event(number)], ...(number % 10 === 3 ? { state: { to: 'accepted' as const, reason: null, at: new Date(0) } } : {}) }))
  const outcomes = await Promise.allSettled(writes)
  assert.deepEqual(outcomes.map(({ status }, number) => (status === 'fulfilled') === (number % 10 !== 7 && number % 10 !== 3)).includes(false), false)
  const stored = (await ledger.history(runId))?.entries.map((entry) => Number(/"number":(\d+)/.exec(entry.body)?.[1])) ?? []
  assert.deepEqual(stored, Array.from({ length: 200 }, (_, number) => number).filter((number) => number % 10 !== 7 && number % 10 !== 3).flatMap((number) => [number, number]))
  await ledger.close()
  rmSync(directory, { recursive: true })
})

test('a question creates no ledger, sees what another process is writing, and never reads past a log it cannot open', async () => {
  const directory = scratch()
  const path = join(directory, 'ledger.db')
  await assert.rejects(openLedgerForReading(path), { code: 'store_failed' })
  assert.equal(existsSync(path), false)
  const writer = await openLedger(path)
  await writer.begin({ kind: 'task', taskId: 't', startedAt: new Date(0) })
  const reader = await openLedgerForReading(path)
  assert.equal((await reader.list()).length, 1)
  await writer.begin({ kind: 'task', taskId: 't', startedAt: new Date(0) })
  assert.equal((await reader.list()).length, 2)
  // The writer still has its log: leaving the log out would answer from an older ledger.
  chmodSync(directory, 0o555)
  for (const file of readdirSync(directory)) chmodSync(join(directory, file), file.endsWith('-shm') ? 0o000 : 0o444)
  const answer = await asReader(path, 'console.log((await ledger.list()).length)').catch((error: Error) => error.message)
  assert.doesNotMatch(answer, /^[01]$/)
  chmodSync(directory, 0o755)
  await reader.close()
  await writer.close()
  rmSync(directory, { recursive: true })
})

verifies('REL-03', 'two processes that write at once never give two runs one number, and lose none', async () => {
  const directory = scratch()
  const path = join(directory, 'ledger.db')
  const program = `
    import { openLedger } from ${JSON.stringify(new URL('./index.ts', import.meta.url).href)}
    const ledger = await openLedger(${JSON.stringify(path)})
    for (let count = 0; count < 25; count++) await ledger.begin({ kind: 'task', taskId: 't', startedAt: new Date(0) })
    await ledger.close()`
  const run = promisify(execFile)
  await (await openLedger(path)).close()
  await Promise.all([1, 2, 3].map(() => run(process.execPath, ['--input-type=module', '-e', program])))
  const ledger = await openLedger(path)
  assert.deepEqual((await ledger.list()).map((entry) => entry.number), Array.from({ length: 75 }, (_, index) => 75 - index))
  await ledger.close()
  rmSync(directory, { recursive: true })
})
