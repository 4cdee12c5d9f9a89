import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import { verifies } from '../verifies.ts'
import { type CaseScenario, caseScenario, CODEX, LOCAL, PROFILE_OF_CASE, VARIABLE } from '../e2e/case-scenario.ts'
import { CONFIGURATION, type Ran, runTask } from '../e2e/scenario.ts'

/** Blocked with a reason and a marker: no process was started, and nothing but a health probe was asked. */
async function blocked(made: CaseScenario, reason: string, marker: string): Promise<Ran> {
  const ran = await runTask(made, ['--backend', 'case'])
  const { report, runDirectory, result } = ran
  assert.deepEqual([result.code, report.status, report.reason], [3, 'blocked', reason], JSON.stringify(report.refusal))
  assert.deepEqual([report.case_process_started, report.process_started, report.markers], [false, false, [`backend/${marker}.txt`]])
  assert.match(readFileSync(join(runDirectory, 'backend', `${marker}.txt`), 'utf8'), new RegExp(`^status: ${reason}\\n`))
  assert.doesNotMatch(readFileSync(join(runDirectory, 'trace.jsonl'), 'utf8'), /process_started/)
  assert.ok(made.provider.requests().length <= 1)
  return ran
}

const NOT_ADMITTED = 'provider-model-not-admitted'

verifies('ADM-A1 ADM-E2 ADM-N1 ADM-N5', 'the pair in the environment admits nothing: without a named record the run is blocked, although a record for it lies beside the configuration', async (t) => {
  const made = await caseScenario(t, LOCAL)
  made.write('admissions/CTO-CASE-MODEL-PROVIDER-ADMISSION.qwen-local-qwen3.6-35b-a3b.json', readFileSync(made.recordFile, 'utf8'))
  delete made.env[VARIABLE.file]
  const { report } = await blocked(made, 'missing_admission', NOT_ADMITTED)
  assert.deepEqual([report.case_model_admission_status, report.case_model_provider, report.case_model], ['missing_admission', LOCAL.provider, LOCAL.model])
  assert.match(report.refusal?.found ?? '', /CTO_HARNESS_CASE_MODEL_ADMISSION_FILE \(not set\)/)
})

for (const [what, change, status, found] of [
  ['no provider is asked for', (made: CaseScenario) => delete made.env[VARIABLE.provider], 'not_admitted', 'provider'],
  ['another model is asked for', (made: CaseScenario) => Object.assign(made.env, { [VARIABLE.model]: 'qwen3.6-35b' }), 'mismatch', 'admits qwen-local/qwen3.6-35b-a3b'],
  ['the profile uses another pair', (made: CaseScenario) => made.set(CONFIGURATION, [...PROFILE_OF_CASE, 'model'], 'scripted/coder-1'), 'mismatch', 'the profile uses scripted/coder-1'],
] as const) {
  verifies('ADM-E1 ADM-N1 ADM-N2 ADM-N4 ADM-N6 ADM-T6', `blocked where ${what}, with the fallback that Case would have taken in the report`, async (t) => {
    const made = await caseScenario(t, LOCAL)
    change(made)
    const { report } = await blocked(made, status, NOT_ADMITTED)
    assert.equal(report.case_model_admission_status, status)
    assert.match(report.refusal?.found ?? '', new RegExp(found))
    assert.deepEqual([report.case_observed_fallback_provider, report.case_observed_fallback_model, report.served_model], ['anthropic', 'claude-sonnet-4-6', null])
  })
}

verifies('ADM-N10 ADM-M2 ADM-P1 ADM-E3', 'Codex without the bridge is blocked, admitted, with the reason in its marker', async (t) => {
  const made = await caseScenario(t, CODEX)
  made.env[VARIABLE.bridge] = 'true'
  const { report, runDirectory } = await blocked(made, 'auth_route_missing', 'provider-auth-unavailable')
  assert.deepEqual([report.case_model_admission_status, report.case_bridge_sha256], ['admitted', null])
  assert.match(readFileSync(join(runDirectory, 'backend/provider-auth-unavailable.txt'), 'utf8'), /CTO_HARNESS_CASE_OPENAI_CODEX_AUTH_BRIDGE=1/)
})

verifies('ADM-N11 ADM-M4 ADM-P2 ADM-E4', 'a local provider without its endpoint is blocked as not configured, and its status is admitted', async (t) => {
  const made = await caseScenario(t, LOCAL)
  delete made.env[VARIABLE.local]
  const { report } = await blocked(made, 'local_config_missing', 'provider-local-config-missing')
  assert.equal(report.case_model_admission_status, 'admitted')
  assert.match(report.summary, /Local provider config missing/)
  assert.match(report.refusal?.remedy ?? '', /CTO_HARNESS_CASE_LOCAL_BASE_URL/)
})

test('the configuration that docs/case.md shows is one', async (t) => {
  const [, yaml = ''] = /```yaml\n([^]*?)```/.exec(readFileSync(join(import.meta.dirname, '../../docs/case.md'), 'utf8')) ?? []
  const made = await caseScenario(t, LOCAL)
  for (const [table, entries] of Object.entries(parse(yaml) as Record<string, Record<string, unknown>>)) {
    for (const [name, entry] of Object.entries(entries)) made.set(CONFIGURATION, [table, name], entry)
  }
  const { stdout, code } = await made.portcullis(['resolve', 'case_qwen_local', '--purpose', 'ticket'])
  assert.deepEqual([code, stdout.includes('case/qwen-local/qwen3.6-35b-a3b')], [0, true], stdout)
})
