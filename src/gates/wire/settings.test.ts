import assert from 'node:assert/strict'
import { gzipSync } from 'node:zlib'
import type { Dialect } from '../../contract/model.ts'
import { verifies } from '../../../test/verifies.ts'
import { admitQuestion, type Question } from './admit.ts'
import type { GrantRequest } from './ports.ts'

const grantOf = (dialect: Dialect, settings: GrantRequest['settings']): GrantRequest => ({
  runId: 'r-1', purpose: 'agent', admitted: { provider: 'anthropic', model: 'claude-opus-4-8' },
  provider: { dialect, baseUrl: 'http://127.0.0.1:1', networkClass: 'loopback', credential: { source: 'none', class: 'no-secret' }, timeouts: { connect: '1s', firstByte: '1s', idle: '1s', total: '1s' } },
  servedModelIds: ['claude-opus-4-8'], admittedUntil: null, epoch: 1, aliases: [], byModelId: true, fallbacks: [], backgroundModels: 'refuse', settings, providerTools: [], profile: 'claude_opus_1m_medium', budgets: [], limits: { calls: 3, tokens: 100, costUsd: null }, expiresAt: new Date('2026-11-21T00:00:00Z'),
})
const PATH = { 'anthropic-messages': '/v1/messages', 'openai-chat': '/v1/chat/completions', 'openai-responses': '/v1/responses', gemini: '/v1beta/models/claude-opus-4-8:generateContent' } as const
const asking = (dialect: Dialect, body: string | object, flags?: string): Question => ({ method: 'POST', path: PATH[dialect], query: '', contentEncoding: null, upgrade: null, body: Buffer.from(typeof body === 'string' ? body : JSON.stringify({ ...(dialect === 'gemini' ? {} : { model: 'claude-opus-4-8' }), ...body })), decoded: undefined, flags })

const MESSAGES = 'anthropic-messages'
const FLAGS = 'claude-code-20250219,context-1m-2025-08-07,effort-2025-11-24'
const both = grantOf(MESSAGES, { effort: 'medium', context: '1m' })

function problemOf(question: Question, grant: GrantRequest): string | undefined {
  const answer = admitQuestion(question, grant)
  return answer.admitted ? undefined : `${answer.reason}: ${answer.found}`
}

verifies('MC-082', 'a request goes on only if model, context flag and effort are those of the profile, and all three stand in its record', () => {
  const passed = admitQuestion(asking(MESSAGES, { output_config: { effort: 'medium' } }, FLAGS), both)
  assert.deepEqual([passed.admitted, passed.requestedModel, passed.settings], [true, 'claude-opus-4-8', { effort: 'medium', context: '1m' }])
  const medium = { output_config: { effort: 'medium' } }
  for (const [body, flags, problem] of [
    [{}, FLAGS, 'setting_mismatch: no effort where the profile names effort medium'],
    [{ output_config: {} }, FLAGS, 'setting_mismatch: no effort where the profile names effort medium'],
    [{ output_config: { effort: 'high' } }, FLAGS, 'setting_mismatch: effort high where the profile names effort medium'],
    [{ output_config: { effort: 'Medium' } }, FLAGS, 'setting_mismatch: effort Medium where the profile names effort medium'],
    [{ effort: 'medium' }, FLAGS, 'setting_mismatch: no effort where the profile names effort medium'],
    [{ output_config: { effort: 7 } }, FLAGS, 'request_malformed: an effort that is no word'],
    [medium, undefined, 'setting_mismatch: no context variant where the profile names context 1m'],
    [medium, 'effort-2025-11-24', 'setting_mismatch: no context variant where the profile names context 1m'],
    [medium, 'context-2m-2027-01-01', 'setting_mismatch: context context-2m-2027-01-01 where the profile names context 1m'],
    [medium, 'context-1m-2025-08-07, context-2m-2027-01-01', 'request_malformed: two context variants (context-1m-2025-08-07, context-2m-2027-01-01)'],
  ] as const) {
    assert.equal(problemOf(asking(MESSAGES, body, flags), both), problem)
  }
  assert.match(problemOf(asking(MESSAGES, { model: 'claude-opus-4-8[1m]', ...medium }, FLAGS), both) ?? '', /^model_not_admitted: /)
  const twice = '{"model":"claude-opus-4-8","output_config":{"effort":"medium"},"output_config":{"effort":"high"}}'
  assert.match(problemOf(asking(MESSAGES, twice, FLAGS), both) ?? '', /^request_malformed: a body that is a key that stands twice/)
})

verifies('MC-082', 'each dialect says its effort in a place of its own, and a compressed body is read as what it holds', () => {
  const place = { 'openai-chat': { reasoning_effort: 'low' }, 'openai-responses': { reasoning: { effort: 'low' } }, gemini: { generationConfig: { thinkingConfig: { thinkingLevel: 'LOW' } } }, 'anthropic-messages': { output_config: { effort: 'low' } } } as const
  for (const dialect of ['openai-chat', 'openai-responses', 'gemini', 'anthropic-messages'] as const) {
    const grant = grantOf(dialect, { effort: 'low', context: null })
    assert.equal(problemOf(asking(dialect, place[dialect]), grant), undefined, dialect)
    assert.equal(problemOf(asking(dialect, {}), grant), 'setting_mismatch: no effort where the profile names effort low', dialect)
    const off = grantOf(dialect, { effort: 'off', context: null })
    assert.equal(problemOf(asking(dialect, {}), off), undefined, dialect)
    assert.match(problemOf(asking(dialect, place[dialect]), off) ?? '', /^setting_mismatch: /, dialect)
    assert.equal(problemOf(asking(dialect, place[dialect]), grantOf(dialect, { effort: null, context: null })), undefined, 'a profile that names none')
  }
  const plain = Buffer.from('{"model":"claude-opus-4-8","output_config":{"effort":"high"}}')
  const packed: Question = { ...asking(MESSAGES, {}, FLAGS), contentEncoding: 'gzip', body: gzipSync(plain), decoded: plain }
  assert.equal(problemOf(packed, both), 'setting_mismatch: effort high where the profile names effort medium')
})
