import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { sha256 } from '../../contract/canonical.ts'
import type { Reason } from '../../contract/reasons.ts'
import { findSecretSurfaces, INHERITABLE_NAMES, launchGate, liesInside, type PlanRequest } from '../../gates/launch/index.ts'
import { factsOf, launchOf, profile as anyProfile, requestFor } from '../../../test/helpers/agents.ts'
import { type CaseFault, layOutCase } from '../../../test/helpers/case-program.ts'
import { verifies } from '../../../test/verifies.ts'
import { caseAgent, VARIABLES } from './index.ts'
import { BRIDGE } from './preloads.ts'

const evidence = ['0'.repeat(64)] as const
const LOCAL = { provider: 'qwen-local', model: 'qwen3.6-35b-a3b' }
const CODEX = { provider: 'openai-codex', model: 'gpt-5.4' }
const ENDPOINT = 'http://127.0.0.1:8009/v1'

type Request = ReturnType<typeof requestFor>

/** A request for a run of Case that lacks nothing; `asks` are variables of its documents, null takes one away. */
function requestOf(context: TestContext, change: Partial<PlanRequest> = {}, asks: Readonly<Record<string, string | null>> = {}, fault?: CaseFault): Request {
  const inherited: Record<string, string | undefined> = { PATH: process.env['PATH'], [VARIABLES.bridge]: '1', [VARIABLES.localBaseUrl]: `${ENDPOINT}/` }
  for (const [name, value] of Object.entries(asks)) inherited[name] = value ?? undefined
  const request = requestFor(context, { pair: LOCAL, endpoint: ENDPOINT, runId: '20261120T213918Z-r1-string-slugify-1', inherited, ...change, profile: change.profile ?? anyProfile })
  const { command } = layOutCase(request.runDirectory, fault)
  return { ...request, profile: { ...request.profile, agent: 'case', command: [...command] } }
}

async function refusalOf(request: Request, reason: Reason): Promise<{ message: string; found: string; remedy: string }> {
  const planned = await caseAgent.plan(request)
  const refusal = planned.ok ? await caseAgent.preflight(planned.launch, request) : planned.refusal
  assert.equal(refusal?.reason, reason, JSON.stringify(refusal))
  return refusal ?? assert.fail()
}

const codex = { pair: CODEX, dialect: 'openai-responses', endpoint: 'https://chatgpt.com/backend-api' } as const

const fileNamed = (launch: ReturnType<typeof launchOf>, name: string): unknown => JSON.parse(launch.files.find(({ path }) => basename(path) === name)?.content ?? 'null')

verifies('ADM-E5 ADM-E6 ADM-E7 ADM-C1 ADM-C2 ADM-C4 ADM-C5', 'all that Case, Pi and Bun read lies in the run, and names the admitted pair behind the wire alone', async (context) => {
  const ours = { CASE_MODEL_OVERRIDE: 'other', CASE_QUIET: '1', CASE_DATA_DIR: '/home/user/.config/case', XDG_CONFIG_HOME: '/home/user/.config', PI_CODING_AGENT_DIR: '/home/user/.pi/agent', GITHUB_TOKEN: 'x', GH_TOKEN: 'x', AWS_PROFILE: 'x', ANTHROPIC_API_KEY: 'x', OPENAI_API_KEY: 'x', HF_TOKEN: 'x', BUN_OPTIONS: '--preload=x', NODE_OPTIONS: '--import=x' }
  const request = requestOf(context, {}, ours)
  const launch = launchOf(await caseAgent.plan(request))
  const { environment, plan } = launch
  const made = ['BUN_RUNTIME_TRANSPILER_CACHE_PATH', 'CASE_DATA_DIR', 'CASE_PACKAGE_ROOT', 'DO_NOT_TRACK', 'GIT_CONFIG_NOSYSTEM', 'HOME', 'PI_CODING_AGENT_DIR', 'PI_OFFLINE', 'PI_TELEMETRY', 'PORTCULLIS_BRIDGE_SHA256', 'PORTCULLIS_CASE_PROVIDER', 'PORTCULLIS_CASE_TASK', 'PORTCULLIS_RUN_TOKEN', 'TMPDIR']
  assert.deepEqual(Object.keys(environment).sort(), [...made, ...INHERITABLE_NAMES.filter((name) => request.inherited[name] !== undefined)].sort())
  for (const name of ['CASE_DATA_DIR', 'PI_CODING_AGENT_DIR', 'HOME', 'TMPDIR', 'PORTCULLIS_CASE_TASK']) assert.ok(liesInside(request.runDirectory, environment[name] ?? ''), name)
  const config = launch.files.find(({ path }) => path === join(environment['CASE_DATA_DIR'] ?? '', 'config.json'))
  assert.deepEqual(JSON.parse(config?.content ?? ''), { version: 1, projects: './projects.json', defaultModel: LOCAL.model, models: { default: LOCAL } })
  assert.deepEqual(fileNamed(launch, 'models.json'), {
    providers: { 'qwen-local': { baseUrl: request.baseUrl, api: 'openai-completions', apiKey: 'PORTCULLIS_RUN_TOKEN', models: [{ id: LOCAL.model, name: LOCAL.model, reasoning: false, input: ['text'], compat: { supportsDeveloperRole: false, supportsStore: false } }] } },
  })
  assert.ok(launch.files.some(({ path }) => path === join(environment['PI_CODING_AGENT_DIR'] ?? '', 'models.json')))
  assert.deepEqual(fileNamed(launch, 'auth.json'), {})
  assert.equal(launch.files.find(({ path }) => basename(path) === 'bunfig.toml')?.content, 'env = false\n')
  assert.ok(launch.argv.some((argument) => argument.startsWith('--config=')))
  assert.deepEqual(fileNamed(launch, `${request.runId}.task.json`), { id: request.runId, status: 'active', created: '2026-11-20T21:39:18Z', repo: 'workspace', issueType: 'freeform', mode: 'unattended', profile: 'tiny', agents: {}, tested: false, manualTested: false, prUrl: null, prNumber: null })
  assert.equal(plan.version.found, '0.1.0+pi.0.63.2')
  const finding = launchGate.decide(factsOf(launch, request), evidence)
  assert.equal(finding.outcome, 'pass', JSON.stringify(finding))
})

verifies('ADM-C3 ADM-C6', 'no file and no argument holds the run token or a credential; for Codex the token is a web token with an account, around the run token', async (context) => {
  for (const change of [{}, codex]) {
    const request = requestOf(context, change)
    const launch = launchOf(await caseAgent.plan(request))
    assert.deepEqual(findSecretSurfaces(launch, ['sk-provider-secret'], request.runToken), [])
    const token = launch.environment['PORTCULLIS_RUN_TOKEN'] ?? ''
    if (change !== codex) {
      assert.equal(token, request.runToken)
      continue
    }
    const [header = '', claims = '', signature] = token.split('.')
    const read = (part: string): unknown => JSON.parse(Buffer.from(part, 'base64url').toString())
    assert.deepEqual([read(header), read(claims), signature], [{ alg: 'none', typ: 'JWT' }, { 'https://api.openai.com/auth': { chatgpt_account_id: 'pcr_account' } }, request.runToken])
    // What Pi knows stays what Pi knows; only the address is ours.
    assert.deepEqual(fileNamed(launch, 'models.json'), { providers: { 'openai-codex': { baseUrl: request.baseUrl } } })
  }
})

verifies('ADM-N10 ADM-E3 ADM-P1 ADM-P3', 'a provider whose key cannot reach Case is refused by a table, unless the bridge is asked for by exactly 1', async (context) => {
  for (const bridge of [null, '', '0', 'true', 'yes', ' 1', '1 ', '01', 'on']) {
    const { message, found, remedy } = await refusalOf(requestOf(context, codex, { [VARIABLES.bridge]: bridge }), 'auth_route_missing')
    assert.equal(message, 'No key can reach openai-codex inside Case.')
    assert.match(found, /without handing on the session token of openai-codex, and Pi maps openai-codex to no environment variable/)
    assert.match(remedy, /CTO_HARNESS_CASE_OPENAI_CODEX_AUTH_BRIDGE=1/)
    assert.match((await refusalOf(requestOf(context, {}, { [VARIABLES.bridge]: bridge }), 'auth_route_missing')).found, /a key of models\.json is never used/)
  }
  for (const provider of ['github-copilot', 'amazon-bedrock', 'google', 'mistral']) {
    assert.match((await refusalOf(requestOf(context, { pair: { provider, model: 'm' } }), 'auth_route_missing')).found, /no proven way/)
  }
})

test('a provider that Pi maps to a variable gets the run token there and in no other, with or without the bridge', async (context) => {
  const anthropic = { pair: { provider: 'anthropic', model: 'claude-sonnet-4-6' }, dialect: 'anthropic-messages', endpoint: 'https://api.anthropic.com' } as const
  const plain = requestOf(context, anthropic, { [VARIABLES.bridge]: null })
  const launch = launchOf(await caseAgent.plan(plain))
  assert.deepEqual(Object.entries(launch.environment).filter(([, value]) => value === plain.runToken), [['ANTHROPIC_API_KEY', plain.runToken]])
  assert.deepEqual([launch.environment['PORTCULLIS_BRIDGE_SHA256'], launch.files.some(({ path }) => basename(path) === 'bridge.mjs')], [undefined, false])
  assert.equal(await caseAgent.preflight(launch, plain), null)
  const bridged = requestOf(context, anthropic)
  assert.deepEqual(Object.entries(launchOf(await caseAgent.plan(bridged)).environment).filter(([, value]) => value === bridged.runToken), [['PORTCULLIS_RUN_TOKEN', bridged.runToken]])
})

verifies('ADM-N11 ADM-E4 ADM-P2', 'a local provider without its endpoint is refused as not configured, before its key is asked about', async (context) => {
  const { message, found, remedy } = await refusalOf(requestOf(context, {}, { [VARIABLES.localBaseUrl]: null, [VARIABLES.bridge]: null }), 'local_config_missing')
  assert.equal(message, 'Local provider config missing: qwen-local is admitted, and its endpoint was not named.')
  assert.deepEqual([found, remedy.startsWith('Set CTO_HARNESS_CASE_LOCAL_BASE_URL to http://127.0.0.1:8009/v1,')], ['the variable is not set', true])
  // It asks and decides nothing: another address than the configured one is not used, it is refused.
  for (const other of ['', 'http://127.0.0.1:8010/v1', 'https://127.0.0.1:8009/v1', 'http://127.0.0.1:8009', 'http://user:pass@127.0.0.1:8009/v1', 'http://127.0.0.1:8009/v1?x=1', 'nonsense']) {
    const { found: told } = await refusalOf(requestOf(context, {}, { [VARIABLES.localBaseUrl]: other }), 'local_config_missing')
    assert.doesNotMatch(told, /user:pass/)
  }
  // A provider that Pi knows has no such variable.
  launchOf(await caseAgent.plan(requestOf(context, codex, { [VARIABLES.localBaseUrl]: null })))
})

verifies('ADM-P4', 'the bridge stands in the plan by its digest, before the program, and only if it was asked for', async (context) => {
  const request = requestOf(context)
  const { plan, argv } = launchOf(await caseAgent.plan(request))
  const bridge = plan.files.find(({ path }) => basename(path) === 'bridge.mjs')
  assert.equal(bridge?.sha256, sha256(BRIDGE))
  assert.equal(plan.environmentSettings['PORTCULLIS_BRIDGE_SHA256'], sha256(BRIDGE))
  const [program, ...rest] = (request.profile.command ?? []).toReversed()
  assert.ok(rest.length === 1 && program !== undefined)
  assert.ok(argv.indexOf(bridge?.path ?? '') > 0 && argv.indexOf(bridge?.path ?? '') < argv.indexOf(program))
})

verifies('ADM-P5', 'a Case that does not start for its help text, in an environment like that of the run, is refused and says which module it misses', async (context) => {
  const request = requestOf(context, {}, {}, 'does-not-start')
  const { found, remedy } = await refusalOf(request, 'agent_does_not_start')
  assert.equal(found, 'exit 1, module ../../docs/generated.md is missing')
  assert.match(remedy, /generate:assets/)
})

verifies('ADM-P5 ADM-C4', 'what the preflight starts is gone with all it wrote, and had neither token nor workspace', async (context) => {
  const request = requestOf(context)
  const launch = launchOf(await caseAgent.plan(request))
  assert.equal(await caseAgent.preflight(launch, request), null)
  for (const directory of [request.temporary, request.home, request.workspace]) assert.deepEqual(readdirSync(directory).filter((name) => name !== 'configuration'), [])
  assert.deepEqual(readdirSync(request.configuration), [])
})

verifies('ADM-P6', 'a pair that the installed Pi does not know is refused, and none like it is taken', async (context) => {
  for (const model of ['gpt-5.5', 'gpt-5', 'GPT-5.4', 'gpt-5.4-mini']) {
    const { message, found } = await refusalOf(requestOf(context, { ...codex, pair: { provider: 'openai-codex', model } }), 'catalogue_model_unknown')
    assert.deepEqual([message, found], [`The installed Case cannot use openai-codex/${model}.`, 'its Pi knows no such model'])
  }
})

test('a Pi that does not take the address of the wire is refused: its own address would be called', async (context) => {
  const request = requestOf(context, codex)
  const [, program = ''] = request.profile.command ?? []
  writeFileSync(join(program, '../../node_modules/@mariozechner/pi-coding-agent/dist/index.js'), `export const AuthStorage = { create: () => ({}) }\nexport class ModelRegistry { getError() {} find() { return { baseUrl: 'https://chatgpt.com/backend-api', api: 'openai-codex-responses' } } }\n`)
  assert.match((await refusalOf(request, 'catalogue_model_unknown')).found, /did not take the address of the wire/)
})

test('a preflight starts nothing that was not planned', async (context) => {
  const request = requestOf(context)
  const launch = launchOf(await caseAgent.plan(request))
  const other = requestOf(context)
  const refusal = await caseAgent.preflight(launch, { ...request, profile: other.profile })
  assert.deepEqual([refusal?.reason, refusal?.found], ['agent_not_installed', 'another program than the one that was planned'])
})

test('a Case that is not there, or is something else, is not installed', async (context) => {
  const request = requestOf(context)
  const [bun = '', program = ''] = request.profile.command ?? []
  for (const command of [undefined, [bun], [bun, program, 'more'], ['/nowhere/bun', program], [bun, '/nowhere/case'], [bun, 'src/index.js'], [bun, join(import.meta.dirname, 'index.ts')]]) {
    const { command: _own, ...profile } = request.profile
    await refusalOf({ ...request, profile: command === undefined ? profile : { ...profile, command } }, 'agent_not_installed')
  }
  rmSync(join(program, '../../node_modules/@mariozechner/pi-ai'), { recursive: true })
  await refusalOf(request, 'agent_not_installed')
})

test('state of an earlier Case in the repository is refused: it would go on from there', async (context) => {
  const request = requestOf(context)
  mkdirSync(join(request.workspace, '.case'))
  assert.match((await refusalOf(request, 'agent_setting_unsupported')).found, /\.case in the repository/)
})

test('what Case cannot take or speak is refused', async (context) => {
  const request = requestOf(context)
  await refusalOf({ ...request, profile: { ...request.profile, effort: 'high' } }, 'agent_setting_unsupported')
  await refusalOf({ ...request, profile: { ...request.profile, context: '1m' } }, 'agent_setting_unsupported')
  await refusalOf({ ...request, dialect: 'gemini' }, 'dialect_mismatch')
  await refusalOf({ ...request, ...codex, dialect: 'openai-chat' }, 'dialect_mismatch')
  const held = launchOf(await caseAgent.plan({ ...request, profile: { ...request.profile, permissions: 'accept-edits' } }))
  const finding = launchGate.decide(factsOf(held, request), evidence)
  assert.equal(finding.outcome === 'block' && finding.reason, 'permission_mode_unsupported')
})
