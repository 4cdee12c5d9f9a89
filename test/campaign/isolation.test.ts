import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { findProgram } from '../../src/adapters/runtime-process/index.ts'
import { notHere, SEALED_LEVELS } from '../helpers/sealed.ts'
import { verifies } from '../verifies.ts'
import { CONFIGURATION, PROFILE, runTask, type Scenario, scenario } from '../e2e/scenario.ts'

const AGENTS = join(import.meta.dirname, '../fixtures/agents')

function require(made: Scenario, level: string): void {
  made.set(CONFIGURATION, [...PROFILE, 'isolation'], level)
  // Its modules lie beside it.
  made.set(CONFIGURATION, [...PROFILE, 'readable'], [AGENTS])
}

for (const level of SEALED_LEVELS) {
  verifies('ISO-01 ISO-07', `a run that requires ${level} is done under it, and its report says so and how far the record of its calls is complete`, async (t) => {
    const obstacle = await notHere(level)
    if (obstacle !== false) return t.skip(obstacle)
    const made = await scenario(t)
    require(made, level)
    const { report, result, runDirectory } = await runTask(made)
    assert.deepEqual([result.code, report.status, report.reason], [0, 'pass', null], JSON.stringify(report.refusal))
    assert.deepEqual(report.isolation, { required: level, reached: level, record_complete: level === 'network' })
    const words = { fs: 'The wire recorded the model calls that passed it: at isolation fs others cannot be excluded.', network: 'The wire recorded all model calls of the agent: at isolation network it could reach nothing else.' }
    assert.ok(readFileSync(join(runDirectory, 'report.md'), 'utf8').includes(words[level]))
    assert.equal(report.exit?.code, 0)
    assert.equal((await made.portcullis(['verify', report.run_id])).code, 0)
  })
}

verifies('ISO-01', 'a level that cannot be reached blocks before the process starts, and says what is missing; doctor says it as well', async (t) => {
  const made = await scenario(t)
  // The same machine without bubblewrap.
  const programs = join(made.directory, 'programs')
  mkdirSync(programs)
  for (const name of ['node', 'git']) {
    const found = await findProgram(name, process.env['PATH'] ?? '', '/')
    if (found !== undefined) symlinkSync(found, join(programs, name))
  }
  made.env['PATH'] = programs
  for (const level of SEALED_LEVELS) {
    require(made, level)
    const { report, result } = await runTask(made)
    assert.deepEqual([result.code, report.status, report.reason, report.process_started], [3, 'blocked', 'isolation_not_reached', false])
    assert.equal(report.refusal?.found, 'isolation env: bubblewrap (bwrap) is not on PATH')
    assert.deepEqual(report.isolation, { required: level, reached: 'env', record_complete: false })
    const { rows } = JSON.parse((await made.portcullis(['doctor', '--soon', '30d', '--json'])).stdout) as { rows: { name: string; status: string; found: string }[] }
    assert.deepEqual(rows.filter(({ name }) => name === `isolation ${level}`).map(({ status, found }) => [status, found]), [['missing', 'bubblewrap (bwrap) is not on PATH']])
  }
})
