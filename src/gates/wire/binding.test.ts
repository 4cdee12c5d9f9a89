import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRunToken } from '../../contract/ids.ts'
import { verifies } from '../../../test/verifies.ts'
import { bindRequest, readQuery, type Presented } from './binding.ts'
import { dialectOfPath, findRoute, ROUTES, upstreamPath } from './routes.ts'

const token = createRunToken()
const other = createRunToken()
const presented = (change: Partial<Presented>): Presented => ({ target: '/v1/messages', authorization: [], xApiKey: [], xGoogApiKey: [], ...change })

verifies('WIR-01', 'each way of naming a run binds, and the token is gone from path and query', () => {
  const ways: Partial<Presented>[] = [{ authorization: [`Bearer ${token}`] }, { authorization: [`bearer ${token}`] }, { xApiKey: [token] }, { xGoogApiKey: [token] }, { target: `/run/${token}/v1/messages` }]
  for (const way of ways) assert.deepEqual(bindRequest(presented(way)), { bound: true, token, path: '/v1/messages', query: '' })
  assert.deepEqual(bindRequest(presented({ target: `/run/${token}/v1/messages?beta=true` })), { bound: true, token, path: '/v1/messages', query: 'beta=true' })
  assert.deepEqual(bindRequest(presented({ target: `/run/${token}` })), { bound: true, token, path: '/', query: '' })
})

void test('the same run named twice is one run: some clients send both headers', () => {
  assert.equal(bindRequest(presented({ authorization: [`Bearer ${token}`], xApiKey: [token], target: `/run/${token}/v1/messages` })).bound, true)
})

verifies('WIR-01', 'a request that names two runs, or a run and something else, is ambiguous in every combination', () => {
  const pairs: Partial<Presented>[] = [
    { authorization: [`Bearer ${token}`, `Bearer ${other}`] },
    { authorization: [`Bearer ${token}`], xApiKey: [other] },
    { authorization: [`Bearer ${token}`], xGoogApiKey: [other] },
    { xApiKey: [token], target: `/run/${other}/v1/messages` },
    { xApiKey: [token, other] },
    { authorization: ['Basic abc'], xApiKey: [token] },
    { authorization: ['Bearer sk-real-key'], xApiKey: [token] },
  ]
  for (const pair of pairs) {
    const binding = bindRequest(presented(pair))
    assert.ok(!binding.bound)
    assert.equal(binding.reason, 'run_ambiguous')
    assert.doesNotMatch(binding.found, /pcr_|sk-/)
  }
})

verifies('WIR-01', 'a request that names no run, or something that is no token, is unknown', () => {
  const last = token.at(-1) === '0' ? '1' : '0'
  for (const way of [{}, { authorization: ['Bearer sk-real'] }, { authorization: ['Bearer'] }, { authorization: ['Basic eDp5'] }, { xApiKey: [''] }, { xApiKey: [token.slice(0, -1) + last] }, { xApiKey: [`${token} `] }, { target: '/run/' }, { target: '/run//v1/messages' }]) {
    const binding = bindRequest(presented(way))
    assert.ok(!binding.bound)
    assert.equal(binding.reason, 'run_unknown')
  }
})

void test('the query string may hold one model and no credential', () => {
  assert.deepEqual(readQuery(''), { ok: true, model: null })
  assert.deepEqual(readQuery('beta=true&model=a'), { ok: true, model: 'a' })
  for (const query of ['model=a&model=b', 'model=a&Model=a', 'model=a&%6dodel=b', 'key=x', 'API_KEY=x', 'access_token=x', `x=${token}`]) assert.equal(readQuery(query).ok, false, query)
})

verifies('WIR-07', 'only exactly the listed routes are found: nothing is decoded, folded or completed', () => {
  for (const route of ROUTES) assert.equal(findRoute(route.method, route.path), route)
  for (const [name, kind] of [['generateContent', 'inference'], ['streamGenerateContent', 'inference'], ['countTokens', 'count']] as const) {
    for (const version of ['v1', 'v1beta'] as const) {
      const path = `/${version}/models/gemini-3.1-pro:${name}`
      assert.deepEqual(findRoute('POST', path), { method: 'POST', path, dialect: 'gemini', kind, inPath: { version, model: 'gemini-3.1-pro', method: name } })
    }
  }
  const near = ['/v1/chat/completions/', '//v1/chat/completions', '/v1/chat/../chat/completions', '/V1/chat/completions', '/v1/chat%2Fcompletions', '/v1/./messages', '/v1/messages/', '/v1/messages/batches', '/v1/embeddings', '/v1/completions', 'http://127.0.0.1/v1/messages', '', '*', '/v1/messages#x', '/v1\\messages', '/v1beta/models/gemini', '/v1beta/models/:generateContent', '/v1beta/models/..:generateContent', '/v1beta/models/g%65mini:generateContent', '/v1beta/models/a/b:generateContent', '/v1beta/models/gemini:generatecontent', '/v1beta/models/gemini:toString', '/v1beta/models/gemini:embedContent', '/v1beta/models/gemini:batchGenerateContent', '/v1beta/models/gemini:generateContent/', '/v1beta/models/gemini:x:generateContent', '/v1beta/tunedModels/gemini:generateContent', '/v1alpha/models/gemini:generateContent', '/v1/models/gemini', '/v1beta/models/', `/v1beta/models/${token}:generateContent`, `/v1beta/models/${'m'.repeat(300)}:generateContent`]
  for (const path of near) for (const method of ['GET', 'POST', 'HEAD', 'PUT']) assert.equal(findRoute(method, path), undefined, `${method} ${path}`)
  for (const method of ['GET', 'PUT', 'DELETE', 'OPTIONS', 'post', 'CONNECT']) assert.equal(findRoute(method, '/v1/messages'), undefined)
})

void test('a path tells in which dialect its client expects an error', () => {
  assert.equal(dialectOfPath('/v1/messages'), 'anthropic-messages')
  assert.equal(dialectOfPath('/v1/chat/completions'), 'openai-chat')
  assert.equal(dialectOfPath('/codex/responses'), 'openai-responses')
  for (const path of ['/v1beta/models/g:generateContent', '/v1/models/g:generateContent', '/v1/models/g:embedContent', '/v1beta/models']) assert.equal(dialectOfPath(path), 'gemini')
  assert.equal(dialectOfPath('/v1/models'), null)
  assert.equal(dialectOfPath('/elsewhere'), null)
})

void test('routes are joined to base URLs with and without /v1', () => {
  const path = (baseUrl: string, route: string): string => upstreamPath(baseUrl, findRoute('POST', route) ?? assert.fail(route), 'coder/1')
  assert.equal(path('http://h/v1', '/v1/chat/completions'), '/v1/chat/completions')
  assert.equal(path('http://h/v1/', '/v1/chat/completions'), '/v1/chat/completions')
  assert.equal(path('http://h', '/v1/messages'), '/v1/messages')
  assert.equal(path('http://h/api/v1', '/v1/responses'), '/api/v1/responses')
  assert.equal(path('http://h/v1', '/responses'), '/v1/responses')
  assert.equal(path('http://h/backend-api', '/codex/responses'), '/backend-api/codex/responses')
  assert.equal(path('http://h/backend-api', '/v1/codex/responses'), '/backend-api/codex/responses')
  assert.equal(path('http://h/v1', '/v1/messages/count_tokens'), '/v1/messages/count_tokens')
  for (const base of ['http://h', 'http://h/v1beta', 'http://h/v1beta/']) assert.equal(path(base, '/v1beta/models/asked:streamGenerateContent'), '/v1beta/models/coder%2F1:streamGenerateContent')
  assert.equal(path('http://h', '/v1/models/asked:countTokens'), '/v1/models/coder%2F1:countTokens')
  for (const version of ['v1', 'v1beta']) for (const base of ['v1', 'v1beta']) assert.equal(path(`http://h/x/${base}`, `/${version}/models/asked:countTokens`), `/x/${base}/models/coder%2F1:countTokens`)
})

void test('a run token in the place of a signature of a JSON web token binds as it does alone, and beside itself is one run', () => {
  const wrapped = `eyJhbGciOiJub25lIn0.eyJhIjoxfQ.${token}`
  assert.deepEqual(bindRequest(presented({ authorization: [`Bearer ${wrapped}`], xApiKey: [token] })), { bound: true, token, path: '/v1/messages', query: '' })
  for (const strange of [`a.b.c.${token}`, `a.${token}`, `..${token}`, `${token}.a.b`, `a.b.${token}x`]) {
    const binding = bindRequest(presented({ authorization: [`Bearer ${strange}`] }))
    assert.equal(binding.bound, false, strange)
  }
  assert.equal(bindRequest(presented({ authorization: [`Bearer a.b.${other}`], xApiKey: [token] })).bound, false)
})
