import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sha256 } from '../../contract/canonical.ts'
import { AdmissionFile, admissionFacts, admissionGate, admissionOf, admissionRequestOf, admissionStatus, CurrentRecord, DECISION_EFFECT, DecisionFile, isExternal, nameAgrees, readDecision, readDecisionText, readRecord, readRecordFileName, scopedRecordFileName } from './index.ts'
import { currentRecord, fileOf, sampleFacts } from './samples.test.ts'

const decision = (changes: Record<string, unknown> = {}): Record<string, unknown> => ({
  decision_status: 'external_provider_approved', provider_class: 'external_anthropic', provider: 'scripted', model: 'coder-1', approval_source: 'J. Doe, change 4711', credential_source_class: 'no-secret',
  allowed_network_class: 'loopback', review_trigger: { expires_at: '2027-01-01T00:00:00Z' }, evidence_sources: [], effect: DECISION_EFFECT, ...changes,
})
function decisionFile(changes: Record<string, unknown> = {}, path = 'decisions/scripted--coder-1.json'): DecisionFile {
  const document = decision(changes)
  return { path, sha256: sha256(JSON.stringify(document)), decision: readDecision(document).decision, problems: [] }
}
const SECRET = `sk-ant-${'api03-'}${'A1b2C3d4'.repeat(6)}`

test('a file of records is a record with its digest, or problems, and nothing between', () => {
  const file = fileOf(currentRecord())
  const fits = (change: Partial<AdmissionFile>): boolean => AdmissionFile.safeParse({ ...file, ...change }).success
  assert.deepEqual([fits({}), fits({ record: null, problems: ['x'] }), fits({ record: null, sha256: null, problems: ['x'] })], [true, true, true])
  assert.deepEqual([fits({ problems: ['x'] }), fits({ record: null }), fits({ sha256: null })], [false, false, false])
})

test('a file of decisions is a decision or problems, and holds no secret', () => {
  const file = decisionFile()
  const fits = (change: Partial<DecisionFile>): boolean => DecisionFile.safeParse({ ...file, ...change }).success
  assert.deepEqual([fits({}), fits({ decision: null, problems: ['x'] })], [true, true])
  assert.deepEqual([fits({ problems: ['x'] }), fits({ decision: null }), fits({ decision: file.decision === null ? null : { ...file.decision, approval_source: SECRET } })], [false, false, false])
})

test('every secret in a decision is told, and none of them', () => {
  const { problems } = readDecision(decision({ approval_source: SECRET, allowed_network_class: SECRET }))
  assert.equal(problems.length, 2)
  assert.equal(problems.some((problem) => problem.includes(SECRET)), false)
  assert.equal(readDecision(decision({ approval_source: '', effect: 'x' })).problems.length, 2)
  assert.equal(readRecord(currentRecord({ approval_source: SECRET, allowed_network_class: SECRET })).problems.length, 2)
  assert.equal(readDecisionText('{').decision, null)
})

test('an endpoint is a plain address of http or https', () => {
  const fits = (endpoint: string): boolean => CurrentRecord.safeParse(currentRecord({ endpoint })).success
  assert.deepEqual([fits('http://a.example/v1'), fits('https://a.example/v1')], [true, true])
  for (const endpoint of ['shttp://a.example/v1', 'httpsx://a.example/v1', 'file:///v1', 'https://user:pass@a.example/v1', 'https://a.example/v1?key=1', 'https://a.example/v1#x']) assert.equal(fits(endpoint), false, endpoint)
})

type Resolution = Parameters<typeof admissionRequestOf>[0]
const resolution = (agent: string, stage?: string): Resolution =>
  ({ pair: { provider: 'scripted', model: 'coder-1' }, profile: { agent }, provider: { baseUrl: 'http://127.0.0.1:1/v1', networkClass: 'hosted', credential: { class: 'no-secret' } }, purposeRules: stage === undefined ? {} : { stage } }) as unknown as Resolution

test('the stage is what the purpose names, or what runs of the agent are; the network class is external as it is declared', () => {
  assert.deepEqual([admissionRequestOf(resolution('pi'), undefined).stage, admissionRequestOf(resolution('case'), undefined).stage, admissionRequestOf(resolution('case', 'trial'), undefined).stage, admissionRequestOf(resolution('pi', 'stage-2'), undefined).stage], ['work', 'stage-2', 'trial', 'stage-2'])
  const external = (classes: Parameters<typeof admissionRequestOf>[1]): boolean | null => admissionRequestOf(resolution('pi'), classes).external
  assert.deepEqual([external(undefined), external({ other: { external: false } }), external({ hosted: { external: false } }), external({ hosted: { external: true } })], [null, null, false, true])
})

test('only what speaks about the pair stands in the facts, and the rest is counted', () => {
  const other = fileOf(currentRecord({ model: 'coder-2', served_model_ids: ['coder-2'] }), 'admissions/scripted--coder-2.json')
  const facts = sampleFacts([fileOf(currentRecord()), other], { decisions: { path: 'decisions/', problem: null, files: [decisionFile(), decisionFile({ model: 'coder-2' }, 'decisions/scripted--coder-2.json')] } })
  assert.deepEqual([facts.files.length, facts.othersCount, facts.others[0]?.pair, facts.decisions.files.length], [1, 1, 'scripted/coder-2', 1])
  // Nor does the gate rely on that: what another put among them speaks for nobody.
  const planted = { ...facts, files: [...facts.files, other] }
  assert.equal(admissionStatus(planted), 'admitted')
  assert.equal(admissionStatus({ ...facts, files: [other] }), 'missing_admission')
  const approving = { ...facts, network: { external: true }, decisions: { ...facts.decisions, files: [decisionFile({ model: 'coder-2' }, 'decisions/scripted--coder-2.json')] } }
  assert.equal(admissionStatus(approving), 'not_admitted')
  const beside = { ...approving, decisions: { ...approving.decisions, files: [decisionFile(), decisionFile({ model: 'coder-2', decision_status: 'not_decided' }, 'decisions/scripted--coder-2.json')] } }
  assert.equal(admissionStatus(beside), 'admitted')
})

test('as many files as have room are judged, and one more is none', () => {
  const files = (count: number): AdmissionFile[] => Array.from({ length: count }, () => fileOf(currentRecord()))
  assert.deepEqual([admissionFacts({ ...question(), source: { kind: 'directory', path: 'a/', problem: null, files: files(32) } }).source.problem, admissionFacts({ ...question(), source: { kind: 'directory', path: 'a/', problem: null, files: files(33) } }).source.problem], [null, 'more than 32 files speak about scripted/coder-1'])
})
const question = (): Parameters<typeof admissionFacts>[0] => ({ requested: { provider: 'scripted', model: 'coder-1' }, asked: null, runtime: 'pi', stage: 'work', endpoint: 'http://127.0.0.1:1/v1', networkClass: 'loopback', credentialClass: 'no-secret', external: false, decisions: { path: 'd/', problem: null, files: [] }, observedAt: new Date('2026-11-20T21:39:18.000Z'), validForMs: 1_000, source: { kind: 'directory', path: 'a/', problem: null, files: [] } })

test('a record or a decision that nobody could read the bytes of denies, whatever it holds', () => {
  const unread = { ...fileOf(currentRecord()), sha256: null }
  assert.equal(admissionStatus({ ...sampleFacts(), files: [unread] }), 'invalid_admission')
  const approved = sampleFacts(undefined, { external: true, decisions: { path: 'decisions/', problem: null, files: [decisionFile()] } })
  assert.equal(admissionStatus(approved), 'admitted')
  const finding = admissionGate.decide({ ...approved, decisions: { ...approved.decisions, files: [{ ...decisionFile(), sha256: null }] } }, ['a'.repeat(64)])
  assert.deepEqual([finding.outcome, finding.outcome === 'block' && finding.found.endsWith(': not read')], ['block', true])
})

test('one decision whose bytes nobody could read denies beside one that approves', () => {
  const files = [decisionFile(), { ...decisionFile({}, 'decisions/old/scripted--coder-1.json'), sha256: null }]
  for (const both of [files, files.toReversed()]) assert.equal(admissionStatus(sampleFacts(undefined, { external: true, decisions: { path: 'decisions/', problem: null, files: both } })), 'not_admitted')
})

test('two records bind the endpoint only together, and the one that ends first ends the admission', () => {
  const work = (changes: Record<string, unknown>, stages: readonly string[]): AdmissionFile => fileOf(currentRecord({ stages, ...changes }), `admissions/${scopedRecordFileName({ provider: 'scripted', model: 'coder-1' }, { runtime: 'pi', stages })}`)
  const bound = work({ review_trigger: 'when it changes' }, ['work'])
  const open = work({ endpoint: undefined, review_trigger: { expires_at: '2026-12-01T00:00:00Z' } }, ['work', 'trial'])
  assert.deepEqual([admissionOf(sampleFacts([bound]))?.endpointBound, admissionOf(sampleFacts([bound, open]))?.endpointBound], [true, false])
  for (const files of [[bound, open], [open, bound]]) assert.deepEqual([admissionOf(sampleFacts(files))?.endsAt, admissionOf(sampleFacts(files))?.path], ['2026-12-01T00:00:00.000Z', open.path])
  assert.equal(admissionOf(sampleFacts([bound]))?.endsAt, null)
  const undated = admissionGate.decide(sampleFacts([bound]), ['a'.repeat(64)])
  assert.equal(undated.outcome === 'pass' && undated.expiresAt.toISOString(), '2026-11-20T22:39:18.000Z')
  const [soon, late] = [['work'], ['work', 'trial']].map((stages, index) => work({ review_trigger: { expires_at: `202${7 + index}-01-01T00:00:00Z` } }, stages))
  assert.ok(soon !== undefined && late !== undefined)
  for (const files of [[soon, late], [late, soon]]) assert.equal(admissionOf(sampleFacts(files))?.endsAt, '2027-01-01T00:00:00.000Z')
})

test('a decision without a date ends with its record, one with a sentence too, and an address that is none is external', () => {
  for (const review_trigger of ['when the contract changes', { conditions: ['a change'] }]) {
    const facts = sampleFacts(undefined, { external: true, decisions: { path: 'decisions/', problem: null, files: [decisionFile({ review_trigger })] } })
    assert.deepEqual([admissionOf(facts)?.approval?.expiresAt, admissionOf(facts)?.endsAt], [null, '2027-06-01T00:00:00.000Z'])
  }
  for (const endpoint of ['no address', 'http://127.0.0.1.example/v1', 'http://[::2]/v1']) assert.equal(isExternal({ network: { external: null }, endpoint }), true, endpoint)
  assert.equal(isExternal({ network: { external: null }, endpoint: 'http://[::1]:1/v1' }), false)
})

test('a name is that of a pair from its first character to its last', () => {
  const pair = { provider: 'scripted', model: 'coder-1' }
  assert.deepEqual(readRecordFileName('scripted--coder-1.json'), pair)
  for (const name of ['scripted--coder-1.json.bak', 'x\nscripted--coder-1.json', 'scripted.json', '--coder-1.json', 'a%--b.json', 'scripted--coder-1@pi+work.json.bak']) assert.equal(readRecordFileName(name), undefined, name)
  assert.deepEqual([nameAgrees('scripted--coder-1@pi+work.json', pair), nameAgrees('scripted--coder-1@pi+work.json.bak', pair), nameAgrees('other--coder-1@pi+work.json', pair)], [true, false, false])
})
