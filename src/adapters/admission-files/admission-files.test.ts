import assert from 'node:assert/strict'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { sha256 } from '../../contract/canonical.ts'
import { admissionFacts, admissionGate, type AdmissionSource, admissionStatus, readRecordText } from '../../gates/admission/index.ts'
import { verifies } from '../../../test/verifies.ts'
import { createAdmission, listAdmissions, readAdmissionFile, readAdmissions, revokeAdmission } from './index.ts'

const SAMPLE = join(import.meta.dirname, '../configuration/fixtures/examples')
const SLUGIFY = join(import.meta.dirname, '../../../examples/slugify')
const now = new Date('2026-11-20T21:39:18.000Z')

let root = ''
let directory = ''
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'portcullis-admissions-'))
  directory = join(root, 'admissions')
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

function put(name: string, content: string | Buffer): string {
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, name), content)
  return join(directory, name)
}

const record = (changes: Record<string, unknown> = {}): Record<string, unknown> => ({
  status: 'admitted', provider: 'scripted', model: 'coder-1', endpoint: 'http://127.0.0.1:4010/v1', runtime: 'pi', stages: ['work'], credential_source_class: 'no-secret', allowed_network_class: 'loopback',
  approval_source: 'a test', admission_timestamp: '2026-06-01T00:00:00Z', review_trigger: { expires_at: '2027-06-01T00:00:00Z' }, evidence_expectations: ['a pass'], ...changes,
})

const NO_DECISIONS = { path: 'decisions/', problem: null, files: [] }
const factsOf = (source: AdmissionSource, requested = { provider: 'scripted', model: 'coder-1' }) =>
  admissionFacts({ requested, asked: null, runtime: 'pi', stage: 'work', endpoint: 'http://127.0.0.1:4010/v1', networkClass: 'loopback', credentialClass: 'no-secret', external: false, decisions: NO_DECISIONS, observedAt: now, validForMs: 60_000, source })

test('the record of the example admits its pair for its own configuration', () => {
  const source = readAdmissions({ directory: join(SLUGIFY, 'admissions'), root: SLUGIFY })
  const finding = admissionGate.decide(factsOf(source), ['a'.repeat(64)])
  assert.equal(finding.outcome === 'pass' ? finding.message : JSON.stringify(finding), 'admissions/scripted--coder-1.json, in force until 2036-06-01')
})

test('the sample record is read, and the sample decision record is no admission', () => {
  const source = readAdmissions({ directory: join(SAMPLE, 'admissions'), root: SAMPLE })
  assert.deepEqual(source.files.map(({ path, problems }) => [path, problems]), [['admissions/qwen-local--qwen3.6-35b-a3b.json', []]])
  const requested = { provider: 'qwen-local', model: 'qwen3.6-35b-a3b' }
  const facts = { requested, asked: null, runtime: 'case', stage: 'stage-2', endpoint: 'http://127.0.0.1:8000/v1', networkClass: 'local-vllm', credentialClass: 'pi-models-json-local-provider-no-secret', external: false, decisions: NO_DECISIONS, observedAt: now, validForMs: 60_000 }
  assert.equal(admissionStatus(admissionFacts({ ...facts, source })), 'admitted')
  mkdirSync(directory)
  cpSync(join(SAMPLE, 'decision.json'), join(directory, 'decision.json'))
  assert.equal(admissionStatus(admissionFacts({ ...facts, source: readAdmissions({ directory, root }) })), 'missing_admission')
})

verifies('ADM-A13 ADM-G2 ADM-N5', 'no directory and an empty directory hold no record', () => {
  for (const prepare of [() => undefined, () => mkdirSync(directory)]) {
    prepare()
    const source = readAdmissions({ directory, root })
    assert.deepEqual(source, { kind: 'directory', path: 'admissions/', problem: null, files: [] })
    assert.equal(admissionStatus(factsOf(source)), 'missing_admission')
  }
  assert.equal(admissionStatus(factsOf(readAdmissionFile({ file: join(directory, 'gone.json'), root }))), 'missing_admission')
})

verifies('ADM-G3 ADM-A17 ADM-N7', 'files that cannot be read as a record are invalid_admission', () => {
  for (const content of ['', '{', 'null', '[]', '{"status":"admitted"}', JSON.stringify(record()).replace('{', '{"status":"revoked",'), Buffer.from([0x7b, 0xff, 0x7d]), JSON.stringify(record({ approval_source: 'x'.repeat(40_000) }))]) {
    const file = put('scripted--coder-1.json', content)
    for (const source of [readAdmissions({ directory, root }), readAdmissionFile({ file, root })]) {
      assert.equal(admissionStatus(factsOf(source)), 'invalid_admission', String(content).slice(0, 60))
      assert.equal(admissionGate.facts.schema.safeParse(factsOf(source)).success, true)
    }
  }
  rmSync(directory, { recursive: true })
  mkdirSync(join(directory, 'scripted--coder-1.json'), { recursive: true })
  assert.equal(admissionStatus(factsOf(readAdmissions({ directory, root }))), 'invalid_admission')
  rmSync(directory, { recursive: true })
  writeFileSync(directory, 'a file in place of the directory')
  assert.equal(admissionStatus(factsOf(readAdmissions({ directory, root }))), 'invalid_admission')
})

verifies('ADM-A19', 'the digest is that of the bytes of the file, and the path is told from the configuration', () => {
  const text = `${JSON.stringify(record(), null, 2)}\n`
  const file = put('scripted--coder-1.json', text)
  const [found] = readAdmissions({ directory, root }).files
  assert.equal(found?.sha256, sha256(text))
  assert.equal(found?.path, 'admissions/scripted--coder-1.json')
  assert.equal(readAdmissionFile({ file, root: '/elsewhere' }).files[0]?.path, file)
})

verifies('ADM-A11', 'the text of a file with a secret does not leave the reader', () => {
  const secret = ['sk', 'ant', 'api03', 'Zx81kQw0PmT4'].join('-')
  put('scripted--coder-1.json', JSON.stringify(record({ approval_source: secret })))
  put('scripted--coder-2.json', `{"key": "${secret}" oops`)
  const source = readAdmissions({ directory, root })
  assert.equal(admissionStatus(factsOf(source)), 'invalid_admission')
  assert.doesNotMatch(JSON.stringify(source), /Zx81kQw0PmT4/)
})

verifies('ADM-G5 ADM-N6 ADM-A12', 'a named record for another pair is a mismatch, and a renamed one is invalid', () => {
  const file = put('scripted--coder-1.json', JSON.stringify(record()))
  assert.equal(admissionStatus(factsOf(readAdmissionFile({ file, root }), { provider: 'scripted', model: 'coder-2' })), 'mismatch')
  const renamed = put('scripted--coder-2.json', JSON.stringify(record()))
  assert.equal(admissionStatus(factsOf(readAdmissionFile({ file: renamed, root }), { provider: 'scripted', model: 'coder-2' })), 'invalid_admission')
})

test('a link to a record is followed, since mounted configuration is made of links', () => {
  const elsewhere = join(root, 'mounted.json')
  writeFileSync(elsewhere, JSON.stringify(record()))
  mkdirSync(directory)
  symlinkSync(elsewhere, join(directory, 'scripted--coder-1.json'))
  assert.equal(admissionStatus(factsOf(readAdmissions({ directory, root }))), 'admitted')
  rmSync(elsewhere)
  assert.equal(admissionStatus(factsOf(readAdmissions({ directory, root }))), 'missing_admission')
})

verifies('ADM-A12', 'a new record is written whole under its right name and admits', () => {
  const created = createAdmission(directory, record({ provider: 'openrouter', model: 'qwen/qwen3:free', served_model_ids: ['qwen/qwen3:free'] }))
  assert.equal(created.path, join(directory, 'openrouter--qwen%2Fqwen3%3Afree.json'))
  const text = readFileSync(created.path, 'utf8')
  assert.equal(created.sha256, sha256(text))
  assert.ok(readRecordText(text).record !== null)
  assert.equal(admissionStatus(factsOf(readAdmissions({ directory, root }), { provider: 'openrouter', model: 'qwen/qwen3:free' })), 'admitted')
})

verifies('ADM-A16 ADM-A12', 'a second record of a pair for another use gets a name of its own, and can be revoked alone', () => {
  createAdmission(directory, record())
  const second = createAdmission(directory, record({ runtime: 'case', stages: ['stage-2'] }))
  assert.equal(second.path, join(directory, 'scripted--coder-1@case+stage-2.json'))
  const third = createAdmission(directory, record({ stages: ['review'] }))
  assert.equal(third.path, join(directory, 'scripted--coder-1@pi+review.json'))
  // The same use twice is one record too many, under either name.
  assert.throws(() => createAdmission(directory, record({ stages: ['work', 'other'] })), { code: 'file_exists' })
  assert.throws(() => createAdmission(directory, record({ runtime: 'case', stages: ['stage-2'] })), { code: 'file_exists' })
  const status = (runtime: string, stage: string) => admissionStatus({ ...factsOf(readAdmissions({ directory, root })), runtime, stage })
  assert.deepEqual([status('pi', 'work'), status('pi', 'review'), status('case', 'stage-2'), status('case', 'work')], ['admitted', 'admitted', 'admitted', 'not_admitted'])
  assert.deepEqual(revokeAdmission(directory, { provider: 'scripted', model: 'coder-1' }, 'case').map(({ changed }) => changed), [true])
  assert.deepEqual([status('pi', 'work'), status('case', 'stage-2')], ['admitted', 'not_admitted'])
  assert.throws(() => revokeAdmission(directory, { provider: 'scripted', model: 'coder-1' }, 'codex'), { code: 'usage' })
  assert.deepEqual(listAdmissions(readAdmissions({ directory, root }), now, 1).flatMap(({ problems }) => problems), [])
  assert.equal(revokeAdmission(directory, { provider: 'scripted', model: 'coder-1' }).length, 3)
  assert.equal(status('pi', 'work'), 'not_admitted')
})

test('nothing is overwritten, no secret and no half record is written, and nothing is left behind', () => {
  const path = put('scripted--coder-1.json', 'something else')
  assert.throws(() => createAdmission(directory, record()), { code: 'file_exists', found: path })
  assert.equal(readFileSync(path, 'utf8'), 'something else')
  const secret = ['ghp', '16C7e42F292c6912E7710c838347Ae178B4a'].join('_')
  assert.throws(() => createAdmission(directory, record({ model: 'coder-2', approval_source: secret })), (error: Error) => !error.message.includes(secret) && /looks like a GitHub token/.test(error.message))
  assert.throws(() => createAdmission(directory, { status: 'admitted' }), { code: 'usage' })
  assert.throws(() => createAdmission(directory, record({ model: 'm'.repeat(199), provider: 'p'.repeat(99), served_model_ids: ['x'] })), { code: 'usage', found: /too long/ })
  assert.deepEqual(readdirSync(directory), ['scripted--coder-1.json'])
  assert.throws(() => createAdmission(join(path, 'below'), record()), { code: 'file_unwritable' })
})

verifies('ADM-A9', 'the list says what expires when, and what never does by itself', () => {
  createAdmission(directory, record())
  createAdmission(directory, record({ model: 'coder-2', review_trigger: { expires_at: '2026-11-25' } }))
  createAdmission(directory, record({ model: 'coder-3', review_trigger: { expires_at: '2026-11-20T21:39:18Z' } }))
  createAdmission(directory, Object.fromEntries(Object.entries(record({ model: 'coder-4', review_trigger: 'when it changes' })).filter(([name]) => !['endpoint', 'runtime', 'stages', 'evidence_expectations'].includes(name))))
  put('broken.json', '{')
  put('misnamed.json', JSON.stringify(record({ model: 'coder-5' })))
  const rows = listAdmissions(readAdmissions({ directory, root }), now, 30 * 86_400_000)
  assert.deepEqual(rows.map(({ path, expiry }) => [path.replace('admissions/', ''), expiry]), [
    ['scripted--coder-3.json', 'expired'], ['scripted--coder-2.json', 'soon'], ['misnamed.json', 'later'], ['scripted--coder-1.json', 'later'], ['broken.json', null], ['scripted--coder-4.json', 'never'],
  ])
  const former = rows.find(({ pair }) => pair === 'scripted/coder-4')
  assert.deepEqual([former?.runtime, former?.stages, former?.reviewConditions, former?.notes], [
    'case', ['stage-2'], ['when it changes'], ['bound to no endpoint, only to its network class', 'never expires by itself', 'says nothing of the evidence it expects', 'in the former form: read as stage-2 of Case only'],
  ])
  assert.deepEqual(rows.find(({ path }) => path.endsWith('misnamed.json'))?.problems, ['its name does not belong to its content'])
  assert.match(rows.find(({ path }) => path.endsWith('broken.json'))?.problems.join() ?? '', /not JSON/)
})

test('revoking ends every record of the pair, leaves the others, and says where none stands', () => {
  const pair = { provider: 'scripted', model: 'coder-1' }
  put('scripted--coder-1.json', JSON.stringify(record()))
  put('CTO-CASE-MODEL-PROVIDER-ADMISSION.scripted-coder-1.json', JSON.stringify(record({ runtime: 'case', stages: ['stage-2'] })))
  put('scripted--coder-2.json', JSON.stringify(record({ model: 'coder-2' })))
  put('broken.json', '{')
  const before = readFileSync(join(directory, 'scripted--coder-2.json'), 'utf8')
  assert.deepEqual(revokeAdmission(directory, pair).map(({ changed }) => changed), [true, true])
  assert.equal(admissionStatus(factsOf(readAdmissions({ directory, root }))), 'not_admitted')
  assert.equal(readFileSync(join(directory, 'scripted--coder-2.json'), 'utf8'), before)
  assert.deepEqual(readdirSync(directory).filter((name) => name.startsWith('.')), [])
  assert.deepEqual(revokeAdmission(directory, pair).map(({ changed }) => changed), [false, false])
  assert.throws(() => revokeAdmission(directory, { provider: 'scripted', model: 'coder-3' }), { code: 'usage', found: 'no record of this pair' })
  assert.throws(() => revokeAdmission(join(root, 'nowhere'), pair), { code: 'usage' })
})

test('a file that cannot be read may be the record to revoke, so nothing is called revoked', () => {
  put('scripted--coder-1.json', JSON.stringify(record()))
  mkdirSync(join(directory, 'a-directory.json'))
  assert.throws(() => revokeAdmission(directory, { provider: 'scripted', model: 'coder-1' }), { code: 'file_unreadable' })
})
