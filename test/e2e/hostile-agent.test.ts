import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { verifies } from '../verifies.ts'
import { type Ran, runsOf, runTask, scenario } from './scenario.ts'

const SOLUTION = String.raw`export const slugify = (title) => title.normalize('NFD').replace(/\p{Mark}/gu, '').replace(/['’]/g, '').toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '')`

/** Runs an agent that asks its model once and then does what the code says, in its workspace. */
async function runActing(t: Parameters<typeof scenario>[0], code: string): Promise<Ran> {
  return runTask(await scenario(t, { agent: 'acts.mjs', agentArguments: [code] }))
}

/** What an agent that shares our user can do to the store of its own run. */
const LEDGER_ATTACKS: readonly (readonly [what: string, found: RegExp, ...sql: string[]])[] = [
  [
    'turns its failure into a pass by a trigger', /the run is accepted, written was failed \(probe_failed\)/,
    'DROP TRIGGER run_end_is_final; DROP TRIGGER run_accepted_needs_gates',
    `CREATE TRIGGER mine AFTER UPDATE ON run WHEN NEW.state = 'failed' BEGIN UPDATE run SET state = 'accepted', reason = NULL WHERE run_id = NEW.run_id; END`,
  ],
  ['puts a row between those of its run', /row \d+ is not the one that was written/, `INSERT INTO entry (run_id, kind, digest, body) SELECT run_id, kind, digest, body FROM entry WHERE kind = 'event' LIMIT 1`],
  ['rewrites what was asked of it', /row \d+ is not the one that was written/, 'DROP TRIGGER entry_is_final', `UPDATE entry SET body = replace(body, 'All tests of the repository pass', 'README.md exists')`],
]

for (const [what, found, ...sql] of LEDGER_ATTACKS) {
  verifies('ACC-08', `an agent that ${what} gets no report, and no exit code of a pass`, async (t) => {
    const made = await scenario(t, { agent: 'rewires.mjs', agentArguments: sql })
    const result = await made.portcullis(['run', 'task.yaml', '--json'])
    const { error } = JSON.parse(result.stdout) as { error?: { code: string; found: string } }
    assert.deepEqual([result.code, error?.code], [1, 'store_tampered'], result.stdout.slice(0, 500))
    assert.match(error?.found ?? '', found)
    const [runId = ''] = runsOf(made)
    for (const command of ['verify', 'report']) assert.notEqual((await made.portcullis([command, runId])).code, 0, command)
  })
}

test('work behind a link that leads out of the workspace is under no digest, and does not count', async (t) => {
  const { report, result } = await runActing(t, `import { renameSync, symlinkSync, writeFileSync } from 'node:fs'
writeFileSync('../outside.js', ${JSON.stringify(SOLUTION)})
renameSync('src/slugify.js', '../old.js')
symlinkSync('../../outside.js', 'src/slugify.js')`)
  assert.deepEqual([report.reason, result.code], ['work_not_pinned', 4])
})

test('an untouched copy that was edited is compared with nothing: the report would not show the whole of the change', async (t) => {
  const { report, result, runDirectory } = await runActing(t, `import { rmSync, writeFileSync } from 'node:fs'
for (const place of ['.', '../untouched']) rmSync(place + '/test', { recursive: true })
writeFileSync('src/slugify.js', '')`)
  assert.deepEqual([report.reason, result.code], ['workspace_unusable', 4])
  assert.equal(existsSync(join(runDirectory, 'backend/workspace.patch')), false)
})

test('files that the probes saw and the patch does not carry are told', async (t) => {
  const { report } = await runActing(t, `import { mkdirSync, writeFileSync } from 'node:fs'
mkdirSync('src/.git')
writeFileSync('.gitignore', 'hidden.js')
writeFileSync('src/.git/slugify.js', ${JSON.stringify(SOLUTION)})
writeFileSync('src/hidden.js', "export * from './.git/slugify.js'")
writeFileSync('src/slugify.js', "export * from './hidden.js'")`)
  assert.equal(report.reason, null)
  assert.deepEqual([report.workspace?.files_left_out, report.workspace?.patch_complete], [2, true])
  assert.match(report.terminal_state.next_actions[0] ?? '', /also saw 2 files/)
})
