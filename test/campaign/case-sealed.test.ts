import assert from 'node:assert/strict'
import { caseScenario, CODEX, LOCAL, PROFILE_OF_CASE } from '../e2e/case-scenario.ts'
import { CONFIGURATION, runTask } from '../e2e/scenario.ts'
import { notHere, SEALED_LEVELS } from '../helpers/sealed.ts'
import { verifies } from '../verifies.ts'

for (const level of SEALED_LEVELS) {
  for (const pair of [LOCAL, CODEX]) {
    verifies('ISO-01 ISO-07', `Case does its work at ${level} with ${pair.provider}, with no more than its own checkout and the wire`, async (t) => {
      const obstacle = await notHere(level)
      if (obstacle !== false) return t.skip(obstacle)
      const made = await caseScenario(t, pair)
      made.set(CONFIGURATION, [...PROFILE_OF_CASE, 'isolation'], level)
      const { report } = await runTask(made, ['--backend', 'case'])
      assert.deepEqual([report.status, report.reason], ['pass', null], JSON.stringify(report.refusal))
      assert.deepEqual(report.isolation, { required: level, reached: level, record_complete: level === 'network' })
      assert.deepEqual(report.model.served, [pair.model])
      assert.deepEqual(report.workspace?.files.map((file) => file.path), ['src/slugify.js'])
    })
  }
}
