import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gateOf, type Observed, runGate } from '../../contract/gate.ts'
import { verifies } from '../../../test/verifies.ts'
import type { AdmissionFacts } from './admission-facts.ts'
import { admissionGate, admissionProof, admissionStatus } from './gate.ts'
import { ADMISSION_STATUSES } from './judge-records.ts'
import { CASE_FILE, caseFacts, currentRecord, fileOf, formerRecord, namedFacts, observedAt, sampleFacts } from './samples.test.ts'

const digest = 'a'.repeat(64)
const decide = (facts: AdmissionFacts) => admissionGate.decide(facts, [digest])

function passes(facts: AdmissionFacts) {
  const finding = decide(facts)
  assert.ok(finding.outcome === 'pass', JSON.stringify(finding))
  assert.equal(admissionStatus(facts), 'admitted')
  return finding
}

function blocks(facts: AdmissionFacts, status: string, found: RegExp) {
  const finding = decide(facts)
  assert.ok(finding.outcome === 'block', `passed: ${JSON.stringify(finding)}`)
  assert.equal(finding.reason, status)
  assert.equal(admissionStatus(facts), status)
  assert.match(finding.found, found)
  assert.deepEqual(finding.evidence, [digest])
  return finding
}

test('an exact pair with a record in force is admitted until the record must be read again', () => {
  assert.deepEqual(passes(sampleFacts()), {
    outcome: 'pass', message: 'admissions/scripted--coder-1.json, in force until 2027-06-01', evidence: [digest], expiresAt: new Date('2026-11-20T22:39:18.000Z'),
  })
})

verifies('ADM-A9', 'a pass never outlives its record, and a date that has passed admits nothing', () => {
  const soon = fileOf(currentRecord({ review_trigger: { expires_at: '2026-11-20T22:00:00+00:00' } }))
  assert.deepEqual(passes(sampleFacts([soon])).expiresAt, new Date('2026-11-20T22:00:00.000Z'))
  for (const expired of ['2026-11-20T21:39:18Z', '2026-11-20T22:39:17+01:00', '2026-11-20']) {
    blocks(sampleFacts([fileOf(currentRecord({ review_trigger: { expires_at: expired } }))]), 'not_admitted', /expired at 2026-11-20T/)
  }
  blocks(sampleFacts([fileOf(currentRecord({ review_trigger: '2026-11-20' }))]), 'not_admitted', /expired/)
  assert.match(passes(sampleFacts([fileOf(currentRecord({ review_trigger: 'when the model changes' }))])).message, /in force, with no date of expiry/)
})

verifies('ADM-A2 ADM-G4', 'only the status admitted admits', () => {
  for (const status of ['revoked', 'pending', 'Admitted', 'ADMITTED', 'admitted ', 'not_admitted', 'true']) {
    blocks(sampleFacts([fileOf(currentRecord({ status }))]), 'not_admitted', /its status is/)
  }
})

verifies('ADM-G4 ADM-N2 ADM-N3', 'without a requested provider or model nothing is admitted, whatever records exist', () => {
  blocks(sampleFacts(undefined, { requested: { provider: '', model: 'coder-1' } }), 'not_admitted', /no provider was requested/)
  blocks(sampleFacts(undefined, { requested: { provider: 'scripted', model: '' } }), 'not_admitted', /no model was requested/)
  blocks(sampleFacts(undefined, { requested: { provider: '', model: '' } }), 'not_admitted', /no provider and no model/)
  // Also when the record at hand was named by the caller: it must not fill in what nobody asked for.
  blocks(namedFacts(fileOf(currentRecord()), { requested: { provider: 'scripted', model: '' } }), 'not_admitted', /no model/)
  blocks(namedFacts(fileOf(currentRecord()), { requested: { provider: '', model: '' } }), 'not_admitted', /no provider/)
})

verifies('ADM-A13 ADM-G2 ADM-N5', 'with no records at all every run is refused', () => {
  const finding = blocks(sampleFacts([]), 'missing_admission', /^no records in admissions\/$/)
  assert.equal(finding.asked, 'scripted/coder-1 for stage work, runtime pi')
  assert.equal(finding.remedy, 'have the pair approved, then: npx portcullis admit create scripted/coder-1')
  blocks(namedFacts(null), 'missing_admission', /no file at admissions\/gone\.json/)
})

verifies('ADM-N4 ADM-G2', 'records for other pairs are named and admit nothing', () => {
  const others = [fileOf(currentRecord()), fileOf(formerRecord(), 'admissions/qwen-local--qwen3.6-35b-a3b.json')]
  const finding = blocks(sampleFacts(others, { requested: { provider: 'anthropic', model: 'claude-opus-4-8' }, runtime: 'claude' }), 'missing_admission', /./)
  assert.equal(finding.found, '2 records in admissions/, none for this pair: qwen-local/qwen3.6-35b-a3b, scripted/coder-1')
  assert.equal(finding.asked, 'anthropic/claude-opus-4-8 for stage work, runtime claude')
})

verifies('ADM-A4', 'aliases, patterns, prefixes and case variants of the model do not match', () => {
  for (const model of ['Coder-1', 'coder', 'coder-1-extended', 'coder-1 ', ' coder-1', 'coder-*', 'coder_1']) {
    blocks(sampleFacts(undefined, { requested: { provider: 'scripted', model } }), 'missing_admission', /none for this pair/)
    blocks(namedFacts(fileOf(currentRecord()), { requested: { provider: 'scripted', model } }), 'mismatch', /admits scripted\/coder-1/)
  }
})

verifies('ADM-A3', 'the provider must be the very same string', () => {
  for (const provider of ['Scripted', 'scripte', 'scripted2']) {
    blocks(sampleFacts(undefined, { requested: { provider, model: 'coder-1' } }), 'missing_admission', /none for this pair/)
    blocks(namedFacts(fileOf(currentRecord()), { requested: { provider, model: 'coder-1' } }), 'mismatch', /admits scripted\/coder-1/)
  }
})

verifies('ADM-G5 ADM-N6', 'a named record that admits another pair is a mismatch', () => {
  const finding = blocks(namedFacts(fileOf(currentRecord()), { requested: { provider: 'scripted', model: 'coder-2' } }), 'mismatch', /scripted--coder-1\.json admits scripted\/coder-1/)
  assert.match(finding.remedy, /scripted\/coder-2/)
  // Not admitted comes first: a mismatch is a difference from a record that does admit something.
  blocks(namedFacts(fileOf(currentRecord({ status: 'revoked' })), { requested: { provider: 'scripted', model: 'coder-2' } }), 'not_admitted', /revoked/)
})

verifies('ADM-A14', 'a pair that another record only mentions is not admitted by it', () => {
  const primary = formerRecord({ provider: 'openai-codex', model: 'gpt-5.5', allowed_network_class: 'codex-oauth-hosted-model-plus-local-vllm-fallback', credential_source_class: 'hermes-openai-codex-oauth-and-local-vllm-config' })
  const file = fileOf(primary, 'admissions/openai-codex--gpt-5.5.json')
  blocks(caseFacts([file]), 'missing_admission', /none for this pair: openai-codex\/gpt-5\.5/)
  blocks(caseFacts([], { source: { kind: 'file', path: file.path, problem: null, files: [file] } }), 'mismatch', /admits openai-codex/)
})

verifies('ADM-G3 ADM-N7', 'a file that is no valid record is invalid_admission, by its name or when it is named', () => {
  for (const document of [null, [], 'admitted', 1, {}, { status: 'admitted' }, currentRecord({ extra: 1 }), currentRecord({ model: '' })]) {
    const finding = blocks(sampleFacts([fileOf(document)]), 'invalid_admission', /scripted--coder-1\.json: /)
    assert.match(finding.remedy, /admit list/)
    blocks(namedFacts(fileOf(document)), 'invalid_admission', /scripted--coder-1\.json: /)
  }
  // An invalid record for the pair denies also beside a valid one.
  blocks(caseFacts([fileOf({}, 'admissions/qwen-local--qwen3.6-35b-a3b.json'), fileOf(formerRecord(), CASE_FILE)]), 'invalid_admission', /qwen-local--/)
  // An invalid record for another pair does not.
  passes(sampleFacts([fileOf(currentRecord()), fileOf({}, 'admissions/scripted--coder-2.json'), fileOf({}, 'admissions/decision.json')]))
  blocks(sampleFacts([fileOf({}, 'admissions/scripted--coder-2.json'), fileOf({}, 'admissions/notes.json')]), 'missing_admission', /2 records .*: admissions\/notes\.json, scripted\/coder-2 \(not valid\)/)
})

verifies('ADM-G3', 'a directory that cannot be read is invalid_admission, not an empty one', () => {
  blocks(sampleFacts([fileOf(currentRecord())], { source: { kind: 'directory', path: 'admissions/', problem: 'EACCES', files: [] } }), 'invalid_admission', /admissions\/: EACCES/)
})

verifies('ADM-A11', 'a record with a secret in it is invalid_admission and its text reaches neither facts nor verdict', () => {
  const secret = ['sk', 'ant', 'api03', 'Zx81kQw0PmT4'].join('-')
  const file = fileOf(currentRecord({ approval_source: `approved, key ${secret}` }))
  const facts = sampleFacts([file])
  const finding = blocks(facts, 'invalid_admission', /field approval_source holds what looks like an Anthropic key/)
  assert.doesNotMatch(JSON.stringify([facts, finding]), /Zx81kQw0PmT4/)
  // A reader that lets one through cannot get it stored: the facts do not validate.
  const careless = { ...sampleFacts(), files: [{ ...fileOf(currentRecord()), record: currentRecord({ approval_source: secret }) }] }
  assert.equal(admissionGate.facts.schema.safeParse(careless).success, false)
  assert.equal(admissionGate.facts.schema.safeParse(sampleFacts()).success, true)
})

verifies('ADM-A8', 'an approval dated in the future is no approval', () => {
  blocks(sampleFacts([fileOf(currentRecord({ admission_timestamp: '2026-11-20T21:39:18.001Z' }))]), 'invalid_admission', /future/)
  passes(sampleFacts([fileOf(currentRecord({ admission_timestamp: '2026-11-20T21:39:18Z' }))]))
})

verifies('ADM-A12', 'a file whose name disagrees with its content is invalid_admission', () => {
  const other = currentRecord({ model: 'coder-2', served_model_ids: ['coder-2'] })
  blocks(sampleFacts([fileOf(other)]), 'invalid_admission', /its name does not belong to its content, scripted\/coder-2/)
  blocks(sampleFacts([fileOf(currentRecord(), 'admissions/coder.json')]), 'invalid_admission', /its name does not belong/)
  blocks(namedFacts(fileOf(currentRecord(), '/tmp/record.json')), 'invalid_admission', /its name does not belong/)
  passes(caseFacts([fileOf(formerRecord(), CASE_FILE)]))
  // The file name of Case on a record for another runtime says two things.
  blocks(sampleFacts([fileOf(currentRecord(), 'admissions/CTO-CASE-MODEL-PROVIDER-ADMISSION.scripted-coder-1.json')]), 'invalid_admission', /its name does not belong/)
})

verifies('ADM-A15', 'a record covers its stages only, and a former one stage-2 of Case only', () => {
  blocks(sampleFacts(undefined, { stage: 'review' }), 'not_admitted', /covers stage work, not review/)
  const former = [fileOf(formerRecord(), CASE_FILE)]
  passes(caseFacts(former))
  blocks(caseFacts(former, { stage: 'work' }), 'not_admitted', /covers stage stage-2, as every record without runtime and stages/)
})

verifies('ADM-A15', 'a run for a stage that no record covers is refused, whatever a record were to say and however it is spelt', () => {
  for (const stage of ['real-repo', 'copied-repo', 'sandbox-repo', 'owned-repo', 'default-candidate', 'core-promotion', 'Real-Repo', 'core_promotion', 'owned.repo']) {
    blocks(caseFacts([fileOf(formerRecord(), CASE_FILE)], { stage }), 'not_admitted', /^no record covers stage/)
    // Also with a record that the schema would not have let through.
    const [file] = sampleFacts().files
    assert.ok(file?.record != null && 'stages' in file.record)
    const forged = { ...file, record: { ...file.record, stages: [stage] } }
    const finding = blocks(sampleFacts([forged], { stage }), 'not_admitted', /^no record covers stage/)
    assert.doesNotMatch(finding.remedy, /Have the pair approved/)
  }
  assert.equal(admissionStatus(sampleFacts([], { stage: 'core-promotion' })), 'missing_admission')
})

verifies('ADM-A16', 'a record for one runtime changes nothing for another, neither for nor against', () => {
  const forCase = fileOf(formerRecord(), CASE_FILE)
  const forPi = fileOf(
    currentRecord({ provider: 'qwen-local', model: 'qwen3.6-35b-a3b', served_model_ids: ['qwen3.6-35b-a3b'], endpoint: 'http://spark1:8000/v1', allowed_network_class: 'local-tailscale-vllm-spark1', credential_source_class: 'pi-models-json-local-provider-no-secret' }),
    'admissions/qwen-local--qwen3.6-35b-a3b.json',
  )
  blocks(caseFacts([forCase], { runtime: 'pi', stage: 'work' }), 'not_admitted', /admits runtime case/)
  passes(caseFacts([forPi], { runtime: 'pi', stage: 'work' }))
  passes(caseFacts([forCase, forPi], { runtime: 'pi', stage: 'work' }))
  passes(caseFacts([forCase, forPi]))
  // Revoked for Case: pi keeps its own admission, and Case has none.
  const revoked = fileOf(formerRecord({ status: 'revoked' }), CASE_FILE)
  passes(caseFacts([revoked, forPi], { runtime: 'pi', stage: 'work' }))
  blocks(caseFacts([revoked, forPi]), 'not_admitted', /revoked/)
})

test('several records for one use must all admit it, and only what they agree on counts', () => {
  const narrow = (changes: Record<string, unknown>) => currentRecord({ provider: 'qwen-local', model: 'q-1', runtime: 'case', stages: ['stage-2'], served_model_ids: ['q-1', 'q-1-0601'], ...changes })
  const both = (first: Record<string, unknown>, second: Record<string, unknown>) =>
    sampleFacts([fileOf(narrow(first), 'admissions/qwen-local--q-1.json'), fileOf(narrow(second), 'admissions/CTO-CASE-MODEL-PROVIDER-ADMISSION.qwen-local-q-1.json')], {
      requested: { provider: 'qwen-local', model: 'q-1' }, runtime: 'case', stage: 'stage-2',
    })
  const finding = passes(both({ review_trigger: 'never by itself' }, { review_trigger: { expires_at: '2026-11-20T21:50:00Z' }, served_model_ids: ['q-1'] }))
  assert.match(finding.message, /CTO-CASE-MODEL-PROVIDER-ADMISSION\.qwen-local-q-1\.json, in force until 2026-11-20T21:50/)
  assert.deepEqual(finding.expiresAt, new Date('2026-11-20T21:50:00Z'))
  blocks(both({}, { status: 'revoked' }), 'not_admitted', /revoked/)
  blocks(both({ status: 'revoked' }, {}), 'not_admitted', /revoked/)
  blocks(both({}, { review_trigger: { expires_at: '2026-01-01' } }), 'not_admitted', /expired/)
  blocks(both({ served_model_ids: ['q-1'] }, { served_model_ids: ['q-1-0601'] }), 'not_admitted', /agree on no served model id/)
})

verifies('ADM-A18', 'an endpoint that differs from the record is not_admitted', () => {
  for (const endpoint of ['http://127.0.0.1:4011/v1', 'https://127.0.0.1:4010/v1', 'http://127.0.0.1:4010/v2', 'http://localhost:4010/v1', 'http://127.0.0.1:4010', 'http://u:p@127.0.0.1:4010/v1', 'http://127.0.0.1:4010/v1?to=x', 'nonsense', '']) {
    blocks(sampleFacts(undefined, { endpoint }), 'not_admitted', /differs from the record, which binds http:\/\/127\.0\.0\.1:4010\/v1/)
  }
  for (const endpoint of ['http://127.0.0.1:4010/v1/', 'HTTP://127.0.0.1:4010/v1']) passes(sampleFacts(undefined, { endpoint }))
})

verifies('ADM-A18 ADM-A6', 'the network class of the provider must be the one of the record, with an endpoint and without', () => {
  blocks(sampleFacts(undefined, { networkClass: 'hosted' }), 'not_admitted', /allows network class loopback, and the provider is configured with hosted/)
  const former = [fileOf(formerRecord(), CASE_FILE)]
  blocks(caseFacts(former, { networkClass: 'local-vllm' }), 'not_admitted', /network class/)
  assert.match(passes(caseFacts(former, { endpoint: 'http://elsewhere:1/v1' })).message, /endpoint_unbound$/)
})

verifies('ADM-A5', 'the credential class of the provider must be the one of the record', () => {
  blocks(sampleFacts(undefined, { credentialClass: 'provider-api-key' }), 'not_admitted', /allows credential class no-secret, and the provider is configured with provider-api-key/)
})

verifies('ADM-G1', 'whatever the facts, the status is one of five, and a block has it as its reason', () => {
  const seen = new Set<string>()
  for (const facts of [sampleFacts(), sampleFacts([]), sampleFacts([fileOf({})]), sampleFacts(undefined, { stage: '' }), namedFacts(fileOf(currentRecord()), { requested: { provider: 'x', model: 'y' } })]) {
    const finding = decide(facts)
    const status = admissionStatus(facts)
    seen.add(status)
    assert.equal(finding.outcome === 'block' ? finding.reason : 'admitted', status)
  }
  assert.deepEqual([...seen].sort(), [...ADMISSION_STATUSES].sort())
})

async function prove(facts: AdmissionFacts, now = observedAt) {
  let kept: Observed = []
  const subject = { name: 'task', digest: { sha256: digest } }
  const gate = gateOf(admissionGate, { policy: subject, timeoutMs: 1_000, subject: [subject], observe: () => Promise.resolve({ facts }), keep: (observed) => { kept = observed } })
  const verdict = await runGate(gate, null, { runId: '20261120T213918Z-t-1', sequence: 1, previous: null, subject: [subject] }, () => now)
  return { verdict, proof: admissionProof.prove(verdict, kept, now) }
}

verifies('ADM-A19', 'the proof names the record by path and SHA-256, and cannot be written by hand', async () => {
  const file = fileOf(currentRecord())
  const { proof } = await prove(sampleFacts([file]))
  assert.ok(proof !== undefined)
  const { verdict: _verdict, ...content } = proof
  assert.deepEqual(content, {
    pair: { provider: 'scripted', model: 'coder-1' }, servedModelIds: ['coder-1'],
    record: { path: file.path, sha256: file.sha256, expiresAt: '2027-06-01T00:00:00.000Z' },
    approval: null, endsAt: '2027-06-01T00:00:00.000Z',
    endpoint: 'http://127.0.0.1:4010/v1', endpointBound: true, runtime: 'pi', stage: 'work',
  })
  admissionProof.check(proof, observedAt)
  assert.throws(() => admissionProof.check({ ...proof }, observedAt), { code: 'proof_forged' })
  // @ts-expect-error a literal is not a proof
  assert.throws(() => admissionProof.check(content, observedAt), { code: 'proof_forged' })
})

verifies('ADM-A16 ADM-A15', 'two records of one pair stand side by side, each for its own runtime and stage, and the end of one ends nothing of the other', () => {
  const forWork = fileOf(currentRecord())
  const forCase = (changes: Record<string, unknown> = {}) => fileOf(currentRecord({ runtime: 'case', stages: ['stage-2'], ...changes }), 'admissions/scripted--coder-1@case+stage-2.json')
  const inCase = { runtime: 'case', stage: 'stage-2' }
  const both = [forWork, forCase()]
  assert.match(passes(sampleFacts(both)).message, /^admissions\/scripted--coder-1\.json/)
  assert.match(passes(sampleFacts(both, inCase)).message, /^admissions\/scripted--coder-1@case\+stage-2\.json/)
  // Neither lends its runtime to the stage of the other.
  blocks(sampleFacts(both, { stage: 'stage-2' }), 'not_admitted', /covers stage work, not stage-2/)
  blocks(sampleFacts(both, { runtime: 'case' }), 'not_admitted', /./)
  for (const ended of [{ status: 'revoked' }, { review_trigger: { expires_at: '2026-01-01T00:00:00Z' } }, { endpoint: 'http://127.0.0.1:9/v1' }]) {
    passes(sampleFacts([forWork, forCase(ended)]))
    blocks(sampleFacts([forWork, forCase(ended)], inCase), 'not_admitted', /@case\+stage-2\.json/)
  }
  blocks(sampleFacts([forWork], inCase), 'not_admitted', /admits runtime pi, not case/)
})

verifies('ADM-A12', 'a name with runtime and stages that are not those of the record is invalid_admission, as is one too many to look at', () => {
  for (const path of ['admissions/scripted--coder-1@pi+stage-2.json', 'admissions/scripted--coder-1@case+work.json', 'admissions/scripted--coder-1@pi.json', 'admissions/scripted--coder-1@.json']) {
    blocks(sampleFacts([fileOf(currentRecord(), path)]), 'invalid_admission', /its name does not belong to its content, scripted\/coder-1 for runtime pi, stage work/)
  }
  passes(sampleFacts([fileOf(currentRecord(), 'admissions/scripted--coder-1@pi+work.json')]))
  // A file whose name claims the pair denies if it cannot be read, whatever it may have said.
  blocks(sampleFacts([fileOf(currentRecord()), { path: 'admissions/scripted--coder-1@case+stage-2.json', sha256: null, record: null, problems: ['cannot be opened'] }]), 'invalid_admission', /@case/)
  const many = Array.from({ length: 33 }, (_, index) => fileOf(currentRecord({ stages: [`stage-${index}`] }), `admissions/scripted--coder-1@pi+stage-${index}.json`))
  blocks(sampleFacts([...many, fileOf(currentRecord({ status: 'revoked' }))]), 'invalid_admission', /more than 32 files speak about scripted\/coder-1/)
})

test('facts that do not admit give no proof, and a secret in them stops the gate itself', async () => {
  assert.equal((await prove(sampleFacts([]))).proof, undefined)
  const secret = ['ghp', '16C7e42F292c6912E7710c838347Ae178B4a'].join('_')
  const sample = sampleFacts()
  const { verdict, proof } = await prove({ ...sample, files: sample.files.map((file) => ({ ...file, record: file.record === null ? null : { ...file.record, approval_source: secret } })) })
  assert.equal(verdict.outcome === 'block' && verdict.reason, 'gate_crashed')
  assert.equal(proof, undefined)
  assert.doesNotMatch(JSON.stringify(verdict), /16C7e42F/)
})

test('facts stay bounded, and what is cut off can only deny', () => {
  const misnamed = Array.from({ length: 100 }, (_unused, index) => fileOf(currentRecord(), `admissions/a${index}.json`))
  const facts = sampleFacts([...misnamed, fileOf(currentRecord())])
  assert.equal(facts.files.length, 32)
  blocks(facts, 'invalid_admission', /more than 32 files speak/)
  const unrelated = Array.from({ length: 100 }, (_unused, index) => fileOf({}, `admissions/b${String(index).padStart(3, '0')}.json`))
  const many = sampleFacts(unrelated)
  assert.equal(many.others.length, 50)
  blocks(many, 'missing_admission', /^100 records in admissions\/.*, and 50 more$/)
  assert.equal(admissionGate.facts.schema.safeParse(many).success, true)
})

verifies('ADM-E1 ADM-N2 ADM-N3 ADM-G5', 'where the caller must ask beside the profile, what it asks for must be there, be admitted, and be what the profile uses', () => {
  const pair = { provider: 'scripted', model: 'coder-1' }
  const other = { provider: 'scripted', model: 'coder-2' }
  const asking = (asked: typeof pair, named = fileOf(currentRecord())) => namedFacts(named, { asked })
  passes(asking(pair))
  blocks(asking({ provider: '', model: 'coder-1' }), 'not_admitted', /no provider was requested/)
  blocks(asking({ provider: 'scripted', model: '' }), 'not_admitted', /no model was requested/)
  const { message, asked } = blocks(asking(other), 'mismatch', /admits scripted\/coder-1/)
  assert.match(`${message} ${asked}`, /^scripted\/coder-2 is not admitted: .* scripted\/coder-2 for stage work/)
  // Admitted and asked for, and yet not what would run.
  blocks(asking(other, fileOf(currentRecord({ model: 'coder-2' }), 'admissions/scripted--coder-2.json')), 'mismatch', /the profile uses scripted\/coder-1/)
  blocks(asking({ provider: 'Scripted', model: 'coder-1' }), 'mismatch', /admits scripted\/coder-1/)
})
