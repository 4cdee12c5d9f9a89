import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test, type TestContext } from 'node:test'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { verifies } from '../verifies.ts'
import { AGREEABLE, CONFIGURATION, PROFILE, type Ran, RECORD, runTask, scenario } from '../e2e/scenario.ts'

/** What every run shows whose process had started and whose work does not count. */
function assertFailed({ report, result, runDirectory }: Ran, gate: string, reason: string): void {
  assert.equal(report.reason, reason)
  assert.equal(result.code, 4)
  assert.equal(report.status, 'fail')
  assert.equal(report.process_started, true)
  assert.ok(report.gates.some((each) => each.gate === gate && each.outcome === 'block'), `${gate} did not block`)
  assert.equal(readFileSync(join(runDirectory, 'trace.jsonl'), 'utf8').match(/"type":"process_started"/g)?.length, 1)
}

verifies('ADM-N14 ADM-N15 ADM-T5', 'an agent that exits 0 and says "completed" without any model call fails as no_model_call', async (t) => {
  const ran = await runTask(await scenario(t, { agent: 'silent.mjs' }))
  assertFailed(ran, 'wire', 'no_model_call')
  assert.equal(ran.report.exit?.code, 0)
  assert.equal(ran.report.wire.requests, 0)
})

verifies('ADM-N14', 'an agent that is gone before its prompt could be delivered fails as no_model_call too', async (t) => {
  const ran = await runTask(await scenario(t, { agent: 'vanishes.mjs' }))
  assertFailed(ran, 'wire', 'no_model_call')
})

verifies('ADM-N9', 'a provider that serves another model fails the run, and the report names the model', async (t) => {
  const made = await scenario(t, { script: { ...AGREEABLE, faults: [{ on: { request: 2 }, fault: { servedModel: 'cheaper-1' } }] } })
  const ran = await runTask(made)
  assertFailed(ran, 'wire', 'served_model_mismatch')
  assert.deepEqual(ran.report.model.served, ['cheaper-1'])
})

verifies('WIR-23', 'a budget of the profile that earlier runs used up blocks the next call, in a run of its own process', async (t) => {
  const made = await scenario(t)
  made.set(CONFIGURATION, [...PROFILE, 'budget'], { perDay: { calls: 3 } })
  // A run asks twice, its health probe included: the second finds one place left, and the third none.
  assert.equal((await runTask(made)).report.status, 'pass')
  assertFailed(await runTask(made), 'wire', 'budget_exhausted')
  const { report, result } = await runTask(made)
  assert.deepEqual([report.status, report.reason, result.code], ['blocked', 'budget_exhausted', 3])
  assert.equal(made.provider.requests().length, 3)
})

verifies('ACC-16 ACC-36 ACC-41', 'a failing probe fails the run, with its summary', async (t) => {
  const ran = await runTask(await scenario(t, { agent: 'idles.mjs' }))
  assertFailed(ran, 'acceptance', 'probe_failed')
  assert.deepEqual(ran.report.acceptance.map((item) => item.status), ['not_met'])
  const summary = ran.report.runtime_probe_evidence.find((probe) => probe.phase === 'result')?.summary ?? 'none'
  assert.ok(ran.report.gates.find((each) => each.gate === 'acceptance')?.found?.includes(summary), summary)
  assert.ok(ran.report.runtime_probe_evidence.some((probe) => probe.phase === 'result' && probe.status === 'failed'))
})

verifies('ACC-44 ACC-24', 'a probe that hangs past its limit, with a grandchild, fails the run and leaves no process', async (t) => {
  const { ran, left } = await runHanging(t, { timeout: '2s' })
  assertFailed(ran, 'acceptance', 'probe_timed_out')
  assert.deepEqual(left, [])
})

verifies('ACC-70 ACC-69 ACC-24', 'a run whose own limit is over while a probe runs is ended by the watchdog, under a code of its own, and leaves no process', async (t) => {
  const { ran, left } = await runHanging(t, { timeout: '5m', run: '45s' })
  assertFailed(ran, 'acceptance', 'run_timed_out')
  assert.deepEqual(ran.report.runtime_probe_evidence.map(({ phase, status }) => [phase, status]), [['untouched', 'failed'], ['fake', 'failed'], ['result', 'cancelled']])
  assert.deepEqual(left, [])
})

/** A run whose probe hangs on the work, with a grandchild that left its session and ignores SIGTERM; and which of its processes are left in the end. */
async function runHanging(t: TestContext, { timeout, run }: { readonly timeout: string; readonly run?: string }): Promise<{ readonly ran: Ran; readonly left: readonly string[] }> {
  const made = await scenario(t)
  const mark = `portcullis-test-${process.pid}-${Date.now()}`
  // Fails on the untouched copy, hangs on the result: only then does the work seem to be there.
  made.write('hang.mjs', `import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
if (readFileSync('src/slugify.js', 'utf8').includes('not implemented')) process.exit(1)
spawn(process.execPath, ['-e', 'process.on("SIGTERM", () => {}); setInterval(() => {}, 1000)', ${JSON.stringify(mark)}], { detached: true, stdio: 'ignore' })
setInterval(() => {}, 1000)`)
  made.set(CONFIGURATION, ['probes', 'repository-tests'], { kind: 'headless_run', command: ['node', join(made.directory, 'hang.mjs')], timeout, expect: { exitCode: 0 } })
  if (run !== undefined) made.set(CONFIGURATION, [...PROFILE, 'limits', 'run'], run)
  made.remove('task.yaml', ['baseline', 'reference'])
  const ran = await runTask(made)
  const left = readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && commandLine(pid).includes(mark))
  return { ran, left }
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}

for (const [what, attack] of [
  ['removes the tests', "rmSync('test', { recursive: true })"],
  ['adds an ignored file beside the tests', "writeFileSync('.gitignore', 'test/more.js\\n'); writeFileSync('test/more.js', '')"],
  ['points the test command elsewhere', "writeFileSync('package.json', '{}')"],
] as const) {
  test(`an agent that ${what} fails, whatever its probes say`, async (t) => {
    const script = join(temporaryDirectory(t), 'agent.mjs')
    writeFileSync(script, `import { rmSync, writeFileSync } from 'node:fs'\nawait import(${JSON.stringify(join(import.meta.dirname, '../fixtures/agents/implements.mjs'))})\n${attack}\n`)
    const made = await scenario(t)
    made.set(CONFIGURATION, [...PROFILE, 'command'], ['node', script])
    const ran = await runTask(made)
    assertFailed(ran, 'acceptance', 'protected_changed')
  })
}

test('a protected path that the repository does not have is refused before anything is started', async (t) => {
  const made = await scenario(t)
  made.set('task.yaml', ['protected'], ['tests'])
  const { report, result } = await runTask(made)
  assert.deepEqual([result.code, report.status, report.reason, report.process_started], [3, 'blocked', 'workspace_unusable', false])
  assert.match(report.refusal?.found ?? '', /nothing of this name/)
})

test('a probe that passes on the untouched workspace proves nothing and fails the run', async (t) => {
  const made = await scenario(t)
  made.set(CONFIGURATION, ['probes', 'repository-tests'], { kind: 'headless_run', command: ['node', '--check', 'src/slugify.js'], timeout: '10s', expect: { exitCode: 0 } })
  const ran = await runTask(made)
  assertFailed(ran, 'acceptance', 'baseline_passes')
})

verifies('EVD-10 ACC-08', 'a row of the ledger that was changed is named by verify, in each kind of row', async (t) => {
  const made = await scenario(t)
  const { report } = await runTask(made)
  assert.equal(report.status, 'pass')
  const clean = await made.portcullis(['verify', report.run_id])
  assert.equal(clean.code, 0, clean.stdout)
  const path = join(made.directory, '.portcullis/ledger.db')
  const database = new DatabaseSync(path)
  database.exec('DROP TRIGGER entry_is_final; DROP TRIGGER entry_stays')
  const rows = database.prepare('SELECT position, kind, body FROM entry ORDER BY position').all()
  const change = database.prepare('UPDATE entry SET body = ? WHERE position = ?')
  for (const kind of ['evidence', 'verdict', 'event']) {
    const index = rows.findLastIndex((row) => row['kind'] === kind)
    const row = rows[index]
    assert.ok(row !== undefined)
    const { position, body } = row as { position: number; body: string }
    change.run(body.replace(/(\d{4}-\d\d-\d\dT\d\d:\d\d:)(\d)/, (_all, before: string, digit: string) => `${before}${digit === '0' ? '1' : '0'}`), position)
    const verified = await made.portcullis(['verify', report.run_id, '--json'])
    assert.equal(verified.code, 3, kind)
    const { problems } = JSON.parse(verified.stdout) as { problems: { code: string; where: string }[] }
    assert.ok(problems.some((problem) => problem.code === 'row_changed' && problem.where === `row ${index + 1} (${kind})`), JSON.stringify(problems))
    assert.equal((await made.portcullis(['report', report.run_id, '--json'])).code, 3)
    change.run(body, position)
  }
  database.close()
  assert.equal((await made.portcullis(['verify', report.run_id])).code, 0)
})

verifies('ADM-X4 SEC-08', 'the provider\'s key, printed by the agent, fails the run, and is nowhere in what is left', async (t) => {
  const key = 'provider-key-7f3a9c1e5b2d8046'
  const found = join(temporaryDirectory(t), 'found.txt')
  writeFileSync(found, key)
  const made = await scenario(t, { agent: 'prints-file.mjs', agentArguments: [found], script: { ...AGREEABLE, requireKey: key } })
  made.env['SCRIPTED_KEY'] = key
  made.set(CONFIGURATION, ['providers', 'scripted', 'credential'], { source: 'env', name: 'SCRIPTED_KEY', class: 'provider-api-key' })
  made.set(RECORD, ['credential_source_class'], 'provider-api-key')
  const ran = await runTask(made)
  assertFailed(ran, 'report', 'secret_leak')
  assert.equal(ran.report.secret_scan.status, 'leak')
  // The key, and the token of the run.
  assert.equal(ran.report.secret_scan.known_values, 2)
  const left = readdirSync(ran.runDirectory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  for (const entry of left) assert.ok(!readFileSync(join(entry.parentPath, entry.name)).includes(key), entry.name)
  assert.ok(!readFileSync(join(made.directory, '.portcullis/ledger.db')).includes(key))
  assert.ok(!`${ran.result.stdout}${ran.result.stderr}`.includes(key))
  assert.ok(existsSync(join(ran.runDirectory, 'backend/agent.stdout.redacted.log')))
  assert.ok(!existsSync(join(ran.runDirectory, 'backend/agent.stdout.log')))
})
