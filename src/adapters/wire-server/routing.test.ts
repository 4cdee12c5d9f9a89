import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { test, type TestContext } from 'node:test'
import type { Dialect } from '../../contract/model.ts'
import type { GrantRequest, Target } from '../../gates/wire/index.ts'
import { answerBy, ask, type Bench, eventsBy, json, portOf, SSE, startBench, startProvider, type TestProvider } from '../../../test/helpers/wire-harness.ts'
import { verifies } from '../../../test/verifies.ts'

const second = { provider: 'spare', model: 'coder-2' }

/** A wire whose grant is of the alias `best`: coder-1 first, coder-2 at another provider next. */
async function twoCandidates(context: TestContext, first: Parameters<typeof startBench>[1], change: Partial<GrantRequest> & { dialect?: Dialect; spare?: Partial<Target>; thresholds?: { window: number; consecutiveErrors: number } } = {}): Promise<Bench & { readonly spare: TestProvider }> {
  const spare = await startProvider(context, (response) => json(response, answerBy('openai-chat', 'coder-2')))
  const { spare: spareChange, ...others } = change
  const bench = await startBench(context, first, { aliases: ['best'], byModelId: false, ...others })
  const fallbacks: Target[] = [{ admitted: second, provider: { ...bench.request.provider, baseUrl: `${spare.url}/v1` }, servedModelIds: ['coder-2'], admittedUntil: null, ...spareChange }]
  await bench.grant.revoke()
  const request = { ...bench.request, fallbacks }
  return Object.assign(bench, { request, spare, grant: bench.wire.grant(request) })
}

const best = (more = ''): string => `{"model":"best"${more},"messages":[{"role":"user","content":"hi"}]}`

verifies('WIR-03', 'an alias is resolved at the wire, and the provider gets the exact id', async (context) => {
  const bench = await twoCandidates(context, (response) => json(response, answerBy('openai-chat', 'coder-1')))
  const answer = await ask(bench, { body: best(',"x":1') })
  assert.equal(answer.status, 200)
  assert.equal(bench.provider.received[0]?.body.toString(), best(',"x":1').replace('"best"', '"coder-1"'))
  assert.deepEqual([bench.recorder.only.requestedModel, bench.recorder.only.admitted.model, bench.recorder.only.servedModel], ['best', 'coder-1', 'coder-1'])
})

verifies('WIR-07', 'a grant of an alias neither implies nor needs a grant of a model id', async (context) => {
  const bench = await twoCandidates(context, (response) => json(response, answerBy('openai-chat', 'coder-1')))
  for (const model of ['coder-1', 'coder-2', 'Best']) assert.equal((await ask(bench, { body: `{"model":"${model}"}` })).status, 403)
  assert.equal(bench.provider.received.length + bench.spare.received.length, 0)
  const listed: unknown = JSON.parse((await ask(bench, { method: 'GET', path: '/v1/models' })).body)
  assert.partialDeepStrictEqual(listed, { data: [{ id: 'best' }] })
  assert.equal(JSON.stringify(listed).includes('coder'), false)
  const both = bench.wire.grant({ ...bench.request, runId: 'other', byModelId: true })
  const answer = await ask({ ...bench, grant: both }, { body: '{"model":"coder-2"}' })
  assert.deepEqual([answer.status, bench.spare.received.length], [200, 1])
})

verifies('WIR-31', 'a busy or broken candidate is followed by the next admitted one, and each try stands in the evidence', async (context) => {
  for (const status of [429, 500, 503, 529]) {
    const bench = await twoCandidates(context, (response) => json(response, { error: { message: 'busy' } }, status))
    const answer = await ask(bench, { body: best() })
    assert.equal(answer.status, 200, String(status))
    const call = bench.recorder.only
    assert.deepEqual([call.outcome, call.admitted, call.servedModel, call.hops.length], ['answered', second, 'coder-2', 1])
    assert.deepEqual([call.hops[0]?.admitted.model, call.hops[0]?.providerStatus, call.hops[0]?.reason], ['coder-1', status, status === 429 ? 'provider_rate_limited' : 'provider_overloaded'])
    assert.deepEqual([bench.provider.received.length, bench.spare.received.length], [1, 1])
  }
})

verifies('WIR-31', 'a refused credential or request, an unknown model, and an answer of another model are never covered up by a fallback', async (context) => {
  for (const status of [400, 401, 403, 404, 422]) {
    const bench = await twoCandidates(context, (response) => json(response, { error: { message: 'no' } }, status))
    assert.equal((await ask(bench, { body: best() })).status, status)
    assert.deepEqual([bench.spare.received.length, bench.recorder.only.hops.length], [0, 0])
  }
  const other = await twoCandidates(context, (response) => json(response, answerBy('openai-chat', 'cheap-1')))
  assert.equal((await ask(other, { body: best() })).status, 502)
  assert.deepEqual([other.spare.received.length, other.recorder.only.reason], [0, 'served_model_mismatch'])
})

verifies('WIR-31', 'after the first byte of an answer nobody else is asked', async (context) => {
  const [head = ''] = eventsBy('openai-chat', 'coder-1')
  const bench = await twoCandidates(context, (response) => {
    response.writeHead(200, SSE).write(head, () => setImmediate(() => response.destroy()))
  })
  const answer = await ask(bench, { body: best(',"stream":true') })
  assert.equal(answer.complete, false)
  assert.deepEqual([bench.spare.received.length, bench.recorder.only.reason], [0, 'answer_truncated'])
})

verifies('WIR-31', 'each candidate is asked once, and the last failure is what the agent gets', async (context) => {
  const bench = await twoCandidates(context, (response) => json(response, { error: {} }, 503))
  const failing = await startProvider(context, (response) => json(response, { error: { message: 'also busy' } }, 529))
  const [fallback] = bench.request.fallbacks
  assert.ok(fallback)
  const grant = bench.wire.grant({ ...bench.request, runId: 'other', fallbacks: [{ ...fallback, provider: { ...fallback.provider, baseUrl: `${failing.url}/v1` } }] })
  const answer = await ask({ ...bench, grant }, { body: best() })
  assert.deepEqual([answer.status, bench.provider.received.length, failing.received.length, bench.recorder.only.hops.length], [529, 1, 1, 1])
})

verifies('WIR-31', 'a run pinned to one pair never fails over', async (context) => {
  const bench = await twoCandidates(context, (response) => json(response, { error: {} }, 503), { byModelId: true })
  assert.equal((await ask(bench, { body: '{"model":"coder-1"}' })).status, 503)
  assert.equal(bench.spare.received.length, 0)
})

verifies('WIR-04 WIR-31', 'a candidate whose record has ended is never asked, and if all have, nothing is routed', async (context) => {
  const bench = await twoCandidates(context, (response) => json(response, answerBy('openai-chat', 'coder-1')), { admittedUntil: new Date('2026-11-20T21:40:00Z'), spare: { admittedUntil: new Date('2026-11-20T21:50:00Z') } })
  assert.equal((await ask(bench, { body: best() })).status, 200)
  bench.clock = new Date('2026-11-20T21:40:00Z')
  assert.equal((await ask(bench, { body: best() })).status, 200)
  assert.deepEqual([bench.provider.received.length, bench.spare.received.length, bench.recorder.calls[1]?.call.hops[0]?.reason], [1, 1, 'not_admitted'])
  bench.clock = new Date('2026-11-20T21:50:00Z')
  const refused = await ask(bench, { body: best() })
  assert.equal(refused.status, 403)
  assert.match(refused.body, /not_admitted.*record that ended at 2026-11-20T21:50/)
  assert.deepEqual([bench.provider.received.length, bench.spare.received.length], [1, 1])
})

verifies('WIR-04', 'a withdrawn grant and a token of an earlier generation stop the next call, with their reasons', async (context) => {
  const bench = await startBench(context, (response) => json(response, answerBy('openai-chat', 'coder-1')))
  assert.equal((await ask(bench)).status, 200)
  const later = bench.wire.grant({ ...bench.request, epoch: 2 })
  const stale = await ask(bench)
  assert.deepEqual([stale.status, /stale_epoch/.test(stale.body)], [403, true])
  assert.equal((await ask({ ...bench, grant: later })).status, 200)
  later.withdraw({ reason: 'missing_admission', found: 'the record was removed', remedy: 'Ask for it.' })
  const refused = await ask({ ...bench, grant: later })
  assert.deepEqual([refused.status, /missing_admission.*the record was removed/.test(refused.body)], [403, true])
  assert.deepEqual([bench.provider.received.length, bench.recorder.calls.map(({ call }) => [call.epoch, call.outcome])], [2, [[1, 'answered'], [1, 'refused'], [2, 'answered'], [2, 'refused']]])
})

verifies('WIR-32', 'a busy provider with Retry-After is waited for once where the configuration says so, and passed on where it does not', async (context) => {
  const play: Parameters<typeof startBench>[1] = (response, number) => (number === 1 ? json(response, { error: {} }, 429, { 'retry-after': '0.05' }) : json(response, answerBy('openai-chat', 'coder-1')))
  const passing = await startBench(context, play)
  const passed = await ask(passing)
  assert.deepEqual([passed.status, passed.headers['retry-after'], passing.provider.received.length], [429, '0.05', 1])
  const waiting = await startBench(context, play)
  const grant = waiting.wire.grant({ ...waiting.request, runId: 'waits', provider: { ...waiting.request.provider, onBusy: 'wait' } })
  assert.equal((await ask({ ...waiting, grant })).status, 200)
  assert.deepEqual([waiting.provider.received.length, waiting.recorder.only.hops.map(({ reason }) => reason)], [2, ['provider_rate_limited']])
})

test('a wait that would pass the limit of the call, or that the provider does not name, is not waited', async (context) => {
  for (const headers of [{ 'retry-after': '3600' }, {}, { 'retry-after': 'Wed, 21 Oct 2026 07:28:00 GMT' }]) {
    const bench = await startBench(context, (response) => json(response, { error: {} }, 529, { ...headers }))
    const grant = bench.wire.grant({ ...bench.request, runId: 'waits', provider: { ...bench.request.provider, onBusy: 'wait' } })
    assert.deepEqual([(await ask({ ...bench, grant })).status, bench.provider.received.length], [529, 1])
  }
})

verifies('WIR-32', 'a request that never went out is tried once more; one that may have been processed is not', async (context) => {
  const closed = createServer()
  await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve))
  const port = portOf(closed.address())
  await new Promise((resolve) => closed.close(resolve))
  const dead = await startBench(context, () => undefined, { baseUrl: `http://127.0.0.1:${port}/v1` })
  assert.equal((await ask(dead)).status, 502)
  assert.deepEqual([dead.recorder.only.reason, dead.recorder.only.hops.length], ['provider_unreachable', 1])
  const cut = await startBench(context, (response) => response.destroy())
  assert.equal((await ask(cut)).status, 502)
  assert.deepEqual([cut.provider.received.length, cut.recorder.only.hops.length], [1, 0])
})

verifies('WIR-30 WIR-34', 'an unhealthy pair gets no traffic until a probe has answered, and if every candidate is, nothing is routed', async (context) => {
  let broken = true
  const bench = await twoCandidates(context, (response) => (broken ? json(response, { error: {} }, 500) : json(response, answerBy('openai-chat', 'coder-1'))), { thresholds: { window: 5, consecutiveErrors: 2 } })
  for (let call = 0; call < 3; call++) assert.equal((await ask(bench, { body: best() })).status, 200)
  assert.equal(bench.provider.received.length, 2)
  assert.match(bench.recorder.calls[2]?.call.hops[0]?.detail ?? '', /2 calls in a row failed/)
  broken = false
  const alone = bench.wire.grant({ ...bench.request, runId: 'alone', fallbacks: [] })
  const refused = await ask({ ...bench, grant: alone }, { body: best() })
  assert.deepEqual([refused.status, /provider_unhealthy/.test(refused.body), bench.provider.received.length], [403, true, 2])
  const probe = bench.wire.grant({ ...bench.request, runId: 'probe', purpose: 'health', fallbacks: [] })
  assert.equal((await ask({ ...bench, grant: probe }, { body: best() })).status, 200)
  assert.equal((await ask({ ...bench, grant: alone }, { body: best() })).status, 200)
})

test('a candidate of another dialect is passed over, never translated', async (context) => {
  const bench = await twoCandidates(context, (response) => json(response, { error: {} }, 500))
  const [fallback] = bench.request.fallbacks
  assert.ok(fallback)
  const grant = bench.wire.grant({ ...bench.request, runId: 'other', fallbacks: [{ ...fallback, provider: { ...fallback.provider, dialect: 'anthropic-messages' } }] })
  assert.equal((await ask({ ...bench, grant }, { body: best() })).status, 500)
  assert.equal(bench.spare.received.length, 0)
})
