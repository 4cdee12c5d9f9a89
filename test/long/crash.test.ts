import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Report } from '../../src/gates/report/index.ts'
import { reviewed, reviewer } from '../e2e/review-scenario.ts'
import { CONFIGURATION, PROFILE, type Scenario, scenario } from '../e2e/scenario.ts'
import { runProgram } from '../helpers/run-cli.ts'
import { verifies } from '../verifies.ts'

const CRASH = join(import.meta.dirname, '../helpers/crash-run.ts')
const agent = (name: string): string[] => ['node', join(import.meta.dirname, '../fixtures/agents', name)]

/** The state of the newest run, as the store says it. */
function newest(made: Scenario): { runId: string; state: string; reason: string | null } {
  const database = new DatabaseSync(join(made.directory, '.portcullis/ledger.db'), { readOnly: true })
  try {
    const row = database.prepare(`SELECT run_id, state, reason FROM run WHERE kind = 'task' ORDER BY number DESC LIMIT 1`).get()
    return { runId: String(row?.['run_id']), state: String(row?.['state']), reason: row?.['reason'] == null ? null : String(row['reason']) }
  } finally {
    database.close()
  }
}

interface Expected {
  readonly state: 'accepted' | 'failed' | 'waiting'
  readonly reason: string | null
  readonly exitCode: number
}

async function runUntil(made: Scenario, at: number): Promise<{ killed: boolean; boundaries: number }> {
  const counted = join(made.directory, 'boundaries')
  const { signal, code, stderr } = await runProgram(process.execPath, [CRASH, String(at), counted], { cwd: made.directory, env: made.env })
  assert.ok(signal === 'SIGKILL' || code === 0, stderr)
  return { killed: signal === 'SIGKILL', boundaries: signal === 'SIGKILL' ? 0 : Number(readFileSync(counted, 'utf8')) }
}

/** Kills the run at each boundary, or at every so many of them, takes it up, and asks that it ends as one that was never killed, on whole evidence. */
async function endsAlike(made: Scenario, expected: Expected, every: number): Promise<void> {
  const { boundaries } = await runUntil(made, 0)
  assert.ok(boundaries >= 20, `${boundaries} boundaries`)
  assert.deepEqual([newest(made).state, newest(made).reason], [expected.state, expected.state === 'waiting' ? null : expected.reason])
  for (let at = 1; at <= boundaries; at += every) {
    assert.equal((await runUntil(made, at)).killed, true, `boundary ${at}`)
    const { runId, state } = newest(made)
    assert.ok(state === 'started' || state === expected.state, `boundary ${at}: ${state} before anybody took it up`)
    const resumed = await made.portcullis(['resume', runId, '--json'])
    assert.equal(resumed.code, expected.exitCode, `boundary ${at}: ${resumed.stdout.slice(0, 500)} ${resumed.stderr}`)
    const report = Report.parse(JSON.parse(resumed.stdout))
    assert.deepEqual([newest(made).state, report.reason], [expected.state, expected.reason], `boundary ${at}`)
    if (expected.state === 'accepted') {
      assert.ok(report.acceptance.every((item) => item.status === 'met') && report.baseline?.comparison === 'better-than-untouched')
      assert.ok(report.baseline.checks.every((check) => check.untouched !== null && check.fake !== null && check.result === 'passed'))
    }
    if (expected.state === 'waiting') continue
    const verified = await made.portcullis(['verify', runId])
    assert.equal(verified.code, 0, `boundary ${at}: ${verified.stdout}`)
    assert.equal((await made.portcullis(['resume', runId, '--json'])).stdout, resumed.stdout, `boundary ${at}: told again`)
  }
}

verifies('ACC-21 ACC-22 ACC-29 ACC-75', 'a run of good work that is killed at any write between its first probe and its end is accepted only through the whole gate again', async (t) => {
  await endsAlike(await scenario(t), { state: 'accepted', reason: null, exitCode: 0 }, 1)
})

verifies('ACC-22 ACC-33', 'a run whose probe fails is failed, wherever it is killed and taken up', async (t) => {
  const made = await scenario(t)
  made.set(CONFIGURATION, [...PROFILE, 'command'], agent('idles.mjs'))
  await endsAlike(made, { state: 'failed', reason: 'probe_failed', exitCode: 4 }, 3)
})

verifies('ACC-22 ACC-59', 'a rejection is not lost by a kill: nothing that a reviewer rejects is accepted after it', async (t) => {
  await endsAlike(await reviewed(t, { ada: reviewer('claude', { verdict: 'FAIL', reason: 'It drops letters.' }) }), { state: 'failed', reason: 'review_failed', exitCode: 4 }, 3)
})

verifies('ACC-22 ACC-56', 'a run that nobody decided still waits, wherever it is killed and taken up', async (t) => {
  await endsAlike(await reviewed(t, { ada: reviewer('claude', { verdict: 'ABSTAIN', reason: 'I could not tell.' }) }), { state: 'waiting', reason: 'review_waiting', exitCode: 3 }, 4)
})
