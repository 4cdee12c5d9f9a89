import assert from 'node:assert/strict'
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test, type TestContext } from 'node:test'
import { temporaryDirectory } from '../../../test/helpers/temporary-directory.ts'
import { verifies } from '../../../test/verifies.ts'
import { auditLedger, type HashedRow, leafHash, leafText, type Problem } from '../../engine/index.ts'
import { createKey, trustedKeys } from '../keys/index.ts'
import { openLedger, openLedgerForReading } from './index.ts'

const ROWS = 40

/** A state directory with a ledger of forty rows, of which the last end keeps a checkpoint. `name` makes one differ from another. */
async function filled(directory: string, name = 'a', rows = ROWS): Promise<void> {
  const ledger = await openLedger(join(directory, 'ledger.db'))
  for (const part of [1, 2]) {
    const { runId } = await ledger.begin({ kind: 'task', taskId: 't', startedAt: new Date(0) })
    for (let row = 0; row < rows / 4; row++) await ledger.append({ runId, events: [event(`${name}${part}`, row), event(name, row)] })
    await ledger.append({ runId, state: { to: 'blocked', reason: 'mismatch', at: new Date(0) } })
  }
  await ledger.close()
}

const event = (name: string, row: number) => ({ type: 'run_opened' as const, at: new Date(row).toISOString(), data: { name, row } })

interface Found {
  readonly problems: readonly Problem[]
  readonly codes: string[]
}

async function audited(directory: string, anchors: readonly string[] = [], keys = join(directory, 'keys')): Promise<Found> {
  const ledger = await openLedgerForReading(join(directory, 'ledger.db'))
  try {
    const { problems } = await ledger.snapshot((view) => auditLedger(view, { keys: trustedKeys(keys), anchors }))
    return { problems, codes: [...new Set(problems.map((problem) => problem.code))] }
  } finally {
    await ledger.close()
  }
}

/** A copy of a state directory after somebody wrote to it who may, without the triggers and checks that keep honest code from it. */
function attacked(t: TestContext, directory: string, ...statements: readonly (string | ((database: DatabaseSync) => void))[]): string {
  const copy = temporaryDirectory(t)
  cpSync(directory, copy, { recursive: true })
  const database = new DatabaseSync(join(copy, 'ledger.db'))
  for (const row of database.prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'").all()) database.exec(`DROP TRIGGER ${String(row['name'])}`)
  for (const statement of statements) {
    if (typeof statement === 'string') database.exec(statement)
    else statement(database)
  }
  database.close()
  return copy
}

const exchange = (a: number, b: number): string[] => [`UPDATE entry SET position = -1 WHERE position = ${a}`, `UPDATE entry SET position = ${a} WHERE position = ${b}`, `UPDATE entry SET position = ${b} WHERE position = -1`]
const insert = (position: number): string => `INSERT INTO entry (position, run_id, kind, sequence, gate, outcome, digest, body) SELECT ${position}, run_id, kind, sequence, gate, outcome, digest, body FROM entry WHERE position = 3`
const shift = (from: number, by: number): string[] => [`UPDATE entry SET position = -position WHERE position > ${from}`, `UPDATE entry SET position = -position + ${by} WHERE position < 0`]

/** Makes the stored hash of every row fit the row again, as somebody would who knows how it is made. */
function rehash(database: DatabaseSync): void {
  database.exec('DELETE FROM tree WHERE level = 0')
  for (const row of database.prepare('SELECT position, run_id AS runId, kind, sequence, gate, outcome, digest, body FROM entry').all() as unknown as HashedRow[]) database.prepare('INSERT INTO tree VALUES (0, ?, ?)').run(row.position - 1, leafHash(leafText(row)))
}

verifies('EVD-04', 'in a database each class of tampering has its own code, and the rows are named', async (t) => {
  const directory = temporaryDirectory(t)
  await filled(directory)
  assert.deepEqual((await audited(directory)).problems, [])
  const cases: [name: string, statements: Parameters<typeof attacked>[2][], code: string, where: RegExp][] = [
    ['a changed row', ["UPDATE entry SET body = replace(body, '\"row\":3', '\"row\":4') WHERE position = 7"], 'row_changed', /^row 7 /],
    ['a changed row with its digest', ["UPDATE entry SET digest = 'aa' || substr(digest, 3) WHERE position = 7"], 'row_changed', /^row 7 /],
    ['a row of another run', ['UPDATE entry SET run_id = (SELECT run_id FROM run WHERE number = 2) WHERE position = 7'], 'row_changed', /^row 7 /],
    ['a row of another kind', ["UPDATE entry SET kind = 'evidence' WHERE position = 7"], 'row_changed', /^row 7 /],
    ['a changed row and its hash', ["UPDATE entry SET kind = 'evidence' WHERE position = 7", rehash], 'row_changed', /^the tree/],
    ['a removed row', ['DELETE FROM entry WHERE position = 7'], 'row_removed', /^row 7 /],
    ['the first row removed', ['DELETE FROM entry WHERE position = 1'], 'row_removed', /^row 1 /],
    ['a removed row and its hash', ['DELETE FROM entry WHERE position = 7', 'DELETE FROM tree WHERE level = 0 AND number = 6'], 'row_removed', /^row 7 /],
    ['a removed row, and the others moved up', ['DELETE FROM entry WHERE position = 7', ...shift(7, -1)], 'row_removed', /^row 7 /],
    ['a removed row, the others moved up, and every hash made to fit', ['DELETE FROM entry WHERE position = 7', ...shift(7, -1), rehash], 'row_removed', /./],
    ['two swapped rows', exchange(7, 21), 'rows_swapped', /^rows 7 and 21$/],
    ['two neighbours swapped', exchange(7, 8), 'rows_swapped', /^rows 7 and 8$/],
    ['a row inserted', [...shift(6, 1), insert(7)], 'row_inserted', /^row 7 /],
    ['a row added at the end', [insert(ROWS + 1)], 'row_inserted', /^row 41 /],
    ['a truncated tail', ['DELETE FROM entry WHERE position > 35'], 'tail_truncated', /^after row 35$/],
    ['a truncated tail with its hashes', ['DELETE FROM entry WHERE position > 35', 'DELETE FROM tree WHERE level = 0 AND number >= 35'], 'tail_truncated', /^after row 35$/],
    ['everything removed', ['DELETE FROM entry', 'DELETE FROM tree'], 'tail_truncated', /^after row 0$/],
    ['no head', ['DELETE FROM head'], 'checkpoint_malformed', /^head/],
    ['another size beside the head', ['UPDATE head SET size = 12'], 'checkpoint_malformed', /^head/],
    ['another edge beside the head', ['UPDATE head SET edge = zeroblob(64)'], 'checkpoint_malformed', /^head/],
    ['a checkpoint that was kept, of another root', ["UPDATE checkpoint SET note = (SELECT substr(note, 1, 43) || char(10) || '20' || char(10) || 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=' || substr(note, instr(note, char(10) || 'time')) FROM checkpoint WHERE size = 20) WHERE size = 20"], 'ledger_forked', /^checkpoint of 20 rows/],
    ['a checkpoint that was kept and is none', ["UPDATE checkpoint SET note = 'x' WHERE size = 20"], 'checkpoint_malformed', /kept$/],
  ]
  for (const [name, statements, code, where] of cases) {
    const { problems } = await audited(attacked(t, directory, ...statements))
    assert.equal(problems[0]?.code, code, `${name}: ${JSON.stringify(problems)}`)
    assert.match(problems[0].where, where, name)
  }
})

verifies('EVD-04', 'a database shows another key, a fork and an older copy of itself', async (t) => {
  const directory = temporaryDirectory(t)
  const older = temporaryDirectory(t)
  await filled(directory, 'a', 20)
  cpSync(directory, older, { recursive: true })
  const fork = temporaryDirectory(t)
  cpSync(directory, fork, { recursive: true })
  await filled(directory, 'b', 20)
  await filled(fork, 'c', 20)
  const headOf = async (place: string): Promise<string> => {
    const ledger = await openLedgerForReading(join(place, 'ledger.db'))
    const { note } = await ledger.head()
    await ledger.close()
    return note
  }
  const anchors = [await headOf(older), await headOf(directory)]
  assert.deepEqual((await audited(directory, anchors)).codes, [])
  assert.deepEqual((await audited(older, anchors)).codes, ['ledger_rolled_back'])
  assert.deepEqual((await audited(fork, anchors)).codes, ['ledger_forked'])
  assert.deepEqual((await audited(fork, [anchors[0] ?? ''])).codes, [])
  // The checkpoints that the ledger itself kept show an older head as well.
  const old = new DatabaseSync(join(older, 'ledger.db'))
  const head = old.prepare('SELECT size, edge, note FROM head').get() ?? {}
  old.close()
  const backdated = attacked(t, directory, 'DELETE FROM entry WHERE position > 20', 'DELETE FROM tree WHERE number >= 20', (database) => void database.prepare('UPDATE head SET size = ?, edge = ?, note = ?').run(head['size'] ?? null, head['edge'] ?? null, head['note'] ?? null))
  assert.deepEqual((await audited(backdated)).codes, ['ledger_rolled_back'])
  const others = join(temporaryDirectory(t), 'keys')
  createKey(others, { algorithm: 'ed25519', privateKeyFile: undefined, at: new Date() })
  assert.deepEqual((await audited(directory, [], others)).codes, ['wrong_key'])
  assert.deepEqual((await audited(attacked(t, directory, "UPDATE head SET note = replace(note, 'time 20', 'time 19')"))).codes, ['signature_invalid'])
})

test('anchors that say nothing of a ledger are no comparison, and anchors that are not believed are told', async (t) => {
  const [directory, other] = [temporaryDirectory(t), temporaryDirectory(t)]
  await filled(directory, 'a', 8)
  cpSync(join(directory, 'keys'), join(other, 'keys'), { recursive: true })
  await filled(other, 'a', 8)
  const ledger = await openLedgerForReading(join(other, 'ledger.db'))
  const { note } = await ledger.head()
  await ledger.close()
  assert.deepEqual((await audited(directory, [note])).codes, ['anchor_unproven'])
  assert.deepEqual((await audited(directory, ['x'])).codes, ['checkpoint_malformed'])
})

test('rows that are written during an audit are not part of it', async (t) => {
  const directory = temporaryDirectory(t)
  await filled(directory)
  const [reader, writer] = [await openLedgerForReading(join(directory, 'ledger.db')), await openLedger(join(directory, 'ledger.db'))]
  const { runId } = await writer.begin({ kind: 'task', taskId: 't', startedAt: new Date(0) })
  const answer = await reader.snapshot(async (view) => {
    await writer.append({ runId, events: [event('late', 1)] })
    return auditLedger(view, { keys: trustedKeys(join(directory, 'keys')), anchors: [] })
  })
  assert.deepEqual([answer.problems, answer.rows], [[], ROWS])
  await reader.close()
  await writer.close()
})
