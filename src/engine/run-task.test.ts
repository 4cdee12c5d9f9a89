import assert from 'node:assert/strict'
import { test } from 'node:test'
import { recordFor, stage, type Stage } from '../../test/helpers/fake-world.ts'
import { verifies } from '../../test/verifies.ts'
import { digestOf, printDigest } from '../contract/canonical.ts'
import { PortcullisError } from '../contract/errors.ts'
import { LIFECYCLE } from '../contract/lifecycle.ts'
import { Verdict } from '../contract/verdict.ts'
import { refuse } from '../../test/helpers/refusal.ts'
import type { AdmissionFile } from '../gates/admission/index.ts'
import { readHistory, renderRun, storedEnding } from './index.ts'

/** The gates that have a durable verdict by now, and the state of the run, as another reader of the store sees them. */
async function durable(made: Stage): Promise<string> {
  const [run] = await made.ledger.list()
  const history = await made.ledger.history(run?.runId ?? '')
  const verdicts = (history?.entries ?? []).filter((entry) => entry.kind === 'verdict').map((entry) => Verdict.parse(JSON.parse(entry.body)))
  return `${history?.run.state}: ${verdicts.map((verdict) => `${verdict.gate} ${verdict.outcome}`).join(', ')}`
}

const verdictsOf = (report: { readonly gates: readonly { readonly gate: string; readonly outcome: string }[] }): string => report.gates.map(({ gate, outcome }) => `${gate} ${outcome}`).join(', ')
const THREE = 'catalog pass, admission pass, health pass'
const ALIASED = (onUnhealthy: string | undefined, candidates = ['scripted/coder-1', 'scripted/coder-2']): Record<string, unknown> => ({
  aliases: { best: { candidates, ...(onUnhealthy === undefined ? {} : { onUnhealthy }) } },
  profiles: { p: { agent: 'command', command: ['agent'], model: 'best', permissions: 'bypass', purposes: ['ticket'], isolation: 'env', backgroundModels: 'refuse', limits: { total: '30s', idle: '20s', calls: 7, tokens: 900 } } },
})

test('a run that passes every gate is accepted, and verifies', async (t) => {
  const made = await stage(t)
  const { report } = await made.run()
  assert.deepEqual([report.status, report.reason], ['pass', null], JSON.stringify(report.gates.at(-1)))
  assert.equal(verdictsOf(report), LIFECYCLE.map((gate) => `${gate} pass`).join(', '))
  assert.deepEqual(report.acceptance.map(({ id, status, runtime_probe_evidence: probes }) => [id, status, probes.length]), [[1, 'met', 3]])
  assert.deepEqual(report.isolation, { required: 'env', reached: 'env', record_complete: false })
  assert.deepEqual((await made.verify(report.run_id)).problems, [])
  assert.deepEqual(made.acts, ['grant health', 'revoke health', 'grant agent', 'start', 'deliver', 'stop', 'revoke agent', 'probe untouched', 'probe fake', 'probe result', 'close wire'])
})

verifies('ACC-01 ACC-28', 'the records of the probes stand in the verdict by their digests, and in the result in order', async (t) => {
  const made = await stage(t)
  const { report } = await made.run()
  assert.deepEqual(report.runtime_probe_evidence.map(({ phase, status }) => `${phase} ${status}`), ['untouched failed', 'fake failed', 'result passed'])
  const { read } = await readHistory(made.world, report.run_id)
  const verdict = read.verdicts.find((each) => each.verdict.gate === 'acceptance')?.verdict
  // First the facts, then what the fake backend left, then the records.
  assert.deepEqual(verdict?.evidence.slice(2).map(printDigest), report.runtime_probe_evidence.map((probe) => probe.evidence))
})

verifies('ACC-05 ACC-77', 'two runs of one instance share no evidence, and the first keeps its own', async (t) => {
  const made = await stage(t)
  const first = await made.run()
  const second = await made.run({ profile: 'nobody' })
  assert.deepEqual([first.report.runtime_probe_evidence.length, second.report.runtime_probe_evidence.length, second.report.status], [3, 0, 'blocked'])
  const third = await made.run()
  const digests = (report: typeof first.report): string[] => report.runtime_probe_evidence.map((probe) => probe.evidence)
  assert.deepEqual(digests(third.report).filter((digest) => digests(first.report).includes(digest)), [])
  const { history, read } = await readHistory(made.world, first.report.run_id)
  assert.equal(renderRun(history, read, storedEnding(history)).json, first.json)
})

verifies('MC-086', 'a change of an alias does not change a run in progress, and is live for the next one', async (t) => {
  let candidate = 'scripted/coder-1'
  const made = await stage(t, {
    configuration: ALIASED(undefined),
    records: [recordFor('coder-1'), recordFor('coder-2')],
    health: async (grant) => {
      candidate = 'scripted/coder-2'
      await grant.ask()
    },
    world: () => ({ loadOverride: () => Promise.resolve({ value: { version: 1 as const, reason: 'a test', aliases: { best: { candidates: [candidate] } } } }) }),
  })
  const asked = async (): Promise<unknown> => (({ report }) => [report.status, report.model.requested, report.model.served])(await made.run())
  assert.deepEqual(await asked(), ['pass', 'scripted/coder-1', ['coder-1']])
  assert.deepEqual(await asked(), ['pass', 'scripted/coder-2', ['coder-2']])
})

verifies('ADM-M1 ADM-M5', 'each status of admission but one leaves its marker, with the status and the pair; a pass leaves none', async (t) => {
  const record = recordFor('coder-1')
  const invalid: AdmissionFile = { path: record.path, sha256: record.sha256, record: null, problems: ['not JSON'] }
  const revoked = { ...record, record: { ...record.record, status: 'revoked' } } as AdmissionFile
  const named = (file: AdmissionFile) => ({ world: () => ({ readAdmissions: () => Promise.resolve({ kind: 'file' as const, path: 'named.json', problem: null, files: [file] }) }) })
  for (const [status, options] of [['missing_admission', { records: [] }], ['mismatch', named(recordFor('coder-2'))], ['invalid_admission', { records: [invalid] }], ['not_admitted', { records: [revoked] }]] as const) {
    const { report, directory } = await (await stage(t, options)).run()
    assert.deepEqual([report.status, report.reason, report.model.admission_status, report.markers], ['blocked', status, status, ['backend/provider-model-not-admitted.txt']])
    assert.match(directory.read('backend/provider-model-not-admitted.txt')?.toString() ?? '', new RegExp(`^status: ${status}\nasked: .*scripted/coder-1`))
  }
  const { report, directory } = await (await stage(t)).run()
  assert.deepEqual([report.markers, directory.files().filter((file) => file.name.endsWith('.txt'))], [[], []])
})

test('each verdict is durable before the act it permits', async (t) => {
  const seen: string[] = []
  const made = await stage(t, { health: async (grant) => (seen.push(await durable(made)), await grant.ask()) })
  const { work } = made.agent
  made.agent.start = async () => void seen.push(await durable(made))
  made.agent.work = async () => {
    seen.push(await durable(made))
    return work()
  }
  assert.equal((await made.run()).report.status, 'pass')
  assert.deepEqual(seen, ['open: catalog pass, admission pass', `started: ${THREE}, launch pass`, `started: ${THREE}, launch pass, readiness pass, dispatch pass`])
})

verifies('ADM-N1 ACC-01', 'a run that is refused before its process asks, starts and leaves nothing', async (t) => {
  const cases: [name: string, made: Stage, reason: string, acts: readonly string[]][] = [
    ['no record', await stage(t, { records: [] }), 'missing_admission', []],
    ['no profile', await stage(t, { configuration: { profiles: {} } }), 'profile_unknown', []],
    ['no probe', await stage(t, { configuration: { taskClasses: {} } }), 'task_class_unknown', []],
    ['not healthy', await stage(t, { health: (grant) => grant.ask({ outcome: 'failed', reason: 'provider_auth', servedModel: null, providerStatus: 401 }) }), 'provider_auth', ['grant health', 'revoke health']],
    ['no probe call', await stage(t, { health: () => Promise.resolve() }), 'health_unknown', ['grant health', 'revoke health']],
    ['two probe calls', await stage(t, { health: async (grant) => (await grant.ask(), await grant.ask()) }), 'evidence_invalid', ['grant health', 'revoke health']],
    ['no adapter', await stage(t, { world: () => ({ agents: new Map() }) }), 'agent_unknown', ['grant health', 'revoke health', 'grant agent', 'revoke agent']],
  ]
  for (const [name, made, reason, acts] of cases) {
    const { report, directory } = await made.run()
    assert.deepEqual([report.status, report.reason, report.process_started], ['blocked', reason, false], name)
    assert.deepEqual(made.acts, [...acts, 'close wire'], name)
    assert.deepEqual(report.runtime_probe_evidence, [], name)
    assert.deepEqual(directory.files().map((file) => file.name).filter((file) => file.includes('.log')), [], name)
    assert.deepEqual((await made.verify(report.run_id)).problems, [], name)
  }
})

test('a repository that cannot be worked on blocks before anything is granted to an agent', async (t) => {
  const fault = (): Promise<never> => Promise.reject(new PortcullisError('tool_missing', { asked: 'git', found: 'none', remedy: 'install it' }))
  const made = await stage(t, { world: (world) => ({ workspaces: { ...world.workspaces, prepare: fault } }) })
  const { report } = await made.run()
  assert.deepEqual([report.status, report.reason], ['blocked', 'workspace_unusable'])
  assert.deepEqual(made.acts, ['grant health', 'revoke health', 'close wire'])
})

verifies('WIR-23 MC-082', 'the licences on the wire are for the admitted pair, within the limits of the profile, and the probe\'s for one call', async (t) => {
  const budget = { total: { cost: 'USD 50' }, perDay: { tokens: 9_000 } }
  const made = await stage(t, {
    records: [{ ...recordFor('coder-1'), record: { ...recordFor('coder-1').record, served_model_ids: ['coder-1', 'coder-1-0611'] } as never }],
    world: ({ configuration }) => ({
      configuration: {
        ...configuration,
        profiles: { p: { ...configuration.profiles['p'], budget, effort: 'medium', context: '1m', providerTools: ['web_search'] } as never },
        providers: { scripted: { ...configuration.providers['scripted'], prices: { 'coder-1': { input: 'USD 0', output: 'USD 0' } } } as never },
        budget: { perDay: { calls: 70 } },
      },
    }),
  })
  const { report } = await made.run()
  assert.equal(report.status, 'pass')
  const [health, agent] = made.grants.map(({ request }) => request)
  assert.ok(health !== undefined && agent !== undefined)
  const none = { calls: null, tokens: null, costUsd: null }
  const budgets = [{ profile: 'p', perDay: false, allowance: { ...none, costUsd: 50 } }, { profile: 'p', perDay: true, allowance: { ...none, tokens: 9_000 } }, { profile: null, perDay: true, allowance: { ...none, calls: 70 } }]
  const common = { runId: report.run_id, admitted: { provider: 'scripted', model: 'coder-1' }, provider: made.world.configuration.providers['scripted'], servedModelIds: ['coder-1', 'coder-1-0611'], epoch: 1, byModelId: true, fallbacks: [], aliases: [], admittedUntil: new Date('2036-06-01T00:00:00Z'), backgroundModels: 'refuse', settings: { effort: 'medium', context: '1m' }, profile: 'p', budgets }
  const { expiresAt: healthUntil, ...ofHealth } = health
  const { expiresAt: agentUntil, ...ofAgent } = agent
  assert.deepEqual(ofHealth, { ...common, settings: { effort: null, context: null }, purpose: 'health', providerTools: [], limits: { calls: 1, tokens: 900, costUsd: null } })
  assert.deepEqual(ofAgent, { ...common, purpose: 'agent', providerTools: ['web_search'], limits: { calls: 7, tokens: 900, costUsd: null } })
  // Neither outlives what it was given for: the provider's limit of 3 s, the profile's of 30 s, each with the margin of our own work.
  assert.ok(healthUntil.getTime() - Date.now() <= 10_000, healthUntil.toISOString())
  assert.ok(agentUntil.getTime() - Date.now() <= 60_000, agentUntil.toISOString())
})

test('a limit on cost reaches the wire, and one without a price is refused before the start', async (t) => {
  const limits = { total: '30s', idle: '20s', calls: 7, tokens: 900, cost: 'USD 1.5' }
  const { profiles } = ALIASED(undefined) as { profiles: { p: object } }
  const priced = (prices: object): Record<string, unknown> => ({
    profiles: { p: { ...profiles.p, model: 'scripted/coder-1', limits } },
    providers: { scripted: { dialect: 'openai-chat', baseUrl: 'http://127.0.0.1:8009/v1', networkClass: 'loopback', credential: { source: 'none', class: 'no-secret' }, timeouts: { connect: '1s', firstByte: '2s', idle: '2s', total: '3s' }, ...prices } },
  })
  const made = await stage(t, { configuration: priced({ prices: { 'coder-1': { input: 'USD 1', output: 'USD 1' } } }) })
  assert.equal((await made.run()).report.status, 'pass')
  assert.equal(made.grants[1]?.request.limits.costUsd, 1.5)
  const without = await stage(t, { configuration: priced({}) })
  assert.deepEqual([(await without.run()).report.reason, without.acts.includes('start')], ['limit_not_enforceable', false])
})

const FIRST_FAILS = { health: async (grant: Parameters<NonNullable<Parameters<typeof stage>[1]>['health'] & object>[0]) => (grant.request.admitted.model === 'coder-1' ? grant.ask({ outcome: 'failed', reason: 'provider_overloaded', servedModel: null, providerStatus: 503 }) : grant.ask()) }

test('an unhealthy candidate gives way to the next one that is admitted, and everything after it is for that one', async (t) => {
  const made = await stage(t, { configuration: ALIASED('next-admitted'), records: [recordFor('coder-1'), recordFor('coder-2')], ...FIRST_FAILS })
  const { report } = await made.run()
  assert.equal(report.status, 'pass')
  assert.equal(verdictsOf(report).startsWith('catalog pass, admission pass, health block, catalog pass, admission pass, health pass, launch pass'), true, verdictsOf(report))
  assert.deepEqual([report.model.requested, report.model.admitted, report.model.served], ['scripted/coder-2', 'scripted/coder-2', ['coder-2']])
  assert.deepEqual(made.grants.map(({ request }) => `${request.purpose} ${request.admitted.model} ${request.servedModelIds.join(' ')}`), ['health coder-1 coder-1', 'health coder-2 coder-2', 'agent coder-2 coder-2'])
  assert.deepEqual((await made.verify(report.run_id)).problems, [])
})

test('no candidate takes over where the alias does not say so, where it is not admitted, or where there is none left', async (t) => {
  const both = [recordFor('coder-1'), recordFor('coder-2')]
  const down = { health: (grant: { ask(change: object): Promise<void> }) => grant.ask({ outcome: 'failed', reason: 'provider_overloaded', servedModel: null, providerStatus: 503 }) }
  const cases: [name: string, made: Stage, reason: string, probes: number][] = [
    ['said to block', await stage(t, { configuration: ALIASED('block'), records: both, ...FIRST_FAILS }), 'provider_overloaded', 1],
    ['said nothing', await stage(t, { configuration: ALIASED(undefined), records: both, ...FIRST_FAILS }), 'provider_overloaded', 1],
    ['an exact pair', await stage(t, { records: both, ...FIRST_FAILS }), 'provider_overloaded', 1],
    ['the next is not admitted', await stage(t, { configuration: ALIASED('next-admitted'), records: [recordFor('coder-1')], ...FIRST_FAILS }), 'missing_admission', 1],
    ['the first is not admitted', await stage(t, { configuration: ALIASED('next-admitted'), records: [recordFor('coder-2')] }), 'missing_admission', 0],
    ['all are down', await stage(t, { configuration: ALIASED('next-admitted'), records: both, ...down }), 'provider_overloaded', 2],
  ]
  for (const [name, made, reason, probes] of cases) {
    const { report } = await made.run()
    assert.deepEqual([report.status, report.reason, made.grants.length], ['blocked', reason, probes], name)
  }
})

test('what an alias requires of its target must be shown by the probe', async (t) => {
  const configuration = ALIASED(undefined)
  const made = await stage(t, { configuration: { ...configuration, aliases: { best: { candidates: ['scripted/coder-1'], requires: ['tools'] } } }, health: (grant) => grant.ask({ toolCalls: false }) })
  assert.equal((await made.run()).report.reason, 'tools_not_supported')
})

test('a launch that would hand the agent a credential the wire knows is refused before it starts', async (t) => {
  const made = await stage(t)
  made.secrets.push('provider-key-1f9a33c0')
  made.agent.plan = (launch) => ({ ...launch, environment: { ...launch.environment, EXTRA: 'provider-key-1f9a33c0' } })
  const { report } = await made.run()
  assert.deepEqual([report.reason, report.process_started, made.acts.includes('start')], ['launch_plan_unsafe', false, false])
})

test('isolation that is required and not reached blocks before the start', async (t) => {
  const { profiles } = ALIASED(undefined) as { profiles: { p: object } }
  for (const isolation of ['fs', 'network']) {
    const made = await stage(t, { configuration: { profiles: { p: { ...profiles.p, model: 'scripted/coder-1', isolation } } } })
    const { report } = await made.run()
    assert.deepEqual([report.reason, made.acts.includes('start')], ['isolation_not_reached', false])
  }
})

verifies('ISO-07', 'only where no call can go round the wire is its record said to be complete, by the level that was reached', async (t) => {
  for (const isolation of ['env', 'fs', 'network'] as const) {
    const { profiles } = ALIASED(undefined) as { profiles: { p: object } }
    const made = await stage(t, {
      configuration: { profiles: { p: { ...profiles.p, model: 'scripted/coder-1', isolation } } },
      world: () => ({ isolation: { reach: (required) => Promise.resolve({ reached: required, obstacle: null }) } }),
    })
    const { report } = await made.run()
    assert.deepEqual([report.status, report.isolation], ['pass', { required: isolation, reached: isolation, record_complete: isolation === 'network' }])
    assert.deepEqual((await made.verify(report.run_id)).problems, [])
  }
})

test('a launch whose directories lie outside the run is refused', async (t) => {
  const made = await stage(t)
  made.agent.plan = (launch) => ({ ...launch, plan: { ...launch.plan, home: '/home/somebody' } })
  assert.deepEqual([(await made.run()).report.reason, made.acts.includes('start')], ['launch_plan_unsafe', false])
})

test('each verdict is about its own subject, and lasts no longer than what it is about', async (t) => {
  const made = await stage(t)
  const { report } = await made.run()
  const history = await made.ledger.history(report.run_id)
  const verdicts = (history?.entries ?? []).filter((entry) => entry.kind === 'verdict').map((entry) => Verdict.parse(JSON.parse(entry.body)))
  const pair = { provider: 'scripted', model: 'coder-1' }
  const ofPair = { name: 'scripted/coder-1', digest: { sha256: digestOf(pair) } }
  const ofSession = { name: `session ${report.run_id}`, digest: { sha256: digestOf({ run: report.run_id, profile: 'p', pair }) } }
  const subjects = [{ name: 'profile p', digest: { sha256: digestOf({ profile: 'p', purpose: 'ticket' }) } }, ofPair, ofPair, ofSession, ofSession, ofSession, ofSession, { name: 'workspace', digest: { sha256: 'a'.repeat(64) } }]
  assert.deepEqual(verdicts.slice(0, -1).map((verdict) => verdict.subject), subjects.map((subject) => [subject]))
  assert.equal(verdicts.at(-1)?.subject[0]?.name, `run ${report.run_id}`)
  const day = 26 * 3_600_000
  const longest = { catalog: day, admission: day, health: day, launch: 30_000, readiness: 30_000, dispatch: 30_000, wire: day, acceptance: day, report: day }
  for (const verdict of verdicts) {
    assert.ok(verdict.outcome === 'pass')
    assert.ok(Date.parse(verdict.expiresAt) - Date.parse(verdict.decidedAt) <= longest[verdict.gate], `${verdict.gate} until ${verdict.expiresAt}`)
  }
})

test('the override of aliases and the record that the caller names are the ones that are judged', async (t) => {
  const named: (string | null)[] = []
  const override = { value: { version: 1 as const, reason: 'coder-1 is drained', aliases: { best: { candidates: ['scripted/coder-2'] } } } }
  const made = await stage(t, { configuration: ALIASED(undefined), world: (world) => ({
    loadOverride: () => Promise.resolve(override),
    readAdmissions: (file) => {
      named.push(file)
      return file === null ? world.readAdmissions(null) : Promise.resolve({ kind: 'file', path: file, problem: null, files: [recordFor('coder-2')] })
    },
  }) })
  const { report } = await made.run({ admissionFile: 'named.json' })
  assert.deepEqual([report.status, report.model.requested, report.model.alias?.name], ['pass', 'scripted/coder-2', 'best'])
  // Read again while the agent runs, as often as that takes.
  assert.deepEqual([...new Set(named)], ['named.json'])
})

verifies('MC-106', 'a probe that is older than the configuration allows does not count', async (t) => {
  const made = await stage(t, { health: (grant) => grant.ask({ startedAt: '2026-01-01T00:00:00.000Z' }) })
  assert.equal((await made.run()).report.reason, 'health_unknown')
})

test('an agent that is not as planned is given no prompt, and is ended before its licence', async (t) => {
  const made = await stage(t)
  made.agent.readiness = (facts) => ({ ...facts, observed: { ...facts.observed, argvDigest: 'd'.repeat(64) } })
  const { report } = await made.run()
  assert.deepEqual([report.status, report.reason, report.process_started], ['fail', 'agent_not_as_planned', true])
  assert.deepEqual(made.acts.slice(3), ['start', 'stop', 'revoke agent', 'close wire'])
})

test('an agent that cannot be stopped ends the run as a fault, and its licence ends all the same', async (t) => {
  const made = await stage(t)
  made.agent.stopping = () => Promise.reject(new Error('EPERM'))
  const { report } = await made.run()
  assert.deepEqual([report.status, report.reason], ['fail', 'gate_crashed'])
  assert.deepEqual(made.acts.slice(2), ['grant agent', 'start', 'deliver', 'stop', 'revoke agent', 'close wire'])
})

test('a session that runs a turn, or has ended, is given no prompt', async (t) => {
  const answers = await Promise.all((['running', 'dead'] as const).map(async (state) => {
    const made = await stage(t)
    made.agent.state = () => state
    return [(await made.run()).report.reason, made.acts.includes('deliver')]
  }))
  assert.deepEqual(answers, [['runtime_busy', false], ['failed_to_inject', false]])
})

test('a hand-over that fails is judged again, fails the run, and is not repeated', async (t) => {
  const made = await stage(t)
  made.agent.delivery = () => ({ ok: false, refusal: refuse('failed_to_inject', 'the pipe broke') })
  const { report } = await made.run()
  assert.deepEqual([report.status, report.reason], ['fail', 'failed_to_inject'])
  assert.deepEqual(report.gates.filter((gate) => gate.gate === 'dispatch').map((gate) => [gate.outcome, gate.found]), [['pass', null], ['block', 'the pipe broke']])
  assert.equal(made.acts.filter((act) => act === 'deliver').length, 1)
  assert.ok(!made.acts.includes('probe result'))
})

test('an agent that cannot be started fails the run, and its licence on the wire ends with it', async (t) => {
  const made = await stage(t)
  made.agent.start = () => Promise.reject(new Error('ENOENT'))
  const { report } = await made.run()
  assert.deepEqual([report.status, report.reason], ['fail', 'agent_not_started'])
  assert.deepEqual(made.acts.slice(2), ['grant agent', 'start', 'revoke agent', 'close wire'])
})

verifies('WIR-21', 'a call that becomes durable only while the licence ends is judged like every other', async (t) => {
  const made = await stage(t)
  const { work } = made.agent
  made.agent.work = async () => {
    const grant = made.grants[1]
    if (grant !== undefined) grant.late = { outcome: 'failed', reason: 'served_model_mismatch', servedModel: 'cheaper-1' }
    return work()
  }
  assert.equal((await made.run()).report.reason, 'served_model_mismatch')
})

verifies('ADM-N9', 'only names that the record lists count as the admitted model', async (t) => {
  const made = await stage(t)
  const { work } = made.agent
  made.agent.work = async () => (await made.grants[1]?.ask({ servedModel: 'coder-1-other' }), work())
  assert.equal((await made.run()).report.reason, 'served_model_mismatch')
})

verifies('WIR-22', 'a call without stored evidence fails the run', async (t) => {
  const made = await stage(t)
  const { work } = made.agent
  made.agent.work = async () => {
    const grant = made.grants[1]
    if (grant !== undefined) grant.unrecorded = 1
    return work()
  }
  assert.equal((await made.run()).report.reason, 'evidence_unavailable')
})

verifies('ADM-N14 ADM-N15', 'an agent that asks no model anything fails, also when it is gone before its prompt', async (t) => {
  const silent = await stage(t)
  silent.agent.work = () => Promise.resolve({ claimedStatus: 'completed' })
  assert.equal((await silent.run()).report.reason, 'no_model_call')
  assert.ok(!silent.acts.includes('probe result'), 'nothing of it is looked at')
  const gone = await stage(t, { world: (world) => ({ agents: new Map([...world.agents].map(([name, adapter]) => [name, { ...adapter, open: async (launch, start, now) => {
    const session = await adapter.open(launch, start, now)
    await session.stop(0)
    return session
  } }])) }) })
  gone.agent.state = () => 'dead'
  const { report } = await gone.run()
  assert.deepEqual([report.reason, report.gates.at(-2)?.gate, report.exit?.claimed_status], ['no_model_call', 'wire', null])
})
