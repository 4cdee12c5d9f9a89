import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import fc from 'fast-check'
import { bench, type Bench, BUILD, GOOD, isGood, NAME, PERSONA, type Reality } from '../../../test/helpers/agent-bench.ts'
import { goodFacts } from '../../../test/helpers/agent-facts.ts'
import { verifies } from '../../../test/verifies.ts'
import { AGENT_PATHS, AgentReadinessEvidence, type AgentPath, agentSubject } from '../../gates/readiness/index.ts'
import { Verdict } from '../../contract/verdict.ts'
import { type AgentMessenger, AgentWithdrawn, converse } from './converse.ts'
import { isRoutable, transition } from './transition.ts'
import type { AgentWorld } from './world.ts'

type Act = { readonly name: string; run(bench: Bench): Promise<unknown> }

const acts: fc.Arbitrary<Act> = fc.oneof(
  fc.constantFrom(...AGENT_PATHS).map((path: AgentPath): Act => ({ name: `start ${path}`, run: ({ host }) => host.start(NAME, path) })),
  fc.constantFrom('https://agents.example.com/card', 'http://169.254.169.254/').map((url): Act => ({ name: `register ${url}`, run: ({ host }) => host.register(NAME, url) })),
  fc.boolean().map((healthy): Act => ({ name: `heartbeat ${healthy}`, run: ({ host }) => host.heartbeat(NAME, healthy) })),
  fc.constant<Act>({ name: 'tick', run: ({ host }) => host.tick() }),
  fc.constantFrom(1_000, 31_000, 301_000, 401_000).map((ms): Act => ({ name: `advance ${ms}`, run: async (bench) => bench.advance(ms) })),
  fc.constantFrom<Partial<Reality>>({}, {}, { card: false }, { persona: false }, { tools: false }, { server: false }, { model: false }, { build: false }, { bound: false }).map((change): Act => ({ name: `reality ${JSON.stringify(change)}`, run: async (bench) => (bench.reality = { ...GOOD, ...change }) })),
  fc.constant<Act>({ name: 'restart server', run: (bench) => bench.restart() }),
  fc.constant<Act>({ name: 'adopt', run: ({ host }) => host.adopt() }),
  fc.constant<Act>({ name: 'stop', run: ({ host }) => host.stop(NAME) }),
  fc.constant<Act>({ name: 'drain', run: ({ host }) => host.drain(NAME) }),
  fc.constantFrom('300s', '301s').map((reprove): Act => ({ name: `configuration with reprove ${reprove}`, run: ({ host, world }) => host.reconfigure(withReprove(world, reprove)) })),
)

/** A configuration in which the agent has to prove everything so often. */
function withReprove({ configuration }: AgentWorld, reprove: string): Pick<AgentWorld, 'configuration' | 'configurationDigest'> {
  const agent = configuration.agents?.[NAME] ?? assert.fail('no agent')
  return { configuration: { ...configuration, agents: { [NAME]: { ...agent, reprove } } }, configurationDigest: PERSONA }
}

/** What must hold after every act, whatever came before. */
async function holds({ host, world, seen }: Bench): Promise<void> {
  const record = await world.store.find(NAME)
  const route = await host.route(NAME)
  if (record?.state === 'online') {
    assert.ok(seen !== undefined && isGood(seen), 'online, although the last full look found something missing')
    const history = await world.ledger.history(record.runId)
    const verdicts = history?.entries.flatMap(({ kind, body }) => (kind === 'verdict' ? [Verdict.parse(JSON.parse(body))] : [])) ?? []
    const last = verdicts.filter(({ gate }) => gate === 'readiness').at(-1)
    assert.ok(last?.outcome === 'pass' && last.expiresAt === record.provenUntil && last.subject[0]?.name === `agent ${NAME} generation ${record.generation}`)
    const facts = history?.entries.flatMap(({ kind, body }) => (kind === 'evidence' ? (AgentReadinessEvidence.read(JSON.parse(body))?.predicate ?? []) : [])).at(-1)
    assert.ok(facts?.generation === record.generation && facts.runId === record.runId && facts.depth === 'full')
  }
  if (route.ok) assert.ok(record !== undefined && isRoutable(record, world.clock()))
  else assert.equal(route.refusal.reason, record?.state === 'offline' || record?.state === 'draining' ? 'agent_stopped' : 'no_ready_agent')
}

verifies('RDY-11 RDY-12 RDY-14 RDY-15 RDY-19 RDY-21 RDY-22', 'no sequence of starts, registrations, heartbeats, restarts and changes leads to online without a proof', async () => {
  await fc.assert(fc.asyncProperty(fc.array(acts, { minLength: 4, maxLength: 14 }), async (sequence) => {
    const ends: (() => unknown)[] = []
    const made = await bench({ after: (end: () => unknown) => void ends.unshift(end) } as unknown as TestContext)
    try {
      // Most sequences begin with an agent that is there.
      await made.host.start(NAME, 'create')
      await made.host.tick()
      for (const act of sequence) {
        await act.run(made)
        await holds(made)
      }
    } finally {
      for (const end of ends) await end()
    }
  }), { numRuns: 8 })
})

verifies('RDY-12', 'a configuration that changed has everybody prove everything again; whose own entry changed fails until a new start', async (context) => {
  const made = await bench(context)
  await made.host.start(NAME, 'create')
  await made.host.tick()
  assert.ok((await made.host.route(NAME)).ok)
  made.reality = { ...GOOD, model: false }
  await made.host.tick()
  assert.ok((await made.host.route(NAME)).ok, 'no look is due')
  await made.host.reconfigure({ configuration: { ...made.world.configuration, networkClasses: { far: { external: true } } }, configurationDigest: BUILD })
  await made.host.tick()
  assert.partialDeepStrictEqual(await made.world.store.find(NAME), { state: 'failed', reason: 'missing_model' })
  made.reality = GOOD
  await made.host.start(NAME, 'create')
  await made.host.tick()
  await made.host.reconfigure(withReprove(made.world, '301s'))
  assert.partialDeepStrictEqual(await made.world.store.find(NAME), { state: 'failed', reason: 'stale_deployment' })
  await made.host.start(NAME, 'configuration_refresh')
  await made.host.tick()
  assert.ok((await made.host.route(NAME)).ok)
  await made.host.reconfigure({ configuration: { ...made.world.configuration, agents: {} }, configurationDigest: BUILD })
  assert.partialDeepStrictEqual(await made.world.store.find(NAME), { state: 'offline', reason: 'agent_stopped' })
})

verifies('RDY-20', 'a provider that is given another credential has its agents prove everything again at once', async (context) => {
  const made = await bench(context)
  await made.host.start(NAME, 'create')
  await made.host.tick()
  await made.host.credentialsChanged()
  made.reality = { ...GOOD, model: false }
  await made.host.credentialsChanged()
  await made.host.tick()
  assert.ok((await made.host.route(NAME)).ok, 'nothing has changed, and no look is due')
  made.mark = 'second'
  await made.host.credentialsChanged()
  await made.host.tick()
  assert.partialDeepStrictEqual(await made.world.store.find(NAME), { state: 'failed', reason: 'missing_model' })
})

verifies('RDY-20', 'what is lost just after a look is noticed within the interval, and no look comes much sooner', async (context) => {
  const made = await bench(context)
  const began = Date.now()
  await made.host.start(NAME, 'create')
  await made.host.tick()
  made.reality = { ...GOOD, tools: false }
  // On a clock that goes on meanwhile: far enough from the look that is due.
  made.advance(20_000 - (Date.now() - began))
  await made.host.tick()
  assert.ok((await made.host.route(NAME)).ok, 'no look is due')
  made.advance(9_000)
  await made.host.tick()
  assert.partialDeepStrictEqual(await made.world.store.find(NAME), { state: 'failed', reason: 'missing_tool' })
})

for (const jumpMs of [-3_600_000, 7_200_000]) {
  verifies('REL-07', `the wall clock jumps by ${jumpMs / 3_600_000} h: an agent is looked at and proven again when its time has come, neither never nor all the time`, async (context) => {
    const made = await bench(context)
    await made.host.start(NAME, 'create')
    await made.host.tick()
    made.jump(jumpMs)
    // One whose proof is over by the new time is asked at once, and then no more than before.
    await made.host.tick()
    const proofs = async (): Promise<number> => (await made.world.store.steps(NAME)).length
    const before = await proofs()
    assert.ok((await made.host.route(NAME)).ok)
    for (let tick = 0; tick < 5; tick += 1) await made.host.tick()
    assert.equal(await proofs(), before, 'it was asked although nothing was due')
    made.reality = { ...GOOD, tools: false }
    made.advance(31_000)
    await made.host.tick()
    assert.partialDeepStrictEqual(await made.world.store.find(NAME), { state: 'failed', reason: 'missing_tool' }, 'the look was skipped')
  })
}

verifies('RDY-05', 'a tool server that is out of reach while the agent starts is asked again until its time is over, and then it is what the agent lacks', async (context) => {
  const made = await bench(context)
  const state = async () => made.world.store.find(NAME)
  made.reality = { ...GOOD, server: false }
  await made.host.start(NAME, 'create')
  for (const ms of [0, 1_000, 30_000]) {
    made.advance(ms)
    await made.host.tick()
    assert.equal((await state())?.state, 'provisioning')
  }
  made.reality = GOOD
  made.advance(1_000)
  await made.host.tick()
  assert.equal((await state())?.state, 'online')
  made.reality = { ...GOOD, server: false }
  await made.host.start(NAME, 'create')
  await made.host.tick()
  made.advance(61_000)
  await made.host.tick()
  assert.partialDeepStrictEqual(await state(), { state: 'failed', reason: 'missing_mcp_server' })
  // What is missing for good besides is not waited for.
  made.reality = { ...GOOD, server: false, persona: false }
  await made.host.start(NAME, 'create')
  await made.host.tick()
  assert.partialDeepStrictEqual(await state(), { state: 'failed', reason: 'missing_identity' })
})

verifies('ISO-05', 'whoever is ended, drained or replaced while a look at it goes on does not wait for that, and what was seen by then is not judged', async (context) => {
  const made = await bench(context)
  for (const [standing, reached, end] of [['provisioning', 'offline', () => made.host.stop(NAME)], ['online', 'offline', () => made.host.stop(NAME)], ['online', 'draining', () => made.host.drain(NAME)], ['online', 'provisioning', () => made.host.start(NAME, 'restart')]] as const) {
    made.reality = GOOD
    await made.host.start(NAME, 'create')
    if (standing === 'online') await made.host.tick()
    made.reality = { ...GOOD, silent: true }
    made.advance(31_000)
    const asked = new Promise<void>((resolve) => (made.asked = resolve))
    const look = made.host.tick()
    await asked
    assert.equal((await made.world.store.find(NAME))?.state, standing)
    await end()
    await look
    assert.equal((await made.world.store.find(NAME))?.state, reached)
  }
  const steps = (await made.world.store.steps(NAME)).map(({ to }) => to)
  assert.ok(!steps.includes('degraded') && !steps.includes('failed'), steps.join(' '))
})

verifies('ISO-05', 'whoever stops an agent while its provider is probed does not wait for that; its generation ends as stopped, and the next one begins', async (context) => {
  const made = await bench(context)
  for (const end of [() => made.host.stop(NAME), () => made.host.close()]) {
    made.providerSilent = true
    const asked = new Promise<void>((resolve) => (made.asked = resolve))
    const starting = made.host.start(NAME, 'create')
    await asked
    const ended = await end()
    assert.ok(ended === true || ended === undefined)
    const begun = await starting
    assert.deepEqual([begun.ok, !begun.ok && begun.reason], [false, 'agent_stopped'])
    assert.partialDeepStrictEqual(await made.world.store.find(NAME), { state: 'failed', reason: 'agent_stopped' })
    assert.equal((await made.world.ledger.list()).filter(({ state }) => state === 'open' || state === 'started').length, 0, 'no run of it goes on')
  }
  made.providerSilent = false
  await made.restart()
  assert.ok((await made.host.start(NAME, 'create')).ok)
  await made.host.tick()
  assert.ok((await made.host.route(NAME)).ok)
  assert.equal(await made.host.stop('nobody'), false)
})

test('who drains gets no new message, and finishes what it began under the proof that it had', async (context) => {
  const made = await bench(context)
  await made.host.start(NAME, 'create')
  await made.host.tick()
  const route = await made.host.route(NAME)
  assert.ok(route.ok)
  const runId = await made.host.drain(NAME)
  const refused = await made.host.route(NAME)
  assert.deepEqual([refused.ok, refused.ok ? '' : refused.refusal.reason, await route.still()], [false, 'agent_stopped', true])
  made.advance(401_000)
  await made.host.tick()
  assert.equal(await route.still(), false, 'its proof has ended')
  assert.equal(await made.host.stop(NAME, 'another generation'), false)
  assert.equal(await made.host.stop(NAME, runId), true)
  assert.equal((await made.world.store.find(NAME))?.state, 'offline')
})

test('the one function that says online takes a verdict of the gate, and nothing that looks like one', () => {
  const identity = { name: NAME, runId: '20261121T090000Z-concierge-1', generation: 1 }
  const written = Verdict.parse({ gate: 'readiness', runId: identity.runId, sequence: 3, subject: [agentSubject(NAME, identity.runId, 1)], policy: { name: 'p', digest: { sha256: PERSONA } }, decidedAt: new Date().toISOString(), evidence: [PERSONA], previous: null, outcome: 'pass', message: 'm', expiresAt: '2999-01-01T00:00:00.000Z' })
  assert.throws(() => transition(identity, { kind: 'proven', verdict: written, facts: goodFacts() }, new Date()), { code: 'proof_forged' })
})

verifies('RDY-33', 'a registration whose card may not be called is refused, and nothing is stored', async (context) => {
  const { host, world } = await bench(context)
  assert.deepEqual(await host.register(NAME, 'http://169.254.169.254/'), { ok: false, reason: 'agent_card_url_rejected', found: 'not a public address', runId: null })
  assert.deepEqual([await world.store.find(NAME), (await world.ledger.list()).length], [undefined, 0])
})

verifies('RDY-28 RDY-27', 'an agent that never comes fails at its deadline, and its history says that it never registered', async (context) => {
  const made = await bench(context)
  made.reality = { ...GOOD, card: false }
  await made.host.start(NAME, 'create')
  await made.host.tick()
  assert.equal((await made.world.store.find(NAME))?.state, 'provisioning')
  made.advance(60_001)
  await made.host.tick()
  assert.partialDeepStrictEqual(await made.world.store.find(NAME), { state: 'failed', stage: 'provisioning', reason: 'provision_timeout', message: 'not ready within 60s; the last stage that was completed: it was provisioned, and never registered' })
})

verifies('RDY-18', 'when the store cannot be written nobody comes online, and who was is out of reach when the proof ends', async (context) => {
  const made = await bench(context)
  await made.host.start(NAME, 'create')
  const { append } = made.world.ledger
  Object.assign(made.world.ledger, { append: () => Promise.reject(new Error('disk full')) })
  await made.host.tick()
  assert.equal((await made.world.store.find(NAME))?.state, 'provisioning')
  Object.assign(made.world.ledger, { append })
  made.advance(1_000)
  await made.host.tick()
  assert.ok((await made.host.route(NAME)).ok)
  Object.assign(made.world.ledger, { append: () => Promise.reject(new Error('disk full')) })
  made.advance(401_000)
  await made.host.tick()
  assert.equal((await made.host.route(NAME)).ok, false)
  Object.assign(made.world.ledger, { append })
})

verifies('RDY-16', 'no variable of the environment and no mode is asked anywhere on the way', async (context) => {
  const before = process.env['NODE_ENV']
  context.after(() => {
    if (before === undefined) delete process.env['NODE_ENV']
    else process.env['NODE_ENV'] = before
  })
  for (const mode of ['production', 'staging', 'development']) {
    process.env['NODE_ENV'] = mode
    const made = await bench(context)
    made.reality = { ...GOOD, persona: false }
    await made.host.start(NAME, 'create')
    await made.host.tick()
    assert.equal((await made.world.store.find(NAME))?.reason, 'missing_identity')
  }
})

const words = async (body: AsyncIterable<Uint8Array>): Promise<string> => {
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}

/** An agent that says these words, with something that happens before each. */
const speaking = (...said: readonly (readonly [before: () => Promise<unknown>, word: string])[]): AgentMessenger => ({
  ask: () =>
    Promise.resolve({
      ok: true, status: 200, contentType: 'text/plain',
      body: (async function* () {
        for (const [before, word] of said) {
          await before()
          yield Buffer.from(word)
        }
      })(),
    }),
})

verifies('RDY-22 RDY-23', 'a question is answered by a proven agent or refused with the reason, also where it fails while it answers', async (context) => {
  const made = await bench(context)
  const nothing = (): Promise<void> => Promise.resolve()
  const fails = async (): Promise<void> => {
    made.reality = { ...GOOD, tools: false }
    made.advance(31_000)
    await made.host.tick()
  }
  const ask = (messenger: AgentMessenger, mode: 'send' | 'stream') => converse(made.host, messenger, { name: NAME, mode, id: 1, params: {}, silenceMs: 1_000, signal: AbortSignal.timeout(10_000) })
  const refusalOf = async (answer: ReturnType<typeof ask>): Promise<string> => {
    const conversed = await answer
    return conversed.ok ? 'answered' : `${conversed.refusal.reason}: ${conversed.refusal.found}`
  }
  const untouchable: AgentMessenger = { ask: () => assert.fail('an agent that is not ready was asked') }
  assert.equal(await refusalOf(ask(untouchable, 'send')), 'no_ready_agent: it was never started')
  await made.host.start(NAME, 'create')
  assert.match(await refusalOf(ask(untouchable, 'send')), /it is provisioning/)
  await made.host.tick()
  const good = await ask(speaking([nothing, 'Good '], [nothing, 'day']), 'send')
  assert.equal(good.ok ? await words(good.body) : '', 'Good day')
  assert.match(await refusalOf(ask({ ask: () => Promise.resolve({ ok: false, found: 'no answer (ECONNRESET)' }) }, 'send')), /ECONNRESET/)
  const stream = await ask(speaking([nothing, 'Good '], [fails, 'generic']), 'stream')
  const heard: string[] = []
  await assert.rejects(async () => {
    if (stream.ok) for await (const chunk of stream.body) heard.push(Buffer.from(chunk).toString('utf8'))
  }, AgentWithdrawn)
  assert.deepEqual(heard, ['Good '])
  assert.match(await refusalOf(ask(untouchable, 'stream')), /MISSING_TOOL/)
  made.reality = GOOD
  await made.host.start(NAME, 'create')
  await made.host.tick()
  assert.match(await refusalOf(ask(speaking([fails, 'generic']), 'send')), /its answer was withheld/)
})
