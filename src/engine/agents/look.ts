import { randomBytes } from 'node:crypto'
import { withinLimit } from '../../contract/time-limit.ts'
import { milliseconds } from '../../contract/units.ts'
import { AGENT_READINESS_VERSION, AgentReadinessFacts, type AgentPath, challengeKey } from '../../gates/readiness/index.ts'
import type { RecordedCall } from '../../gates/wire/index.ts'
import { permissionOf } from './configuration.ts'
import type { Generation } from './generation.ts'
import type { AgentWorld } from './world.ts'

/** Looks at an agent once, from every side. The facts say what was seen; whether that is enough is the gate's to say. `signal` ends the look at once. */
export async function lookAt(world: AgentWorld, generation: Generation, depth: 'full' | 'light', path: AgentPath, signal: AbortSignal): Promise<AgentReadinessFacts> {
  const { identity, definition, chosen, grant } = generation
  const { expects } = definition
  const { runId } = identity
  const nonce = randomBytes(24).toString('base64url')
  const key = challengeKey({ runId, generation: identity.generation, nonce })
  const before = lastNumber(grant.calls())
  const [persona, build] = await Promise.all([world.readMaterial(expects.persona, key), world.readMaterial(expects.build, key)])
  const servers = Object.entries(expects.mcpServers).map(([name, server]) => ({ name, url: server.url ?? null, tools: server.tools }))
  const observed = await world.prober.observe({ cardUrl: definition.cardUrl, permission: permissionOf(definition), runId, generation: identity.generation, nonce, servers, callModel: depth === 'full', timeoutMs: milliseconds(definition.answer), signal })
  return AgentReadinessFacts.parse({
    rules: AGENT_READINESS_VERSION,
    observedAt: world.clock().toISOString(),
    validForMs: milliseconds(definition.validFor),
    agent: identity.name,
    runId,
    generation: identity.generation,
    path,
    depth,
    expected: { name: expects.name, version: expects.version, persona, build, pair: chosen.resolution.pair, servedModelIds: chosen.admitted.servedModelIds, servers, seed: generation.seed },
    ...observed,
    calls: grant.calls().filter(({ call }) => call.number > before && call.purpose === 'agent').slice(0, 1_000).map(seenCall),
    // Nobody judges a look that was broken off, and to look at the files of a program takes time.
    process: signal.aborted ? null : await processOf(world, generation, signal),
  })
}

const lastNumber = (calls: readonly RecordedCall[]): number => calls.reduce((highest, { call }) => Math.max(highest, call.number), 0)

const seenCall = ({ evidence, call }: RecordedCall) => ({
  evidence, number: call.number, inference: call.inference, outcome: call.outcome, reason: call.reason, requestedModel: call.requestedModel, admitted: call.admitted, servedModel: call.servedModel,
})

async function processOf(world: AgentWorld, { own, definition }: Generation, signal: AbortSignal) {
  if (own === null) return null
  const readiness = await own.session.ready(withinLimit(milliseconds(definition.answer), signal))
  return world.launcher.observe(own.permit.plan, own.session.process, readiness, { observedAt: world.clock(), validForMs: milliseconds(definition.validFor) })
}
