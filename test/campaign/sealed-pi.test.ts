import assert from 'node:assert/strict'
import { join } from 'node:path'
import { loadScript } from '../../src/adapters/scripted-provider/index.ts'
import { CONFIGURATION, PROFILE, runTask, scenario } from '../e2e/scenario.ts'
import { notHere, SEALED_LEVELS } from '../helpers/sealed.ts'
import { verifies } from '../verifies.ts'

for (const level of SEALED_LEVELS) {
  verifies('ISO-01 ISO-07', `the real pi does its work at ${level}, with no more than its own packages and the wire`, async (t) => {
    const obstacle = await notHere(level)
    if (obstacle !== false) return t.skip(obstacle)
    const made = await scenario(t, { script: await loadScript(join(import.meta.dirname, '../../examples/slugify/script.yaml')), pi: true })
    made.set(CONFIGURATION, [...PROFILE, 'isolation'], level)
    const { report } = await runTask(made)
    assert.deepEqual([report.status, report.reason], ['pass', null], JSON.stringify(report.refusal))
    assert.deepEqual(report.isolation, { required: level, reached: level, record_complete: level === 'network' })
    assert.deepEqual(report.model.served, ['coder-1'])
    assert.deepEqual(report.workspace?.files.map((file) => file.path), ['src/slugify.js'])
  })
}
