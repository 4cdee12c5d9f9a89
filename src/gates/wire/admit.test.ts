import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Reason } from '../../contract/reasons.ts'
import { verifies } from '../../../test/verifies.ts'
import { admitQuestion, type Question } from './admit.ts'
import { accountOf, dayOf, NOTHING_SPENT, overBudget, overShared, plus, type Spending, usedBy } from './budget.ts'
import type { GrantRequest } from './ports.ts'
import { costOf } from './price.ts'

const grant: GrantRequest = {
  runId: '20261120T213918Z-r1-1',
  purpose: 'agent',
  admitted: { provider: 'scripted', model: 'coder-1' },
  provider: { dialect: 'openai-chat', baseUrl: 'http://127.0.0.1:1/v1', networkClass: 'loopback', credential: { source: 'none', class: 'no-secret' }, timeouts: { connect: '1s', firstByte: '1s', idle: '1s', total: '1s' } },
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
  limits: { calls: 3, tokens: 100, costUsd: null },
  expiresAt: new Date('2026-11-21T00:00:00Z'),
}
const mapping: GrantRequest = { ...grant, backgroundModels: 'map' }

const chat: Question = { method: 'POST', path: '/v1/chat/completions', query: '', contentEncoding: null, upgrade: null, body: Buffer.from('{"model":"coder-1","stream":true}'), decoded: undefined }
const asking = (body: string): Question => ({ ...chat, body: Buffer.from(body) })

function refuses(question: Question, reason: Reason, by: GrantRequest = grant): string {
  const answer = admitQuestion(question, by)
  assert.equal(answer.admitted, false)
  if (answer.admitted) return ''
  assert.equal(answer.reason, reason)
  assert.notEqual(answer.remedy, '')
  return answer.found
}

verifies('WIR-02 WIR-11', 'the admitted model goes through with exactly the bytes that came', () => {
  const answer = admitQuestion(chat, grant)
  assert.ok(answer.admitted)
  assert.equal(answer.bodyFor(grant), chat.body)
  assert.equal(answer.requestedModel, 'coder-1')
  assert.equal(answer.stream, true)
})

verifies('WIR-02', 'any other model is refused: another one, a longer, a shorter, another case, the pair, a blank', () => {
  for (const model of ['gpt-5.4-nano', 'coder-1x', 'coder-', 'Coder-1', 'scripted/coder-1', ' coder-1', 'coder-1 ', '*']) {
    assert.match(refuses(asking(JSON.stringify({ model })), 'model_not_admitted'), /which no record admits/)
  }
})

verifies('WIR-02', 'a profile that maps background models has them rewritten onto the admitted one, and what was asked is kept', () => {
  const answer = admitQuestion(asking('{"a": 1, "model" : "small-fast", "b":[2]}'), mapping)
  assert.ok(answer.admitted)
  assert.equal(Buffer.from(answer.bodyFor(mapping)).toString(), '{"a": 1, "model" : "coder-1", "b":[2]}')
  assert.equal(answer.requestedModel, 'small-fast')
})

verifies('WIR-07', 'a model in the query string is judged, and two models are refused', () => {
  refuses({ ...chat, query: 'model=coder-1' }, 'request_malformed')
  refuses({ ...chat, query: 'model=other' }, 'request_malformed')
  refuses({ ...chat, query: 'model=other' }, 'request_malformed', mapping)
  assert.match(refuses({ ...chat, query: 'model=a&model=b' }, 'request_malformed'), /two models in the query/)
  assert.match(refuses({ ...chat, query: 'key=secret' }, 'request_malformed'), /a credential in the query/)
  const listing: Question = { ...chat, method: 'GET', path: '/v1/models', body: Buffer.alloc(0) }
  assert.equal(admitQuestion(listing, grant).admitted, true)
  assert.equal(admitQuestion({ ...listing, query: 'model=coder-1' }, grant).admitted, true)
  refuses({ ...listing, query: 'model=other' }, 'model_not_admitted')
  refuses({ ...listing, query: 'model=coder-1&key=secret' }, 'request_malformed')
  assert.equal(admitQuestion({ ...chat, query: 'beta=true' }, grant).admitted, true)
})

verifies('WIR-07', 'routes that are not listed are refused, whatever their body says', () => {
  for (const path of ['/v1/embeddings', '/v1/completions', '/v1/messages/batches', '/', '/v1/chat/completions/']) refuses({ ...chat, path }, 'route_not_listed')
  for (const method of ['GET', 'PUT', 'OPTIONS']) refuses({ ...chat, method }, 'route_not_listed')
})

verifies('WIR-12', 'a dialect that the provider does not speak is refused, on every route', () => {
  for (const path of ['/v1/messages', '/v1/messages/count_tokens', '/v1/responses', '/responses', '/codex/responses']) assert.match(refuses({ ...chat, path }, 'dialect_mismatch'), /openai-chat/)
  refuses(chat, 'dialect_mismatch', { ...grant, provider: { ...grant.provider, dialect: 'anthropic-messages' } })
  refuses(chat, 'dialect_mismatch', { ...grant, provider: { ...grant.provider, dialect: 'gemini' } })
})

verifies('WIR-40', 'bodies that cannot be read without a guess are refused, also where every model is mapped', () => {
  for (const by of [grant, mapping]) {
    for (const body of ['', '{}', '[]', 'x', '{"model":1}', '{"model":""}', '{"model":"coder-1","model":"other"}', '{"model":"other","mod\\u0065l":"coder-1"}']) refuses(asking(body), 'request_malformed', by)
    for (const contentEncoding of ['gzip', 'br', 'zstd', 'gzip, identity']) refuses({ ...chat, contentEncoding }, 'request_malformed', by)
  }
  assert.equal(admitQuestion({ ...chat, contentEncoding: 'identity' }, grant).admitted, true)
})

const used = (change: Partial<Spending>): Spending => ({ ...NOTHING_SPENT, ...change })

verifies('WIR-23', 'each limit, once used up, blocks the next call', () => {
  assert.equal(overBudget(grant.limits, used({ calls: 2, tokens: 99 })), undefined)
  assert.match(overBudget(grant.limits, used({ calls: 3 })) ?? '', /3 of 3 calls/)
  assert.match(overBudget(grant.limits, used({ tokens: 100 })) ?? '', /100 of 100 tokens/)
  assert.equal(overBudget({ calls: null, tokens: null, costUsd: null }, used({ calls: 1e9, tokens: 1e12, costUsd: 1e9, unpriced: 1 })), undefined)
  const limits = { calls: 9, tokens: 9, costUsd: 2 }
  assert.equal(overBudget(limits, used({ costUsd: 1.99 })), undefined)
  assert.match(overBudget(limits, used({ costUsd: 2 })) ?? '', /USD 2 of USD 2/)
  assert.match(overBudget(limits, used({ unpriced: 1 })) ?? '', /without a price/)
  assert.equal(overBudget({ ...limits, costUsd: 0 }, used({ costUsd: 0 })), undefined)
  assert.match(overBudget({ ...limits, costUsd: 0 }, used({ costUsd: 0.000001 })) ?? '', /USD/)
})

const usage = { inputTokens: 1_000, outputTokens: 500, cacheReadTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0 }
const price = { input: 'USD 3', output: 'USD 15' }

verifies('WIR-23', 'cost comes from the price table; unknown is not zero', () => {
  assert.equal(costOf(usage, price), 0.0105)
  assert.equal(costOf(usage, { input: 'USD 0', output: 'USD 0' }), 0)
  assert.equal(costOf(usage, undefined), null)
  assert.equal(costOf(null, price), null)
})

void test('an answer without usage still counts against the limits, an error of the provider does not', () => {
  const call = { providerStatus: 200, usage, requestBytes: 4_000, responseBytes: 400 }
  assert.deepEqual(usedBy(call, price), { calls: 1, tokens: 1_500, costUsd: 0.0105, unpriced: 0 })
  assert.deepEqual(usedBy({ ...call, usage: null }, price), { calls: 1, tokens: 1_100, costUsd: 0.0045, unpriced: 0 })
  assert.deepEqual(usedBy(call, undefined), { calls: 1, tokens: 1_500, costUsd: 0, unpriced: 1 })
  for (const providerStatus of [null, 401, 429, 500]) assert.deepEqual(usedBy({ ...call, providerStatus, usage: null }, undefined), used({ calls: 1 }))
  assert.deepEqual(plus(used({ calls: 2, costUsd: 1 }), usedBy(call, price)), { calls: 3, tokens: 1_500, costUsd: 1.0105, unpriced: 0 })
})

verifies('WIR-23', 'a budget that runs share says whose it is, and a day is one of UTC', () => {
  const allowance = { calls: 2, tokens: null, costUsd: null }
  assert.equal(overShared({ profile: 'coder', perDay: true, allowance }, used({ calls: 1 })), undefined)
  assert.equal(overShared({ profile: 'coder', perDay: true, allowance }, used({ calls: 2 })), '2 of 2 calls used by the runs of profile coder today (UTC)')
  assert.equal(overShared({ profile: null, perDay: false, allowance }, used({ calls: 5 })), '5 of 2 calls used by all runs')
  const late = new Date('2026-11-21T00:30:00+02:00')
  assert.equal(dayOf(late), '2026-11-20')
  assert.deepEqual(accountOf({ profile: null, perDay: true, allowance }, late), { profile: null, day: '2026-11-20' })
  assert.deepEqual(accountOf({ profile: 'coder', perDay: false, allowance }, late), { profile: 'coder', day: null })
})
