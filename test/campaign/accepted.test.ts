import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { LIFECYCLE } from '../../src/contract/lifecycle.ts'
import { leavesOf, Report } from '../../src/gates/report/index.ts'
import { loadScript } from '../../src/adapters/scripted-provider/index.ts'
import { verifies } from '../verifies.ts'
import { CONFIGURATION, runsOf, runTask, scenario } from '../e2e/scenario.ts'

verifies('ADM-T1 ADM-M5', 'the real pi is taken through every gate and accepted', async (t) => {
  const script = await loadScript(join(import.meta.dirname, '../../examples/slugify/script.yaml'))
  const made = await scenario(t, { script, pi: true })
  const { report, result, runDirectory } = await runTask(made)
  assert.equal(result.code, 0, result.stdout)
  assert.equal(report.status, 'pass')
  assert.deepEqual(report.gates.map((gate) => [gate.gate, gate.outcome]), LIFECYCLE.map((gate) => [gate, 'pass']))
  assert.ok(report.wire.requests >= 3)
  assert.deepEqual(report.model.served, ['coder-1'])
  assert.deepEqual(report.agent, { name: 'pi', version: '0.87.1', program_digest: report.agent?.program_digest, mode: 'headless' })
  assert.deepEqual(report.workspace?.files.map((file) => file.path), ['src/slugify.js'])
  assert.deepEqual(report.markers, [])
  assert.match(report.run_id, /^\d{8}T\d{6}Z-r1-string-slugify-1$/)
  for (const name of ['report.json', 'report.md', 'trace.jsonl', 'backend/agent.stdout.log', 'backend/agent.stderr.log']) assert.ok(existsSync(join(runDirectory, name)), name)
  assert.equal(report.baseline?.comparison, 'better-than-untouched')
  assert.match(readFileSync(join(runDirectory, 'backend/workspace.patch'), 'utf8'), /\+.*normalize\('NFD'\)/)
  assert.equal((await made.portcullis(['verify', report.run_id])).code, 0)
  assert.match(readFileSync(join(made.directory, 'repository/src/slugify.js'), 'utf8'), /not implemented/)
})

verifies('ADM-T4 ACC-04 ACC-29 ACC-32', 'a new process gives the same bytes, report.md agrees with report.json field by field', async (t) => {
  const made = await scenario(t)
  const { report, result, runDirectory } = await runTask(made)
  const again = await made.portcullis(['report', report.run_id, '--json'])
  assert.equal(again.stdout, result.stdout)
  assert.equal(readFileSync(join(runDirectory, 'report.json'), 'utf8'), result.stdout)
  const markdown = readFileSync(join(runDirectory, 'report.md'), 'utf8')
  assert.equal((await made.portcullis(['report', report.run_id])).stdout, markdown)
  const rows = new Map([...markdown.matchAll(/^\| (\S+) \| `(.*)` \|$/gm)].map((match) => [match[1], match[2]]))
  for (const [path, value] of leavesOf(report)) assert.equal(JSON.stringify(JSON.parse(rows.get(path) ?? 'undefined')), JSON.stringify(value), path)
})

verifies('ACC-31 ACC-33', 'a failed run replays its evidence and its blocker, and shares none with the run after it', async (t) => {
  const made = await scenario(t, { agent: 'idles.mjs' })
  const first = await runTask(made)
  const second = await runTask(made)
  const replayed = Report.parse(JSON.parse((await made.portcullis(['report', first.report.run_id, '--json'])).stdout))
  assert.deepEqual(replayed, first.report)
  const digests = (report: Report) => report.runtime_probe_evidence.map((probe) => probe.evidence)
  assert.ok(digests(first.report).length > 0)
  assert.deepEqual(digests(first.report).filter((digest) => digests(second.report).includes(digest)), [])
})

test('runs are listed, newest first, with how they ended', async (t) => {
  const made = await scenario(t, { agent: 'silent.mjs' })
  await runTask(made)
  await runTask(made, ['--profile', 'unknown'])
  const listed = JSON.parse((await made.portcullis(['runs', '--json'])).stdout) as { state: string; reason: string }[]
  assert.deepEqual(listed.map(({ state, reason }) => [state, reason]), [['blocked', 'profile_unknown'], ['failed', 'no_model_call']])
  assert.equal(runsOf(made).length, 2)
})

verifies('ACC-14', 'what a task asks for a product without probes is a mistake of its configuration, not a pass', async (t) => {
  const made = await scenario(t)
  made.set(CONFIGURATION, ['taskClasses', 'code-change', 'probes'], [])
  const result = await made.portcullis(['run', 'task.yaml'])
  assert.equal(result.code, 2)
  assert.match(result.stderr, /taskClasses\.code-change/)
})
