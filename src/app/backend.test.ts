import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PortcullisError } from '../contract/errors.ts'
import type { Configuration } from '../engine/index.ts'
import { verifies } from '../../test/verifies.ts'
import { type AskedRun, chooseRun, type ChosenRun } from './backend.ts'

const profile = (agent: string, model: string): Configuration['profiles'][string] => ({ agent, agentVersion: '1', model, permissions: 'bypass', purposes: ['ticket'], isolation: 'env', backgroundModels: 'refuse', limits: { total: '1m', idle: '1m', calls: 1, tokens: 1 } })
const configuration: Configuration = {
  version: 1, providers: {}, purposes: {}, probes: {}, taskClasses: {}, health: { onStart: false, every: '1h', maxAge: '1h' },
  profiles: { pi: profile('pi', 'a/m'), one: profile('case', 'a/m'), two: profile('case', 'b/m'), three: profile('case', 'b/m'), command: profile('command', 'a/m') },
}
const ENVIRONMENT = { CTO_HARNESS_CASE_MODEL_PROVIDER: 'a', CTO_HARNESS_CASE_MODEL: 'm', CTO_HARNESS_CASE_MODEL_ADMISSION_FILE: 'records/a.json' }

const choose = (run: Partial<AskedRun>, environment: Readonly<Record<string, string | undefined>> = ENVIRONMENT): ChosenRun =>
  chooseRun(configuration, environment, '/here', { profile: undefined, backend: undefined, admissionFile: undefined, taskProfile: 'pi', ...run })

const refuses = (run: Partial<AskedRun>, found: RegExp, environment?: Readonly<Record<string, string>>): void =>
  assert.throws(() => choose(run, environment), (error) => error instanceof PortcullisError && error.code === 'usage' && found.test(`${error.asked} ${error.found} ${error.remedy}`))

verifies('ADM-A16', 'the variables of Case ask nothing of any other agent', () => {
  for (const run of [{}, { profile: 'command' }, { backend: 'pi' }, { profile: 'unknown' }]) assert.deepEqual([choose(run).asked, choose(run).admissionFile, choose(run).noRecord], [null, null, null])
  assert.deepEqual(choose({ admissionFile: 'x.json' }).admissionFile, '/here/x.json')
})

verifies('ADM-E1 ADM-E2', 'a run of Case is asked for by its variables: the pair, and the one record', () => {
  for (const run of [{ backend: 'case' }, { profile: 'one' }, { taskProfile: 'one' }, { backend: 'case', profile: 'one' }]) {
    assert.deepEqual(choose(run), { profile: 'one', asked: { provider: 'a', model: 'm' }, admissionFile: '/here/records/a.json', noRecord: null })
  }
})

verifies('ADM-A1 ADM-G2', 'without a named record none is looked for anywhere', () => {
  for (const file of [undefined, '']) {
    const { admissionFile, noRecord } = choose({ backend: 'case' }, { ...ENVIRONMENT, CTO_HARNESS_CASE_MODEL_ADMISSION_FILE: file })
    assert.deepEqual([admissionFile, noRecord], [null, { kind: 'file', path: 'CTO_HARNESS_CASE_MODEL_ADMISSION_FILE (not set)', problem: null, files: [] }])
  }
})

test('what nobody asked for stays unsaid, and the profile that is then run is refused by its gate', () => {
  assert.deepEqual([choose({ backend: 'case' }, {}).asked, choose({ backend: 'case' }, {}).profile], [{ provider: '', model: '' }, 'one'])
  assert.equal(choose({ backend: 'case', taskProfile: 'two' }, {}).profile, 'two')
  assert.equal(choose({ backend: 'case' }, { CTO_HARNESS_CASE_MODEL_PROVIDER: 'a'.repeat(500) }).asked?.provider.length, 300)
})

test('the profile whose model is asked for is run; of two the task or the caller must name one', () => {
  const other = { ...ENVIRONMENT, CTO_HARNESS_CASE_MODEL_PROVIDER: 'b' }
  refuses({ backend: 'case' }, /two, three Name one with --profile/, other)
  assert.equal(choose({ backend: 'case', taskProfile: 'three' }, other).profile, 'three')
  assert.equal(choose({ backend: 'case', profile: 'two' }, other).profile, 'two')
})

test('what contradicts itself is a usage error', () => {
  refuses({ backend: 'case', profile: 'pi' }, /profile pi with agent: case agent: pi/)
  refuses({ backend: 'case', profile: 'nobody' }, /no such profile/)
  refuses({ backend: 'claude' }, /none in portcullis\.yaml/)
  refuses({ backend: 'case', admissionFile: 'x.json' }, /Leave --admission out/)
})
