import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readRecordText } from '../../src/gates/admission/index.ts'
import { leavesOf } from '../../src/gates/report/index.ts'
import { verifies } from '../verifies.ts'
import { caseScenario, CODEX, LOCAL, refusing, RESULT, talking, VARIABLE, working } from '../e2e/case-scenario.ts'
import { type Ran, runTask } from '../e2e/scenario.ts'

const AS_CASE = ['--backend', 'case']

const events = ({ runDirectory }: Ran): string[] => readFileSync(join(runDirectory, 'trace.jsonl'), 'utf8').trim().split('\n').map((line) => (JSON.parse(line) as { type: string }).type)

for (const pair of [LOCAL, CODEX]) {
  verifies('ADM-T2 ADM-T5 ADM-T6 ADM-T7 ADM-N8 ADM-N9 ADM-P4 ADM-C4 ADM-C6 ADM-E1 ADM-E2 ADM-E7', `a run of Case with ${pair.provider}/${pair.model} passes, with the fields of the documents, and leaves the user's own settings alone`, async (t) => {
    const made = await caseScenario(t, pair)
    const home = join(made.directory, 'own-home')
    for (const [path, content] of [['.pi/agent/models.json', `{"providers":{"${pair.provider}":{"baseUrl":"http://127.0.0.1:1/v1"}}}`], ['.config/case/config.json', '{"models":{"default":{"provider":"anthropic","model":"claude-sonnet-4-6"}}}']] as const) {
      mkdirSync(join(home, path, '..'), { recursive: true })
      writeFileSync(join(home, path), content)
    }
    const inHome = (): string => readdirSync(home, { recursive: true }).map(String).sort((a, b) => a.localeCompare(b)).join('\n')
    const before = inHome()
    Object.assign(made.env, { HOME: home, CASE_MODEL_OVERRIDE: 'other', CASE_DATA_DIR: join(home, '.config/case'), PI_CODING_AGENT_DIR: join(home, '.pi/agent') })
    const ran = await runTask(made, AS_CASE)
    const { report, runDirectory } = ran
    assert.equal(report.status, 'pass', JSON.stringify(report.refusal))
    const { backend, case_process_started, case_model_provider, case_model, case_model_admission_status, case_observed_fallback_provider, case_observed_fallback_model, served_provider, served_model, wire_requests, runtime_failure_class } = report
    assert.deepEqual(
      { backend, case_process_started, case_model_provider, case_model, case_model_admission_status, case_observed_fallback_provider, case_observed_fallback_model, served_provider, served_model, wire_requests, runtime_failure_class },
      { backend: 'case', case_process_started: true, case_model_provider: pair.provider, case_model: pair.model, case_model_admission_status: 'admitted', case_observed_fallback_provider: 'anthropic', case_observed_fallback_model: 'claude-sonnet-4-6', served_provider: pair.provider, served_model: pair.model, wire_requests: 4, runtime_failure_class: null },
    )
    assert.match(report.case_bridge_sha256 ?? '', /^sha256:[0-9a-f]{64}$/)
    assert.equal(report.workspace?.commits.length, 1)
    assert.deepEqual(report.workspace?.files.map(({ path }) => path), ['src/slugify.js'])
    assert.equal(events(ran).filter((type) => type === 'case_process_started').length, 1)
    assert.deepEqual([report.markers, report.reason], [[], null])
    const config: unknown = JSON.parse(readFileSync(join(runDirectory, 'backend/case-config.json'), 'utf8'))
    assert.deepEqual(config, { version: 1, projects: './projects.json', defaultModel: pair.model, models: { default: { provider: pair.provider, model: pair.model } } })
    assert.equal(inHome(), before)
    assert.ok(made.provider.requests().filter(({ inference }) => inference).every(({ model }) => model === pair.model))
    assert.equal((await made.portcullis(['verify', report.run_id])).code, 0)
    // A report is no record: what it says of an admission admits nothing.
    assert.equal(readRecordText(readFileSync(join(runDirectory, 'report.json'), 'utf8')).record, null)
  })
}

verifies('ADM-M3 ADM-T3 ADM-T7 ADM-N15', 'an answer without the delimiters fails as the protocol, with its marker, beside how Case calls it', async (t) => {
  const made = await caseScenario(t, LOCAL, { script: working(LOCAL.model, { text: 'All done and committed.' }) })
  const { report, runDirectory, result } = await runTask(made, AS_CASE)
  assert.deepEqual([result.code, report.status, report.reason, report.runtime_failure_class, report.exit?.code], [4, 'fail', 'agent_protocol', 'agent-protocol-error', 0])
  assert.match(report.summary, /case agent result protocol failed: AGENT_RESULT start delimiter not found/)
  assert.deepEqual(report.markers, ['backend/provider-agent-protocol.txt'])
  assert.match(readFileSync(join(runDirectory, report.markers[0] ?? ''), 'utf8'), /^status: agent_protocol\nasked: .*\nfound: AGENT_RESULT start delimiter not found\n/)
  assert.ok(leavesOf(report).some(([path]) => path === 'runtime_failure_class'))
})

const ECHO = '<<<AGENT_RESULT\n{"status":"completed","summary":"<what was done>","artifacts":{"commit":"<hash>","filesChanged":["<file>"],"testsPassed":true},"error":null}\nAGENT_RESULT>>>'

for (const [what, text, reason] of [
  ['repeats the example of its prompt', ECHO, 'agent_protocol'],
  ['says completed and changed nothing', RESULT(), 'done_without_change'],
] as const) {
  verifies('ADM-N15', `a model that ${what} passes nothing, although Case says that all went well`, async (t) => {
    const made = await caseScenario(t, LOCAL, { script: talking(LOCAL.model, text) })
    const { report } = await runTask(made, AS_CASE)
    assert.deepEqual([report.status, report.reason, report.exit?.code, report.exit?.claimed_status, report.workspace?.files_changed], ['fail', reason, 0, 'completed', 0])
  })
}

verifies('ADM-N14 ADM-N15', 'a Case that asks no model anything fails by that, and not by its protocol', async (t) => {
  const made = await caseScenario(t, LOCAL, { fault: 'no-work' })
  const { report } = await runTask(made, AS_CASE)
  assert.deepEqual([report.reason, report.wire_requests, report.served_model, report.exit?.claimed_status, report.markers], ['no_model_call', 0, null, 'completed', []])
})

verifies('ADM-N16', 'a key that the provider refuses is told as that, and not as the delimiter that Case misses', async (t) => {
  const made = await caseScenario(t, LOCAL, { script: refusing(LOCAL.model) })
  const { report } = await runTask(made, AS_CASE)
  assert.deepEqual([report.status, report.reason, report.case_process_started, report.markers], ['fail', 'provider_auth', true, ['backend/provider-auth-unavailable.txt']])
})

verifies('ADM-N9', 'another model than the admitted one is refused on the wire, whoever chose it', async (t) => {
  const made = await caseScenario(t, LOCAL, { fault: 'other-model' })
  const { report } = await runTask(made, AS_CASE)
  assert.deepEqual([report.status, report.reason, report.served_model], ['fail', 'model_not_admitted', null])
  assert.deepEqual(made.provider.requests().filter(({ model }) => model !== LOCAL.model), [])
})

verifies('ADM-X1 ADM-X3 ADM-X4 ADM-X6 SEC-08', 'what Case writes of its token is found on each surface, in its markers and behind what is kept of its state', async (t) => {
  const made = await caseScenario(t, LOCAL, { fault: 'leaks' })
  const { report, runDirectory, result } = await runTask(made, AS_CASE)
  assert.deepEqual([result.code, report.status, report.reason], [4, 'fail', 'secret_leak'])
  const found = report.gates.at(-1)?.found?.replace(/left-\w+/g, 'left').replaceAll(report.run_id, 'run').split('), ').map((place) => place.replace(/ at byte .*/, '')).sort((a, b) => (a < b ? -1 : 1))
  assert.deepEqual(found, ['agent/configuration/case/state.json', 'agent/configuration/left/case/run/events/run-1.jsonl', 'agent/configuration/left/case/run/long.log', 'agent/configuration/left/case/run/plan.json', 'agent/configuration/left/case/run/reviewed', 'backend/agent.stderr.log', 'backend/agent.stdout.log', 'backend/case-events.jsonl', 'backend/case-plan.json'].map((name) => `${name} (base64`))
  assert.deepEqual(readdirSync(join(runDirectory, 'backend')).sort((a, b) => (a < b ? -1 : 1)), ['agent.stderr.redacted.log', 'agent.stdout.redacted.log', 'case-config.json', 'case-events.redacted.jsonl', 'case-plan.redacted.json', 'workspace.patch'])
  assert.ok(readdirSync(join(runDirectory, 'backend')).every((name) => !readFileSync(join(runDirectory, 'backend', name), 'utf8').includes(Buffer.from('pcr_').toString('base64').slice(0, 5))))
})

verifies('ADM-T2', 'a run of another agent has the fields of Case, and nothing in them', async (t) => {
  const made = await caseScenario(t, LOCAL)
  made.env[VARIABLE.provider] = 'nobody'
  made.set('portcullis.yaml', ['profiles', 'pi_scripted', 'command'], ['node', '-e', '0'])
  const { report } = await runTask(made)
  assert.deepEqual([report.backend, report.case_process_started, report.case_model_provider, report.case_model_admission_status, report.case_observed_fallback_model], ['command', null, null, null, null])
})
