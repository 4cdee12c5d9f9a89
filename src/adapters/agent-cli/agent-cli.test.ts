import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { launchOf, opened, profile, readinessOf, requestFor, turnFor } from '../../../test/helpers/agents.ts'
import { temporaryDirectory } from '../../../test/helpers/temporary-directory.ts'
import { verifies } from '../../../test/verifies.ts'
import type { AgentAdapter } from '../../engine/agent.ts'
import type { Refusal } from '../../contract/gate.ts'
import { readinessGate } from '../../gates/readiness/index.ts'
import type { PlanRequest } from '../../gates/launch/index.ts'
import { claudeCodeAgent } from '../agent-claude-code/index.ts'
import { codexAgent } from '../agent-codex/index.ts'
import { geminiCliAgent } from '../agent-gemini-cli/index.ts'
import { opencodeAgent } from '../agent-opencode/index.ts'
import { qwenCodeAgent } from '../agent-qwen-code/index.ts'

const evidence = ['0'.repeat(64)] as const

/** A package as npm lays it out, with a program of a test's own in the place of the real one. */
function installed(t: TestContext, packageName: string, command: string, version: string, files: Readonly<Record<string, string>>): string {
  const root = temporaryDirectory(t)
  const folder = join(root, 'node_modules', packageName)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: packageName, version }))
  writeFileSync(join(folder, 'start'), '')
  for (const [name, content] of Object.entries(files)) {
    const path = join(root, 'node_modules', name)
    mkdirSync(join(path, '..'), { recursive: true })
    writeFileSync(path, content)
    chmodSync(path, 0o755)
  }
  mkdirSync(join(root, 'node_modules/.bin'))
  symlinkSync(join(folder, 'start'), join(root, 'node_modules/.bin', command))
  return root
}

/** Speaks the Agent Client Protocol as the real programs were seen to; what it does with a prompt is its first argument's. */
const ACP = (model: string, answer: string): string => `
import { createInterface } from 'node:readline'
const say = (message) => process.stdout.write(JSON.stringify({ jsonrpc: '2.0', ...message }) + '\\n')
const update = (update) => say({ method: 'session/update', params: { sessionId: 's1', update } })
process.stdout.write('no JSON at all\\n')
createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, result } = JSON.parse(line)
  if (method === 'initialize') say({ id, result: { protocolVersion: 1, agentInfo: { name: 'fixture', version: '0.61.0' } } })
  else if (method === 'session/new') say({ id, result: { sessionId: 's1', models: { currentModelId: ${JSON.stringify(model)} } } })
  else if (method === 'session/prompt') {
    globalThis.prompt = id
    update({ sessionUpdate: 'available_commands_update', availableCommands: [] })
    update({ sessionUpdate: 'agent_message_chunk', content: { type: 'text', text: 'before the tool' } })
    update({ sessionUpdate: 'tool_call', toolCallId: 't1', title: 'write' })
    say({ id: 77, method: 'session/request_permission', params: { sessionId: 's1', options: [{ optionId: 'yes', kind: 'allow_once' }, { optionId: 'no', kind: 'reject_once' }] } })
  } else if (id === 77) {
    update({ sessionUpdate: 'agent_message_chunk', content: { type: 'text', text: 'chosen: ' + result.outcome.optionId } })
    say({ id: globalThis.prompt, ...${answer} })
  }
})
`

const gemini = (t: TestContext, program: string): AgentAdapter => geminiCliAgent({ program: undefined, directory: installed(t, '@google/gemini-cli', 'gemini', '0.61.0', { '@google/gemini-cli/bundle/gemini.js': program, '@google/gemini-cli/bundle/package.json': '{ "type": "module" }' }) })
const geminiProfile = { ...profile, agent: 'gemini-cli', permissions: 'accept-edits' as const }
const END = '{ result: { stopReason: \'end_turn\' } }'

verifies('ADM-E6 RDY-10', 'an agent of the Agent Client Protocol is asked who it is, given one prompt, and allowed nothing that it asks for', async (t) => {
  const adapter = gemini(t, ACP('coder-1', END))
  const request = requestFor(t, { profile: geminiProfile, dialect: 'gemini' })
  const launch = launchOf(await adapter.plan(request))
  assert.ok(!JSON.stringify({ plan: launch.plan, files: launch.files }).includes(request.runToken))
  const session = await opened(t, adapter, launch, request)
  const facts = await readinessOf(session, launch)
  assert.deepEqual(facts.observed.claims, { model: 'coder-1', provider: null, version: '0.61.0', effort: null })
  assert.equal(readinessGate.decide(facts, evidence).outcome, 'pass', JSON.stringify(readinessGate.decide(facts, evidence)))
  assert.equal((await session.deliver(await turnFor('hello', session.process.pid), 'hello', AbortSignal.timeout(10_000))).ok, true)
  const outcome = await session.finished
  assert.deepEqual([outcome.exit.code, outcome.claimedStatus, outcome.claim], [0, 'completed', 'chosen: no'])
  const again = await session.deliver(await turnFor('again', session.process.pid), 'again', AbortSignal.timeout(10_000))
  assert.equal(again.ok ? '' : again.refusal.found, 'Gemini CLI has ended')
})

verifies('RDY-10', 'a model that such an agent has chosen by itself is a contradiction of the plan', async (t) => {
  const adapter = gemini(t, ACP('gemini-3.8-flash', END))
  const request = requestFor(t, { profile: geminiProfile, dialect: 'gemini' })
  const launch = launchOf(await adapter.plan(request))
  const session = await opened(t, adapter, launch, request)
  const finding = readinessGate.decide(await readinessOf(session, launch), evidence)
  assert.equal(finding.outcome === 'block' && finding.found, 'the agent says model "gemini-3.8-flash", planned "coder-1"')
})

for (const [answer, claim] of [['{ result: { stopReason: \'refusal\' } }', 'it stopped: refusal'], ['{ result: {} }', 'it stopped: without a reason'], ['{ error: { code: -32603, message: \'Internal error\', data: \'403\' }, result: { stopReason: \'end_turn\' } }', 'Internal error: "403"']] as const) {
  test(`an end of the turn that is no end_turn is a failure: ${claim}`, async (t) => {
    const adapter = gemini(t, ACP('coder-1', answer))
    const request = requestFor(t, { profile: geminiProfile, dialect: 'gemini' })
    const launch = launchOf(await adapter.plan(request))
    const session = await opened(t, adapter, launch, request)
    assert.equal((await session.ready(AbortSignal.timeout(10_000))).responded, true)
    assert.equal((await session.deliver(await turnFor('hello', session.process.pid), 'hello', AbortSignal.timeout(10_000))).ok, true)
    const outcome = await session.finished
    assert.deepEqual([outcome.claimedStatus, outcome.claim], ['failed', claim])
  })
}

test('a program that says nothing, or ends, is not ready', async (t) => {
  for (const program of ['process.stdin.resume()', '']) {
    const adapter = gemini(t, program)
    const request = requestFor(t, { profile: geminiProfile, dialect: 'gemini' })
    const session = await opened(t, adapter, launchOf(await adapter.plan(request)), request)
    assert.equal((await session.ready(AbortSignal.timeout(300))).responded, false)
    await session.stop(0)
  }
})

async function refusalOf(adapter: AgentAdapter, request: PlanRequest): Promise<Refusal> {
  const planned = await adapter.plan(request)
  assert.equal(planned.ok, false)
  return planned.ok ? assert.fail() : planned.refusal
}

verifies('ADM-C5', 'what a program would take as something else is refused before anything is looked for', async (t) => {
  const nowhere = { program: undefined, directory: temporaryDirectory(t) }
  const cases: readonly [AgentAdapter, Partial<PlanRequest>, Partial<typeof profile>, string, RegExp][] = [
    [claudeCodeAgent(nowhere), { dialect: 'openai-chat' }, {}, 'dialect_mismatch', /speaks anthropic-messages here/],
    [claudeCodeAgent(nowhere), { dialect: 'anthropic-messages', pair: { provider: 'scripted', model: 'opus' } }, {}, 'agent_setting_unsupported', /another model by this name/],
    [claudeCodeAgent(nowhere), { dialect: 'anthropic-messages', pair: { provider: 'scripted', model: 'coder-1[1m]' } }, {}, 'agent_setting_unsupported', /another model by this name/],
    [claudeCodeAgent(nowhere), { dialect: 'anthropic-messages' }, { effort: 'extreme' }, 'agent_setting_unsupported', /ignore it/],
    [claudeCodeAgent(nowhere), { dialect: 'anthropic-messages' }, { context: '2m' }, 'agent_setting_unsupported', /ignore it/],
    [codexAgent(nowhere), { dialect: 'openai-chat' }, {}, 'dialect_mismatch', /speaks openai-responses here/],
    [codexAgent(nowhere), { dialect: 'openai-responses' }, { isolation: 'network', permissions: 'accept-edits' }, 'agent_setting_unsupported', /does not start inside a seal/],
    [codexAgent(nowhere), { dialect: 'openai-responses' }, { isolation: 'fs', permissions: 'read-only' }, 'agent_setting_unsupported', /does not start inside a seal/],
    [geminiCliAgent(nowhere), { dialect: 'gemini', pair: { provider: 'scripted', model: 'flash' } }, {}, 'agent_setting_unsupported', /another model by this name/],
    [opencodeAgent(nowhere), {}, { context: '1m' }, 'agent_setting_unsupported', /ignore it/],
    [qwenCodeAgent(nowhere), {}, { effort: 'high' }, 'agent_setting_unsupported', /ignore it/],
    [qwenCodeAgent(nowhere), {}, { command: ['qwen'] }, 'agent_setting_unsupported', /ignore it/],
  ]
  for (const [adapter, change, settings, reason, found] of cases) {
    const refusal = await refusalOf(adapter, requestFor(t, { ...change, profile: { ...profile, agent: adapter.name, ...settings }, inherited: {} }))
    assert.equal(refusal.reason, reason)
    assert.match(refusal.found, found)
  }
  // The same modes where its own sandbox starts, and the one that needs none: nothing is wrong but that it is not installed here.
  for (const [isolation, permissions] of [['env', 'accept-edits'], ['env', 'read-only'], ['network', 'bypass']] as const) {
    const codex = requestFor(t, { dialect: 'openai-responses', profile: { ...profile, agent: 'codex', isolation, permissions }, inherited: {} })
    assert.equal((await refusalOf(codexAgent(nowhere), codex)).reason, 'agent_not_installed')
  }
})

test('a repository that brings settings, hooks or programs for its agent is refused before the agent starts, however it is held', async (t) => {
  const nowhere = { program: undefined, directory: temporaryDirectory(t) }
  const brought: readonly [AgentAdapter, 'gemini' | 'openai-chat', file: string, found: string][] = [
    [geminiCliAgent(nowhere), 'gemini', '.gemini/settings.json', '.gemini/settings.json'],
    [geminiCliAgent(nowhere), 'gemini', '.gemini/extensions/one/gemini-extension.json', '.gemini/extensions'],
    [qwenCodeAgent(nowhere), 'openai-chat', '.qwen/settings.json', '.qwen'],
    [geminiCliAgent(nowhere), 'gemini', '.env', '.env'],
    [qwenCodeAgent(nowhere), 'openai-chat', '.env', '.env'],
    [opencodeAgent(nowhere), 'openai-chat', '.opencode/plugin/one.js', '.opencode'],
  ]
  for (const [adapter, dialect, file, found] of brought) {
    for (const permissions of ['read-only', 'bypass'] as const) {
      const request = requestFor(t, { dialect, profile: { ...profile, agent: adapter.name, permissions }, inherited: {} })
      mkdirSync(dirname(join(request.workspace, file)), { recursive: true })
      writeFileSync(join(request.workspace, file), '{}')
      const refusal = await refusalOf(adapter, request)
      assert.deepEqual([refusal.reason, refusal.found], ['agent_setting_unsupported', `${found} in the repository`])
    }
  }
})

verifies('ADM-C4', 'each program that is not there is named, with the version to install', async (t) => {
  const nowhere = { program: undefined, directory: temporaryDirectory(t) }
  const cases = [[claudeCodeAgent(nowhere), 'anthropic-messages', '@anthropic-ai/claude-code@2.1.329'], [codexAgent(nowhere), 'openai-responses', '@openai/codex@0.169.0'], [opencodeAgent(nowhere), 'openai-chat', 'opencode-ai@1.18.33'], [geminiCliAgent(nowhere), 'gemini', '@google/gemini-cli@0.61.0'], [qwenCodeAgent(nowhere), 'openai-chat', '@qwen-code/qwen-code@0.24.4']] as const
  for (const [adapter, dialect, installs] of cases) {
    const refusal = await refusalOf(adapter, requestFor(t, { dialect, profile: { ...profile, agent: adapter.name }, inherited: {} }))
    assert.equal(refusal.reason, 'agent_not_installed')
    assert.ok(refusal.remedy.endsWith(installs), refusal.remedy)
  }
  // A program of this name that belongs to another package is not it.
  const other = installed(t, 'gemini-of-somebody-else', 'gemini', '0.61.0', {})
  assert.equal((await refusalOf(geminiCliAgent({ program: undefined, directory: other }), requestFor(t, { dialect: 'gemini', profile: geminiProfile, inherited: {} }))).reason, 'agent_not_installed')
})
