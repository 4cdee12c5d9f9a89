import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CONFIGURATION, recordFor, stage, type Stage, type StageOptions } from '../../test/helpers/fake-world.ts'
import { verifies } from '../../test/verifies.ts'
import { PortcullisError } from '../contract/errors.ts'
import type { AdmissionFile } from '../gates/admission/index.ts'
import type { TargetLook } from '../gates/acceptance/index.ts'
import type { World } from './index.ts'

const record = recordFor('coder-1')
const forStage2: AdmissionFile = { ...record, path: 'admissions/scripted--coder-1@command+stage-2.json', record: { ...record.record, stages: ['stage-2'] } as never }
const configuration = { purposes: { ...CONFIGURATION.purposes, ticket: { needs: ['acceptance'], stage: 'stage-2' } } }

/** A run of stage-2 with these target repositories. */
const stage2 = (t: Parameters<typeof stage>[0], targets: World['targets'], more: StageOptions = {}): Promise<Stage> =>
  stage(t, { configuration, records: [record, forStage2], world: () => ({ targets }), ...more })
const seen = (touched: readonly string[]): TargetLook => ({ path: '../shop', canary: true, entries: 4, touched: [...touched], touched_count: touched.length })

verifies('ADM-N12', 'a run of stage-2 watches the target repositories before it prepares anything, and looks once its probes are over', async (t) => {
  const order: string[] = []
  const made = await stage2(t, {
    watch: (used) => {
      order.push(`watch ${used.length}`)
      return Promise.resolve({ look: async () => (order.push(made.acts.findLast((act) => act.startsWith('probe')) ?? 'no probe'), [seen([])]) })
    },
  })
  const { workspaces } = made.world
  const prepare = workspaces.prepare
  workspaces.prepare = (request) => (order.push('prepare'), prepare(request))
  const { report } = await made.run()
  assert.deepEqual([report.status, report.model.stage, report.target_repositories], ['pass', 'stage-2', [{ path: '../shop', canary: true, entries: 4, touched: [] }]])
  assert.deepEqual(order, ['watch 2', 'prepare', 'probe result'])
  assert.deepEqual((await made.verify(report.run_id)).problems, [])
})

verifies('ADM-N12', 'a target repository that was touched fails the run, whatever its probes say', async (t) => {
  const made = await stage2(t, { watch: () => Promise.resolve({ look: () => Promise.resolve([seen(['src/a.js'])]) }) })
  const { report } = await made.run()
  assert.deepEqual([report.status, report.reason], ['fail', 'target_repository_touched'])
  assert.deepEqual(report.target_repositories?.map(({ touched }) => touched), [['src/a.js']])
})

verifies('ADM-N12', 'a watch that throws, looks at nothing or answers true accepts nothing', async (t) => {
  const looking = (look: () => Promise<unknown>): World['targets'] => ({ watch: () => Promise.resolve({ look }) as never })
  const twins: [name: string, targets: World['targets'], status: string, reason: RegExp][] = [
    ['the repository lies in it', { watch: () => Promise.reject(new PortcullisError('task_invalid', { asked: 'a', found: 'f', remedy: 'r' })) }, 'blocked', /^target_repository_refused$/],
    ['the watch fails', { watch: () => Promise.reject(new Error('EIO')) }, 'blocked', /^target_repository_refused$/],
    ['the look fails', looking(() => Promise.reject(new Error('EIO'))), 'fail', /^gate_crashed$/],
    ['the look is nothing', looking(() => Promise.resolve(undefined)), 'fail', /^gate_(crashed|output_invalid)$/],
    ['the look is true', looking(() => Promise.resolve(true)), 'fail', /^gate_(crashed|output_invalid)$/],
    ['the look is a list of true', looking(() => Promise.resolve([true])), 'fail', /^gate_(crashed|output_invalid)$|^evidence_invalid$/],
    ['no watch at all', { watch: () => Promise.resolve(null as never) }, 'fail', /^targets_not_watched$/],
  ]
  for (const [name, targets, status, reason] of twins) {
    const made = await stage2(t, targets)
    const { report } = await made.run()
    assert.equal(report.status, status, name)
    assert.match(report.reason ?? '', reason, name)
    if (status === 'blocked') assert.deepEqual([report.process_started, made.acts.includes('start')], [false, false], name)
  }
})

test('ordinary work watches nothing: it is done for the target repositories', async (t) => {
  const made = await stage(t, { world: () => ({ targets: { watch: () => Promise.reject(new Error('asked')) } }) })
  const { report } = await made.run()
  assert.deepEqual([report.status, report.model.stage, report.target_repositories], ['pass', 'work', null])
})

verifies('ADM-A15 ADM-A16', 'a run is what its purpose says: a record for work admits no stage-2, and the other way round', async (t) => {
  for (const [options, admitted] of [
    [{ configuration, records: [record] }, false],
    [{ records: [forStage2] }, false],
    [{ configuration, records: [forStage2] }, true],
    [{ configuration, records: [record, forStage2] }, true],
    [{ records: [record, forStage2] }, true],
    [{ configuration: { purposes: { ...CONFIGURATION.purposes, ticket: { needs: ['acceptance'], stage: 'real-repo' } } }, records: [record, forStage2] }, false],
  ] as const) {
    const { report } = await (await stage(t, options)).run()
    assert.deepEqual([report.status, report.model.admission_status], admitted ? ['pass', 'admitted'] : ['blocked', 'not_admitted'], JSON.stringify(report.refusal))
  }
})
