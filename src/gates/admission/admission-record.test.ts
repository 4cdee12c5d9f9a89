import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import * as z from 'zod'
import { verifies } from '../../../test/verifies.ts'
import { AdmissionRecord, scopeOf, STAGES_NEVER_COVERED } from './admission-record.ts'
import { nameAgrees, nameFits, readRecordFileName, recordFileName, scopedRecordFileName } from './file-name.ts'
import { readRecord, readRecordText } from './read-record.ts'
import { currentRecord, formerRecord } from './samples.test.ts'
import { secretLikeValue } from '../../contract/secret-like.ts'

const problemsOf = (document: unknown): string => readRecord(document).problems.join('; ')
const without = (record: Record<string, unknown>, field: string) => Object.fromEntries(Object.entries(record).filter(([name]) => name !== field))

test('both forms are read, and the former at its narrowest', () => {
  const former = readRecord(formerRecord()).record
  assert.ok(former !== null)
  assert.deepEqual(scopeOf(former), {
    pair: { provider: 'qwen-local', model: 'qwen3.6-35b-a3b' }, form: 'former', runtime: 'case', stages: ['stage-2'], endpoint: null, servedModelIds: ['qwen3.6-35b-a3b'],
    expiresAt: null, conditions: ['review when the model or the endpoint changes'], evidenceExpectations: null,
  })
  const current = readRecord(currentRecord({ served_model_ids: ['coder-1', 'coder-1-20260101'] })).record
  assert.ok(current !== null)
  assert.deepEqual(scopeOf(current), {
    pair: { provider: 'scripted', model: 'coder-1' }, form: 'current', runtime: 'pi', stages: ['work'], endpoint: 'http://127.0.0.1:4010/v1', servedModelIds: ['coder-1', 'coder-1-20260101'],
    expiresAt: '2027-06-01T00:00:00.000Z', conditions: ['model or endpoint changes'], evidenceExpectations: ['every model call served by this pair'],
  })
  const bare = readRecord(without(without(currentRecord(), 'served_model_ids'), 'endpoint')).record
  assert.ok(bare !== null)
  assert.deepEqual([scopeOf(bare).servedModelIds, scopeOf(bare).endpoint], [['coder-1'], null])
})

verifies('ADM-A2 ADM-A3 ADM-A4 ADM-A5 ADM-A6 ADM-A7 ADM-A8 ADM-A9', 'a record without one of its eight fields, or with an empty one, is not valid', () => {
  const fields = ['status', 'provider', 'model', 'credential_source_class', 'allowed_network_class', 'approval_source', 'admission_timestamp', 'review_trigger']
  for (const field of fields) {
    for (const record of [formerRecord(), currentRecord()]) {
      assert.match(problemsOf(without(record, field)), new RegExp(`field ${field}: expected`))
      for (const value of ['', null, 7, true, {}]) assert.match(problemsOf({ ...record, [field]: value }), new RegExp(`field ${field}`))
    }
  }
})

verifies('ADM-A10', 'evidence_expectations is required in a record of now and may be missing in one of before', () => {
  assert.match(problemsOf(without(currentRecord(), 'evidence_expectations')), /field evidence_expectations: expected array/)
  assert.equal(problemsOf(formerRecord()), '')
  assert.equal(problemsOf(formerRecord({ evidence_expectations: ['a pass report'] })), '')
})

verifies('ADM-A15', 'a record cannot claim the stages that no record covers, nor be half of the current form', () => {
  for (const stage of [...STAGES_NEVER_COVERED, 'Real-Repo', 'core_promotion', 'COPIED.REPO']) assert.match(problemsOf(currentRecord({ stages: ['work', stage] })), /expected a stage that a record can cover/)
  assert.match(problemsOf(currentRecord({ stages: [] })), /field stages/)
  assert.match(problemsOf(without(currentRecord(), 'runtime')), /field runtime: expected/)
  assert.match(problemsOf(formerRecord({ stages: ['work'] })), /field runtime: expected/)
})

verifies('ADM-A4', 'a record for a pattern, a family or the newest is not valid', () => {
  for (const model of ['*', 'coder-*', 'latest', 'coder-latest', 'sonnet', 'opus[1m]', 'coder 1']) assert.match(problemsOf(currentRecord({ model })), /field model: expected an exact model id/)
  assert.match(problemsOf(currentRecord({ served_model_ids: ['coder-*'] })), /field served_model_ids\.0/)
})

verifies('ADM-A8', 'an approval needs an instant, not a day and not words', () => {
  for (const admission_timestamp of ['2026-06-01', 'yesterday', '2026-06-01 00:00:00', '2026-13-01T00:00:00Z', '2026-06-01T00:00:00']) assert.match(problemsOf(currentRecord({ admission_timestamp })), /field admission_timestamp/)
  assert.equal(problemsOf(currentRecord({ admission_timestamp: '2026-06-01T02:00:00+02:00' })), '')
})

verifies('ADM-A9', 'a review trigger is a date, conditions, a sentence, and never nothing', () => {
  for (const review_trigger of [{}, { expires_at: 'soon' }, { conditions: [] }, { expires_at: '2027-01-01', extra: 1 }, []]) assert.match(problemsOf(currentRecord({ review_trigger })), /field review_trigger/, JSON.stringify(review_trigger))
  for (const [review_trigger, expected] of [
    [{ expires_at: '2027-01-01' }, '2027-01-01T00:00:00.000Z'],
    [{ expires_at: '2027-01-01T01:00:00+01:00' }, '2027-01-01T00:00:00.000Z'],
    ['2027-01-01', '2027-01-01T00:00:00.000Z'],
    ['review before 2027-01-01', null],
    [{ conditions: ['a'] }, null],
  ] as const) {
    const { record } = readRecord(currentRecord({ review_trigger }))
    assert.ok(record !== null)
    assert.equal(scopeOf(record).expiresAt, expected)
  }
})

verifies('ADM-A9', 'a date in another form is refused, where it would have ended nothing', () => {
  const dates = ['2026-01-01T00:00:00', '2026-01-01 00:00', ' 2026-01-01', '2026-01-01\n', '2026-1-1', '2026/01/01', '01.01.2026', '1 January 2026', 'Jan 1st, 2026', 'Thu, 1 Jan 2026 00:00:00 GMT', '20260101', '1767225600', '2026-02-30', '2026-01-01T24:00:00Z']
  for (const date of dates) {
    for (const review_trigger of [date, { conditions: [date] }, { expires_at: '2036-01-01', conditions: ['the model changes', date] }]) {
      assert.match(problemsOf(currentRecord({ review_trigger })), /field review_trigger/, JSON.stringify(review_trigger))
      assert.match(problemsOf(formerRecord({ review_trigger })), /field review_trigger/, JSON.stringify(review_trigger))
    }
  }
  for (const sentence of ['version 2', 'the next release of the model', 'May', 'review before 2027-01-01', '2027-01-01, or when the model changes']) assert.equal(problemsOf(currentRecord({ review_trigger: sentence })), '', sentence)
})

verifies('ADM-A17', 'unknown fields, duplicate keys, non-objects and what is not JSON are refused', () => {
  assert.match(problemsOf(currentRecord({ stage: ['work'] })), /unknown field stage/)
  assert.match(problemsOf(formerRecord({ approved: true })), /unknown field approved/)
  const text = JSON.stringify(currentRecord({ status: 'revoked' }))
  assert.match(readRecordText(text.replace('"provider"', '"status":"admitted","provider"')).problems.join(), /stands twice/)
  for (const document of ['null', '[]', '"admitted"', '7', 'true']) assert.deepEqual(readRecordText(document).problems, ['not a JSON object'])
  for (const bad of ['', '{', 'status: admitted', '{"status":"admitted",}']) assert.match(readRecordText(bad).problems.join(), /^not JSON/)
  fc.assert(fc.property(fc.jsonValue(), (value) => readRecord(value).record === null))
})

const assembled = (...parts: string[]): string => parts.join('')
const SECRETS = {
  anthropic: assembled('sk-', 'ant-oat01-', 'Zx81kQw0PmT4'),
  openai: assembled('sk-', 'proj-Zx81kQw0PmT4vB7n'),
  github: assembled('gh', 'p_16C7e42F292c6912E7710c838347Ae17'),
  fineGrained: assembled('github', '_pat_11ABCDEFG0aBcDeFgHiJkL'),
  aws: assembled('AK', 'IAIOSFODNN7EXAMPLE'),
  slack: assembled('xox', 'b-2345678901-abcdefgh'),
  jwt: assembled('eyJ', 'hbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.', 'sgntr'),
  pem: assembled('-----BEGIN RSA PRIV', 'ATE KEY-----'),
  bearer: assembled('Bea', 'rer abcdefghijklmnop1234'),
  address: assembled('https://user', ':hunter22@host/'),
  assignment: assembled('api_key', '=letmein99'),
  random: assembled('qZ3vT8mK1', 'xW6pR9cL2nB'),
  hex: assembled('d41d8cd98f00b204', 'e9800998ecf8427e'),
}

for (const [kind, secret] of Object.entries(SECRETS)) {
  verifies('ADM-A11', `a value that looks like a secret (${kind}) is refused wherever it stands, and never repeated`, () => {
    const places = [
      currentRecord({ approval_source: `see ${secret}` }), currentRecord({ evidence_expectations: ['x', secret] }), currentRecord({ review_trigger: { conditions: [secret] } }),
      currentRecord({ [secret]: 1 }), currentRecord({ extra: { deep: [{ deeper: secret }] } }), formerRecord({ review_trigger: secret }),
    ]
    for (const document of places) {
      const reading = readRecord(document)
      assert.equal(reading.record, null, JSON.stringify(document))
      assert.match(reading.problems.join(), /looks like/)
      assert.ok(!JSON.stringify(reading).includes(secret.slice(4, 16)), JSON.stringify(reading))
    }
  })
}

verifies('ADM-A11', 'a field named like a secret is refused, except the class', () => {
  for (const name of ['password', 'apiKey', 'api_key', 'API-KEY', 'token', 'access_token', 'client_secret', 'authorization', 'credential', 'cookie']) {
    assert.match(problemsOf(currentRecord({ [name]: 'x' })), /has a name under which secrets are kept/)
  }
  assert.equal(problemsOf(currentRecord({ credential_source_class: 'hermes-openai-codex-oauth-and-local-vllm-config' })), '')
})

test('ordinary texts of records are no secrets', () => {
  for (const text of [
    'codex-oauth-hosted-model-plus-local-vllm-fallback', 'pi-models-json-local-provider-no-secret', 'run:20260601T013918Z-r1-string-slugify-2381028', 'claude-sonnet-4-5-20250929',
    'Qwen3-Coder-480B-A35B-Instruct-FP8', 'meta-llama/Llama-3.3-70B-Instruct-Turbo', 'commit f39d8ab Require admitted Case model pair', 'JP chat approval on 2026-05-31',
    `sha256:${'0123456789abcdef'.repeat(4)}`, '550e8400-e29b-41d4-a716-446655440000', 'RuntimePurposeViolation', 'https://chatgpt.com/backend-api', 'task-oriented', 'risk-averse-operators-only',
    'CTO-CASE-MODEL-PROVIDER-ADMISSION.openai-codex-gpt-5.5.json', '../node_modules/portcullis/spec/admission-record.schema.json',
  ]) assert.equal(secretLikeValue(text), undefined, text)
})

verifies('ADM-A12', 'the file name is safe, reversible, and of one pair only', () => {
  assert.equal(recordFileName({ provider: 'scripted', model: 'coder-1' }), 'scripted--coder-1.json')
  assert.equal(recordFileName({ provider: 'openrouter', model: 'qwen/qwen3-coder:free' }), 'openrouter--qwen%2Fqwen3-coder%3Afree.json')
  assert.equal(recordFileName({ provider: 'p', model: '../../etc/passwd' }), 'p--..%2F..%2Fetc%2Fpasswd.json')
  const part = fc.string({ unit: fc.constantFrom('a', 'B', '-', '-', '.', '/', ':', '%', '2', 'D', 'é', '\\', ' '), minLength: 1, maxLength: 8 })
  fc.assert(fc.property(part, part, part, part, (provider, model, otherProvider, otherModel) => {
    const name = recordFileName({ provider, model })
    assert.match(name, /^[A-Za-z0-9._%-]+$/)
    assert.deepEqual(readRecordFileName(name), { provider, model })
    const same = provider === otherProvider && model === otherModel
    assert.equal(name === recordFileName({ provider: otherProvider, model: otherModel }), same)
  }))
  for (const name of ['notes.json', 'a--b', 'a--%zz.json', 'a--%2f.json', '--b.json', 'a--.json']) assert.equal(readRecordFileName(name), undefined, name)
})

verifies('ADM-A12 ADM-A16', 'the name of one of several records says runtime and stages, and fits that record alone', () => {
  const pair = { provider: 'openrouter', model: 'qwen/qwen3@free' }
  const scope = { pair, runtime: 'case', stages: ['stage-2', 'dry-run'] }
  const name = scopedRecordFileName(pair, scope)
  assert.equal(name, 'openrouter--qwen%2Fqwen3%40free@case+stage-2+dry-run.json')
  assert.ok(nameFits(name, scope) && nameFits(recordFileName(pair), scope) && nameAgrees(name, pair))
  assert.deepEqual(readRecordFileName(name), pair)
  for (const other of [{ ...scope, runtime: 'pi' }, { ...scope, stages: ['stage-2'] }, { ...scope, stages: ['dry-run', 'stage-2'] }, { ...scope, stages: ['stage-2', 'dry-run', 'work'] }, { ...scope, pair: { ...pair, model: 'qwen/qwen3' } }]) {
    assert.ok(!nameFits(name, other), JSON.stringify(other))
  }
  const part = fc.string({ unit: fc.constantFrom('a', '-', '+', '@', '%', '.', '/'), minLength: 1, maxLength: 6 })
  fc.assert(fc.property(part, part, part, part, part, (provider, model, runtime, stage, otherStage) => {
    const written = scopedRecordFileName({ provider, model }, { runtime, stages: [stage] })
    assert.match(written, /^[A-Za-z0-9._%-]+@[A-Za-z0-9._%-]+\+[A-Za-z0-9._%-]+\.json$/)
    assert.deepEqual(readRecordFileName(written), { provider, model })
    assert.equal(written === scopedRecordFileName({ provider, model }, { runtime, stages: [otherStage] }), stage === otherStage)
  }))
})

test('the document\'s own name for Case records agrees too', () => {
  assert.ok(nameAgrees('CTO-CASE-MODEL-PROVIDER-ADMISSION.openai-codex-gpt-5.5.json', { provider: 'openai-codex', model: 'gpt-5.5' }))
  assert.ok(!nameAgrees('CTO-CASE-MODEL-PROVIDER-ADMISSION.openai-codex-gpt-5.json', { provider: 'openai-codex', model: 'gpt-5.5' }))
})

test('the schema converts to JSON Schema with its descriptions', () => {
  const text = JSON.stringify(z.toJSONSchema(AdmissionRecord, { io: 'input' }))
  for (const expected of ['Only the value admitted admits.', '"additionalProperties":false', '"evidence_expectations"', '"anyOf"']) assert.ok(text.includes(expected), expected)
})
