import type { Dialect } from '../../src/contract/model.ts'
import type { Reason } from '../../src/contract/reasons.ts'
import { admitQuestion, type Question } from '../../src/gates/wire/admit.ts'
import type { GrantRequest } from '../../src/gates/wire/ports.ts'

const PATHS: Readonly<Record<Dialect, string>> = { 'openai-chat': '/v1/chat/completions', 'openai-responses': '/v1/responses', 'anthropic-messages': '/v1/messages', gemini: '/v1beta/models/coder-1:generateContent' }

/** A grant of one run for scripted/coder-1. */
export const grantIn = (dialect: Dialect, change: Partial<GrantRequest> = {}): GrantRequest => ({
  runId: '20261120T213918Z-r1-1',
  purpose: 'agent',
  admitted: { provider: 'scripted', model: 'coder-1' },
  provider: { dialect, baseUrl: 'http://127.0.0.1:1', networkClass: 'loopback', credential: { source: 'none', class: 'no-secret' }, timeouts: { connect: '1s', firstByte: '1s', idle: '1s', total: '1s' } },
  servedModelIds: ['coder-1'],
  admittedUntil: null,
  epoch: 1,
  aliases: ['best'],
  byModelId: true,
  fallbacks: [],
  backgroundModels: 'refuse',
  settings: { effort: null, context: null },
  providerTools: [],
  profile: 'coder',
  budgets: [],
  limits: { calls: 3, tokens: 100, costUsd: null },
  expiresAt: new Date('2026-11-21T00:00:00Z'),
  ...change,
})

/** `rest` is what a body says beside its model, as JSON without the outer braces. */
export function asking(dialect: Dialect, rest: string): Question {
  const model = dialect === 'gemini' ? '"contents":[]' : '"model":"coder-1"'
  return { method: 'POST', path: PATHS[dialect], query: '', contentEncoding: null, upgrade: null, body: Buffer.from(`{${model}${rest === '' ? '' : ','}${rest}}`), decoded: undefined }
}

/** What the gate says to it. */
export function judged(dialect: Dialect, rest: string, change: Partial<GrantRequest> = {}): Reason | 'admitted' {
  const answer = admitQuestion(asking(dialect, rest), grantIn(dialect, change))
  return answer.admitted ? 'admitted' : answer.reason
}
