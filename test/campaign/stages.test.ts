import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { TestContext } from 'node:test'
import { verifies } from '../verifies.ts'
import { CONFIGURATION, PROFILE, RECORD, runTask, type Scenario, scenario } from '../e2e/scenario.ts'

/** The example as a run of stage-2, with a target repository beside its fixture repository: a canary, every read of which shows. */
async function stage2(t: TestContext, options: Parameters<typeof scenario>[1] = {}): Promise<Scenario> {
  const made = await scenario(t, options)
  for (const name of ['README.md', 'src/shop.js', '.git/HEAD']) made.write(`targets/shop/${name}`, name)
  made.set(CONFIGURATION, ['targetRepositories'], [{ path: './targets/shop', canary: true }])
  made.set(CONFIGURATION, ['purposes', 'stage-2'], { needs: ['acceptance'], stage: 'stage-2' })
  made.set(CONFIGURATION, [...PROFILE, 'purposes'], ['stage-2'])
  made.set('task.yaml', ['purpose'], 'stage-2')
  made.set(RECORD, ['stages'], ['stage-2'])
  return made
}

verifies('ADM-N12', 'a whole run of stage-2 reads, lists and copies nothing of a target repository, as its canary shows', async (t) => {
  const made = await stage2(t)
  const { report } = await runTask(made)
  assert.deepEqual([report.status, report.model.stage], ['pass', 'stage-2'])
  assert.deepEqual(report.target_repositories, [{ path: './targets/shop', canary: true, entries: 6, touched: [] }])
  assert.equal((await made.portcullis(['verify', report.run_id])).code, 0)
})

verifies('ADM-N12', 'an agent that reads one file of a target repository by its path fails the run, and the report names the file', async (t) => {
  const made = await stage2(t)
  const agent = join(made.directory, 'curious.mjs')
  made.write('curious.mjs', `import { readFileSync, writeFileSync } from 'node:fs'\nreadFileSync(${JSON.stringify(join(made.directory, 'targets/shop/src/shop.js'))})\nawait import(${JSON.stringify(join(import.meta.dirname, '../fixtures/agents/implements.mjs'))})\n`)
  made.set(CONFIGURATION, [...PROFILE, 'command'], ['node', agent])
  const { report, result, runDirectory } = await runTask(made)
  assert.deepEqual([result.code, report.status, report.reason], [4, 'fail', 'target_repository_touched'])
  assert.deepEqual(report.target_repositories?.[0]?.touched, ['src/shop.js'])
  assert.match(readFileSync(join(runDirectory, 'report.md'), 'utf8'), /\.\/targets\/shop \(src\/shop\.js\)/)
})

verifies('ADM-N12', 'a task of stage-2 whose repository is a target repository starts nothing', async (t) => {
  const made = await stage2(t)
  made.set('task.yaml', ['repositories', 0, 'path'], './targets/shop')
  const { report, result } = await runTask(made)
  assert.deepEqual([result.code, report.status, report.reason, report.process_started], [3, 'blocked', 'target_repository_refused', false])
  assert.match(report.refusal?.found ?? '', /targets\/shop, which lies in it or around it/)
})

verifies('ADM-G7 ADM-B4', 'a validated gate and a blocked work item are two things: only the pass report of the stage unblocks, and nothing of the gate does', async (t) => {
  const made = await stage2(t, { agent: 'asks-only.mjs' })
  const standing = async (): Promise<unknown> => {
    const answer = await made.portcullis(['admit', 'standing', 'pi_scripted', '--purpose', 'stage-2', '--json'])
    const { gate, work_item: item, stage } = JSON.parse(answer.stdout) as { gate: { status: string }; work_item: { status: string }; stage: string }
    return [answer.code, stage, gate.status, item.status]
  }
  assert.deepEqual(await standing(), [3, 'stage-2', 'validated', 'blocked'])
  assert.equal((await made.portcullis(['probe', '--profile', 'pi_scripted'])).code, 3, 'the preflight is ordinary work, which this record does not cover')
  assert.equal((await runTask(made)).report.reason, 'done_without_change')
  assert.deepEqual(await standing(), [3, 'stage-2', 'validated', 'blocked'])
  made.set(CONFIGURATION, [...PROFILE, 'command'], ['node', join(import.meta.dirname, '../fixtures/agents/implements.mjs')])
  const passed = await runTask(made)
  assert.equal(passed.report.status, 'pass')
  assert.deepEqual(await standing(), [0, 'stage-2', 'validated', 'unblocked'])
  const shown = await made.portcullis(['admit', 'standing', 'pi_scripted', '--purpose', 'stage-2'])
  assert.match(shown.stdout, new RegExp(`gate +validated: [^]*work item +unblocked by the pass report of ${passed.report.run_id}`))
  // A report that is changed afterwards is not one any more.
  writeFileSync(join(passed.runDirectory, 'report.json'), '{}')
  assert.deepEqual(await standing(), [3, 'stage-2', 'validated', 'blocked'])
  assert.equal((await made.portcullis(['report', passed.report.run_id, '--write'])).code, 0)
  assert.equal((await made.portcullis(['admit', 'revoke', 'scripted/coder-1'])).code, 0)
  assert.deepEqual(await standing(), [0, 'stage-2', 'not_validated', 'unblocked'])
  // Nor is one of a ledger whose head nobody here signed, however well its rows fit each other.
  const database = new DatabaseSync(join(made.directory, '.portcullis/ledger.db'))
  const { note } = database.prepare('SELECT note FROM head').get() ?? {}
  const changed = String(note).replace(/[A-Za-z0-9+/]{8}(={0,2}\n?)$/, 'AAAAAAAA$1')
  database.prepare('UPDATE head SET note = ?').run(changed)
  database.close()
  assert.deepEqual(await standing(), [3, 'stage-2', 'not_validated', 'blocked'])
})
