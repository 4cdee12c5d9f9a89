import assert from 'node:assert/strict'
import { verifies } from '../../../test/verifies.ts'
import { sha256 } from '../../contract/canonical.ts'
import type { AdmissionFacts, DecisionFile } from './admission-facts.ts'
import { DECISION_EFFECT, readDecision } from './decision-record.ts'
import { admissionGate, admissionOf, admissionStatus } from './gate.ts'
import { currentRecord, fileOf, sampleFacts } from './samples.test.ts'

const decision = (changes: Record<string, unknown> = {}): Record<string, unknown> => ({
  decision_status: 'external_provider_approved', provider_class: 'external_anthropic', provider: 'scripted', model: 'coder-1', approval_source: 'J. Doe, change 4711', credential_source_class: 'no-secret',
  allowed_network_class: 'loopback', review_trigger: { expires_at: '2027-01-01T00:00:00Z' }, evidence_sources: [], effect: DECISION_EFFECT, ...changes,
})

function decisionFile(document: unknown = decision(), path = 'decisions/scripted--coder-1.json'): DecisionFile {
  const reading = readDecision(document)
  return { path, sha256: sha256(JSON.stringify(document)), decision: reading.decision, problems: [...reading.problems] }
}

const facts = (files: readonly DecisionFile[], changes: Parameters<typeof sampleFacts>[1] = {}): AdmissionFacts =>
  sampleFacts(undefined, { external: true, decisions: { path: 'decisions/', problem: null, files }, ...changes })

function refused(asked: AdmissionFacts, found: RegExp): void {
  const finding = admissionGate.decide(asked, ['a'.repeat(64)])
  assert.ok(finding.outcome === 'block', 'it passed')
  assert.deepEqual([finding.reason, admissionStatus(asked), admissionOf(asked)], ['not_admitted', 'not_admitted', undefined])
  assert.match(finding.found, found)
  assert.match(finding.remedy, /portcullis decide --status external_provider_approved --pair scripted\/coder-1/)
}

verifies('ADM-D10', 'an external provider with a record in force is refused until a decision of people approves exactly it', () => {
  refused(facts([]), /^network class loopback is external, and no decision in decisions\/ approves scripted\/coder-1$/)
  refused(facts([decisionFile(decision({ provider: 'scripted', model: 'coder-2' }), 'decisions/scripted--coder-2.json')]), /no decision in decisions\//)
  const approved = facts([decisionFile()])
  const finding = admissionGate.decide(approved, ['a'.repeat(64)])
  assert.ok(finding.outcome === 'pass')
  assert.match(finding.message, /, external by decisions\/scripted--coder-1\.json$/)
  assert.equal(admissionOf(approved)?.approval?.sha256, decisionFile().sha256)
})

verifies('ADM-D10', 'a decision that says something else, ended, contradicts its name or cannot be read approves nothing', () => {
  refused(facts([decisionFile(decision({ decision_status: 'not_decided' }))]), /it says not_decided/)
  refused(facts([decisionFile(decision({ decision_status: 'local_provider_required', provider_class: 'local_case_compatible' }))]), /it says local_provider_required/)
  refused(facts([decisionFile(decision({ allowed_network_class: 'hosted' }))]), /it approves network class hosted/)
  refused(facts([decisionFile(decision({ credential_source_class: 'vault' }))]), /it approves credential class vault/)
  for (const ended of [{ expires_at: '2026-11-20T21:39:18Z' }, '2026-11-20']) refused(facts([decisionFile(decision({ review_trigger: ended }))]), /it ended at 2026-11-20T/)
  refused(facts([decisionFile(decision({ effect: 'unblocked' }))]), /scripted--coder-1\.json: field effect/)
  refused(facts([decisionFile(decision(), 'decisions/approved.json')]), /its name does not belong to its content/)
  refused(facts([decisionFile(decision({ model: 'coder-2' }))]), /its name does not belong to its content/)
  // One that approves does not speak for one that does not.
  refused(facts([decisionFile(), decisionFile(decision({ decision_status: 'not_decided' }), 'decisions/later.json')]), /decisions\/later\.json/)
  refused({ ...facts([decisionFile()]), decisions: { path: 'decisions/', problem: 'cannot be read (EACCES)', files: [] } }, /decisions\/ cannot be read/)
})

verifies('ADM-D10', 'what is external is declared; where nothing is, only a loopback address as it is written is not', () => {
  const none = (changes: Parameters<typeof sampleFacts>[1]) => facts([], changes)
  const elsewhere = (endpoint: string): AdmissionFacts => sampleFacts([fileOf(currentRecord({ endpoint }))], { external: null, endpoint })
  assert.equal(admissionStatus(none({ external: false })), 'admitted')
  assert.equal(admissionStatus(none({ external: null })), 'admitted')
  const far = 'https://models.internal.example/v1'
  assert.equal(admissionStatus(sampleFacts([fileOf(currentRecord({ endpoint: far }))], { external: false, endpoint: far })), 'admitted', 'what people declare goes before the address in both directions')
  // A tunnel or a gateway on this machine may lead anywhere: what people declare goes before what the address says.
  refused(none({ external: true }), /is external/)
  for (const endpoint of ['https://api.example.com/v1', 'http://localhost:4010/v1', 'http://loopback/v1', 'http://10.0.0.7:8000/v1', 'http://[fd00::7]/v1']) {
    refused(elsewhere(endpoint), /^network class loopback is not declared, so it counts as external/)
  }
  for (const endpoint of ['http://127.0.0.1:4010/v1', 'http://[::1]:4010/v1']) assert.equal(admissionStatus(elsewhere(endpoint)), 'admitted', endpoint)
})

verifies('ADM-D10', 'an approval ends with its date: no pass and no licence outlives it', () => {
  const soon = facts([decisionFile(decision({ review_trigger: { expires_at: '2026-11-20T22:00:00+00:00' } }))])
  const finding = admissionGate.decide(soon, ['a'.repeat(64)])
  assert.ok(finding.outcome === 'pass')
  assert.equal(finding.expiresAt.toISOString(), '2026-11-20T22:00:00.000Z')
  assert.deepEqual([admissionOf(soon)?.endsAt, admissionOf(soon)?.expiresAt], ['2026-11-20T22:00:00.000Z', '2027-06-01T00:00:00.000Z'])
  const open = fileOf(currentRecord({ review_trigger: 'when the model changes' }))
  const only = admissionGate.decide({ ...soon, files: [open] }, ['a'.repeat(64)])
  assert.equal(only.outcome === 'pass' && only.expiresAt.toISOString(), '2026-11-20T22:00:00.000Z')
  const later = facts([decisionFile(decision({ review_trigger: { expires_at: '2028-01-01T00:00:00Z' } }))])
  assert.equal(admissionOf(later)?.endsAt, '2027-06-01T00:00:00.000Z')
})

verifies('ADM-D10 ADM-D9', 'an approval without a record admits nothing: the pair is missing_admission', () => {
  assert.equal(admissionStatus(sampleFacts([], { external: true, decisions: { path: 'decisions/', problem: null, files: [decisionFile()] } })), 'missing_admission')
})
