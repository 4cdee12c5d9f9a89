import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { sha256 } from '../../src/contract/canonical.ts'
import { launchGate, type PlannedLaunch } from '../../src/gates/launch/index.ts'
import { readinessGate } from '../../src/gates/readiness/index.ts'
import { factsOf, launchOf, opened, profile, readinessOf, requestFor, turnFor } from '../helpers/agents.ts'
import { chatServer } from '../helpers/chat-server.ts'
import { verifies } from '../verifies.ts'
import { piAgent } from '../../src/adapters/agent-pi/index.ts'

const pi = piAgent({ program: undefined, directory: import.meta.dirname })
const evidence = ['0'.repeat(64)] as const

// Our own environment, as it is on a developer's machine: with credentials, and with a HOME that pi knows. The files are
// pipes that nobody writes to: whoever reads one hangs, and would never become ready.
const canary = 'canary-9c1f6d5e7a3b-must-stay-here'
const CANARIES = ['GITHUB_TOKEN', 'GH_TOKEN', 'AWS_ACCESS_KEY_ID', 'AWS_BEARER_TOKEN_BEDROCK', 'ANTHROPIC_API_KEY', 'OPENAI_API_KEY', 'GEMINI_API_KEY', 'HF_TOKEN', 'CASE_MODEL_OVERRIDE', 'CASE_QUIET', 'XDG_CONFIG_HOME']
const canaryHome = mkdtempSync(join(tmpdir(), 'portcullis-canary-home-'))
mkdirSync(join(canaryHome, '.pi/agent'), { recursive: true })
for (const name of ['models.json', 'settings.json', 'auth.json']) execFileSync('mkfifo', [join(canaryHome, '.pi/agent', name)])
for (const name of CANARIES) process.env[name] = canary
process.env['HOME'] = canaryHome
const namesIn = (directory: string): Set<string> => new Set(readdirSync(directory, { recursive: true, encoding: 'utf8' }))
const homeBefore = namesIn(canaryHome)
after(() => rmSync(canaryHome, { recursive: true, force: true }))

verifies('ISO-04 SEC-01 ADM-C4 ADM-E6 ADM-E7 RDY-10', 'the real pi runs in its own HOME, on the planned configuration, and holds no credential of ours', async (context) => {
  const wire = await chatServer(context, { tool: 'bash', input: { command: 'env > environment.txt; pwd' } }, { text: 'Done ✔' })
  const request = requestFor(context, { profile, baseUrl: wire.baseUrl })
  const launch = launchOf(await pi.plan(request))
  assert.equal(launchGate.decide(factsOf(launch, request, [canary]), evidence).outcome, 'pass')

  const session = await opened(context, pi, launch, request)
  const facts = await readinessOf(session, launch)
  assert.deepEqual(facts.observed.claims, { model: 'coder-1', provider: 'scripted', version: null, effort: null })
  assert.equal(readinessGate.decide(facts, evidence).outcome, 'pass', JSON.stringify(readinessGate.decide(facts, evidence)))
  const environ = readFileSync(`/proc/${session.process.pid}/environ`, 'utf8').split('\0')
  const names = environ.map((line) => line.split('=')[0] ?? '').filter((name) => name !== '' && name !== 'PORTCULLIS_PROCESS')
  assert.deepEqual(names.sort(), launch.plan.environmentNames)
  assert.ok(environ.includes(`HOME=${request.home}`) && environ.includes(`PI_CODING_AGENT_DIR=${request.configuration}`))

  const prompt = 'Say hello \u2028 to the world'
  const delivery = await session.deliver(await turnFor(prompt, session.process.pid), prompt, AbortSignal.timeout(20_000))
  assert.equal(delivery.ok, true)
  const outcome = await session.finished
  assert.deepEqual([outcome.exit.code, outcome.claimedStatus, outcome.claim], [0, 'completed', 'Done ✔'])

  assert.equal(wire.calls.length, 2)
  for (const call of wire.calls) {
    assert.equal(call.headers.authorization, `Bearer ${request.runToken}`)
    assert.match(call.body, /"model":"coder-1"/)
  }
  assert.ok(wire.calls[0]?.body.includes(JSON.stringify(prompt)))
  // What a command of the agent sees: the run token, and nothing of ours.
  const seen = readFileSync(join(request.workspace, 'environment.txt'), 'utf8')
  assert.ok(seen.includes(request.runToken))
  assert.ok(!seen.includes(canary) && !seen.includes(canaryHome))
  for (const file of readdirSync(request.runDirectory, { recursive: true, withFileTypes: true })) {
    if (file.isFile()) assert.ok(!readFileSync(join(file.parentPath, file.name)).includes(canary), file.name)
  }
  assert.deepEqual(namesIn(canaryHome), homeBefore)
})

verifies('ADM-C5', 'models.json holds the admitted pair alone, the wire for its address and a name for its key', async (context) => {
  const request = requestFor(context, { profile: { ...profile, effort: 'high', context: '1m' }, baseUrl: 'http://127.0.0.1:4010/v1' })
  const { files, plan } = launchOf(await pi.plan(request))
  const content = Object.fromEntries(files.map((file) => [file.path.slice(request.configuration.length + 1), file.content]))
  assert.deepEqual(Object.keys(content), ['models.json', 'settings.json', 'auth.json'])
  assert.deepEqual(JSON.parse(content['models.json'] ?? ''), {
    providers: {
      scripted: {
        baseUrl: 'http://127.0.0.1:4010/v1',
        api: 'openai-completions',
        apiKey: '$PORTCULLIS_RUN_TOKEN',
        models: [{ id: 'coder-1', name: 'coder-1', reasoning: true, input: ['text'], contextWindow: 1_000_000, compat: { supportsDeveloperRole: false, supportsStore: false } }],
      },
    },
  })
  assert.equal(content['auth.json'], '{}')
  assert.deepEqual(plan.files.map(({ sha256: digest }) => digest), files.map((file) => sha256(file.content)))
  assert.ok(!JSON.stringify({ plan, files }).includes(request.runToken))
})

for (const [dialect, path, key] of [['openai-responses', '/v1/responses', 'authorization'], ['anthropic-messages', '/v1/messages', 'x-api-key']] as const) {
  test(`pi reaches a provider of ${dialect} through the wire, with the run token`, async (context) => {
    const wire = await chatServer(context, { status: 400 })
    const baseUrl = dialect === 'anthropic-messages' ? wire.baseUrl.replace(/\/v1$/, '') : wire.baseUrl
    const request = requestFor(context, { profile, baseUrl, dialect })
    const launch = launchOf(await pi.plan(request))
    const session = await opened(context, pi, launch, request)
    assert.equal((await session.ready(AbortSignal.timeout(20_000))).responded, true)
    assert.equal((await session.deliver(await turnFor('hello', session.process.pid), 'hello', AbortSignal.timeout(20_000))).ok, true)
    assert.equal((await session.finished).claimedStatus, 'failed')
    assert.equal(wire.calls[0]?.path.split('?')[0], path)
    assert.ok(String(wire.calls[0]?.headers[key]).endsWith(request.runToken))
    assert.match(wire.calls[0]?.body ?? '', /"model":"coder-1"/)
  })
}

test('a refused credential is what pi claims to have failed by, though it exits with 0', async (context) => {
  const wire = await chatServer(context, { status: 401 })
  const request = requestFor(context, { profile, baseUrl: wire.baseUrl })
  const launch = launchOf(await pi.plan(request))
  const session = await opened(context, pi, launch, request)
  assert.equal((await session.deliver(await turnFor('hello', session.process.pid), 'hello', AbortSignal.timeout(20_000))).ok, true)
  const outcome = await session.finished
  assert.deepEqual([outcome.exit.code, outcome.claimedStatus], [0, 'failed'])
  assert.match(outcome.claim, /401/)
  assert.equal(wire.calls.length, 1)
})

/** The launch with another models.json than was planned for it: what a defect of the generated configuration would be. */
function withModels(launch: PlannedLaunch, ids: readonly string[]): PlannedLaunch {
  const files = launch.files.map((file) => {
    if (!file.path.endsWith('models.json')) return file
    return { ...file, content: JSON.stringify({ providers: { scripted: { baseUrl: 'http://127.0.0.1:1/v1', api: 'openai-completions', apiKey: '$PORTCULLIS_RUN_TOKEN', models: ids.map((id) => ({ id })) } } }) }
  })
  return { ...launch, files, plan: { ...launch.plan, files: files.map(({ path, content }) => ({ path, sha256: sha256(content) })) } }
}

verifies('RDY-10', 'a model that pi picks by a similar name is a contradiction of the plan', async (context) => {
  const request = requestFor(context, { profile })
  const launch = withModels(launchOf(await pi.plan(request)), ['coder-10', 'coder-1-mini'])
  const session = await opened(context, pi, launch, request)
  const finding = readinessGate.decide(await readinessOf(session, launch), evidence)
  assert.equal(finding.outcome === 'block' && finding.reason, 'agent_not_as_planned')
  assert.match(finding.outcome === 'block' ? finding.found : '', /the agent says model "coder-10?(-mini)?", planned "coder-1"/)
})

test('an effort that pi drops is a contradiction of the plan', async (context) => {
  const request = requestFor(context, { profile: { ...profile, effort: 'high' } })
  const launch = withModels(launchOf(await pi.plan(request)), ['coder-1'])
  const session = await opened(context, pi, launch, request)
  const finding = readinessGate.decide(await readinessOf(session, launch), evidence)
  assert.equal(finding.outcome === 'block' && finding.found, 'the agent says effort "off", planned "high"')
})

verifies('RDY-08', 'a configuration and a program changed after the plan are both named', async (context) => {
  const request = requestFor(context, { profile })
  const launch = launchOf(await pi.plan(request))
  const session = await opened(context, pi, launch, request)
  const before = await readinessOf(session, launch)
  assert.equal(readinessGate.decide(before, evidence).outcome, 'pass')
  writeFileSync(join(request.configuration, 'settings.json'), '{}')
  rmSync(join(request.configuration, 'models.json'))
  const finding = readinessGate.decide(await readinessOf(session, { ...launch, plan: { ...launch.plan, program: { ...launch.plan.program, sha256: 'f'.repeat(64) } } }), evidence)
  const found = finding.outcome === 'block' ? finding.found : ''
  for (const part of [/cli\.js was changed/, /settings\.json was changed/, /models\.json cannot be read/]) assert.match(found, part)
})

verifies('MC-131', 'without the shell in its mode pi runs no command, though the model asks for one', async (context) => {
  for (const permissions of ['read-only', 'accept-edits'] as const) {
    const wire = await chatServer(context, { tool: 'bash', input: { command: 'touch made-by-shell' } }, { tool: 'write', input: { path: 'made-by-edit', content: 'x' } }, { text: 'Done' })
    const request = requestFor(context, { profile: { ...profile, permissions }, baseUrl: wire.baseUrl })
    const launch = launchOf(await pi.plan(request))
    assert.deepEqual(launch.plan.permissions.mode, permissions)
    const session = await opened(context, pi, launch, request)
    assert.equal((await session.deliver(await turnFor('hello', session.process.pid), 'hello', AbortSignal.timeout(20_000))).ok, true)
    await session.finished
    assert.equal(wire.calls.length, 3)
    assert.equal(existsSync(join(request.workspace, 'made-by-shell')), false)
    assert.equal(existsSync(join(request.workspace, 'made-by-edit')), permissions === 'accept-edits')
  }
})

verifies('MC-131', 'pi cannot be held to asking', async (context) => {
  const request = requestFor(context, { profile: { ...profile, permissions: 'ask' } })
  const finding = launchGate.decide(factsOf(launchOf(await pi.plan(request)), request), evidence)
  assert.equal(finding.outcome === 'block' && finding.reason, 'permission_mode_unsupported')
})

test('a second prompt during a turn is refused by pi itself, and ending it leaves no process', async (context) => {
  const wire = await chatServer(context, 'hang')
  const request = requestFor(context, { profile, baseUrl: wire.baseUrl })
  const launch = launchOf(await pi.plan(request))
  const session = await opened(context, pi, launch, request)
  assert.equal(session.state(), 'idle')
  assert.equal((await session.deliver(await turnFor('one', session.process.pid), 'one', AbortSignal.timeout(20_000))).ok, true)
  assert.equal(session.state(), 'running')
  const second = await session.deliver(await turnFor('two', session.process.pid), 'two', AbortSignal.timeout(20_000))
  assert.match(second.ok ? '' : second.refusal.found, /pi refused it: .*already processing/i)
  await session.stop(2_000)
  assert.equal((await session.finished).claimedStatus, null)
  assert.equal(session.state(), 'dead')
  const third = await session.deliver(await turnFor('three', session.process.pid), 'three', AbortSignal.timeout(20_000))
  assert.equal(third.ok ? '' : third.refusal.found, 'pi has ended')
  assert.equal((await session.ready(AbortSignal.timeout(5_000))).responded, false)
})
