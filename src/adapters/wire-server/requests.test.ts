import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { createRunToken } from '../../contract/ids.ts'
import type { GrantRequest } from '../../gates/wire/index.ts'
import { verifies } from '../../../test/verifies.ts'
import { refused } from '../../../test/helpers/refused.ts'
import { answerBy, ask, type Ask, type Bench, json, QUESTION, ROUTE_OF, SECRET, SPOKEN, startBench } from '../../../test/helpers/wire-harness.ts'

const served = (context: TestContext, change: Parameters<typeof startBench>[2] = {}): Promise<Bench> =>
  startBench(context, (response) => json(response, answerBy(change.dialect ?? 'openai-chat', 'coder-1')), change)

verifies('WIR-11 WIR-20 SEC-02', 'in each dialect an admitted call passes through unchanged, less its credential, and is recorded', async (context) => {
  for (const dialect of SPOKEN) {
    const bench = await served(context, { dialect })
    const body = '{ "future_field": [1, 2.50e1], "model":"coder-1" , "text":"\\u00fc" }'
    const answer = await ask(bench, { body, path: `${ROUTE_OF[dialect]}?beta=true`, headers: { 'x-custom': 'kept', 'anthropic-beta': 'flag', 'x-run': bench.grant.token, cookie: 'c', 'api-key': 'its-own', 'accept-encoding': 'gzip', connection: 'x-hop', 'x-hop': 'gone' } })
    assert.equal(answer.status, 200)
    assert.equal(answer.body, JSON.stringify(answerBy(dialect, 'coder-1')))
    const [request] = bench.provider.received
    assert.equal(request?.body.toString(), body)
    assert.equal(request?.url, `${ROUTE_OF[dialect]}?beta=true`)
    assert.equal(request?.headers['x-custom'], 'kept')
    assert.equal(request?.headers['anthropic-beta'], 'flag')
    assert.equal(request?.headers['accept-encoding'], 'identity')
    const credentials = { 'openai-chat': { authorization: `Bearer ${SECRET}` }, 'openai-responses': { authorization: `Bearer ${SECRET}` }, 'anthropic-messages': { 'x-api-key': SECRET }, gemini: { 'x-goog-api-key': SECRET } }
    for (const gone of ['cookie', 'x-hop', 'x-run', 'api-key']) assert.equal(request?.headers[gone], undefined)
    assert.deepEqual(Object.fromEntries(['authorization', 'x-api-key', 'x-goog-api-key'].flatMap((name) => (request?.headers[name] === undefined ? [] : [[name, request.headers[name]]]))), credentials[dialect])
    assert.ok(!JSON.stringify(request?.headers).includes('pcr_'))
    const call = bench.recorder.only
    assert.equal(call.outcome, 'answered')
    assert.equal(call.inference, true)
    assert.equal(call.number, 1)
    assert.deepEqual([call.requestedModel, call.servedModel, call.admitted.model], ['coder-1', 'coder-1', 'coder-1'])
    assert.deepEqual([call.providerStatus, call.clientStatus, call.dialect, call.route], [200, 200, dialect, ROUTE_OF[dialect]])
    assert.deepEqual([call.usage?.inputTokens, call.usage?.outputTokens, call.requestBytes], [7, 3, body.length])
    assert.ok(!JSON.stringify(call).includes('pcr_'))
    assert.deepEqual(bench.grant.calls().map((recorded) => recorded.call), [call])
  }
})

verifies('WIR-01', 'the token is taken as x-api-key, x-goog-api-key and in the path, too', async (context) => {
  const bench = await served(context)
  const { token } = bench.grant
  for (const way of [{ headers: { 'x-api-key': token } }, { headers: { 'x-goog-api-key': token } }, { path: `/run/${token}/v1/chat/completions` }, { headers: { 'x-api-key': token, authorization: `Bearer ${token}` } }]) {
    assert.equal((await ask(bench, { token: null, ...way })).status, 200)
  }
  assert.ok(bench.provider.received.every((request) => request.url === '/v1/chat/completions' && request.headers['x-goog-api-key'] === undefined))
  assert.deepEqual(bench.grant.calls().map(({ call }) => call.number), [1, 2, 3, 4])
})

verifies('WIR-01', 'a request that names no live run, or two, is refused and reaches nobody', async (context) => {
  const bench = await served(context)
  const second = bench.wire.grant({ ...bench.request, runId: '20261120T213918Z-r1-2' })
  const twice = ['Bearer a', 'Bearer b']
  const cases: readonly (readonly [Ask, string])[] = [
    [{ token: null }, 'run_unknown'],
    [{ token: 'sk-something' }, 'run_unknown'],
    [{ token: createRunToken() }, 'run_unknown'],
    [{ headers: { 'x-api-key': second.token } }, 'run_ambiguous'],
    [{ path: `/run/${second.token}/v1/chat/completions` }, 'run_ambiguous'],
    [{ headers: { authorization: twice }, token: null }, 'run_ambiguous'],
  ]
  for (const [question, reason] of cases) {
    const answer = await ask(bench, question)
    assert.equal(answer.headers['x-portcullis-reason'], reason)
    assert.ok(answer.status >= 400 && answer.status < 404)
    assert.ok(!answer.body.includes('pcr_'))
  }
  assert.equal(bench.wire.unboundRequests(), cases.length)
  assert.equal(bench.provider.received.length, 0)
  assert.equal(bench.recorder.calls.length, 0)
})

verifies('WIR-02 WIR-05', 'a model that is not admitted is refused in each dialect with a status its agents do not retry', async (context) => {
  const statuses = { 'openai-chat': 403, 'openai-responses': 404, 'anthropic-messages': 403, gemini: 403 }
  for (const dialect of SPOKEN) {
    const bench = await served(context, { dialect })
    const body = await refused(bench, dialect === 'gemini' ? { path: '/v1beta/models/small-fast:streamGenerateContent?alt=sse' } : { body: '{"model":"small-fast","stream":true}' }, 'model_not_admitted', statuses[dialect])
    for (const part of ['scripted/small-fast', 'scripted/coder-1']) assert.ok(body.includes(part))
    assert.equal(bench.recorder.only.requestedModel, 'small-fast')
    assert.equal(bench.recorder.only.servedModel, null)
    assert.equal(bench.recorder.only.inference, true)
  }
})

verifies('WIR-02', 'a mapped background model is asked as the admitted one; both names are recorded', async (context) => {
  const bench = await served(context, { backgroundModels: 'map' })
  assert.equal((await ask(bench, { body: '{"model":"small-fast","x":1}' })).status, 200)
  assert.equal(bench.provider.received[0]?.body.toString(), '{"model":"coder-1","x":1}')
  assert.deepEqual([bench.recorder.only.requestedModel, bench.recorder.only.servedModel], ['small-fast', 'coder-1'])
})

verifies('WIR-07 WIR-12', 'unlisted routes, other dialects, and models in the query are refused', async (context) => {
  const bench = await served(context)
  await refused(bench, { path: '/v1/embeddings' }, 'route_not_listed', 404)
  await refused(bench, { path: '/v1/messages' }, 'dialect_mismatch', 403)
  await refused(bench, { path: '/v1/responses' }, 'dialect_mismatch', 400)
  await refused(bench, { path: '/v1/chat/completions?model=other' }, 'request_malformed', 400)
  await refused(bench, { path: '/v1/chat/completions?key=abc' }, 'request_malformed', 400)
})

verifies('AUT-02', 'a request from a web page reaches nothing, with or without a token', async (context) => {
  const bench = await served(context)
  await refused(bench, { headers: { origin: 'https://evil.example' } }, 'route_not_listed', 403)
  await refused(bench, { headers: { host: 'evil.example' } }, 'route_not_listed', 403)
  await refused(bench, { headers: { host: '127.0.0.1.evil.example:80' } }, 'route_not_listed', 403)
  await refused(bench, { headers: { 'sec-fetch-site': 'cross-site' } }, 'route_not_listed', 403)
  assert.equal((await ask(bench, { token: null, method: 'HEAD', path: '/', headers: { origin: 'https://evil.example' } })).status, 404)
  assert.equal((await ask(bench, { headers: { host: 'localhost:1' } })).status, 200)
})

verifies('WIR-06', 'greeting, listing and counting are answered or forwarded, recorded as what they are, and are no inference', async (context) => {
  const bench = await startBench(context, (response) => json(response, { input_tokens: 12 }), { dialect: 'anthropic-messages' })
  assert.equal((await ask(bench, { method: 'HEAD', path: '/' })).status, 200)
  const listing = await ask(bench, { method: 'GET', path: '/v1/models' })
  assert.deepEqual(JSON.parse(listing.body), { data: [{ type: 'model', id: 'coder-1', display_name: 'coder-1', created_at: '1970-01-01T00:00:00Z' }], has_more: false, first_id: 'coder-1', last_id: 'coder-1' })
  assert.equal((await ask(bench, { path: '/v1/messages/count_tokens' })).body, '{"input_tokens":12}')
  assert.equal((await ask(bench, { path: '/v1/messages/count_tokens', body: '{"model":"other"}' })).status, 403)
  assert.deepEqual(bench.recorder.calls.map(({ call }) => [call.route, call.inference, call.outcome]), [
    ['/', false, 'answered'], ['/v1/models', false, 'answered'], ['/v1/messages/count_tokens', false, 'answered'], ['/v1/messages/count_tokens', false, 'refused'],
  ])
  assert.equal((await ask(bench, { token: null, method: 'HEAD', path: '/' })).status, 200)
  const chat = await served(context)
  assert.deepEqual(JSON.parse((await ask(chat, { method: 'GET', path: '/v1/models' })).body), { object: 'list', data: [{ id: 'coder-1', object: 'model', created: 0, owned_by: 'scripted' }] })
})

verifies('WIR-23', 'used-up calls, tokens and money block the next call, never a running one', async (context) => {
  const prices = { 'coder-1': { input: 'USD 1', output: 'USD 1' } }
  for (const limits of [{ calls: 1, tokens: 1_000, costUsd: null }, { calls: 9, tokens: 10, costUsd: null }, { calls: 9, tokens: 1_000, costUsd: 0.00001 }]) {
    const bench = await served(context)
    const grant = bench.wire.grant({ ...bench.request, runId: '20261120T213918Z-r1-9', limits, provider: { ...bench.request.provider, prices } })
    const limited = { ...bench, grant }
    assert.equal((await ask(limited)).status, 200)
    const answer = await ask(limited)
    assert.equal(answer.status, 403)
    assert.equal(answer.headers['x-portcullis-reason'], 'budget_exhausted')
    assert.equal(bench.provider.received.length, 1)
    assert.deepEqual(grant.calls().map(({ call }) => call.outcome), ['answered', 'refused'])
    assert.equal(grant.calls()[0]?.call.costUsd, 0.00001)
  }
})

void test('two calls at once cannot both take the last place of a budget', async (context) => {
  const bench = await served(context, { limits: { calls: 1, tokens: 1_000, costUsd: null } })
  const statuses = (await Promise.all([ask(bench), ask(bench), ask(bench)])).map((answer) => answer.status)
  assert.deepEqual(statuses.toSorted((a, b) => a - b), [200, 403, 403])
  assert.equal(bench.provider.received.length, 1)
})

verifies('WIR-23', 'a budget that runs share blocks the next call of each: of a profile for ever or for a day, and of all; another day is another budget', async (context) => {
  const bench = await served(context)
  const budget = { profile: 'coder', perDay: false, allowance: { calls: 2, tokens: null, costUsd: null } }
  const of = (runId: string, change: Partial<GrantRequest>): Bench => ({ ...bench, grant: bench.wire.grant({ ...bench.request, expiresAt: new Date('2027-01-01T00:00:00Z'), runId, ...change }) })
  const tried = async (shared: Bench): Promise<[number, string]> => {
    const { status } = await ask(shared)
    return [status, shared.grant.calls().at(-1)?.call.detail ?? '']
  }
  const [first, second] = [of('20261120T213918Z-r1-2', { budgets: [budget] }), of('20261120T213918Z-r1-3', { budgets: [budget] })]
  assert.deepEqual([await tried(first), await tried(second), await tried(first), await tried(second)], [[200, ''], [200, ''], [403, '2 of 2 calls used by the runs of profile coder'], [403, '2 of 2 calls used by the runs of profile coder']])
  assert.deepEqual(await tried(of('20261120T213918Z-r1-4', { profile: 'other', budgets: [{ ...budget, profile: 'other' }] })), [200, ''])
  const daily = of('20261120T213918Z-r1-5', { profile: 'daily', budgets: [{ profile: null, perDay: true, allowance: { calls: null, tokens: 1, costUsd: null } }] })
  assert.deepEqual(await tried(daily), [403, `${bench.recorder.charges.reduce((sum, { tokens }) => sum + tokens, 0)} of 1 tokens used by all runs today (UTC)`])
  bench.clock = new Date('2026-11-21T00:00:01Z')
  assert.deepEqual((await tried(daily))[0], 200)
  assert.deepEqual((await tried(daily))[0], 403)
  assert.equal(bench.provider.received.length, 4)
})

verifies('WIR-23', 'what a failed answer used is charged as well, a refused call is not, and a budget whose sum cannot be read forwards nothing', async (context) => {
  const bench = await startBench(context, (response, number) => (number === 0 ? json(response, answerBy('openai-chat', 'other-model')) : json(response, answerBy('openai-chat', 'coder-1'))))
  await ask(bench)
  await ask(bench, { body: Buffer.from('{"model":"not-admitted"}') })
  const [charge, ...others] = bench.recorder.charges
  assert.deepEqual([charge?.profile, charge?.day, charge?.calls, (charge?.tokens ?? 0) > 0, others], ['coder', '2026-11-20', 1, true, []])
  const limited = bench.wire.grant({ ...bench.request, budgets: [{ profile: null, perDay: true, allowance: { calls: 100, tokens: null, costUsd: null } }] })
  const calls = bench.provider.received.length
  bench.recorder.charged = () => Promise.reject(new Error('the disk is gone'))
  assert.equal((await ask({ ...bench, grant: limited })).headers['x-portcullis-reason'], 'evidence_unavailable')
  assert.equal(bench.provider.received.length, calls)
})

void test('two calls at once cannot both take the last place of a budget that two runs share', async (context) => {
  const bench = await served(context)
  const budgets = [{ profile: 'coder', perDay: false, allowance: { calls: 1, tokens: null, costUsd: null } }]
  const grants = ['2', '3', '4'].map((number) => bench.wire.grant({ ...bench.request, runId: `20261120T213918Z-r1-${number}`, budgets }))
  const statuses = (await Promise.all(grants.map((grant) => ask({ ...bench, grant })))).map((answer) => answer.status)
  assert.deepEqual(statuses.toSorted((a, b) => a - b), [200, 403, 403])
})

verifies('SEC-02', 'a token ends with its expiry and with its revocation, on the next call', async (context) => {
  const bench = await served(context)
  assert.equal((await ask(bench)).status, 200)
  bench.clock = bench.request.expiresAt
  const late = await ask(bench)
  assert.equal(late.headers['x-portcullis-reason'], 'run_unknown')
  assert.equal(bench.recorder.calls.at(-1)?.call.outcome, 'refused')
  bench.clock = new Date('2026-11-20T21:39:20Z')
  assert.equal((await ask(bench)).status, 200)
  await bench.grant.revoke()
  assert.equal((await ask(bench)).headers['x-portcullis-reason'], 'run_unknown')
  assert.equal(bench.recorder.calls.length, 3)
  assert.equal(bench.provider.received.length, 2)
})

void test('numbers are given by run, also over several grants, and purposes are kept apart', async (context) => {
  const bench = await served(context)
  const probe = bench.wire.grant({ ...bench.request, purpose: 'health' })
  await ask({ ...bench, grant: probe })
  await ask(bench)
  assert.deepEqual(bench.recorder.calls.map(({ call }) => [call.number, call.purpose]), [[1, 'health'], [2, 'agent']])
  assert.deepEqual(bench.grant.calls().map(({ call }) => call.number), [2])
  assert.equal(QUESTION.length, bench.recorder.calls[0]?.call.requestBytes)
})

verifies('MC-082', 'what was asked for beside the model is measured on the wire: what fits goes on and is recorded, what does not reaches no provider', async (context) => {
  const bench = await served(context, { dialect: 'anthropic-messages', settings: { effort: 'medium', context: '1m' } })
  const path = ROUTE_OF['anthropic-messages']
  const body = '{"model":"coder-1","output_config":{"effort":"medium"}}'
  assert.equal((await ask(bench, { path, body, headers: { 'anthropic-beta': 'effort-2025-11-24,context-1m-2025-08-07' } })).status, 200)
  assert.equal((await ask(bench, { path, body })).status, 403)
  assert.equal((await ask(bench, { path, body: '{"model":"coder-1"}', headers: { 'anthropic-beta': 'context-1m-2025-08-07' } })).status, 403)
  assert.equal(bench.provider.received.length, 1)
  assert.deepEqual(bench.grant.calls().map(({ call }) => [call.outcome, call.reason, call.admitted.model, call.effort, call.context]), [['answered', null, 'coder-1', 'medium', '1m'], ['refused', 'setting_mismatch', 'coder-1', 'medium', null], ['refused', 'setting_mismatch', 'coder-1', null, '1m']])
  const plain = await served(context, { dialect: 'anthropic-messages' })
  assert.equal((await ask(plain, { path, body: '{"model":"coder-1"}' })).status, 200)
  assert.equal('effort' in plain.recorder.only, false)
})
