import assert from 'node:assert/strict'
import { agentScenario, runAgent } from '../helpers/real-agents.ts'
import { notHere } from '../helpers/sealed.ts'
import { verifies } from '../verifies.ts'

verifies('ADM-E6 ISO-07', 'a program of one\'s own does the work, sealed, with the admitted model', async (t) => {
  const obstacle = await notHere('network')
  if (obstacle !== false) return t.skip(obstacle)
  const { report } = await runAgent(await agentScenario(t, 'command'))
  assert.deepEqual([report.status, report.reason], ['pass', null], JSON.stringify(report.refusal))
  assert.deepEqual(report.isolation, { required: 'network', reached: 'network', record_complete: true })
  assert.deepEqual([report.model.served, report.exit?.code], [['coder-1'], 0])
  assert.deepEqual(report.workspace?.files.map((file) => file.path), ['src/slugify.js'])
})
