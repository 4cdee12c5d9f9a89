import assert from 'node:assert/strict'
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { TestContext } from 'node:test'
import * as z from 'zod'
import { openLedgerForReading } from '../../src/adapters/store-sqlite/index.ts'
import { RECORD, runTask, type Scenario, scenario } from '../e2e/scenario.ts'
import { runCli } from '../helpers/run-cli.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { verifies } from '../verifies.ts'

const BUNDLE = 'run.intoto.jsonl'
const Answer = z.looseObject({ what: z.string(), verified: z.boolean(), accepted: z.boolean(), run_id: z.string().nullable(), rows: z.number(), files: z.number(), problems: z.array(z.object({ code: z.string(), where: z.string(), found: z.string() })) })

interface Recorded {
  readonly made: Scenario
  readonly runId: string
  readonly state: string
  /** Files that somebody else holds: the public key, and one that nobody trusts. */
  readonly key: string
  readonly otherKey: string
  /** Runs `verify` where there is neither configuration nor ledger. */
  verify(...args: string[]): Promise<z.infer<typeof Answer> & { readonly code: number | null }>
  codes(...args: string[]): Promise<string[]>
}

async function recorded(t: TestContext): Promise<Recorded> {
  const made = await scenario(t)
  const { report } = await runTask(made)
  const elsewhere = temporaryDirectory(t)
  const key = join(elsewhere, 'portcullis.pub.pem')
  const otherKey = join(elsewhere, 'other.pub.pem')
  writeFileSync(key, (await made.portcullis(['keys', 'export'])).stdout)
  await runCli(['keys', 'init', '--state', 'other'], { cwd: elsewhere })
  writeFileSync(otherKey, (await runCli(['keys', 'export', '--state', 'other'], { cwd: elsewhere })).stdout)
  const verify: Recorded['verify'] = async (...args) => {
    const { code, stdout, stderr } = await runCli(['verify', ...args, '--json'], { cwd: elsewhere })
    assert.ok(stdout.startsWith('{\n  "what"'), stdout + stderr)
    return { ...Answer.parse(JSON.parse(stdout)), code }
  }
  return { made, runId: report.run_id, state: join(made.directory, '.portcullis'), key, otherKey, verify, codes: async (...args) => [...new Set((await verify(...args)).problems.map((problem) => problem.code))] }
}

/** Lines after an attack on them. */
const ATTACKS: readonly (readonly [code: string, change: (lines: readonly string[]) => readonly string[] | string])[] = [
  ['row_changed', (lines) => lines.map((line, index) => (index === 6 ? line.replace('"payload":"eyJ', '"payload":"eyK') : line))],
  ['row_removed', (lines) => lines.toSpliced(6, 1)],
  ['rows_swapped', (lines) => lines.toSpliced(6, 2, lines[7] ?? '', lines[6] ?? '')],
  ['row_inserted', (lines) => lines.toSpliced(6, 0, lines[12] ?? '')],
  ['tail_truncated', (lines) => lines.slice(0, -4)],
  ['tail_truncated', (lines) => lines.join('\n').slice(0, -100)],
]

const attackFile = (path: string, change: (typeof ATTACKS)[number][1]): void => {
  const changed = change(readFileSync(path, 'utf8').split('\n').slice(0, -1))
  writeFileSync(path, typeof changed === 'string' ? changed : changed.map((line) => `${line}\n`).join(''))
}

verifies('EVD-04', 'a bundle and a directory that were taken elsewhere verify with a public key alone, and each class of tampering is found by its code', async (t) => {
  const { runId, state, key, otherKey, verify, codes } = await recorded(t)
  const directory = join(state, 'runs', runId)
  for (const what of [directory, join(directory, BUNDLE)]) {
    const answer = await verify(what, '--key', key, '--accepted')
    assert.deepEqual([answer.code, answer.verified, answer.accepted, answer.run_id], [0, true, true, runId])
    assert.deepEqual(await codes(what, '--key', otherKey), ['wrong_key'])
  }
  const copied = (): string => {
    const copy = temporaryDirectory(t)
    cpSync(directory, copy, { recursive: true })
    return copy
  }
  for (const [code, change] of ATTACKS) {
    const copy = copied()
    attackFile(join(copy, BUNDLE), change)
    assert.deepEqual(await codes(copy, '--key', key), [code], 'directory')
    assert.deepEqual(await codes(join(copy, BUNDLE), '--key', key), [code], 'bundle')
  }
  for (const file of ['report.json', 'report.md', 'trace.jsonl', 'backend/workspace.patch']) {
    const copy = copied()
    writeFileSync(join(copy, file), readFileSync(join(copy, file), 'utf8').replace(/[a-z]/, 'Z'))
    assert.deepEqual((await verify(copy, '--key', key)).problems.map(({ code, where }) => `${code} ${where}`), [`file_changed ${file}`])
  }
  const copy = copied()
  rmSync(join(copy, 'report.md'))
  assert.deepEqual(await codes(copy, '--key', key), ['file_missing'])
})

verifies('EVD-04 EVD-05', 'a fork and a ledger that was put back are found on a database, a directory and a bundle by a checkpoint that was kept elsewhere', async (t) => {
  const { made, state, key, codes } = await recorded(t)
  const [older, fork, back] = [temporaryDirectory(t), temporaryDirectory(t), temporaryDirectory(t)]
  for (const copy of [older, fork, back]) cpSync(state, copy, { recursive: true })
  const second = (await runTask(made)).report.run_id
  const anchor = join(temporaryDirectory(t), 'anchors.txt')
  const ledger = await openLedgerForReading(join(state, 'ledger.db'))
  writeFileSync(anchor, (await ledger.head()).note)
  await ledger.close()
  const forked = (await runTask(made, ['--state', fork])).report.run_id
  rmSync(join(made.directory, RECORD))
  const blocked = (await runTask(made, ['--state', back])).report
  assert.equal(blocked.status, 'blocked')
  const against = ['--key', key, '--anchor', anchor]
  const places = (place: string, runId: string): string[] => [place, join(place, 'runs', runId), join(place, 'runs', runId, BUNDLE)]
  for (const place of places(state, second)) assert.deepEqual(await codes(place, ...against), [], place)
  for (const place of places(fork, forked)) assert.deepEqual(await codes(place, ...against), ['ledger_forked'], place)
  for (const place of places(back, blocked.run_id)) assert.deepEqual(await codes(place, ...against), ['ledger_rolled_back'], place)
  // Without the checkpoint nothing tells them from honest ones: this is what stays possible to whoever has the key.
  for (const place of [...places(fork, forked), ...places(back, blocked.run_id)]) assert.deepEqual(await codes(place, '--key', key), [], place)
  // An older ledger that is put beside the directories of its runs is betrayed by them.
  cpSync(join(state, 'runs'), join(older, 'runs'), { recursive: true })
  assert.deepEqual(await codes(older, '--key', key), ['ledger_rolled_back'])
})

verifies('EVD-04', 'a database that was changed is found as a whole and by the run, with the code of what was done', async (t) => {
  const { made, runId, state, key, verify, codes } = await recorded(t)
  assert.deepEqual(await codes(state, '--key', key), [])
  assert.deepEqual(await codes(join(state, 'ledger.db')), [])
  const attacked = (...statements: readonly string[]): string => {
    const copy = temporaryDirectory(t)
    cpSync(state, copy, { recursive: true })
    const database = new DatabaseSync(join(copy, 'ledger.db'))
    for (const row of database.prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'").all()) database.exec(`DROP TRIGGER ${String(row['name'])}`)
    for (const statement of statements) database.exec(statement)
    database.close()
    return copy
  }
  const cases: readonly (readonly [code: string, statements: readonly string[]])[] = [
    ['row_changed', ["UPDATE entry SET body = replace(body, 'run_opened', 'run_Opened') WHERE position = 2"]],
    ['row_removed', ['DELETE FROM entry WHERE position = 5']],
    ['rows_swapped', ['UPDATE entry SET position = -1 WHERE position = 5', 'UPDATE entry SET position = 5 WHERE position = 9', 'UPDATE entry SET position = 9 WHERE position = -1']],
    ['row_inserted', ['INSERT INTO entry (position, run_id, kind, sequence, gate, outcome, digest, body) SELECT (SELECT max(position) + 1 FROM entry), run_id, kind, sequence, gate, outcome, digest, body FROM entry WHERE position = 1']],
    ['tail_truncated', ['DELETE FROM entry WHERE position > (SELECT max(position) - 2 FROM entry)']],
  ]
  for (const [code, statements] of cases) {
    const place = attacked(...statements)
    const found = await verify(place, '--key', key)
    assert.equal(found.problems[0]?.code, code)
    assert.equal(found.code, 3)
    assert.deepEqual(await codes(place, '--key', key, '--rows'), [code])
    assert.equal((await made.portcullis(['verify', runId, '--state', place])).code, 3, code)
  }
  writeFileSync(join(attacked(), 'x'), '')
  const changed = attacked()
  writeFileSync(join(changed, 'runs', runId, 'report.md'), 'All is well.')
  assert.deepEqual(await codes(changed, '--key', key), ['file_changed'])
  const accepted = attacked("UPDATE run SET state = 'failed', reason = 'probe_failed'")
  assert.ok((await codes(accepted, '--key', key)).includes('state_unjustified'))
})

verifies('EVD-09', 'a bundle of a failed run verifies and is refused where a run must have been accepted', async (t) => {
  const made = await scenario(t, { agent: 'idles.mjs' })
  const { runDirectory, report } = await runTask(made)
  const bundle = join(runDirectory, BUNDLE)
  assert.deepEqual([(await made.portcullis(['verify', bundle])).code, (await made.portcullis(['verify', bundle, '--accepted'])).code], [0, 3])
  assert.match((await made.portcullis(['verify', bundle, '--accepted'])).stdout, /it was not accepted, so it counts for nothing/)
  const again = join(temporaryDirectory(t), 'again.jsonl')
  assert.match((await made.portcullis(['bundle', report.run_id, '-o', again])).stdout, /\d+ signed statements/)
  assert.deepEqual([(await made.portcullis(['verify', again])).code, (await made.portcullis(['bundle', report.run_id, '-o', again])).code], [0, 2])
  writeFileSync(bundle, readFileSync(again))
  assert.equal((await made.portcullis(['verify', report.run_id])).code, 0)
})

verifies('EVD-13', 'report prints a run as JUnit XML and as CTRF', async (t) => {
  const made = await scenario(t)
  const { report } = await runTask(made)
  const junit = await made.portcullis(['report', report.run_id, '--junit'])
  assert.deepEqual([junit.code, junit.stdout.slice(0, 38)], [0, '<?xml version="1.0" encoding="UTF-8"?>'])
  const ctrf = await made.portcullis(['report', report.run_id, '--ctrf'])
  assert.equal((JSON.parse(ctrf.stdout) as { reportFormat: string }).reportFormat, 'CTRF')
  assert.equal((await made.portcullis(['report', report.run_id, '--ctrf', '--junit'])).code, 2)
})
