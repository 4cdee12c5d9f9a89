import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { evidenceDigest } from '../../src/contract/evidence.ts'
import { FakeWorkEvidence } from '../../src/gates/acceptance/index.ts'
import { verifies } from '../verifies.ts'
import { CONFIGURATION, runTask, type Scenario, scenario } from '../e2e/scenario.ts'

const evidenceOf = (made: Scenario): { body: string }[] => {
  const database = new DatabaseSync(join(made.directory, '.portcullis/ledger.db'), { readOnly: true })
  const rows = database.prepare("SELECT body FROM entry WHERE kind = 'evidence' ORDER BY position").all()
  database.close()
  return rows as { body: string }[]
}

verifies('ADM-B1 ADM-B2', 'an accepted run compares what the agent did with the fake backend of the same run, check by check, in its evidence and its report', async (t) => {
  const made = await scenario(t)
  const { report, runDirectory } = await runTask(made)
  assert.equal(report.status, 'pass')
  assert.deepEqual(report.baseline, {
    untouched: 'failed', fake: 'failed', reference: 'passed', comparison: 'better-than-untouched',
    checks: [
      { check: 'workspace-change', untouched: 'failed', fake: 'failed', reference: null, result: 'passed', better: true },
      { check: 'repository-tests', untouched: 'failed', fake: 'failed', reference: 'passed', result: 'passed', better: true },
    ],
  })
  assert.deepEqual(report.runtime_probe_evidence.map((probe) => probe.phase), ['untouched', 'fake', 'reference', 'result'])
  assert.match(readFileSync(join(runDirectory, 'report.md'), 'utf8'), /\| repository-tests \| failed \| failed \| passed \| passed \| yes \|/)
  const works = evidenceOf(made).flatMap(({ body }) => FakeWorkEvidence.read(JSON.parse(body)) ?? [])
  assert.deepEqual(works.map(({ predicate }) => [predicate.run_id, predicate.files_changed, predicate.before === predicate.after]), [[report.run_id, 0, true]])
  const [work] = works
  assert.ok(work !== undefined && /^[0-9a-f]{64}$/.test(evidenceDigest(work)))
  assert.equal((await made.portcullis(['verify', report.run_id])).code, 0)
})

verifies('ADM-B2', 'a probe that something outside the work decides is found by the fake backend: a second look at the same files passes', async (t) => {
  const made = await scenario(t)
  // It fails at its first look and passes at every other, whatever the work is: on the untouched copy alone it seems sound.
  made.write('forgetful.mjs', `import { existsSync, writeFileSync } from 'node:fs'
const seen = ${JSON.stringify(join(made.directory, 'seen'))}
if (existsSync(seen)) process.exit(0)
writeFileSync(seen, '')
process.exit(1)`)
  made.set(CONFIGURATION, ['probes', 'repository-tests', 'command'], ['node', join(made.directory, 'forgetful.mjs')])
  const { report, result } = await runTask(made)
  assert.deepEqual([report.status, report.reason, result.code, report.process_started], ['fail', 'not_better_than_baseline', 4, true])
  assert.match(report.refusal?.asked ?? '', /better than what the fake backend achieves/)
  assert.deepEqual(report.baseline?.checks.at(-1), { check: 'repository-tests', untouched: 'failed', fake: 'passed', reference: 'passed', result: 'passed', better: false })
})

verifies('ADM-B5', 'an admitted pair that was reached and left no difference is a failure, and the report says that nothing is better', async (t) => {
  const { report, result } = await runTask(await scenario(t, { agent: 'asks-only.mjs' }))
  assert.deepEqual([report.status, report.reason, result.code, report.model.admission_status, report.process_started], ['fail', 'done_without_change', 4, 'admitted', true])
  assert.ok(report.wire.requests > 0)
  assert.equal(report.baseline?.comparison, 'not-better-than-untouched')
  assert.deepEqual(report.baseline?.checks.map((check) => check.better), [false, false])
})

test('work that changes files and passes no probe is told as no better than nothing', async (t) => {
  const { report } = await runTask(await scenario(t, { agent: 'idles.mjs' }))
  assert.deepEqual([report.reason, report.baseline?.comparison], ['probe_failed', 'not-better-than-untouched'])
  assert.deepEqual(report.baseline?.checks.map(({ check, better }) => [check, better]), [['workspace-change', true], ['repository-tests', false]])
})
