/**
 * The real Case, from a checkout with its packages and assets in place, run with the real Bun; see docs/case.md. Offline: the
 * scripted provider answers through the wire.
 */
import assert from 'node:assert/strict'
import { cpSync, existsSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import * as z from 'zod'
import { LIFECYCLE } from '../../src/contract/lifecycle.ts'
import { type CasePair, type CaseScenario, caseScenario, CODEX, LOCAL, PROFILE_OF_CASE, refusing, RESULT, talking, VARIABLE, working } from '../e2e/case-scenario.ts'
import { CONFIGURATION, runTask } from '../e2e/scenario.ts'
import type { CaseProgram } from '../helpers/case-program.ts'
import { notHere, SEALED_LEVELS } from '../helpers/sealed.ts'

const checkout = process.env['CASE_CHECKOUT']
const bun = process.env['CASE_BUN'] ?? 'bun'
const skip = checkout === undefined ? 'CASE_CHECKOUT names no checkout of Case' : false

const versionOf = (folder: string): string => z.looseObject({ version: z.string() }).parse(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))).version
const piOf = (root: string): string => versionOf(join(root, 'node_modules/@mariozechner/pi-agent-core'))

const programAt = (root: string): CaseProgram => ({ root, command: [bun, join(root, 'src/index.ts')], version: `${versionOf(root)}+pi.${piOf(root)}` })

const real = (t: TestContext, pair: CasePair, options: Omit<Parameters<typeof caseScenario>[2] & object, 'program' | 'fault'> = {}): Promise<CaseScenario> => caseScenario(t, pair, { ...options, program: () => programAt(checkout ?? '') })

const ENVIRONMENT_MAPPED: readonly CasePair[] = [
  { provider: 'anthropic', model: 'claude-sonnet-4-6', dialect: 'anthropic-messages' },
  { provider: 'openai', model: 'gpt-5.4', dialect: 'openai-responses' },
]

for (const [pair, bridge] of [[LOCAL, '1'], [CODEX, '1'], ...ENVIRONMENT_MAPPED.map((each) => [each, ''] as const)] as const) {
  test(`the real Case passes with ${pair.provider}/${pair.model}, ${bridge === '1' ? 'by the bridge' : 'by a variable that Pi knows'}`, { skip }, async (t) => {
    const made = await real(t, pair)
    made.env[VARIABLE.bridge] = bridge
    const { report } = await runTask(made, ['--backend', 'case'])
    assert.equal(report.status, 'pass', `${report.summary} ${JSON.stringify(report.refusal)}`)
    assert.deepEqual(report.gates.map(({ gate, outcome }) => [gate, outcome]), LIFECYCLE.map((gate) => [gate, 'pass']))
    assert.deepEqual([report.case_model_provider, report.case_model, report.case_model_admission_status, report.served_provider, report.served_model], [pair.provider, pair.model, 'admitted', pair.provider, pair.model])
    assert.equal(report.workspace?.commits.length, 1)
    assert.deepEqual(report.workspace?.files.map(({ path }) => path), ['src/slugify.js'])
    // Implementer twice, reviewer, closer, retrospective at least.
    assert.ok(report.wire_requests >= 5, String(report.wire_requests))
    assert.equal(report.case_bridge_sha256 === null, bridge !== '1')
    assert.equal((await made.portcullis(['verify', report.run_id])).code, 0)
  })
}

for (const level of SEALED_LEVELS) {
  for (const pair of [LOCAL, CODEX]) {
    test(`the real Case does its work at ${level} with ${pair.provider}/${pair.model}`, { skip }, async (t) => {
      const obstacle = await notHere(level)
      if (obstacle !== false) return t.skip(obstacle)
      const made = await real(t, pair)
      made.set(CONFIGURATION, [...PROFILE_OF_CASE, 'isolation'], level)
      const { report } = await runTask(made, ['--backend', 'case'])
      assert.deepEqual([report.status, report.reason], ['pass', null], `${report.summary} ${JSON.stringify(report.refusal)}`)
      assert.deepEqual(report.isolation, { required: level, reached: level, record_complete: level === 'network' })
      assert.deepEqual([report.model.served, report.workspace?.files.map(({ path }) => path)], [[pair.model], ['src/slugify.js']])
    })
  }
}

for (const [what, pair, change, reason, marker] of [
  ['no record', LOCAL, (made: CaseScenario) => delete made.env[VARIABLE.file], 'missing_admission', 'provider-model-not-admitted'],
  ['a mismatch', LOCAL, (made: CaseScenario) => Object.assign(made.env, { [VARIABLE.model]: 'other' }), 'mismatch', 'provider-model-not-admitted'],
  ['no bridge', CODEX, (made: CaseScenario) => delete made.env[VARIABLE.bridge], 'auth_route_missing', 'provider-auth-unavailable'],
  ['no local base URL', LOCAL, (made: CaseScenario) => delete made.env[VARIABLE.local], 'local_config_missing', 'provider-local-config-missing'],
] as const) {
  test(`the real Case is blocked by ${what}`, { skip }, async (t) => {
    const made = await real(t, pair)
    change(made)
    const { report } = await runTask(made, ['--backend', 'case'])
    assert.deepEqual([report.status, report.reason, report.case_process_started, report.markers], ['blocked', reason, false, [`backend/${marker}.txt`]])
  })
}

test('the real Case is blocked by a model that its Pi does not know', { skip: skip === false && piOf(checkout ?? '') !== '0.63.2' ? 'this Pi is another than 0.63.2, and may know it' : skip }, async (t) => {
  const { report } = await runTask(await real(t, { ...CODEX, model: 'gpt-5.5' }), ['--backend', 'case'])
  assert.deepEqual([report.status, report.reason, report.markers], ['blocked', 'catalogue_model_unknown', ['backend/provider-model-not-in-catalogue.txt']])
})

test('the real Case without its generated assets is blocked: it would not start', { skip }, async (t) => {
  const made = await caseScenario(t, LOCAL, {
    program: (directory) => {
      const root = join(directory, 'clean-clone')
      cpSync(checkout ?? '', root, { recursive: true, filter: (source) => !/\/(?:node_modules|\.git)(?:\/|$)/.test(source) })
      symlinkSync(join(checkout ?? '', 'node_modules'), join(root, 'node_modules'))
      rmSync(join(root, 'src/generated'), { recursive: true })
      return programAt(root)
    },
  })
  const { report } = await runTask(made, ['--backend', 'case'])
  assert.deepEqual([report.status, report.reason, report.markers], ['blocked', 'agent_does_not_start', ['backend/runtime-does-not-start.txt']])
})

for (const [what, script, reason, marker] of [
  ['without delimiters', working(LOCAL.model, { text: 'All done and committed.' }), 'agent_protocol', 'provider-agent-protocol'],
  ['that changed nothing', talking(LOCAL.model, RESULT()), 'done_without_change', undefined],
  ['that refuses the key', refusing(LOCAL.model), 'provider_auth', 'provider-auth-unavailable'],
] as const) {
  test(`the real Case fails with a model ${what}, and exits 0`, { skip }, async (t) => {
    const { report } = await runTask(await real(t, LOCAL, { script }), ['--backend', 'case'])
    assert.deepEqual([report.status, report.reason, report.case_process_started, report.exit?.code, report.markers], ['fail', reason, true, 0, marker === undefined ? [] : [`backend/${marker}.txt`]], report.summary)
  })
}

test('what stands in the repository for Bun has no say: neither its .env nor its bunfig.toml', { skip }, async (t) => {
  const made = await real(t, LOCAL)
  made.write('repository/.env', 'CASE_MODEL_OVERRIDE=other\nPI_CODING_AGENT_DIR=/tmp/nowhere\n')
  made.write('repository/bunfig.toml', 'preload = ["./evil.ts"]\n')
  const trace = join(made.directory, 'evil-ran')
  made.write('repository/evil.ts', `require('node:fs').writeFileSync(${JSON.stringify(trace)}, '')\n`)
  const { report } = await runTask(made, ['--backend', 'case'])
  assert.equal(report.status, 'pass', report.summary)
  assert.equal(existsSync(trace), false)
})
