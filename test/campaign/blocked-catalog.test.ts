import assert from 'node:assert/strict'
import { CONFIGURATION, PROFILE, runTask, scenario } from '../e2e/scenario.ts'
import { assertBlocked } from '../helpers/assert-blocked.ts'
import { verifies } from '../verifies.ts'

verifies('MC-087', 'a purpose that the profile does not list is refused at the command line', async (t) => {
  const made = await scenario(t)
  made.set(CONFIGURATION, [...PROFILE, 'purposes'], ['baseline'])
  const ran = await runTask(made)
  assertBlocked(ran, made, 'catalog', 'runtime_purpose_violation')
  assert.equal(ran.report.task.purpose, 'ticket')
  const resolved = await made.portcullis(['resolve', 'pi_scripted', '--purpose', 'ticket'])
  assert.equal(resolved.code, 3)
  assert.match(resolved.stdout, /runtime_purpose_violation/)
})

verifies('MC-087', 'a purpose that the profile does not list is refused in a direct library call as well', async (t) => {
  const made = await scenario(t)
  const { openApp } = await import('../../src/index.ts')
  const app = await openApp({ cwd: made.directory, configurationPath: undefined, stateDirectory: undefined, environment: { PATH: process.env['PATH'] }, homeDirectory: made.directory, clock: () => new Date() })
  const silent = { opened: () => undefined, gateBegan: () => undefined, gateDecided: () => undefined, note: () => undefined }
  try {
    for (const purpose of ['preflight', 'interactive', '']) {
      const answer = await app.run({ task: 'task.yaml', profile: undefined, purpose, backend: undefined, admissionFile: undefined, cancelled: new AbortController().signal }, silent)
      assert.equal(answer.report.status, 'blocked', purpose)
      assert.ok(['runtime_purpose_violation', 'purpose_unknown'].includes(answer.report.reason ?? ''), `${purpose}: ${answer.report.reason}`)
      assert.equal(answer.report.process_started, false)
    }
  } finally {
    await app.close()
  }
})

for (const [what, aliases, reason, found] of [
  ['with a cycle', { one: { candidates: ['two'] }, two: { candidates: ['one'] } }, 'alias_cycle', /one.*two.*one/],
  ['that ends at a floating name', { one: { candidates: ['sonnet'] } }, 'alias_floating', /sonnet/],
] as const) {
  verifies('MC-083', `an alias ${what} is refused at the catalog gate, from the configuration and from an override`, async (t) => {
    const made = await scenario(t)
    const fine = { one: { candidates: ['scripted/coder-1'] }, two: { candidates: ['scripted/coder-1'] } }
    made.set(CONFIGURATION, [...PROFILE, 'model'], 'one')
    made.set(CONFIGURATION, ['aliases'], { ...fine, ...aliases })
    const configured = await runTask(made)
    assertBlocked(configured, made, 'catalog', reason)
    assert.match(configured.report.gates[0]?.found ?? '', found)
    made.set(CONFIGURATION, ['aliases'], fine)
    made.write('aliases.json', JSON.stringify({ version: 1, reason: 'test', aliases }))
    const ran = await runTask(made)
    assertBlocked(ran, made, 'catalog', 'alias_override_invalid')
    assert.match(ran.report.gates[0]?.found ?? '', found)
  })
}

verifies('MC-084', 'an override of the alias table is live, and stands in the report', async (t) => {
  const made = await scenario(t)
  made.set(CONFIGURATION, ['aliases'], { best: { candidates: ['scripted/coder-9'] } })
  made.set(CONFIGURATION, [...PROFILE, 'model'], 'best')
  made.write('aliases.json', JSON.stringify({ version: 1, reason: 'coder-9 is drained', aliases: { best: { candidates: ['scripted/coder-1'] } } }))
  const { report } = await runTask(made)
  assert.equal(report.status, 'pass')
  assert.equal(report.model.requested, 'scripted/coder-1')
  assert.equal(report.model.alias?.name, 'best')
  assert.match(report.model.alias.override ?? '', /^sha256:/)
})

verifies('MC-085', 'an override that is not valid blocks, also when the profile uses no alias', async (t) => {
  const made = await scenario(t)
  made.write('aliases.json', '{ not json')
  assertBlocked(await runTask(made), made, 'catalog', 'alias_override_invalid')
})
