import assert from 'node:assert/strict'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { notHere, printed, startSealed } from '../helpers/sealed.ts'
import { CONFIGURATION, PROFILE, type Ran, runTask, scenario } from '../e2e/scenario.ts'
import type { Exceeded } from '../../src/gates/launch/index.ts'
import { profile } from '../helpers/agents.ts'

const AGENTS = join(import.meta.dirname, '../fixtures/agents')

async function ran(t: TestContext, level: string, what: readonly string[], limits: Readonly<Record<string, unknown>>): Promise<Ran & { readonly verified: number | null }> {
  const made = await scenario(t, { agent: 'takes.mjs', agentArguments: what })
  made.set(CONFIGURATION, [...PROFILE, 'isolation'], level)
  made.set(CONFIGURATION, [...PROFILE, 'readable'], [AGENTS])
  for (const [name, value] of Object.entries(limits)) made.set(CONFIGURATION, [...PROFILE, 'limits', name], value)
  const done = await runTask(made)
  return { ...done, verified: (await made.portcullis(['verify', done.report.run_id])).code }
}

const BEYOND = [
  ['memory', ['memory', '400'], { memory: '200MiB' }, 'limits.memory', /^\d+\.\d MiB in \d+ process/],
  ['memory, shared out over several processes', ['memory-of-many', '400'], { memory: '300MiB' }, 'limits.memory', /^\d+\.\d MiB in [2-6] processes/],
  ['processes', ['processes', '12'], { processes: 6 }, 'limits.processes', /^(?:[7-9]|1\d) processes$/],
  ['the length of a file', ['file', '4'], { fileSize: '2MiB' }, 'limits.fileSize', /^1 file of that length/],
] as const

for (const [name, what, limits, setting, found] of BEYOND) {
  test(`an agent that goes beyond its bound of ${name} fails by that, though its work is done, and nothing of it stays`, async (t) => {
    const obstacle = await notHere('network')
    if (obstacle !== false) return t.skip(obstacle)
    const { report, result, verified, runDirectory } = await ran(t, 'network', what, limits)
    assert.deepEqual([result.code, report.status, report.reason], [4, 'fail', 'agent_limit_exceeded'], JSON.stringify(report.refusal))
    assert.match(report.refusal?.found ?? '', found)
    assert.ok(report.refusal?.remedy.startsWith(`Raise ${setting} of the profile`))
    assert.equal(verified, 0)
    if ('fileSize' in limits) assert.equal(statSync(join(runDirectory, 'workspace/grown.txt')).size, 2_097_152)
  })
}

test('an agent within its bounds passes, at each level that holds them', async (t) => {
  for (const level of ['fs', 'network'] as const) {
    const obstacle = await notHere(level)
    if (obstacle !== false) return t.skip(obstacle)
    const { report } = await ran(t, level, ['nothing'], { memory: '1GiB', processes: 20, fileSize: '2MiB' })
    assert.deepEqual([report.status, report.reason], ['pass', null], JSON.stringify(report.refusal))
  }
})

test('bounds that a level does not hold block before anything starts', async (t) => {
  const { report } = await ran(t, 'env', ['nothing'], { memory: '1GiB', processes: 20, fileSize: '2MiB' })
  assert.deepEqual([report.status, report.reason, report.process_started], ['blocked', 'limit_not_enforceable', false])
  assert.equal(report.refusal?.found, 'limits.memory 1GiB: it is held at isolation fs and network only; limits.processes 20: it is held at isolation fs and network only; limits.fileSize 2MiB: it is held at isolation fs and network only')
})

test('a file that was long before is no fault of the agent, and folders in memory hold no more than its memory', async (t) => {
  const obstacle = await notHere('fs')
  if (obstacle !== false) return t.skip(obstacle)
  const exceeded: Exceeded[] = []
  const limits = { ...profile.limits, memory: '32MiB', fileSize: '1MiB' }
  const script = 'for place in /tmp /dev/shm; do for part in $(seq 1 40); do head -c 1000000 /dev/zero > "$place/$part" || break; done 2>/dev/null; du -sm "$place" | cut -f1; done; echo x 2>/dev/null > /dev/new && echo "wrote to /dev"; head -c 3000000 /dev/zero > long; echo more >> before'
  const started = await startSealed(t, 'fs', ['bash', 'script.sh'], {
    files: { 'script.sh': script, before: 'x'.repeat(1_500_000) },
    request: { profile: { ...profile, agent: 'command', command: ['bash', 'script.sh'], isolation: 'fs', limits } },
    onExceeded: (what) => void exceeded.push(what),
  })
  const { stdout } = await printed(started)
  // Of 40 MB each; the workspace, which lies below /tmp here, is counted with it.
  const [temporary = 0, shared = 0, ...rest] = stdout.trim().split('\n').map(Number)
  assert.ok(temporary > 0 && temporary < 37 && shared > 0 && shared < 37, stdout)
  assert.deepEqual(rest, [])
  assert.equal(readFileSync(join(started.request.workspace, 'before'), 'utf8').length, 1_500_000)
  assert.equal(statSync(join(started.request.workspace, 'long')).size, 1_048_576)
  assert.deepEqual(exceeded, [{ limit: 'fileSize', asked: 'files of less than 1.0 MiB each', found: '1 file of that length, or that could not be read' }])
})
