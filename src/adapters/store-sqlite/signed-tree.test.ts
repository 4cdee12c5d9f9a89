import assert from 'node:assert/strict'
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test, type TestContext } from 'node:test'
import { temporaryDirectory } from '../../../test/helpers/temporary-directory.ts'
import { verifies } from '../../../test/verifies.ts'
import { type Ledger, type LedgerArchive, openNote, parseNote } from '../../engine/index.ts'
import { createKey, listKeys, rotateKey, trustedKeys } from '../keys/index.ts'
import { openLedger } from './index.ts'

interface Opened {
  readonly path: string
  readonly keys: string
  readonly ledger: Ledger & LedgerArchive
  readonly runId: string
  append(number: number): Promise<void>
}

async function opened(t: TestContext): Promise<Opened> {
  const directory = temporaryDirectory(t)
  const path = join(directory, 'ledger.db')
  const ledger = await openLedger(path)
  t.after(() => ledger.close())
  const { runId } = await ledger.begin({ kind: 'task', taskId: 't', startedAt: new Date(0) })
  return { path, keys: join(directory, 'keys'), ledger, runId, append: (number) => appendTo(ledger, runId, number) }
}

const appendTo = (ledger: Ledger, runId: string, number: number): Promise<void> => ledger.append({ runId, events: [{ type: 'run_opened', at: new Date(0).toISOString(), data: { number } }] })

/** What somebody does who may write to the file, without the triggers that keep honest code from it. */
function attack(path: string, ...statements: readonly string[]): void {
  const database = new DatabaseSync(path)
  for (const row of database.prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'").all()) database.exec(`DROP TRIGGER ${String(row['name'])}`)
  for (const statement of statements) database.exec(statement)
  database.close()
}

verifies('EVD-03', 'the first ledger of a directory makes the key that signs it, and another uses the same', async (t) => {
  const { keys, ledger, append } = await opened(t)
  await append(1)
  const [key] = trustedKeys(keys)
  const { note, keyId } = await ledger.head()
  assert.equal(keyId, key?.keyId)
  assert.ok(openNote(note, trustedKeys(keys)).ok)
  const beside = await openLedger(join(keys, '../other.db'))
  assert.equal((await beside.head()).keyId, keyId)
  await beside.close()
  assert.equal(listKeys(keys).length, 1)
})

verifies('EVD-03', 'nothing is appended to a ledger whose head is not the one that was signed', async (t) => {
  for (const [name, statement] of [
    ['another size', 'UPDATE head SET size = 1'],
    ['another edge', 'UPDATE head SET edge = zeroblob(32)'],
    ['an edge of another length', 'UPDATE head SET edge = zeroblob(31)'],
    ['another time', "UPDATE head SET note = replace(note, 'time 20', 'time 30')"],
    ['no head', 'DELETE FROM head'],
  ] as const) {
    const { path, ledger, runId, append } = await opened(t)
    await append(1)
    await append(2)
    attack(path, statement)
    const again = await openLedger(path)
    await assert.rejects(appendTo(again, runId, 3), { code: 'store_tampered' }, name)
    if (/note|DELETE/.test(statement)) await assert.rejects(appendTo(ledger, runId, 3), { code: 'store_tampered' }, `${name}, seen by who wrote it`)
    assert.equal((await again.history(runId))?.entries.length, 2, name)
    await again.close()
  }
})

verifies('EVD-03', 'a head that another key signed is not built upon', async (t) => {
  const [mine, theirs] = [await opened(t), await opened(t)]
  await mine.append(1)
  await theirs.append(1)
  const { note } = await theirs.ledger.head()
  attack(mine.path, `UPDATE head SET note = '${note}'`)
  await assert.rejects(mine.append(2), { code: 'store_tampered', found: /signed with a key \([0-9a-f]{8}\) that is none of the 1 given/ })
})

verifies('EVD-04', 'a process that has written notices that its ledger was put back to an older one', async (t) => {
  const { path, ledger, runId, append } = await opened(t)
  await append(1)
  const old = `${path}.old`
  attack(path, 'PRAGMA wal_checkpoint(TRUNCATE)')
  copyFileSync(path, old)
  const older = new DatabaseSync(old)
  const head = older.prepare('SELECT size, edge, note FROM head').get() ?? {}
  older.close()
  await append(2)
  // A write that is refused must not make it forget how far the ledger was.
  await assert.rejects(appendTo(ledger, 'nobody', 3), { code: 'store_failed' })
  const database = new DatabaseSync(path)
  database.prepare('UPDATE head SET size = ?, edge = ?, note = ?').run(head['size'] ?? null, head['edge'] ?? null, head['note'] ?? null)
  database.close()
  await assert.rejects(append(3), { code: 'store_tampered', found: 'an older or another ledger than a moment ago' })
  assert.equal((await ledger.history(runId))?.entries.length, 2)
})

test('after a rotation new commits are signed with the new key, by those who open the ledger after it', async (t) => {
  const { path, keys, ledger, runId, append } = await opened(t)
  await append(1)
  const second = rotateKey(keys, { algorithm: 'ed25519', privateKeyFile: undefined, at: new Date() })
  const later = await openLedger(path)
  await appendTo(later, runId, 2)
  assert.equal((await later.head()).keyId, second.key_id)
  await later.close()
  // Who had it open goes on with the key that it was given, which is trusted still.
  await append(3)
  assert.ok(openNote((await ledger.head()).note, trustedKeys(keys)).ok)
  assert.equal(parseNote((await ledger.head()).note)?.checkpoint.size, 3)
})

test('a ledger whose key is gone or another is not opened for writing', async (t) => {
  const { path, keys, append } = await opened(t)
  await append(1)
  const [key] = listKeys(keys)
  const file = join(keys, key?.private_key ?? '')
  const pem = readFileSync(file)
  rmSync(file)
  await assert.rejects(openLedger(path), { code: 'key_missing' })
  writeFileSync(file, pem, { mode: 0o644 })
  await assert.rejects(openLedger(path), { code: 'key_invalid' })
  rmSync(keys, { recursive: true })
  await assert.rejects(openLedger(path), { code: 'key_missing' })
  createKey(keys, { algorithm: 'ecdsa-p256', privateKeyFile: undefined, at: new Date() })
  const other = await openLedger(path)
  await assert.rejects(appendTo(other, 'nobody', 2), { code: 'store_tampered' })
  await other.close()
})
