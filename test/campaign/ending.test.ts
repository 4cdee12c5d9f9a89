import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { test } from 'node:test'
import { Report } from '../../src/gates/report/index.ts'
import { PORTCULLIS } from '../helpers/run-cli.ts'
import { notHere, SEALED_LEVELS } from '../helpers/sealed.ts'
import { verifies } from '../verifies.ts'
import { CONFIGURATION, PROFILE, RECORD, runsOf, runTask, type Scenario, scenario } from '../e2e/scenario.ts'

const commandLine = (pid: string): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}
const processesWith = (mark: string): string[] => readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && commandLine(pid).includes(mark))
let marks = 0
const newMark = (): string => `portcullis-ending-${process.pid}-${Date.now()}-${(marks += 1)}`

async function until(condition: () => boolean, withinMs = 20_000): Promise<void> {
  const deadline = Date.now() + withinMs
  while (!condition()) {
    assert.ok(Date.now() < deadline, 'the condition did not come true in time')
    await delay(20)
  }
}

const lastReport = (made: Scenario): Report => Report.parse(JSON.parse(readFileSync(join(made.directory, '.portcullis/runs', runsOf(made).at(-1) ?? '', 'report.json'), 'utf8')))

for (const [limit, limits] of [
  ['total', { total: '3s', idle: '1m', calls: 50, tokens: 200_000 }],
  ['idle', { total: '1m', idle: '2s', calls: 50, tokens: 200_000 }],
] as const) {
  test(`an agent that never ends is ended at its ${limit} limit, with all its descendants, and its work does not count`, async (t) => {
    const mark = newMark()
    const made = await scenario(t, { agent: 'hangs.mjs', agentArguments: [mark] })
    made.set(CONFIGURATION, [...PROFILE, 'limits'], limits)
    const { report, result } = await runTask(made)
    assert.equal(result.code, 4)
    assert.equal(report.reason, 'agent_timed_out')
    assert.equal(report.exit?.timed_out, true)
    assert.deepEqual(processesWith(mark), [])
  })
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  test(`${signal} ends the agent and all its descendants, and leaves a report that says so`, async (t) => {
    const mark = newMark()
    const made = await scenario(t, { agent: 'hangs.mjs', agentArguments: [mark] })
    const child = spawn(process.execPath, [PORTCULLIS, 'run', 'task.yaml'], { cwd: made.directory, env: { PATH: process.env['PATH'] }, stdio: 'ignore' })
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
    // Two processes: the agent, and the child it left.
    await until(() => processesWith(mark).length === 2)
    child.kill(signal)
    assert.equal(await ended, 4)
    assert.deepEqual(processesWith(mark), [])
    const report = lastReport(made)
    assert.deepEqual([report.status, report.reason, report.process_started], ['fail', 'interrupted', true])
  })
}

for (const level of ['env', ...SEALED_LEVELS] as const) {
  verifies('ISO-05', `at ${level} a launcher that is killed leaves no process of its agent, and one that is cancelled none after two seconds`, async (t) => {
    const obstacle = level === 'env' ? false : await notHere(level)
    if (obstacle !== false) return t.skip(obstacle)
    const mark = newMark()
    const made = await scenario(t, { agent: 'hangs.mjs', agentArguments: [mark] })
    made.set(CONFIGURATION, [...PROFILE, 'isolation'], level)
    made.set(CONFIGURATION, [...PROFILE, 'readable'], [join(import.meta.dirname, '../fixtures/agents')])
    for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
      const child = spawn(process.execPath, [PORTCULLIS, 'run', 'task.yaml'], { cwd: made.directory, env: { PATH: process.env['PATH'] }, stdio: 'ignore' })
      const ended = new Promise((resolve) => child.once('exit', resolve))
      // The agent and the child it left in a session of its own, and around them what seals them off.
      await until(() => processesWith(mark).length >= 2)
      const signalledAt = performance.now()
      child.kill(signal)
      await until(() => processesWith(mark).length === 0)
      assert.ok(performance.now() - signalledAt < 2_000, `${signal} took ${Math.round(performance.now() - signalledAt)} ms`)
      await ended
    }
  })
}

verifies('ISO-05', 'a run that is cancelled while its agent is asked who it is, and does not answer, is over within two seconds', async (t) => {
  const mark = newMark()
  const made = await scenario(t, { agent: 'hangs.mjs', agentArguments: [mark] })
  for (const [name, value] of Object.entries({ agent: 'acp', refuses: [] })) made.set(CONFIGURATION, [...PROFILE, name], value)
  made.set(RECORD, ['runtime'], 'acp')
  const child = spawn(process.execPath, [PORTCULLIS, 'run', 'task.yaml'], { cwd: made.directory, env: { PATH: process.env['PATH'] }, stdio: 'ignore' })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  await until(() => processesWith(mark).length >= 2)
  const signalledAt = performance.now()
  child.kill('SIGTERM')
  await until(() => processesWith(mark).length === 0)
  assert.ok(performance.now() - signalledAt < 2_000, `it took ${Math.round(performance.now() - signalledAt)} ms`)
  await ended
  const report = lastReport(made)
  assert.deepEqual([report.reason, report.process_started, report.gates.some(({ gate }) => gate === 'dispatch')], ['interrupted', true, false])
})

test('a launcher that is killed leaves a run that is never accepted, that verify names unfinished, and the next run is not touched by it', async (t) => {
  const mark = newMark()
  const made = await scenario(t, { agent: 'hangs.mjs', agentArguments: [mark] })
  const child = spawn(process.execPath, [PORTCULLIS, 'run', 'task.yaml'], { cwd: made.directory, env: { PATH: process.env['PATH'] }, stdio: 'ignore' })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  await until(() => processesWith(mark).length === 2)
  child.kill('SIGKILL')
  await ended
  const [run] = JSON.parse((await made.portcullis(['runs', '--json'])).stdout) as { runId: string; state: string }[]
  assert.equal(run?.state, 'started')
  const verified = await made.portcullis(['verify', run.runId])
  assert.equal(verified.code, 3)
  assert.match(verified.stdout, /run_unfinished/)
  assert.equal((await made.portcullis(['report', run.runId])).code, 2)
  made.set(CONFIGURATION, [...PROFILE, 'command'], ['node', join(import.meta.dirname, '../fixtures/agents/implements.mjs')])
  assert.equal((await runTask(made)).report.status, 'pass')
})

verifies('ADM-T2 ADM-T3', 'every ended run says what was started, asked and admitted, its reason in words, and its marker', async (t) => {
  const made = await scenario(t)
  made.set(RECORD, ['status'], 'revoked')
  const { report } = await runTask(made)
  assert.deepEqual([report.status, report.process_started, report.model.requested, report.model.admitted, report.model.admission_status], ['blocked', false, 'scripted/coder-1', null, 'not_admitted'])
  assert.match(report.summary, /not_admitted\. ./)
  assert.deepEqual(report.markers, ['backend/provider-model-not-admitted.txt'])
  assert.equal(report.terminal_state.status, 'blocked')
  assert.equal(report.terminal_state.human_input_required, true)
  assert.ok(report.terminal_state.next_actions.length > 0)
})

verifies('ISO-07', 'below isolation network the report says that calls beside the wire cannot be excluded', async (t) => {
  const made = await scenario(t)
  assert.deepEqual((await runTask(made)).report.isolation, { required: 'env', reached: 'env', record_complete: false })
})
