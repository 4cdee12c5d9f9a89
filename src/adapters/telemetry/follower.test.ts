import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { type Collector, startCollector } from '../../../test/helpers/collector.ts'
import { canonicalJson } from '../../contract/canonical.ts'
import type { LedgerEntry } from '../../engine/index.ts'
import { type ModelCall, ModelCallEvidence } from '../../gates/wire/index.ts'
import { guardedClient } from '../outgoing/index.ts'
import { createSecretScanner } from '../secret-scan/index.ts'
import { type Loss, TelemetryFollower } from './index.ts'

const RUN = '20261121T090000Z-slugify-1'
const KEY = 'kf7Qm2Zx9LpT4vRb8NsWc3Hd'
const DIGEST = 'a'.repeat(64)

const CALL: ModelCall = {
  number: 2, epoch: 1, purpose: 'agent', dialect: 'anthropic-messages', method: 'POST', route: '/v1/messages', inference: true, requestedModel: 'claude-opus-4', admitted: { provider: 'anthropic', model: 'claude-opus-4' }, hops: [],
  servedModel: 'claude-opus-4-20260101', endpoint: 'https://api.anthropic.com', outcome: 'answered', reason: null, detail: 'a sentence about it', providerStatus: 200, clientStatus: 200, stream: true, toolCalls: false,
  usage: { inputTokens: 120, outputTokens: 30, cacheReadTokens: 100, cacheWriteTokens: 5, reasoningTokens: 0 }, costUsd: 0.01, requestBytes: 10, responseBytes: 20, requestDigest: DIGEST, responseDigest: DIGEST, providerRequestId: 'req_1',
  startedAt: '2026-11-21T09:00:01.000Z', firstByteMs: 100, durationMs: 1_500.5,
}

const evidence = (call: Partial<ModelCall>): string => canonicalJson(ModelCallEvidence.state([{ name: 'p', digest: { sha256: DIGEST } }], { ...CALL, ...call }))
const VERDICT = { gate: 'wire', runId: RUN, sequence: 4, subject: [{ name: 's', digest: { sha256: DIGEST } }], policy: { name: 'p', digest: { sha256: DIGEST } }, decidedAt: '2026-11-21T09:00:03.000Z', evidence: [DIGEST], previous: null, outcome: 'block', reason: 'served_model_mismatch', message: 'what was said in full', asked: 'this', found: 'that', remedy: 'so' }
const OPENED = { type: 'run_opened', at: '2026-11-21T09:00:00.000Z', data: { task: 'slugify', profile: 'p', purpose: 'ticket', workspace: '/home/someone/secret-place' } }
const ENDED = { type: 'run_ended', at: '2026-11-21T09:00:04.000Z', data: { state: 'failed', reason: 'served_model_mismatch' } }

interface Bench {
  readonly collector: Collector
  readonly follower: TelemetryFollower
  readonly sent: number[]
  readonly lost: [number, Loss][]
  add(kind: LedgerEntry['kind'], body: unknown): void
}

async function bench(context: TestContext, change: { readonly endpoint?: string; readonly addresses?: readonly string[]; readonly timeoutMs?: number } = {}): Promise<Bench> {
  const collector = await startCollector(context)
  const timeoutMs = change.timeoutMs ?? 10_000
  const client = guardedClient({ addresses: [...(change.addresses ?? [collector.address])], networks: [] }, timeoutMs)
  context.after(() => client.close())
  const rows: { readonly kind: LedgerEntry['kind']; readonly runId: string; readonly position: number; readonly body: string }[] = []
  const add = (kind: LedgerEntry['kind'], body: unknown): void => void rows.push({ kind, runId: RUN, position: rows.length + 1, body: typeof body === 'string' ? body : canonicalJson(body) })
  const [sent, lost]: [number[], [number, Loss][]] = [[], []]
  add('verdict', VERDICT)
  const follower = new TelemetryFollower({
    endpoint: change.endpoint ?? collector.endpoint, client, timeoutMs, version: '9.9.9', scanner: createSecretScanner(() => [KEY]), after: 1,
    rowsAfter: (kind, position, most) => Promise.resolve(rows.filter((row) => row.kind === kind && row.position > position).slice(0, most)),
    opening: () => Promise.resolve(OPENED),
    sent: (spans) => void sent.push(spans),
    lost: (spans, loss) => void lost.push([spans, loss]),
  })
  return { collector, follower, sent, lost, add }
}

const never = new AbortController().signal

test('a call is a client span in the names of GenAI, a verdict and a run are spans above it, and what was said is in none', async (context) => {
  const { collector, follower, sent, lost, add } = await bench(context)
  add('event', OPENED)
  add('evidence', evidence({}))
  add('evidence', evidence({ inference: false }))
  add('evidence', { predicateType: 'https://in-toto.io/attestation/test-result/v0.1', predicate: {} })
  add('verdict', { ...VERDICT, sequence: 5 })
  add('event', ENDED)
  await follower.sweep(never)
  assert.deepEqual([sent.reduce((sum, each) => sum + each, 0), lost], [3, []])
  const [run, verdict, call] = ['run', 'gate wire', 'chat claude-opus-4'].map((name) => collector.spans.find((span) => span.name === name))
  assert.ok(run !== undefined && verdict !== undefined && call !== undefined, JSON.stringify(collector.spans))
  assert.deepEqual(call.attributes, {
    'gen_ai.operation.name': 'chat', 'gen_ai.provider.name': 'anthropic', 'gen_ai.request.model': 'claude-opus-4', 'gen_ai.response.model': 'claude-opus-4-20260101', 'gen_ai.usage.input_tokens': '120', 'gen_ai.usage.output_tokens': '30',
    'gen_ai.usage.cache_read.input_tokens': '100', 'gen_ai.usage.cache_creation.input_tokens': '5', 'portcullis.run.id': RUN, 'portcullis.call.number': '2', 'portcullis.call.purpose': 'agent', 'portcullis.call.outcome': 'answered', 'portcullis.call.hops': '0', 'portcullis.admitted.model': 'claude-opus-4',
  })
  assert.deepEqual([call.kind, call.startTimeUnixNano, BigInt(call.endTimeUnixNano) - BigInt(call.startTimeUnixNano), call.status], [3, '1795251601000000000', 1_500_500_000n, {}])
  assert.deepEqual(verdict.attributes, { 'portcullis.run.id': RUN, 'portcullis.gate.name': 'wire', 'portcullis.gate.outcome': 'block', 'portcullis.gate.sequence': '5', 'error.type': 'served_model_mismatch' })
  assert.deepEqual([verdict.status, run.status], [{ code: 2, message: 'served_model_mismatch' }, { code: 2, message: 'served_model_mismatch' }])
  assert.deepEqual(run.attributes, { 'portcullis.run.id': RUN, 'portcullis.run.state': 'failed', 'portcullis.task.id': 'slugify', 'portcullis.profile': 'p', 'portcullis.purpose': 'ticket', 'error.type': 'served_model_mismatch' })
  assert.deepEqual([run.parentSpanId, verdict.parentSpanId, call.parentSpanId, new Set(collector.spans.map(({ traceId }) => traceId)).size], [undefined, run.spanId, run.spanId, 1])
  assert.doesNotMatch(collector.bodies.join(''), /said in full|a sentence|secret-place|req_1|api\.anthropic\.com/)
})

test('what an agent writes where the name of a model belongs is its content, and is not told; a credential in a span withholds it', async (context) => {
  const { collector, follower, lost, add } = await bench(context)
  add('evidence', evidence({ requestedModel: 'please tell my diary: today I', servedModel: null }))
  await follower.sweep(never)
  assert.equal(collector.spans[0]?.name, 'chat')
  assert.deepEqual(['gen_ai.request.model', 'gen_ai.response.model'].map((name) => collector.spans[0]?.attributes[name]), [undefined, undefined])
  add('evidence', evidence({ requestedModel: KEY }))
  await follower.sweep(never)
  assert.deepEqual([lost, collector.bodies.length, collector.bodies.join('').includes(KEY)], [[[1, 'withheld']], 1, false])
})

test('a collector that refuses, hangs, breaks off, is gone or may not be called loses spans, which are counted, and fails nothing; what comes later is sent again', async (context) => {
  const { collector, follower, sent, lost, add } = await bench(context, { timeoutMs: 300 })
  const behaviours: [Loss, NonNullable<Collector['behave']>][] = [
    ['refused', (answer) => void answer.writeHead(500).end('no')],
    ['unreachable', (answer) => void answer.writeHead(302, { location: 'http://169.254.169.254/' }).end()],
    ['unreachable', () => undefined],
    ['unreachable', (answer) => void answer.destroy()],
    ['unreachable', (answer) => void answer.writeHead(200).write('{')],
  ]
  for (const [loss, behave] of behaviours) {
    collector.behave = behave
    add('evidence', evidence({}))
    add('evidence', evidence({ number: 3 }))
    await follower.sweep(never)
    assert.deepEqual(lost.splice(0), [[2, loss]])
  }
  collector.behave = undefined
  add('evidence', evidence({ number: 4 }))
  await follower.sweep(never)
  assert.deepEqual([sent, lost, collector.spans.map(({ attributes }) => attributes['portcullis.call.number'])], [[1], [], ['4']])
  collector.behave = (answer) => void answer.writeHead(200).end('{"partialSuccess":{"rejectedSpans":"1"}}')
  add('evidence', evidence({ number: 5 }))
  add('evidence', evidence({ number: 6 }))
  await follower.sweep(never)
  assert.deepEqual([sent, lost], [[1, 1], [[1, 'rejected']]])
  const closed = await bench(context, { endpoint: 'http://127.0.0.1:1/v1/traces', addresses: [] })
  closed.add('evidence', evidence({}))
  await closed.follower.sweep(never)
  assert.deepEqual([closed.lost, closed.collector.bodies], [[[1, 'unreachable']], []])
})
