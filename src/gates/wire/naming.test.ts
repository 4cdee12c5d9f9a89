import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Reason } from '../../contract/reasons.ts'
import { verifies } from '../../../test/verifies.ts'
import { admitQuestion, type AdmittedQuestion, type Question } from './admit.ts'
import type { GrantRequest } from './ports.ts'

const grant: GrantRequest = {
  runId: '20261120T213918Z-r1-1',
  purpose: 'agent',
  admitted: { provider: 'google', model: 'gemini-3-pro' },
  provider: { dialect: 'gemini', baseUrl: 'http://127.0.0.1:1', networkClass: 'loopback', credential: { source: 'none', class: 'no-secret' }, timeouts: { connect: '1s', firstByte: '1s', idle: '1s', total: '1s' } },
  servedModelIds: ['gemini-3-pro'],
  admittedUntil: null,
  epoch: 1,
  aliases: ['deep'],
  byModelId: true,
  fallbacks: [],
  backgroundModels: 'refuse',
  settings: { effort: null, context: null },
  providerTools: [],
  profile: 'coder',
  budgets: [],
  limits: { calls: 3, tokens: 100, costUsd: null },
  expiresAt: new Date('2026-11-21T00:00:00Z'),
}
const mapping: GrantRequest = { ...grant, backgroundModels: 'map' }

interface Asked {
  readonly model?: string
  readonly method?: string
  readonly query?: string
  readonly body?: string
}

const question = ({ model = 'gemini-3-pro', method = 'generateContent', query = '', body = '{"contents":[{"parts":[{"text":"hi"}]}]}' }: Asked): Question => ({
  method: 'POST', path: `/v1beta/models/${model}:${method}`, query, contentEncoding: null, upgrade: null, body: Buffer.from(body), decoded: undefined,
})

function admits(asked: Asked, by: GrantRequest = grant): AdmittedQuestion {
  const answer = admitQuestion(question(asked), by)
  return answer.admitted ? answer : assert.fail(`${answer.reason}: ${answer.found}`)
}

function refuses(asked: Asked, reason: Reason, by: GrantRequest = grant): string {
  const answer = admitQuestion(question(asked), by)
  if (answer.admitted) return assert.fail(`admitted ${JSON.stringify(asked)}`)
  assert.equal(answer.reason, reason)
  assert.notEqual(answer.remedy, '')
  assert.equal(answer.requestedModel, asked.model ?? 'gemini-3-pro')
  return answer.found
}

const STREAM = { method: 'streamGenerateContent', query: 'alt=sse' }

verifies('WIR-10 WIR-07', 'Gemini: the model in the path is the one that is judged, on every method', () => {
  for (const form of [{}, STREAM, { method: 'countTokens' }]) {
    const admitted = admits(form)
    assert.deepEqual([admitted.requestedModel, admitted.stream, admitted.route.kind], ['gemini-3-pro', form === STREAM, form.method === 'countTokens' ? 'count' : 'inference'])
    assert.match(refuses({ ...form, model: 'gemini-3-flash' }, 'model_not_admitted'), /a request for gemini-3-flash, which no record admits/)
    for (const model of ['gemini-3-pro-', 'Gemini-3-pro', 'google']) refuses({ ...form, model }, 'model_not_admitted')
  }
})

verifies('WIR-02 WIR-03 WIR-11', 'Gemini: an alias and a background model are written into the path, and the body stays as it came', () => {
  for (const [model, by] of [['deep', grant], ['gemini-3-flash-lite', mapping], ['gemini-3-pro', grant]] as const) {
    const admitted = admits({ model, body: '{ "contents" : [],\n "future":1.0 }' }, by)
    assert.equal(Buffer.from(admitted.bodyFor(by)).toString(), '{ "contents" : [],\n "future":1.0 }')
    assert.equal(admitted.requestedModel, model)
  }
})

verifies('WIR-07', 'Gemini: a body or a query that names another model than the path is refused, however it is spelt', () => {
  const others = ['"model":"gemini-3-flash"', '"model":"models/gemini-3-flash"', '"generateContentRequest":{"model":"models/gemini-3-flash"}', '"generate_content_request":{"model":"gemini-3-flash"}', '"generateContent\\u0052equest":{"model":"gemini-3-flash"}', '"generateContentRequest":{},"generate_content_request":{"model":"gemini-3-flash"}']
  for (const method of ['generateContent', 'countTokens']) {
    for (const other of others) for (const by of [grant, mapping]) assert.match(refuses({ method, body: `{${other}}` }, 'request_malformed', by), /another model in the body/)
  }
  for (const body of ['{"model":"gemini-3-pro","model":"x"}', '{"Model":"x"}', '{"mod\\u0065l":"x"}', '{"model":7}', '{"model":""}', '{"generateContentRequest":7}', '{"generateContentRequest":{"model":["x"]}}', '', '[]', '{', '{}{}']) {
    for (const by of [grant, mapping]) refuses({ body }, 'request_malformed', by)
  }
  assert.match(refuses({ query: 'model=gemini-3-pro' }, 'request_malformed'), /query string beside the one in the path/)
  assert.match(refuses({ query: 'key=abc' }, 'request_malformed'), /a credential in the query/)
})

verifies('WIR-07', 'Gemini: a body that repeats the model goes through unchanged, and nowhere where another one would have to be written', () => {
  for (const repeated of ['{"model":"gemini-3-pro"}', '{"model":"models/gemini-3-pro"}', '{"generateContentRequest":{"contents":[],"model":"models/gemini-3-pro"}}']) {
    assert.equal(Buffer.from(admits({ body: repeated }).bodyFor(grant)).toString(), repeated)
    assert.match(refuses({ model: 'deep', body: repeated.replaceAll('gemini-3-pro', 'deep') }, 'request_malformed'), /only the path is rewritten/)
  }
  assert.equal(admits({ body: '{"generateContentRequest":{"contents":[]}}' }).admitted, true)
})

verifies('WIR-10', 'Gemini: a stream is asked for as events, an answer as JSON; other forms are refused', () => {
  for (const query of ['', 'alt=json', 'alt=sse&alt=json', 'alt=sse&$alt=json', 'alt=SSE', 'x=alt=sse']) assert.match(refuses({ method: 'streamGenerateContent', query }, 'request_malformed'), /as events/)
  for (const query of ['alt=sse', 'alt=proto', '$alt=proto', 'alt=media', 'alt=json&ALT=proto']) assert.match(refuses({ query }, 'request_malformed'), /another form than JSON/)
  assert.equal(admits({ query: 'alt=json&prettyPrint=false' }).admitted, true)
  assert.equal(admits({ ...STREAM, query: 'prettyPrint=false&alt=sse' }).stream, true)
})

verifies('WIR-12', 'Gemini: its provider is asked on its own routes only, and nobody else on them', () => {
  const ask = (method: string, path: string, by: GrantRequest): string => {
    const answer = admitQuestion({ ...question({}), method, path, body: Buffer.from(method === 'GET' || method === 'HEAD' ? '' : '{"model":"gemini-3-pro"}') }, by)
    return answer.admitted ? 'admitted' : answer.reason
  }
  const chat: GrantRequest = { ...grant, provider: { ...grant.provider, dialect: 'openai-chat' } }
  for (const path of ['/v1/chat/completions', '/v1/responses', '/v1/messages']) assert.equal(ask('POST', path, grant), 'dialect_mismatch')
  for (const version of ['v1', 'v1beta']) assert.equal(ask('POST', `/${version}/models/gemini-3-pro:generateContent`, chat), 'dialect_mismatch')
  assert.deepEqual([ask('GET', '/v1beta/models', grant), ask('GET', '/v1/models', grant), ask('HEAD', '/', grant)], ['admitted', 'admitted', 'admitted'])
  assert.deepEqual([ask('GET', '/v1beta/models', chat), ask('GET', '/v1/models', chat), ask('HEAD', '/', chat)], ['dialect_mismatch', 'admitted', 'admitted'])
})

const CHAT: GrantRequest = { ...mapping, provider: { ...grant.provider, dialect: 'openai-chat' } }
const compressed = (decoded: string | undefined, contentEncoding = 'gzip'): Question => ({
  ...question({}), path: '/v1/chat/completions', contentEncoding, body: Buffer.from([0x1f, 0x8b, 1, 2, 3]), decoded: decoded === undefined ? undefined : Buffer.from(decoded),
})

verifies('WIR-11 WIR-02', 'a compressed body is judged by what it holds and goes on as it came; one that would have to be rewritten is refused', () => {
  const same = compressed('{"model":"gemini-3-pro","stream":true}')
  const answer = admitQuestion(same, CHAT)
  assert.ok(answer.admitted)
  assert.equal(answer.bodyFor(CHAT), same.body)
  assert.equal(answer.stream, true)
  const refusal = (asked: Question, by: GrantRequest): unknown => {
    const refused = admitQuestion(asked, by)
    return refused.admitted ? 'admitted' : [refused.reason, refused.found]
  }
  for (const model of ['other', 'deep']) assert.deepEqual(refusal(compressed(`{"model":"${model}"}`), CHAT), ['request_malformed', 'a compressed body, in which the wire rewrites nothing'])
  assert.deepEqual(refusal(compressed('{"model":"other"}'), { ...CHAT, backgroundModels: 'refuse' }), ['model_not_admitted', 'a request for other, which no record admits for this run'])
  for (const encoding of ['deflate', 'gzip, gzip', 'compress']) assert.deepEqual(refusal(compressed(undefined, encoding), CHAT), ['request_malformed', 'a body in an encoding that the wire does not undo'])
  // What an uncompressed body says is read in the body itself, whatever stands beside it.
  assert.deepEqual(refusal({ ...compressed('{"model":"gemini-3-pro"}', 'identity'), body: Buffer.from('{"model":"other"}') }, { ...CHAT, backgroundModels: 'refuse' }), ['model_not_admitted', 'a request for other, which no record admits for this run'])
  const mapped: Question = { ...question({ model: 'flash' }), contentEncoding: 'br', body: Buffer.from([1, 2]), decoded: Buffer.from('{"contents":[]}') }
  const gemini = admitQuestion(mapped, mapping)
  assert.ok(gemini.admitted)
  assert.equal(gemini.bodyFor(mapping), mapped.body)
})

void test('a WebSocket is refused before anything else is asked, on every path', () => {
  for (const path of ['/v1/responses', '/responses', '/v1/models', '/v1beta/models/gemini-3-pro:generateContent']) {
    for (const upgrade of ['websocket', 'WebSocket', 'h2c, websocket']) {
      const answer = admitQuestion({ ...question({}), method: 'GET', path, upgrade, body: Buffer.alloc(0) }, grant)
      assert.equal(answer.admitted ? '' : answer.reason, 'websocket_refused')
    }
  }
  assert.equal(admitQuestion({ ...question({}), upgrade: 'h2c' }, grant).admitted, true)
})
