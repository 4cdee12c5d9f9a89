import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { sha256 } from '../../contract/canonical.ts'
import type { AgentSession } from '../../engine/agent.ts'
import { INHERITABLE_NAMES, launchGate, type PlannedLaunch, type PlanRequest } from '../../gates/launch/index.ts'
import { readinessGate } from '../../gates/readiness/index.ts'
import { factsOf, launchOf, opened, profile as piProfile, readinessOf, requestFor, turnFor } from '../../../test/helpers/agents.ts'
import { verifies } from '../../../test/verifies.ts'
import { acpAgent } from '../agent-acp/index.ts'
import { claimOf } from './parse.ts'
import { commandAgent } from './index.ts'

const evidence = ['0'.repeat(64)] as const
const profile = { ...piProfile, agent: 'command' }

/** Prints what it was given as JSON, then exits with its second argument. */
const AGENT = `
let prompt = ''
process.stdin.setEncoding('utf8').on('data', (part) => (prompt += part)).on('end', () => {
  process.stdout.write(JSON.stringify({ prompt, environment: process.env, directory: process.cwd() }))
  process.exitCode = Number(process.argv[2])
})
`

interface Bench {
  readonly request: ReturnType<typeof requestFor>
  readonly launch: PlannedLaunch
  readonly session: AgentSession
}

async function bench(context: TestContext, source: string, change: Partial<PlanRequest> = {}, ...argv: string[]): Promise<Bench> {
  const request = requestFor(context, { profile, ...change })
  const agent = join(request.runDirectory, 'agent.js')
  writeFileSync(agent, source)
  const launch = launchOf(await commandAgent.plan({ ...request, profile: { ...request.profile, command: ['node', agent, ...argv] } }))
  return { request, launch, session: await opened(context, commandAgent, launch, request) }
}

const deliver = async (session: AgentSession, prompt: string, timeoutMs = 10_000): ReturnType<typeof session.deliver> =>
  await session.deliver(await turnFor(prompt, session.process.pid), prompt, AbortSignal.timeout(timeoutMs))

for (const [dialect, address, key] of [
  ['openai-chat', 'OPENAI_BASE_URL', 'OPENAI_API_KEY'],
  ['openai-responses', 'OPENAI_BASE_URL', 'OPENAI_API_KEY'],
  ['anthropic-messages', 'ANTHROPIC_BASE_URL', 'ANTHROPIC_API_KEY'],
] as const) {
  verifies('ISO-04 SEC-01 ADM-E6', `a command finds the wire of ${dialect} in its environment, the prompt on its input, and nothing of ours`, async (context) => {
    process.env['GH_TOKEN'] = process.env['GEMINI_API_KEY'] = 'canary-value'
    context.after(() => {
      delete process.env['GH_TOKEN']
      delete process.env['GEMINI_API_KEY']
    })
    const { request, launch, session } = await bench(context, AGENT, { dialect, baseUrl: 'http://127.0.0.1:4010/v1', profile: { ...profile, effort: 'high', context: '1m' } }, '0')
    assert.equal(launchGate.decide(factsOf(launch, request, ['canary-value']), evidence).outcome, 'pass')
    assert.equal(readinessGate.decide(await readinessOf(session, launch), evidence).outcome, 'pass')
    const delivery = await deliver(session, 'Grüße ✔\n')
    assert.deepEqual(delivery, { ok: true, receipt: '12 bytes written to standard input, which was then closed' })
    const { exit, claimedStatus } = await session.finished
    assert.deepEqual([exit.code, claimedStatus], [0, 'completed'])
    const seen = JSON.parse(exit.stdout.head.toString('utf8')) as { prompt: string; environment: Record<string, string>; directory: string }
    assert.deepEqual([seen.prompt, seen.directory], ['Grüße ✔\n', request.workspace])
    const ordinary = [...INHERITABLE_NAMES, 'PORTCULLIS_PROCESS']
    assert.deepEqual(Object.fromEntries(Object.entries(seen.environment).filter(([name]) => !ordinary.includes(name))), {
      HOME: request.home,
      TMPDIR: request.temporary,
      [address]: 'http://127.0.0.1:4010/v1',
      [key]: request.runToken,
      PORTCULLIS_MODEL: 'coder-1',
      PORTCULLIS_RUN_ID: request.runId,
      PORTCULLIS_EFFORT: 'high',
      PORTCULLIS_CONTEXT: '1m',
    })
    assert.equal(seen.environment['PATH'], process.env['PATH'])
    assert.ok(!JSON.stringify(launch.plan).includes(request.runToken))
  })
}

test('another exit code than 0, and a signal, are a claim of failure', async (context) => {
  const failing = await bench(context, AGENT, {}, '7')
  await deliver(failing.session, 'x')
  const failed = await failing.session.finished
  assert.deepEqual([failed.exit.code, failed.claimedStatus], [7, 'failed'])
  const killed = await bench(context, AGENT, {}, '0')
  await killed.session.stop(0)
  assert.equal((await killed.session.finished).claimedStatus, 'failed')
  assert.equal(killed.session.state(), 'dead')
})

test('a prompt enters once, and not after the end', async (context) => {
  const { session } = await bench(context, AGENT, {}, '0')
  assert.equal(session.state(), 'idle')
  assert.equal((await deliver(session, 'one')).ok, true)
  const second = await deliver(session, 'two')
  assert.match(second.ok ? '' : second.refusal.found, /already written|has ended/)
  const { exit } = await session.finished
  assert.match(exit.stdout.head.toString('utf8'), /"prompt":"one"/)
  const third = await deliver(session, 'three')
  assert.deepEqual(third.ok ? '' : [third.refusal.reason, third.refusal.found], ['failed_to_inject', 'the process has ended'])
})

test('a turn for another prompt or process, or used up, delivers nothing', async (context) => {
  const { session } = await bench(context, AGENT, {}, '0')
  const { pid } = session.process
  const turn = await turnFor('one', pid)
  const soon = AbortSignal.timeout(10_000)
  await assert.rejects(session.deliver(turn, 'two', soon), { code: 'proof_forged' })
  await assert.rejects(session.deliver(await turnFor('one', pid + 1), 'one', soon), { code: 'proof_forged' })
  await assert.rejects(session.deliver({ ...turn }, 'one', soon), { code: 'proof_forged' })
  assert.equal(session.state(), 'idle')
  assert.equal((await session.deliver(turn, 'one', soon)).ok, true)
  await assert.rejects(session.deliver(turn, 'one', soon), { code: 'proof_forged' })
  assert.match((await session.finished).exit.stdout.head.toString('utf8'), /"prompt":"one"/)
})

test('a program that takes no prompt, or not all of it, has not received it', async (context) => {
  const large = 'x'.repeat(4 * 1_048_576)
  const deaf = await bench(context, 'setInterval(() => {}, 1000)')
  const late = await deliver(deaf.session, large, 300)
  assert.equal(late.ok ? '' : late.refusal.found, 'the program did not take the whole prompt in the time given')
  const closing = await bench(context, 'require("node:fs").closeSync(0); setInterval(() => {}, 1000)')
  const refused = await deliver(closing.session, large)
  assert.equal(refused.ok ? '' : refused.refusal.found, 'the program closed its standard input')
})

async function planOf(context: TestContext, change: Partial<PlanRequest['profile']>, request: Partial<PlanRequest> = {}): ReturnType<typeof commandAgent.plan> {
  return await commandAgent.plan(requestFor(context, { profile: { ...profile, ...change }, ...request }))
}

test('without a command, without its program and for a dialect without names there is no plan', async (context) => {
  const reasonOf = async (...given: [Partial<PlanRequest['profile']>, Partial<PlanRequest>?]): Promise<string> => {
    const planned = await planOf(context, ...given)
    return planned.ok ? 'planned' : planned.refusal.reason
  }
  assert.equal(await reasonOf({}), 'agent_not_installed')
  assert.equal(await reasonOf({ command: ['no-such-program-anywhere'] }), 'agent_not_installed')
  assert.equal(await reasonOf({ command: ['node'] }, { inherited: {} }), 'agent_not_installed')
  assert.equal(await reasonOf({ command: ['node'] }, { dialect: 'gemini' }), 'dialect_mismatch')
})

verifies('MC-131', 'a command is planned for bypass only, because nothing holds it to less', async (context) => {
  for (const permissions of ['read-only', 'ask', 'accept-edits', 'bypass'] as const) {
    const request = requestFor(context, { profile: { ...profile, permissions, command: ['sh', '-c', 'true'] } })
    const launch = launchOf(await commandAgent.plan(request))
    assert.equal(launch.plan.permissions.mode, permissions)
    const finding = launchGate.decide(factsOf(launch, request), evidence)
    assert.equal(finding.outcome === 'block' ? finding.reason : finding.outcome, permissions === 'bypass' ? 'pass' : 'permission_mode_unsupported')
  }
})

test('every file that the argv names is in the plan with its digest, and the program is the script', async (context) => {
  const request = requestFor(context, { profile })
  const at = (name: string): string => join(request.workspace, name)
  for (const name of ['agent.js', 'settings.json', 'tool']) writeFileSync(at(name), name)
  writeFileSync(at('tool'), '#!/bin/sh\n')
  chmodSync(at('tool'), 0o755)
  const digest = (path: string): { path: string; sha256: string } => ({ path, sha256: sha256(readFileSync(path)) })
  const planFor = async (...command: string[]): Promise<PlannedLaunch['plan']> => launchOf(await commandAgent.plan({ ...request, profile: { ...profile, command } })).plan
  const script = await planFor('node', 'agent.js', '--config', at('settings.json'), '--flag')
  assert.deepEqual([script.program, script.programFiles], [digest(at('agent.js')), [digest(at('settings.json'))]])
  const tool = await planFor('./tool', 'settings.json')
  assert.deepEqual(tool.argv, ['/bin/sh', at('tool'), 'settings.json'])
  assert.deepEqual([tool.program, tool.programFiles], [digest('/bin/sh'), [digest(at('tool')), digest(at('settings.json'))]])
})

verifies('SEC-01', 'a credential in the argv of a profile is refused at launch', async (context) => {
  const request = requestFor(context, { profile: { ...profile, command: ['sh', '-c', 'curl -H "x-api-key: sk-live-canary"'] } })
  const finding = launchGate.decide(factsOf(launchOf(await commandAgent.plan(request)), request, ['sk-live-canary']), evidence)
  assert.deepEqual(finding.outcome === 'block' && [finding.reason, finding.found], ['launch_plan_unsafe', 'a credential in argv'])
})

test('the claim is the end of the output, or of the errors where there is none, without half a character', () => {
  const stream = (head: string, tail: string, truncated = false): Parameters<typeof claimOf>[0]['stdout'] => ({ head: Buffer.from(head), tail: Buffer.from(tail), bytes: 0, sha256: '', truncated })
  assert.equal(claimOf({ stdout: stream('begin', ' end\n'), stderr: stream('error', '') }), 'begin end')
  assert.equal(claimOf({ stdout: stream('', ''), stderr: stream('error', '') }), 'error')
  assert.equal(claimOf({ stdout: stream('begin', 'the end', true), stderr: stream('', '') }), 'the end')
  assert.equal(claimOf({ stdout: stream('ü'.repeat(3_000), 'x'), stderr: stream('', '') }), `${'ü'.repeat(1_999)}x`)
})

test('a repository that brings what the profile refuses is not worked on, and a program of the agent protocol needs to say what that is', async (context) => {
  const command = ['node', import.meta.filename]
  for (const agent of [commandAgent, acpAgent]) {
    const request = requestFor(context, { profile: { ...profile, agent: agent.name, command, refuses: ['.agent/settings.json'] } })
    assert.equal((await agent.plan(request)).ok, true)
    mkdirSync(join(request.workspace, '.agent'))
    // A link that leads nowhere yet is brought as well.
    symlinkSync('nowhere', join(request.workspace, '.agent/settings.json'))
    const planned = await agent.plan(request)
    assert.deepEqual(planned.ok ? planned : [planned.refusal.reason, planned.refusal.found], ['agent_setting_unsupported', '.agent/settings.json in the repository'])
  }
  const silent = requestFor(context, { profile: { ...profile, agent: 'acp', command } })
  const planned = await acpAgent.plan(silent)
  assert.deepEqual(planned.ok ? planned : [planned.refusal.reason, planned.refusal.found], ['agent_setting_unsupported', 'none'])
  assert.equal((await acpAgent.plan({ ...silent, profile: { ...silent.profile, refuses: [] } })).ok, true)
})
