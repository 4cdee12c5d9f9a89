import assert from 'node:assert/strict'
import { agentScenario, cannotRun, runAgent } from '../helpers/real-agents.ts'
import { verifies } from '../verifies.ts'

verifies('ADM-E6 ISO-07', 'gemini-cli as any agent of the protocol: by nothing but its argv it does the work, sealed, with the admitted model', async (t) => {
  const obstacle = await cannotRun('gemini-cli')
  if (obstacle !== false) return t.skip(obstacle)
  const { report } = await runAgent(await agentScenario(t, 'acp'))
  assert.deepEqual([report.status, report.reason], ['pass', null], JSON.stringify(report.refusal))
  assert.deepEqual(report.isolation, { required: 'network', reached: 'network', record_complete: true })
  assert.deepEqual([report.model.served, report.exit?.claimed_status], [['coder-1'], 'completed'])
  assert.deepEqual(report.workspace?.files.map((file) => file.path), ['src/slugify.js'])
})
