import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { AgentPath } from '../../src/gates/readiness/index.ts'
import { type AgentStage, agentStage, NAME, PERSONA } from '../helpers/agent-stage.ts'
import { type Assistant, startAssistant } from '../helpers/assistant.ts'
import { AGREEABLE, CONFIGURATION } from '../e2e/scenario.ts'
import { verifies } from '../verifies.ts'

/** How each fixture agent ends, whatever the path. */
const ENDS = {
  none: 'online',
  'no-model': 'failed MISSING_MODEL',
  'other-model': 'failed MODEL_MISMATCH',
  'no-mcp': 'failed MISSING_MCP_SERVER',
  'dead-mcp': 'failed MISSING_MCP_SERVER',
  'missing-tool': 'failed MISSING_TOOL',
  generic: 'failed MISSING_IDENTITY',
  'other-card': 'failed IDENTITY_MISMATCH',
  'older-generation': 'failed IDENTITY_MISMATCH',
  'digest-only': 'failed IDENTITY_MISMATCH',
  'wrong-build': 'failed STALE_DEPLOYMENT',
  'card-to-metadata': 'failed agent_card_url_rejected',
  gone: 'failed PROVISION_TIMEOUT',
  silent: 'failed PROVISION_TIMEOUT',
} as const

const STARTED: readonly AgentPath[] = ['create', 'external_create', 'import', 'bundle', 'team', 'restart', 'auto_restart', 'resume', 'wake', 'configuration_refresh']

/** Looks until the first stage is over; time that an agent does not use passes at once. */
async function settled(stage: AgentStage): Promise<string> {
  await stage.host.tick()
  if ((await stage.record()).state === 'provisioning') {
    stage.advance(61_000)
    await stage.until('online', 'failed')
  }
  return stage.standing()
}

async function started(stage: AgentStage, assistant: Assistant, path: AgentPath): Promise<void> {
  const begun = path === 're_register' ? await stage.host.register(NAME, stage.places.cardUrl) : await stage.host.start(NAME, path)
  assert.ok(begun.ok && begun.access !== null, JSON.stringify(begun))
  await assistant.set({ token: begun.access.token, wire: begun.access.baseUrl })
}

async function bench(context: TestContext, kind: 'pull' | 'push', persona: string | undefined = PERSONA): Promise<{ stage: AgentStage; assistant: Assistant }> {
  const stage = await agentStage(context, kind, { change: (made) => made.set(CONFIGURATION, ['agents', NAME, 'answer'], '6s') })
  const file = join(stage.made.directory, 'loaded.md')
  if (persona !== undefined) writeFileSync(file, persona)
  return { stage, assistant: await startAssistant(context, stage.places, persona === undefined ? [] : ['--persona', file]) }
}

verifies('RDY-01 RDY-02 RDY-03 RDY-04 RDY-05 RDY-06 RDY-07 RDY-12 RDY-15 RDY-19 RDY-28', 'each fixture agent on each path by which it is started ends as it must', async (context) => {
  const { stage, assistant } = await bench(context, 'pull')
  for (const [fault, end] of Object.entries(ENDS)) {
    for (const path of fault === 'silent' ? STARTED.slice(0, 1) : STARTED) {
      await assistant.set({ fault })
      await started(stage, assistant, path)
      assert.equal(await settled(stage), end, `${fault} by ${path}: ${JSON.stringify(await stage.record())}`)
      assert.equal((await stage.host.route(NAME)).ok, end === 'online')
      // `gone` would refuse to be told what comes next otherwise.
      await assistant.set({ fault: 'none' })
    }
  }
})

verifies('RDY-12 RDY-15', 'each fixture agent that registers again ends as it must, from whatever state', async (context) => {
  const { stage, assistant } = await bench(context, 'push')
  for (const [fault, end] of Object.entries(ENDS)) {
    if (fault === 'silent') continue
    await assistant.set({ fault })
    await started(stage, assistant, 're_register')
    assert.equal((await stage.record()).state, 'provisioning', 'a registration raises nothing')
    assert.equal(await settled(stage), end, fault)
    await assistant.set({ fault: 'none' })
  }
})

verifies('RDY-12 RDY-20', 'each fixture agent that was online and comes back, by a heartbeat or to another server, ends as it must', async (context) => {
  const { stage, assistant } = await bench(context, 'pull')
  for (const path of ['heartbeat_recovery', 'adoption'] as const) {
    for (const [fault, end] of Object.entries(ENDS)) {
      if (fault === 'silent' || fault === 'gone') continue
      await assistant.set({ fault: 'none' })
      await started(stage, assistant, 'configuration_refresh')
      assert.equal(await settled(stage), 'online')
      await stage.host.heartbeat(NAME, false)
      assert.equal((await stage.record()).state, 'degraded')
      await assistant.set({ fault })
      if (path === 'heartbeat_recovery') await stage.host.heartbeat(NAME, true)
      else {
        const next = await stage.restartServer()
        await next.adopt()
        await assistant.set({ wire: `${next.wireAddress}/v1` })
      }
      await stage.host.tick()
      // What only does not answer is borne twice; it is out of reach meanwhile.
      const expected = fault === 'dead-mcp' ? 'degraded MISSING_MCP_SERVER' : end
      assert.equal(await stage.standing(), expected, `${fault} by ${path}`)
      assert.equal((await stage.host.route(NAME)).ok, end === 'online')
    }
  }
})

verifies('RDY-01 RDY-02 RDY-10', 'no persona and another persona fail, also where everything else is right', async (context) => {
  for (const [persona, end] of [[undefined, 'failed MISSING_IDENTITY'], ['You are somebody else.\n', 'failed IDENTITY_MISMATCH']] as const) {
    const { stage, assistant } = await (persona === undefined ? agentStage(context, 'pull').then(async (made) => ({ stage: made, assistant: await startAssistant(context, made.places) })) : bench(context, 'pull', persona))
    await started(stage, assistant, 'external_create')
    assert.equal(await settled(stage), end)
  }
})

verifies('RDY-04', 'a provider that serves another model, or names none, fails the agent, at its start and while it works', async (context) => {
  for (const fault of [{ servedModel: 'coder-2' }, { noModel: true as const }]) {
    for (const on of ['Who are you', 'Book a room']) {
      const stage = await agentStage(context, 'pull', { script: { ...AGREEABLE, faults: [{ on: { lastUser: on }, fault }] } })
      const file = join(stage.made.directory, 'loaded.md')
      writeFileSync(file, PERSONA)
      const assistant = await startAssistant(context, stage.places, ['--persona', file])
      await started(stage, assistant, 'create')
      const working = on === 'Book a room'
      assert.equal(await settled(stage), working ? 'online' : 'failed MODEL_MISMATCH')
      if (!working) continue
      const message = { jsonrpc: '2.0', id: 1, method: 'SendMessage', params: { message: { messageId: 'm', role: 'ROLE_USER', parts: [{ text: on }] } } }
      await fetch(`http://127.0.0.1:${stage.places.port}/a2a`, { method: 'POST', headers: { 'content-type': 'application/json', 'a2a-version': '1.0' }, body: JSON.stringify(message) })
      await stage.until('failed')
      assert.equal(await stage.standing(), 'failed MODEL_MISMATCH')
    }
  }
})

verifies('RDY-12 RDY-41', 'a process that ends is started again by itself as a new generation, with the same seed and as often as its entry says', async (context) => {
  const stage = await agentStage(context, 'process')
  await stage.host.start(NAME, 'create')
  assert.equal((await stage.until('online', 'failed')).state, 'online', await stage.standing())
  const kill = async (): Promise<void> => {
    const { runId } = await stage.record()
    const history = await stage.world.ledger.history(runId)
    const event = history?.entries.map(({ body }) => JSON.parse(body) as { type?: string; data?: { pid?: number } }).find(({ type }) => type === 'process_started')
    process.kill(event?.data?.pid ?? assert.fail('no pid'), 'SIGKILL')
  }
  await kill()
  for (const limit = performance.now() + 20_000; (await stage.record()).generation === 1 && performance.now() < limit; ) await new Promise((resolve) => setTimeout(resolve, 20))
  assert.partialDeepStrictEqual(await stage.record(), { generation: 2, path: 'auto_restart', state: 'provisioning' })
  assert.equal((await stage.until('online', 'failed')).state, 'online', await stage.standing())
  await kill()
  assert.equal((await stage.until('failed')).reason, 'agent_lost')
  // Another seed is no restart: it is refused, and says so.
  writeFileSync(join(stage.made.directory, 'seed/more.md'), 'more')
  assert.partialDeepStrictEqual(await stage.host.start(NAME, 'restart'), { ok: false, reason: 'stale_deployment' })
  assert.equal(await stage.standing(), 'failed STALE_DEPLOYMENT')
  await stage.host.start(NAME, 'create')
  assert.equal((await stage.until('online', 'failed')).state, 'online', await stage.standing())
})
