import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { sha256 } from '../../contract/canonical.ts'
import type { AgentSession } from '../../engine/agent.ts'
import type { PlannedLaunch } from '../../gates/launch/index.ts'
import { readinessGate } from '../../gates/readiness/index.ts'
import { type ProviderScript, type ScriptedProvider, startScriptedProvider } from '../scripted-provider/index.ts'
import { launchOf, opened, profile as anyProfile, readinessOf, requestFor, turnFor } from '../../../test/helpers/agents.ts'
import { type CaseFault, layOutCase } from '../../../test/helpers/case-program.ts'
import { verifies } from '../../../test/verifies.ts'
import { caseAgent, VARIABLES } from './index.ts'

const PAIR = { provider: 'qwen-local', model: 'qwen3.6-35b-a3b' }
const RESULT = '<<<AGENT_RESULT\n{"status":"completed","summary":"done","error":null}\nAGENT_RESULT>>>'
const EXAMPLE = '<<<AGENT_RESULT\n{"status":"completed","summary":"<what was done>","artifacts":{"commit":"<hash>","filesChanged":["<file>"],"testsPassed":true},"error":null}\nAGENT_RESULT>>>'

interface Bench {
  readonly request: ReturnType<typeof requestFor>
  readonly launch: PlannedLaunch
  readonly session: AgentSession
  readonly provider: ScriptedProvider
}

/** A started Case in front of a provider that answers `text` to its run token, in place of the wire. */
async function bench(context: TestContext, options: { readonly text?: string; readonly fault?: CaseFault; readonly change?: (launch: PlannedLaunch) => PlannedLaunch; readonly faults?: ProviderScript['faults'] } = {}): Promise<Bench> {
  const answers: ProviderScript = { version: 1, models: [PAIR.model], turns: [{ when: { always: true }, answer: { text: options.text ?? RESULT } }], ...(options.faults === undefined ? {} : { faults: options.faults }) }
  const provider = await startScriptedProvider({ script: answers, port: 0 })
  context.after(() => provider.close())
  const inherited = { PATH: process.env['PATH'], [VARIABLES.bridge]: '1', [VARIABLES.localBaseUrl]: 'http://127.0.0.1:8009/v1' }
  const request = requestFor(context, { pair: PAIR, baseUrl: `${provider.url}/v1`, inherited, profile: anyProfile })
  const profile = { ...request.profile, agent: 'case', command: [...layOutCase(request.runDirectory, options.fault).command] }
  const planned = launchOf(await caseAgent.plan({ ...request, profile }))
  const launch = options.change?.(planned) ?? planned
  return { request, launch, provider, session: await opened(context, caseAgent, launch, request) }
}

const deliver = async ({ session }: Bench, prompt = 'Write slugify.'): ReturnType<typeof session.deliver> => session.deliver(await turnFor(prompt, session.process.pid), prompt, AbortSignal.timeout(10_000))

test('the prompt is the task of Case, which is not loaded before; what it leaves is kept, and taken out of the workspace', async (context) => {
  const made = await bench(context)
  const { session, request, launch, provider } = made
  assert.equal(readinessGate.decide(await readinessOf(session, launch), ['0'.repeat(64)]).outcome, 'pass')
  assert.deepEqual([existsSync(join(request.workspace, '.case')), provider.requests().length, session.state()], [false, 0, 'idle'])
  assert.deepEqual(await deliver(made), { ok: true, receipt: '14 bytes written to standard input, which was then closed' })
  assert.equal((await deliver(made)).ok, false)
  const outcome = await session.finished
  assert.deepEqual([outcome.exit.code, outcome.claimedStatus, outcome.claim, outcome.runtimeFailure], [0, 'completed', 'Pipeline completed successfully.', null])
  assert.equal(readFileSync(launch.environment['PORTCULLIS_CASE_TASK'] ?? '', 'utf8'), 'Write slugify.')
  assert.deepEqual(outcome.artefacts.map(({ name }) => name), ['backend/case-config.json', 'backend/case-plan.json', 'backend/case-events.jsonl'])
  assert.match(outcome.artefacts[2]?.content.toString() ?? '', /pipeline_start/)
  assert.equal(existsSync(join(request.workspace, '.case')), false)
  const [left] = readdirSync(request.configuration).filter((name) => name.startsWith('left-'))
  assert.ok(existsSync(join(request.configuration, left ?? '', 'case', request.runId, 'tested')), 'all of it lies where credentials are looked for')
  assert.equal(session.state(), 'dead')
  // Each role asked once, with the run token and nothing else.
  assert.equal(provider.requests().length, 2)
  assert.equal(session.objection(outcome, RESULT), null)
})

test('without a prompt Case is never loaded', async (context) => {
  const made = await bench(context)
  made.session.process.closeStdin()
  const outcome = await made.session.finished
  assert.deepEqual([outcome.exit.code, made.provider.requests().length, outcome.exit.stdout.bytes], [75, 0, 0])
  assert.equal((await deliver(made)).ok, false)
})

const withoutBridge = (launch: PlannedLaunch): PlannedLaunch => {
  const argv = launch.argv.filter((argument, index) => !argument.endsWith('/bridge.mjs') && !(argument === '--preload' && launch.argv[index + 1]?.endsWith('/bridge.mjs') === true))
  return { ...launch, argv: argv as [string, ...string[]], plan: { ...launch.plan, argv } }
}

verifies('ADM-P4', 'the bridge is what lets the key through and the provider\'s own error out: without it nothing is asked, and a delimiter is blamed', async (context) => {
  const bare = await bench(context, { change: withoutBridge })
  await deliver(bare)
  const silent = await bare.session.finished
  assert.deepEqual([bare.provider.requests().length, silent.exit.code, silent.claimedStatus, silent.runtimeFailure], [0, 0, 'failed', 'agent-protocol-error'])

  const refused = await bench(context, { faults: [{ on: { always: true }, fault: { status: 401 } }] })
  await deliver(refused)
  const told = await refused.session.finished
  assert.deepEqual([refused.provider.requests().length, told.claimedStatus, told.runtimeFailure], [2, 'failed', 'unknown'])
  assert.match(told.artefacts.at(-1)?.content.toString() ?? '', /Agent spawn error: 401/)
})

for (const [what, spoil] of [
  ['corrupt', (path: string) => writeFileSync(path, '{')],
  ['missing', (path: string) => rmSync(path)],
  ['with a key for a role', (path: string) => writeFileSync(path, readFileSync(path, 'utf8').replace('"default"', '"reviewer": {"provider":"anthropic","model":"claude-sonnet-4-6"}, "default"'))],
] as const) {
  verifies('ADM-C7 ADM-C2', `a generated configuration that is ${what} when Case is about to get its task is refused, and nothing is asked`, async (context) => {
    const made = await bench(context)
    spoil(made.launch.files.find(({ path }) => basename(path) === 'config.json')?.path ?? '')
    const finding = readinessGate.decide(await readinessOf(made.session, made.launch), ['0'.repeat(64)])
    assert.equal(finding.outcome === 'block' && finding.reason, 'agent_not_as_planned')
    assert.match(finding.outcome === 'block' ? finding.found : '', /config\.json/)
    assert.equal(made.provider.requests().length, 0)
  })
}

verifies('ADM-C2', 'a configuration that was changed while Case ran stands against the run, whatever its result says', async (context) => {
  const made = await bench(context, { fault: 'changes-settings' })
  await deliver(made)
  const outcome = await made.session.finished
  const objection = made.session.objection(outcome, RESULT)
  assert.deepEqual([objection?.reason, objection?.message], ['agent_not_as_planned', 'The generated settings of Case were changed while it ran: case/config.json.'])
  assert.notEqual(sha256(outcome.artefacts[0]?.content ?? ''), made.launch.files[0] && sha256(made.launch.files[0].content))
})

test('a file of the settings that became a link or went away was changed', async (context) => {
  const made = await bench(context)
  const [config, auth] = ['config.json', 'auth.json'].map((name) => made.launch.files.find(({ path }) => basename(path) === name)?.path ?? '')
  const copy = join(made.request.runDirectory, 'copy.json')
  writeFileSync(copy, readFileSync(config ?? ''))
  rmSync(config ?? '')
  symlinkSync(copy, config ?? '')
  rmSync(auth ?? '')
  await deliver(made)
  const objection = made.session.objection(await made.session.finished, RESULT)
  assert.match(objection?.found ?? '', /case\/config\.json, pi\/auth\.json/)
})

test('a link in place of the state of Case is taken away and not followed', async (context) => {
  const made = await bench(context)
  const elsewhere = join(made.request.runDirectory, 'elsewhere')
  mkdirSync(elsewhere)
  writeFileSync(join(elsewhere, 'kept'), 'x')
  symlinkSync(elsewhere, join(made.request.workspace, '.case'))
  await deliver(made)
  await made.session.finished
  assert.deepEqual([existsSync(join(made.request.workspace, '.case')), readFileSync(join(elsewhere, 'kept'), 'utf8')], [false, 'x'])
})

test('the last words decide: none, no block, the echo of Case\'s own prompt, a failure', async (context) => {
  const made = await bench(context)
  await deliver(made)
  const outcome = await made.session.finished
  for (const [words, reason, found] of [
    [null, 'agent_protocol', 'no answer on the wire'],
    ['All done.', 'agent_protocol', 'AGENT_RESULT start delimiter not found'],
    [EXAMPLE, 'agent_protocol', 'the example of the prompt, repeated'],
    ['<<<AGENT_RESULT\n{"status":"blocked"}\nAGENT_RESULT>>>', 'agent_failed', 'status blocked'],
  ] as const) {
    const objection = made.session.objection(outcome, words)
    assert.deepEqual([objection?.reason, objection?.found], [reason, found])
    if (reason === 'agent_protocol') assert.equal(objection?.message, `case agent result protocol failed: ${found}`)
  }
})

test('before its end there is nothing to look at, and that stands against it', async (context) => {
  const made = await bench(context)
  const silence = { head: Buffer.alloc(0), tail: Buffer.alloc(0), bytes: 0, sha256: sha256(''), truncated: false }
  const exit = { code: 0, signal: null, stdout: silence, stderr: silence, leaked: false, durationMs: 1, readFailure: null }
  assert.equal(made.session.objection({ exit, claimedStatus: 'completed', claim: '', runtimeFailure: null, artefacts: [] }, RESULT)?.reason, 'evidence_invalid')
})
