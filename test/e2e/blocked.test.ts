import assert from 'node:assert/strict'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { assertBlocked } from '../helpers/assert-blocked.ts'
import { verifies } from '../verifies.ts'
import { CONFIGURATION, PROFILE, RECORD, runTask, type Scenario, scenario } from './scenario.ts'

/** Asks for a model that no record names. */
function askForAnotherModel(made: Scenario): void {
  made.set(CONFIGURATION, [...PROFILE, 'model'], 'scripted/coder-2')
  made.set(CONFIGURATION, ['providers', 'scripted', 'prices', 'coder-2'], { input: 'USD 0', output: 'USD 0' })
}

verifies('ADM-N1 ADM-N5 ADM-A13 ADM-G2 ADM-G6 ADM-T5', 'without an admission record the run is blocked, and nothing is asked of the provider', async (t) => {
  const made = await scenario(t)
  rmSync(join(made.directory, RECORD))
  const ran = await runTask(made)
  assertBlocked(ran, made, 'admission', 'missing_admission')
  assert.equal(ran.report.model.admission_status, 'missing_admission')
  assert.equal(made.provider.requests().length, 0)
  assert.deepEqual(ran.report.markers, ['backend/provider-model-not-admitted.txt'])
  assert.match(readFileSync(join(ran.runDirectory, 'backend/provider-model-not-admitted.txt'), 'utf8'), /^status: missing_admission\nasked: scripted\/coder-1/)
})

verifies('ADM-N4', 'a record for another model admits nothing', async (t) => {
  const made = await scenario(t)
  askForAnotherModel(made)
  const ran = await runTask(made)
  assertBlocked(ran, made, 'admission', 'missing_admission')
  assert.match(ran.report.gates.find((gate) => gate.gate === 'admission')?.found ?? '', /none for this pair.*scripted\/coder-1/)
})

verifies('ADM-N6 ADM-G5', 'a record that the caller names and that admits another model is a mismatch', async (t) => {
  const made = await scenario(t)
  askForAnotherModel(made)
  const ran = await runTask(made, ['--admission', RECORD])
  assertBlocked(ran, made, 'admission', 'mismatch')
  assert.equal(ran.report.model.admission_status, 'mismatch')
})

verifies('ADM-N7 ADM-G3', 'a record that is not valid JSON is refused', async (t) => {
  const made = await scenario(t)
  made.write(RECORD, '{ "status": "admitted", ')
  assertBlocked(await runTask(made), made, 'admission', 'invalid_admission')
})

verifies('ADM-A11', 'a record with a secret in it is refused, and the secret is nowhere in what the run leaves', async (t) => {
  const made = await scenario(t)
  const secret = `sk-ant-api03-${'Zq7'.repeat(20)}`
  made.set(RECORD, ['approval_source'], secret)
  const ran = await runTask(made)
  assertBlocked(ran, made, 'admission', 'invalid_admission')
  for (const name of ['report.json', 'report.md', 'trace.jsonl', 'backend/provider-model-not-admitted.txt']) assert.ok(!readFileSync(join(ran.runDirectory, name), 'utf8').includes(secret), name)
  assert.ok(!readFileSync(join(made.directory, '.portcullis/ledger.db')).includes(secret))
  assert.ok(!`${ran.result.stdout}${ran.result.stderr}`.includes(secret))
})

verifies('ADM-N16', 'a provider that answers 401 blocks at the health gate', async (t) => {
  const made = await scenario(t, { script: { version: 1, models: ['coder-1'], requireKey: 'the-right-key', turns: [] } })
  const ran = await runTask(made)
  assertBlocked(ran, made, 'health', 'provider_auth')
  assert.equal(made.provider.requests().length, 1)
})

verifies('MC-105 MC-100 MC-101', 'probe exits 0 only if every asked profile is healthy, with one record each', async (t) => {
  const made = await scenario(t)
  const healthy = await made.portcullis(['probe', '--profile', 'pi_scripted', '--json'])
  assert.equal(healthy.code, 0)
  const [record] = JSON.parse(healthy.stdout) as { healthy: boolean; static_ok: boolean; served_model: string; tools: boolean; latency_ms: number }[]
  assert.ok(record?.healthy === true && record.static_ok && record.served_model === 'coder-1' && record.tools && record.latency_ms >= 0)
  assert.equal(made.provider.requests().at(-1)?.model, 'coder-1')
  made.set(CONFIGURATION, ['profiles', 'other'], {
    agent: 'command',
    command: ['node', 'agent.mjs'],
    model: 'scripted/coder-2',
    permissions: 'bypass',
    purposes: ['ticket'],
    isolation: 'env',
    backgroundModels: 'refuse',
    limits: { total: '1m', idle: '30s', calls: 50, tokens: 200_000 },
  })
  const mixed = await made.portcullis(['probe', '--all', '--json'])
  assert.equal(mixed.code, 3)
  const records = JSON.parse(mixed.stdout) as { profile: string; healthy: boolean; static_ok: boolean; stage: string; reason: string }[]
  assert.deepEqual(records.map(({ profile, healthy: isHealthy }) => [profile, isHealthy]), [['pi_scripted', true], ['other', false]])
  assert.deepEqual([records[1]?.static_ok, records[1]?.stage, records[1]?.reason], [true, 'admission', 'missing_admission'])
})
