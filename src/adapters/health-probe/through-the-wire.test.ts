import assert from 'node:assert/strict'
import { type TestContext } from 'node:test'
import { systemClock } from '../../contract/clock.ts'
import { evidenceDigest } from '../../contract/evidence.ts'
import type { Finding } from '../../contract/gate.ts'
import { type Dialect, DIALECTS } from '../../contract/model.ts'
import type { Reason } from '../../contract/reasons.ts'
import type { Provider } from '../../gates/catalog/index.ts'
import { healthGate, HealthFacts, probeCallOf, type ProbeSight } from '../../gates/health/index.ts'
import { ModelCallEvidence, NOTHING_SPENT } from '../../gates/wire/index.ts'
import { createCredentials } from '../credentials/index.ts'
import { type Fault, type ScriptedAnswer, startScriptedProvider } from '../scripted-provider/index.ts'
import { startWire } from '../wire-server/index.ts'
import { verifies } from '../../../test/verifies.ts'
import { probeHealth } from './probe-health.ts'
import { PROBE_TOOL } from './probe-message.ts'

const KEY = 'sk-test-provider-key-0123456789'
const pair = { provider: 'scripted', model: 'coder-1' }
const digest = 'a'.repeat(64)

interface World {
  readonly dialect: Dialect
  readonly fault?: Fault
  readonly answer?: ScriptedAnswer
  readonly environment?: Readonly<Record<string, string>>
  readonly gone?: boolean
}

interface Probed {
  readonly facts: HealthFacts
  readonly finding: Finding
  readonly sight: ProbeSight
  readonly answeredBy: readonly (string | null)[]
}

/** Probes as a run does: a provider that wants its key, the real wire that alone has it, a grant for one call, the gate. */
async function probed(context: TestContext, { dialect, fault, answer, environment = { SCRIPTED_KEY: KEY }, gone = false }: World): Promise<Probed> {
  const script = {
    version: 1 as const,
    models: ['coder-1'],
    requireKey: KEY,
    turns: [{ when: { offersTool: PROBE_TOOL }, answer: answer ?? { toolCalls: [{ name: PROBE_TOOL, arguments: {} }] } }],
    faults: fault === undefined ? [] : [{ on: { always: true as const }, fault }],
  }
  const scripted = await startScriptedProvider({ script, port: 0 })
  if (gone) await scripted.close()
  else context.after(() => scripted.close())
  const provider: Provider = {
    dialect,
    baseUrl: dialect === 'anthropic-messages' || dialect === 'gemini' ? scripted.url : `${scripted.url}/v1`,
    networkClass: 'loopback',
    credential: { source: 'env', name: 'SCRIPTED_KEY', class: 'provider-api-key' },
    timeouts: { connect: '2s', firstByte: '300ms', idle: '300ms', total: '5s' },
  }
  const wire = await startWire({
    recorder: { charged: () => Promise.resolve(NOTHING_SPENT), record: (_runId, call) => Promise.resolve(evidenceDigest(ModelCallEvidence.state([{ name: 'call', digest: { sha256: digest } }], call))) },
    credentials: createCredentials({ environment, homeDirectory: '/nonexistent' }),
    clock: systemClock,
    thresholds: undefined,
    port: 0,
  })
  context.after(() => wire.close())
  const grant = wire.grant({
    runId: '20261120T213918Z-r1-1',
    purpose: 'health',
    admitted: pair,
    provider,
    servedModelIds: ['coder-1'],
    admittedUntil: null,
    epoch: 1,
    aliases: [],
    byModelId: true,
    fallbacks: [],
    backgroundModels: 'refuse',
    settings: { effort: null, context: null },
    providerTools: [],
    profile: 'coder',
    budgets: [],
    limits: { calls: 1, tokens: 10_000, costUsd: null },
    expiresAt: new Date(Date.now() + 60_000),
  })
  const sight = await probeHealth({ grant, dialect, model: pair.model, timeoutMs: 10_000, signal: new AbortController().signal })
  await grant.revoke()
  const facts = HealthFacts.parse({
    observedAt: new Date().toISOString(),
    pair,
    servedModelIds: ['coder-1'],
    credential: { class: 'provider-api-key', source: 'env SCRIPTED_KEY' },
    staticOk: true,
    toolsRequired: true,
    ...probeCallOf(grant.calls()),
    maxAgeMs: 60_000,
  })
  return { facts, sight, finding: healthGate.decide(facts, [digest]), answeredBy: scripted.requests().map((request) => request.answeredBy) }
}

const FAILURES: readonly (readonly [name: string, world: Omit<World, 'dialect'>, reason: Reason])[] = [
  ['a refused key', { fault: { status: 401 } }, 'provider_auth'],
  ['a wrong key', { environment: { SCRIPTED_KEY: 'sk-test-another-key-0123456789' } }, 'provider_auth'],
  ['no key', { environment: {} }, 'credential_unavailable'],
  ['an unknown model', { fault: { status: 404 } }, 'provider_model_unknown'],
  ['a rate limit', { fault: { status: 429, retryAfter: 2 } }, 'provider_rate_limited'],
  ['a failure', { fault: { status: 500 } }, 'provider_overloaded'],
  ['an overload', { fault: { status: 529 } }, 'provider_overloaded'],
  ['a hang', { fault: { hang: true } }, 'provider_timeout'],
  ['a stall', { fault: { stall: true } }, 'provider_timeout'],
  ['a refused connection', { gone: true }, 'provider_unreachable'],
  ['a cut answer', { fault: { cut: true } }, 'answer_truncated'],
  ['garbage', { fault: { garbage: true } }, 'provider_malformed'],
  ['another served model', { fault: { servedModel: 'cheap-1' } }, 'served_model_mismatch'],
  ['an answer of nobody', { fault: { noModel: true } }, 'served_model_unknown'],
  ['a text where a tool call was asked for', { answer: { text: 'I would rather talk.' } }, 'tools_not_supported'],
]

for (const dialect of DIALECTS) {
  verifies('MC-100 MC-106', `${dialect}: through the real wire, the probe shows the served model, the latency and working tools, with evidence and time`, async (context) => {
    const { facts, finding, sight, answeredBy } = await probed(context, { dialect })
    assert.match(finding.outcome === 'pass' ? finding.message : JSON.stringify(finding), /^answered as coder-1 in \d+ ms, tools work$/)
    assert.equal(sight.httpStatus, 200)
    assert.deepEqual(answeredBy, ['turns[0]'])
    assert.match(facts.probe?.evidence ?? '', /^[0-9a-f]{64}$/)
    assert.ok(Math.abs(Date.parse(facts.observedAt) - Date.parse(facts.probe?.startedAt ?? '')) < 10_000)
  })

  for (const [name, world, reason] of FAILURES) {
    verifies('MC-100 ADM-N16', `${dialect}: ${name} is ${reason}, classified from the wire`, async (context) => {
      const { facts, finding } = await probed(context, { dialect, ...world })
      assert.equal(finding.outcome === 'block' ? finding.reason : finding.outcome, reason, JSON.stringify(facts))
      assert.equal(facts.calls, 1)
      assert.ok(!JSON.stringify([facts, finding]).includes(KEY))
    })
  }

  verifies('WIR-41', `${dialect}: a provider that echoes the key does not get it into the facts`, async (context) => {
    for (const fault of [{ echoKey: true }, { status: 401, echoKey: true }] as const) {
      const { facts, finding } = await probed(context, { dialect, fault })
      assert.ok(!JSON.stringify([facts, finding]).includes(KEY))
    }
  })
}
