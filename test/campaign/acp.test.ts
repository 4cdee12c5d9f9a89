import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { notHere } from '../helpers/sealed.ts'
import { verifies } from '../verifies.ts'
import { CONFIGURATION, PROFILE, type Ran, RECORD, runTask, scenario } from '../e2e/scenario.ts'

const AGENTS = join(import.meta.dirname, '../fixtures/agents')

async function ran(t: TestContext, level: string, program: readonly string[], settings: Readonly<Record<string, unknown>> = {}, brought?: string): Promise<Ran> {
  const made = await scenario(t)
  if (brought !== undefined) made.write(`repository/${brought}`, '{}')
  for (const [name, value] of Object.entries({ agent: 'acp', command: ['node', join(AGENTS, program[0] ?? ''), ...program.slice(1)], isolation: level, readable: [AGENTS], refuses: ['.agent/settings.json', '.env'], ...settings })) made.set(CONFIGURATION, [...PROFILE, name], value)
  made.set(RECORD, ['runtime'], 'acp')
  return await runTask(made)
}

verifies('ADM-E6', 'any program of the Agent Client Protocol does its work through the wire, and what it asks for in the mode bypass it gets', async (t) => {
  const obstacle = await notHere('network')
  for (const level of ['env', ...(obstacle === false ? ['network'] : [])]) {
    const { report } = await ran(t, level, ['speaks-acp.mjs'])
    assert.deepEqual([report.status, report.reason], ['pass', null], JSON.stringify(report.refusal))
    assert.deepEqual([report.model.served, report.exit?.claimed_status], [['coder-1'], 'completed'])
    assert.deepEqual(report.workspace?.files.map((file) => file.path), ['src/slugify.js'])
  }
})

verifies('RDY-10', 'such a program that says it runs on another model is not the one that was planned, however it spells the right one', async (t) => {
  const { report } = await ran(t, 'env', ['speaks-acp.mjs', 'other-1'])
  assert.deepEqual([report.status, report.reason], ['fail', 'agent_not_as_planned'])
  assert.match(report.refusal?.found ?? '', /the agent says model "other-1", planned "coder-1"/)
  assert.equal((await ran(t, 'env', ['speaks-acp.mjs', 'wire/coder-1'])).report.status, 'pass')
})

verifies('MC-131', 'a mode that nothing holds it to, a program that speaks nothing, and a version that nobody can check are refused', async (t) => {
  const modes = await ran(t, 'env', ['speaks-acp.mjs'], { permissions: 'accept-edits' })
  assert.deepEqual([modes.report.status, modes.report.reason, modes.report.process_started], ['blocked', 'permission_mode_unsupported', false])
  const silent = await ran(t, 'env', ['vanishes.mjs'])
  assert.deepEqual([silent.report.status, silent.report.model.served], ['fail', []], JSON.stringify(silent.report.refusal))
  const made = await scenario(t)
  for (const [name, value] of Object.entries({ agent: 'acp', agentVersion: '1.2.3', refuses: [] })) made.set(CONFIGURATION, [...PROFILE, name], value)
  const refused = await made.portcullis(['run', 'task.yaml'])
  assert.equal(refused.code, 2)
  assert.match(refused.stderr, /the agent acp has no version that can be checked/)
})

test('a repository that brings settings for such a program is refused before anything of it starts', async (t) => {
  const { report } = await ran(t, 'env', ['speaks-acp.mjs'], {}, '.agent/settings.json')
  assert.deepEqual([report.status, report.reason, report.process_started, report.refusal?.found], ['blocked', 'agent_setting_unsupported', false, '.agent/settings.json in the repository'])
  assert.equal((await ran(t, 'env', ['speaks-acp.mjs'], { refuses: [] }, '.agent/settings.json')).report.status, 'pass')
})
