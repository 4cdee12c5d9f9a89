import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { createMessenger } from '../../src/adapters/agent-probe/index.ts'
import { converse, verifyRun } from '../../src/engine/index.ts'
import { openRunDirectory } from '../../src/adapters/run-directory/index.ts'
import { join } from 'node:path'
import { type AgentStage, agentStage, NAME, PERSONA } from '../helpers/agent-stage.ts'
import { type Assistant, startAssistant } from '../helpers/assistant.ts'
import { writeFileSync } from 'node:fs'
import { RECORD } from '../e2e/scenario.ts'
import { verifies } from '../verifies.ts'

interface Kept extends AgentStage {
  readonly assistant: Assistant
}

/** An agent that somebody else started, online. */
async function kept(context: TestContext): Promise<Kept> {
  const stage = await agentStage(context, 'pull')
  const persona = join(stage.made.directory, 'persona.md')
  writeFileSync(persona, PERSONA)
  const assistant = await startAssistant(context, stage.places, ['--persona', persona])
  const begun = await stage.host.start(NAME, 'external_create')
  assert.ok(begun.ok && begun.access !== null, JSON.stringify(begun))
  await assistant.set({ token: begun.access.token, wire: begun.access.baseUrl })
  assert.equal((await stage.until('online', 'failed')).state, 'online', await stage.standing())
  return Object.assign(stage, { assistant })
}

const light = async (stage: AgentStage): Promise<string> => {
  stage.advance(31_000)
  await stage.host.tick()
  return stage.standing()
}

verifies('RDY-20 RDY-22 RDY-23 RDY-24 RDY-44', 'a tool that is lost ends the generation at the next light look; nothing is routed to it, and its history says why', async (context) => {
  const stage = await kept(context)
  assert.equal((await stage.host.route(NAME)).ok, true)
  assert.equal(await light(stage), 'online')
  const calls = stage.made.provider.requests().length
  await stage.assistant.set({ fault: 'missing-tool' })
  assert.equal(await light(stage), 'failed MISSING_TOOL')
  assert.equal(stage.made.provider.requests().length, calls, 'a light look costs no call of the model')
  const route = await stage.host.route(NAME)
  assert.deepEqual([route.ok, route.ok ? '' : route.refusal.reason, route.ok ? '' : /MISSING_TOOL.*create_workspace/.test(route.refusal.found)], [false, 'no_ready_agent', true])
  const steps = await stage.world.store.steps(NAME)
  assert.deepEqual(steps.map(({ to, stage: at }) => [to, at]), [['provisioning', 'provisioning'], ['online', 'serving'], ['failed', 'serving']])
  const { runId } = await stage.record()
  const history = await stage.world.ledger.history(runId)
  assert.ok(history !== undefined)
  assert.deepEqual(verifyRun(history, openRunDirectory(join(stage.made.directory, '.portcullis'), runId)).problems, [])
  assert.deepEqual([history.run.state, history.run.reason], ['blocked', 'missing_tool'])
  // The tool comes back: that alone raises nobody, nor does a heartbeat (RDY-19).
  await stage.assistant.set({ fault: 'none' })
  await stage.host.heartbeat(NAME, true)
  assert.equal(await light(stage), 'failed MISSING_TOOL')
})

verifies('RDY-14 RDY-20', 'an agent out of reach is degraded twice and failed at the third time; one that comes back has to prove itself', async (context) => {
  const stage = await kept(context)
  await stage.assistant.set({ fault: 'dead-mcp' })
  assert.equal(await light(stage), 'degraded MISSING_MCP_SERVER')
  assert.equal((await stage.host.route(NAME)).ok, false)
  await stage.assistant.set({ fault: 'none' })
  await stage.host.heartbeat(NAME, true)
  assert.equal(await stage.standing(), 'degraded MISSING_MCP_SERVER', 'a heartbeat alone raises nothing')
  await stage.host.tick()
  assert.equal(await stage.standing(), 'online')
  await stage.host.heartbeat(NAME, false)
  assert.equal((await stage.record()).state, 'degraded')
  assert.equal(await light(stage), 'online')
  await stage.assistant.kill()
  assert.equal(await light(stage), 'degraded PROBE_ERROR')
  assert.equal(await light(stage), 'degraded PROBE_ERROR')
  assert.equal(await light(stage), 'failed PROBE_ERROR')
})

verifies('RDY-21 RDY-18', 'when its proof has ended and no new one came, an agent is out of reach although its row says online', async (context) => {
  const stage = await kept(context)
  stage.advance(401_000)
  assert.equal((await stage.record()).state, 'online')
  assert.equal((await stage.host.route(NAME)).ok, false)
  await stage.host.tick()
  assert.equal((await stage.host.route(NAME)).ok, true)
})

verifies('RDY-12 RDY-47', 'after a restart of the server nobody is ready: an agent that still holds its token is asked again, and one that changed meanwhile fails', async (context) => {
  const stage = await kept(context)
  const { runId } = await stage.record()
  // The wire of the next server has another address; on a machine it is a configured one.
  const next = await stage.restartServer()
  assert.equal((await next.route(NAME)).ok, false)
  await next.adopt()
  assert.deepEqual([(await stage.record()).state, (await stage.record()).runId], ['degraded', runId])
  const wire = next.wireAddress
  await stage.assistant.set({ wire: `${wire}/v1` })
  await next.tick()
  assert.equal(await stage.standing(), 'online')
  await stage.restartServer()
  await stage.assistant.set({ fault: 'generic' })
  await stage.host.adopt()
  await stage.host.tick()
  assert.equal(await stage.standing(), 'failed MISSING_IDENTITY')
})

test('an agent whose model is not admitted any more fails', async (context) => {
  const stage = await kept(context)
  stage.made.set(RECORD, ['status'], 'revoked')
  await stage.until('failed')
  assert.equal(await stage.standing(), 'failed not_admitted')
})

verifies('RDY-23', 'a message reaches a proven agent over A2A, whole or as a stream, and its model answers', async (context) => {
  const stage = await kept(context)
  const ask = (mode: 'send' | 'stream') => converse(stage.host, createMessenger(), { name: NAME, mode, id: 1, params: { message: { messageId: 'm1', role: 'ROLE_USER', parts: [{ text: 'Good day' }] } }, silenceMs: 10_000, signal: AbortSignal.timeout(20_000) })
  for (const mode of ['send', 'stream'] as const) {
    const answer = await ask(mode)
    assert.ok(answer.ok, JSON.stringify(answer))
    const chunks: Uint8Array[] = []
    for await (const chunk of answer.body) chunks.push(chunk)
    assert.match(Buffer.concat(chunks).toString('utf8'), /It is done\./)
    assert.match(answer.contentType, mode === 'stream' ? /event-stream/ : /json/)
  }
})
