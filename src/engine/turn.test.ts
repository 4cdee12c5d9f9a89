import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CONFIGURATION, stage, type Stage } from '../../test/helpers/fake-world.ts'
import { verifies } from '../../test/verifies.ts'
import { readHistory } from './index.ts'

const limited = (limits: object): { configuration: Record<string, unknown> } => ({ configuration: { profiles: { p: { ...CONFIGURATION.profiles.p, limits: { ...CONFIGURATION.profiles.p.limits, ...limits } } } } })
/** The agent does its work and then does not end. `meanwhile` happens once its end is waited for. */
function hangs(made: Stage, meanwhile: () => void): void {
  const { work } = made.agent
  made.agent.work = async () => {
    await work()
    await lookedAt(made)
    meanwhile()
    return new Promise(() => undefined)
  }
}

/** Resolves when the engine looks whether anything moved. */
const lookedAt = (made: Stage): Promise<void> =>
  new Promise((resolve) => {
    const grant = made.grants[1]
    if (grant !== undefined) grant.looked = resolve
  })

for (const [limit, ms] of [['total', 31_000], ['idle', 21_000]] as const) {
  test(`an agent past its ${limit} limit is stopped, and its work does not count`, async (t) => {
    const made = await stage(t, limited(limit === 'total' ? { idle: '10m' } : { total: '10m' }))
    hangs(made, () => made.advance(ms))
    const { report } = await made.run()
    assert.deepEqual([report.status, report.reason, report.exit?.timed_out], ['fail', 'agent_timed_out', true])
    assert.ok(made.acts.includes('stop'))
    const { read } = await readHistory(made.world, report.run_id)
    assert.equal(read.events.find((event) => event.type === 'process_ended')?.data['limit'], limit)
  })
}

test('movement on the wire is not idleness', async (t) => {
  const made = await stage(t, limited({ total: '60s' }))
  const { work } = made.agent
  made.agent.work = async () => {
    made.advance(19_000)
    const grant = made.grants[1]
    if (grant !== undefined) grant.lastAt = made.world.clock()
    made.advance(5_000)
    await lookedAt(made)
    await lookedAt(made)
    return work()
  }
  assert.equal((await made.run()).report.status, 'pass')
})

test('a run that is cancelled is stopped and never accepted, whatever was done by then', async (t) => {
  const made = await stage(t)
  hangs(made, () => made.cancel.abort())
  const { report } = await made.run()
  assert.deepEqual([report.status, report.reason], ['fail', 'interrupted'])
  assert.deepEqual(made.acts.slice(-3), ['stop', 'revoke agent', 'close wire'])
})

verifies('ISO-05', 'a run that is cancelled while its agent has not said that it has the prompt is over, and does not wait for that', async (t) => {
  const made = await stage(t, limited({ idle: '10m', total: '20m' }))
  made.agent.delivery = (signal) => {
    made.cancel.abort()
    return signal.aborted ? { ok: false, refusal: { reason: 'failed_to_inject', message: 'no receipt', asked: 'a receipt', found: 'none', remedy: 'none' } } : new Promise(() => undefined)
  }
  const { report } = await made.run()
  assert.deepEqual([report.status, report.reason, made.acts.includes('stop')], ['fail', 'interrupted', true])
  assert.equal(report.exit, null)
})

verifies('ISO-05', 'a run that is cancelled while its agent answers about itself is over, and nothing is asked of it', async (t) => {
  const made = await stage(t, limited({ idle: '10m', total: '20m' }))
  made.agent.ready = (signal) => {
    const ended = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
    made.cancel.abort()
    return ended.then(() => ({ responded: false, claims: { model: null, provider: null, version: null, effort: null } }))
  }
  const endedBefore: boolean[] = []
  made.agent.readiness = (facts) => (endedBefore.push(made.acts.includes('stop')), facts)
  const { report } = await made.run()
  assert.deepEqual([report.status, report.reason, endedBefore, made.acts.includes('deliver')], ['fail', 'interrupted', [true], false])
})

test('a run that was cancelled before it began asks nothing', async (t) => {
  const made = await stage(t)
  made.cancel.abort()
  const { report } = await made.run()
  assert.deepEqual([report.status, report.reason, made.acts], ['blocked', 'interrupted', ['close wire']])
})

test('a run that is cancelled while its model is probed starts nothing', async (t) => {
  const made = await stage(t, { health: async (grant) => (made.cancel.abort(), await grant.ask()) })
  const { report } = await made.run()
  assert.deepEqual([report.status, report.reason, made.acts.includes('start'), made.grants.length], ['blocked', 'interrupted', false, 1])
})

verifies('ISO-05', 'a run that is cancelled while its model is probed does not wait for the answer, and takes no other model in its place', async (t) => {
  const made = await stage(t, {
    health: async (_grant, signal) => {
      const ended = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
      made.cancel.abort()
      await ended
    },
  })
  const { report } = await made.run()
  assert.deepEqual([report.status, report.reason, made.grants.length], ['blocked', 'interrupted', 1])
})

test('probes are told when the run is cancelled', async (t) => {
  const made: Stage = await stage(t, { probe: (request, record) => {
    if (request.phase === 'untouched') made.cancel.abort()
    return request.phase === 'result' && request.signal.aborted ? { ...record, status: 'cancelled', payload: { ...record.payload, exit_code: null, error: 'cancelled' } } : record
  } })
  assert.equal((await made.run()).report.reason, 'interrupted')
})

test('the exit code, the signal and the claim of an agent are judged: none of them makes a pass, each can end one', async (t) => {
  const cases = await Promise.all(([{ exitCode: 1 }, { claimedStatus: 'failed' }, { signal: 'SIGKILL' }] as const).map(async (end) => {
    const made = await stage(t)
    const { work } = made.agent
    made.agent.work = async () => ({ ...(await work()), ...end })
    const { report } = await made.run()
    return `${report.reason}: ${report.gates.find((gate) => gate.gate === 'acceptance')?.found}`
  }))
  assert.deepEqual(cases, ['agent_failed: exit code 1', 'agent_failed: exit code 0 and a claim of failure', 'agent_failed: signal SIGKILL'])
})

test('what an agent left running is ended before its work is looked at', async (t) => {
  const made = await stage(t)
  await made.run()
  assert.ok(made.acts.indexOf('stop') < made.acts.indexOf('probe untouched'))
})

test('each phase of the probes looks at its own copy, and the reference must pass', async (t) => {
  const seen: string[] = []
  const look = (fails: boolean) => stage(t, { probe: (request, record) => {
    seen.push(`${request.phase} ${request.workspace.split('/').at(-1)} ${request.subjectDigest[0]}`)
    return fails && request.phase === 'reference' ? { ...record, status: 'failed', payload: { ...record.payload, exit_code: 1 } } : record
  } })
  assert.equal((await (await look(false)).run({ reference: Buffer.from('patch') })).report.status, 'pass')
  assert.deepEqual(seen, ['untouched untouched b', 'fake fake b', 'reference reference c', 'result workspace a'])
  assert.equal((await (await look(true)).run({ reference: Buffer.from('patch') })).report.reason, 'reference_fails')
})

test('a probe that passes on the untouched copy, or a runner that fails on it, proves nothing', async (t) => {
  const vacuous = await stage(t, { probe: (_request, record) => ({ ...record, status: 'passed', payload: { ...record.payload, exit_code: 0 } }) })
  assert.equal((await vacuous.run()).report.reason, 'baseline_passes')
  const crashing = await stage(t, { probe: (request, record) => {
    if (request.phase === 'untouched') throw new Error('the runner is broken')
    return record
  } })
  assert.equal((await crashing.run()).report.reason, 'probe_crashed')
})

test('an agent that changed nothing is not done', async (t) => {
  const made = await stage(t)
  made.agent.work = async () => (await made.grants[1]?.ask(), { claimedStatus: 'completed' })
  assert.equal((await made.run()).report.reason, 'done_without_change')
})

test('what the session holds against the run, by its last words on the wire, fails it and stands in the report', async (t) => {
  const made = await stage(t)
  const heard: (string | null)[] = []
  const { work } = made.agent
  made.agent.work = async () => {
    const grant = made.grants[1]
    if (grant !== undefined) grant.words = { number: 1, text: 'the last words' }
    return work()
  }
  made.agent.objection = (words) => {
    heard.push(words)
    return { reason: 'agent_protocol', message: 'case agent result protocol failed: none', asked: 'a result', found: 'none' }
  }
  const { report } = await made.run()
  assert.deepEqual([report.status, report.reason, heard], ['fail', 'agent_protocol', ['the last words']])
  assert.deepEqual(report.markers, ['backend/provider-agent-protocol.txt'])
})

test('a preflight that objects blocks the run under its own reason, with nothing started', async (t) => {
  const made = await stage(t)
  made.agent.preflight = () => Promise.resolve({ reason: 'agent_does_not_start', message: 'It does not start.', asked: '--help', found: 'exit 1', remedy: 'Install it.' })
  const { report } = await made.run()
  assert.deepEqual([report.status, report.reason, report.process_started, made.acts.includes('start')], ['blocked', 'agent_does_not_start', false, false])
  assert.deepEqual(report.markers, ['backend/runtime-does-not-start.txt'])
})

test('a preflight that fails or never ends permits nothing', async (t) => {
  const made = await stage(t)
  made.agent.preflight = () => Promise.reject(new Error('x'))
  const { report } = await made.run()
  assert.deepEqual([report.status, report.reason, made.acts.includes('start')], ['blocked', 'gate_crashed', false])
})

test('nothing of a program is started for a preflight where its plan would be refused', async (t) => {
  const made = await stage(t)
  let asked = 0
  made.agent.preflight = async () => {
    asked += 1
    return null
  }
  const { plan } = made.agent
  made.agent.plan = (launch) => ({ ...plan(launch), plan: { ...launch.plan, permissions: { mode: 'ask', enforcedBy: null } } })
  const { report } = await made.run()
  assert.deepEqual([report.reason, asked], ['permission_mode_unsupported', 0])
})
