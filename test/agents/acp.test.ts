import assert from 'node:assert/strict'
import { join } from 'node:path'
import { agentScenario, cannotRun, edit, programFolder, runAgent } from '../helpers/real-agents.ts'
import { verifies } from '../verifies.ts'

verifies('ADM-E6 ISO-07', 'gemini-cli as any agent of the protocol: by nothing but its argv it does the work, sealed, with the admitted model', async (t) => {
  const obstacle = await cannotRun('gemini-cli')
  if (obstacle !== false) return t.skip(obstacle)
  const found = await programFolder('gemini-cli')
  if ('obstacle' in found) return t.skip(found.obstacle)
  const made = await agentScenario(t, 'gemini-cli')
  const program = join(found.folder, 'node_modules/@google/gemini-cli/bundle/gemini.js')
  const configuration = join(made.directory, 'portcullis.yaml')
  const profile = ['profiles', 'gemini_cli']
  edit(configuration, [...profile, 'agent'], 'acp')
  edit(configuration, [...profile, 'agentVersion'], undefined)
  edit(configuration, [...profile, 'command'], [process.execPath, program, '--acp', '--model', 'coder-1', '--approval-mode', 'default'])
  edit(configuration, [...profile, 'permissions'], 'bypass')
  edit(join(made.directory, 'admissions/scripted--coder-1.json'), ['runtime'], 'acp')
  const { report } = await runAgent(made)
  assert.deepEqual([report.status, report.reason], ['pass', null], JSON.stringify(report.refusal))
  assert.deepEqual(report.isolation, { required: 'network', reached: 'network', record_complete: true })
  assert.deepEqual([report.model.served, report.exit?.claimed_status], [['coder-1'], 'completed'])
  assert.deepEqual(report.workspace?.files.map((file) => file.path), ['src/slugify.js'])
})
