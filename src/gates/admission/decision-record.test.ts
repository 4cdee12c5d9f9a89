import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { verifies } from '../../../test/verifies.ts'
import { DECISION_EFFECT, DECISION_STATUSES, PROVIDER_CLASSES, readDecision, readDecisionText } from './decision-record.ts'
import { readRecord } from './read-record.ts'

const decision = (changes: Record<string, unknown> = {}): Record<string, unknown> => ({
  decision_status: 'local_provider_required',
  provider_class: 'local_case_compatible',
  provider: 'qwen-local',
  model: 'qwen3.6-35b-a3b',
  approval_source: 'JP chat approval on 2026-05-31',
  credential_source_class: 'pi-models-json-local-provider-no-secret',
  allowed_network_class: 'local-vllm',
  review_trigger: { expires_at: '2026-12-31T00:00:00Z' },
  evidence_sources: ['run:20260601T013918Z-r1-string-slugify-1'],
  effect: DECISION_EFFECT,
  ...changes,
})

const without = (field: string): Record<string, unknown> => Object.fromEntries(Object.entries(decision()).filter(([name]) => name !== field))
const problemsOf = (document: unknown): string => readDecision(document).problems.join('; ')

test('the sample decision record is one', () => {
  const text = readFileSync(join(import.meta.dirname, '../../adapters/configuration/fixtures/examples/decision.json'), 'utf8')
  assert.deepEqual(readDecisionText(text).problems, [])
})

verifies('ADM-D1 ADM-D2', 'a status or a class of provider that the document does not list is refused', () => {
  assert.deepEqual([...DECISION_STATUSES], ['not_decided', 'external_provider_approved', 'local_provider_required'])
  assert.deepEqual([...PROVIDER_CLASSES], ['external_anthropic', 'external_openai_codex', 'local_case_compatible'])
  assert.match(problemsOf(decision({ decision_status: 'approved' })), /decision_status/)
  assert.match(problemsOf(decision({ provider_class: 'external_other' })), /provider_class/)
  assert.match(problemsOf(decision({ provider_class: 'external_anthropic' })), /local provider is required/)
  assert.match(problemsOf(decision({ decision_status: 'external_provider_approved' })), /external provider was approved/)
  assert.deepEqual(problemsOf(decision({ decision_status: 'external_provider_approved', provider_class: 'external_anthropic', provider: 'anthropic', model: 'claude-opus-4-8' })), '')
})

verifies('ADM-D3', 'provider and model are exact, and empty only while nothing is decided', () => {
  assert.equal(problemsOf(decision({ decision_status: 'not_decided', provider: '', model: '' })), '')
  assert.match(problemsOf(decision({ provider: '', model: '' })), /something was decided/)
  assert.match(problemsOf(decision({ decision_status: 'not_decided', provider: '' })), /both, or neither/)
  assert.match(problemsOf(decision({ model: 'qwen 3' })), /exact name/)
  assert.match(problemsOf(decision({ model: 7 })), /model/)
})

verifies('ADM-D4 ADM-D6 ADM-D8', 'approval, review and the fixed effect are required', () => {
  for (const field of ['approval_source', 'review_trigger', 'effect', 'evidence_sources', 'credential_source_class', 'allowed_network_class']) assert.match(problemsOf(without(field)), new RegExp(field), field)
  assert.match(problemsOf(decision({ approval_source: '' })), /approval_source/)
  assert.match(problemsOf(decision({ review_trigger: {} })), /review_trigger/)
  assert.match(problemsOf(decision({ effect: 'CTO-WORK-020 is unblocked' })), /effect/)
})

verifies('ADM-D5', 'classes hold no value: a secret anywhere is refused, and not repeated', () => {
  const secret = `sk-ant-${'api03-'}${'A1b2C3d4'.repeat(6)}`
  for (const field of ['credential_source_class', 'allowed_network_class', 'approval_source']) {
    const problems = problemsOf(decision({ [field]: secret }))
    assert.notEqual(problems, '')
    assert.equal(problems.includes(secret), false)
  }
})

verifies('ADM-D7', 'evidence is referred to, never copied', () => {
  for (const copied of ['{"status":"pass"}', 'the run passed with 12 tests', 'a\nb', { status: 'pass' }]) assert.match(problemsOf(decision({ evidence_sources: [copied] })), /evidence_sources/, JSON.stringify(copied))
  assert.match(problemsOf({ ...decision(), report: { status: 'pass' } }), /unknown field/)
  assert.equal(problemsOf(decision({ evidence_sources: ['sha256:00ff', 'https://example.test/evidence#1', '.portcullis/runs/a/report.json'] })), '')
})

verifies('ADM-D9', 'no decision record is read as an admission record, whatever it says', () => {
  for (const changes of [{}, { status: 'admitted' }, { decision_status: 'external_provider_approved', provider_class: 'external_anthropic' }]) assert.equal(readRecord(decision(changes)).record, null)
})

test('whatever is no object is no decision record', () => {
  for (const document of [null, [], 'x', 1, undefined]) assert.notEqual(problemsOf(document), '')
  assert.match(readDecisionText('{"a":1,"a":2}').problems.join(), /./)
})
