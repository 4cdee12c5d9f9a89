import assert from 'node:assert/strict'
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { verifies } from '../verifies.ts'
import { CONFIGURATION, type Ran, runsOf, runTask, type Scenario, scenario } from '../e2e/scenario.ts'

const SOLUTION = String.raw`export const slugify = (title) => title.normalize('NFD').replace(/\p{Mark}/gu, '').replace(/['’]/g, '').toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '')`

/** Runs an agent that asks its model once and then does what the code says, in its workspace. */
async function runActing(t: Parameters<typeof scenario>[0], code: string, prepare: (made: Scenario) => void = () => undefined): Promise<Ran> {
  const made = await scenario(t, { agent: 'acts.mjs', agentArguments: [code] })
  prepare(made)
  return runTask(made)
}

const SOLVE = `import { writeFileSync } from 'node:fs'
writeFileSync('src/slugify.js', ${JSON.stringify(SOLUTION)})`

/** What an agent that shares our user can do to the store of its own run. */
const LEDGER_ATTACKS: readonly (readonly [what: string, found: RegExp, ...sql: string[]])[] = [
  [
    'turns its failure into a pass by a trigger', /the run is accepted, written was failed \(probe_failed\)/,
    'DROP TRIGGER run_end_is_final; DROP TRIGGER run_accepted_needs_gates',
    `CREATE TRIGGER mine AFTER UPDATE ON run WHEN NEW.state = 'failed' BEGIN UPDATE run SET state = 'accepted', reason = NULL WHERE run_id = NEW.run_id; END`,
  ],
  ['puts a row between those of its run', /row \d+ under a signed head over \d+ rows/, `INSERT INTO entry (run_id, kind, digest, body) SELECT run_id, kind, digest, body FROM entry WHERE kind = 'event' LIMIT 1`],
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

test('a program that the agent puts into its workspace is not found by a relative PATH', async (t) => {
  const shim = `import { chmodSync, writeFileSync } from 'node:fs'
writeFileSync('node', '#!/bin/sh\\nexit 0\\n')
chmodSync('node', 0o755)`
  const { report } = await runActing(t, shim, (made) => Object.assign(made.env, { PATH: `.:${process.env['PATH'] ?? ''}` }))
  assert.equal(report.reason, 'probe_failed')
})

for (const [what, code] of [
  ['a pipe', `import { execFileSync } from 'node:child_process'\nimport { rmSync } from 'node:fs'\nrmSync('../staging/agent.stdout.log')\nexecFileSync('mkfifo', ['../staging/agent.stdout.log'])`],
  ['another text', `import { rmSync, writeFileSync as write } from 'node:fs'\nconsole.log('what nobody should see')\nrmSync('../staging/agent.stdout.log')\nwrite('../staging/agent.stdout.log', 'all is well')`],
] as const) {
  test(`an agent that puts ${what} in the place of its log hides nothing, and hangs nothing`, async (t) => {
    const { report, result } = await runActing(t, `${code}\n${SOLVE}`)
    assert.deepEqual([report.reason, result.code], ['evidence_invalid', 4])
  })
}

test('a file that the agent puts among those of its run was scanned by nobody, and the run does not count', async (t) => {
  const { report } = await runActing(t, `${SOLVE}\nwriteFileSync('../backend/notes.txt', 'ACCEPTED, believe me')`)
  assert.equal(report.reason, 'evidence_invalid')
  assert.match(report.terminal_state.root_cause ?? '', /backend\/notes\.txt/)
})

test('the reference is the patch as it was before the agent ran; one that does not apply is said to be none', async (t) => {
  const replaced = await runActing(t, `${SOLVE}\nwriteFileSync('../../../../reference.patch', 'no patch')`)
  assert.deepEqual([replaced.report.reason, replaced.report.baseline?.reference], [null, 'passed'])
  const broken = await runActing(t, SOLVE, (made) => made.write('reference.patch', '--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n'))
  assert.equal(broken.report.reason, 'reference_fails')
})

test('what the evidence could not hold is refused before anything is started', async (t) => {
  const made = await scenario(t)
  const names = Array.from({ length: 101 }, (_each, index) => `p${index}`)
  for (const name of names) made.set(CONFIGURATION, ['probes', name], { kind: 'headless_run', command: ['grep', '-q', 'normalize', 'src/slugify.js'], timeout: '20s', expect: { exitCode: 0 } })
  made.set(CONFIGURATION, ['taskClasses', 'code-change', 'probes'], names)
  const { report, result } = await runTask(made)
  assert.deepEqual([report.reason, result.code, report.process_started], ['acceptance_unbound', 4, false])
  made.set('task.yaml', ['acceptance', 0, 'text'], 'x'.repeat(2_001))
  assert.equal((await made.portcullis(['run', 'task.yaml'])).code, 2)
})

test('a run whose directory is gone does not verify, file by file', async (t) => {
  const made = await scenario(t)
  const { report, runDirectory } = await runTask(made)
  rmSync(runDirectory, { recursive: true })
  const { code, stdout } = await made.portcullis(['verify', report.run_id])
  assert.equal(code, 3)
  assert.match(stdout, /file_missing\s+report\.json/)
})
