import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { stage, type Stage } from '../../test/helpers/fake-world.ts'
import { verifies } from '../../test/verifies.ts'
import type { ProbeRecord } from '../gates/acceptance/index.ts'
import { readHistory, type World } from './index.ts'

const passing = (record: ProbeRecord): ProbeRecord => ({ ...record, status: 'passed', summary: 'exited 0', payload: { ...record.payload, exit_code: 0 } })
const withWorkspaces = (t: TestContext, change: (workspaces: World['workspaces']) => Partial<World['workspaces']>): Promise<Stage> =>
  stage(t, { world: (world) => ({ workspaces: { ...world.workspaces, ...change(world.workspaces) } }) })
const isFake = (path: string): boolean => path.endsWith('/fake')

verifies('ADM-B1', 'the fake backend is played after the agent, on a copy of its own, which is looked at as every other is', async (t) => {
  const made = await withWorkspaces(t, (workspaces) => ({
    copy: async (from, to) => {
      if (isFake(to)) made.acts.push(`fake from ${from.split('/').at(-1)}`)
      await workspaces.copy(from, to)
    },
  }))
  const { report } = await made.run()
  assert.equal(report.status, 'pass')
  const order = made.acts.filter((act) => /^(stop|fake|probe)/.test(act))
  assert.deepEqual(order.slice(order.indexOf('stop')).filter((act) => act !== 'stop'), ['probe untouched', 'fake from untouched', 'probe fake', 'probe result'])
})

verifies('ADM-B2', 'a probe that passes for the fake backend as well fails the run, with both sides in the report', async (t) => {
  const made = await stage(t, { probe: (request, record) => (request.phase === 'fake' ? passing(record) : record) })
  const { report } = await made.run()
  assert.deepEqual([report.status, report.reason, report.baseline?.comparison, report.baseline?.fake], ['fail', 'not_better_than_baseline', 'not-better-than-untouched', 'passed'])
  assert.deepEqual((await made.verify(report.run_id)).problems, [])
})

verifies('ADM-B1', 'a fake backend that throws, is late, answers nothing or answers true accepts nothing', async (t) => {
  const twins: [name: string, reason: RegExp, change: (workspaces: World['workspaces']) => Partial<World['workspaces']>][] = [
    ['its copy cannot be made', /^gate_crashed$/, (workspaces) => ({ copy: (from, to) => (isFake(to) ? Promise.reject(new Error('disk full')) : workspaces.copy(from, to)) })],
    ['its copy has no digest', /^(gate_crashed|gate_output_invalid|evidence_invalid)$/, (workspaces) => ({ digest: (path) => (isFake(path) ? Promise.resolve(undefined as never) : workspaces.digest(path)) })],
    ['its digest is true', /^(gate_crashed|gate_output_invalid|evidence_invalid)$/, (workspaces) => ({ digest: (path) => (isFake(path) ? Promise.resolve(true as never) : workspaces.digest(path)) })],
    ['its change is not measured', /^(gate_crashed|gate_output_invalid|evidence_invalid)$/, (workspaces) => ({ changes: (path, untouched) => (isFake(path) ? Promise.resolve(true as never) : workspaces.changes(path, untouched)) })],
    ['its copy is changed', /^baseline_inconclusive$/, (workspaces) => ({ changes: async (path, untouched) => ({ ...(await workspaces.changes(path, untouched)), filesChanged: 1 }) })],
  ]
  for (const [name, reason, change] of twins) {
    const { report } = await (await withWorkspaces(t, change)).run()
    assert.equal(report.status, 'fail', name)
    assert.match(report.reason ?? '', reason, name)
  }
})

verifies('ADM-B1', 'a fake backend that does not end is cut off with the gate, and nothing is accepted', async (t) => {
  const made = await withWorkspaces(t, (workspaces) => ({
    changes: (path, untouched) => {
      // From here on only the deadline of the gate is waited for.
      t.mock.timers.enable({ apis: ['setTimeout'] })
      return workspaces.changes(path, untouched)
    },
    copy: (from, to) => {
      if (!isFake(to)) return workspaces.copy(from, to)
      setImmediate(() => {
        t.mock.timers.tick(86_400_000)
        t.mock.timers.reset()
      })
      return new Promise(() => undefined)
    },
  }))
  const { report } = await made.run()
  assert.deepEqual([report.status, report.reason], ['fail', 'gate_timed_out'])
})

verifies('ADM-B1', 'the comparison survives in the ledger: a reader of the stored run renders it again', async (t) => {
  const made = await stage(t)
  const { report, json } = await made.run()
  const { history } = await readHistory(made.world, report.run_id)
  assert.ok(history.entries.some((entry) => entry.body.includes('evidence/fake-work/v1')))
  const { renderRun, storedEnding } = await import('./index.ts')
  const { read } = await readHistory(made.world, report.run_id)
  assert.equal(renderRun(history, read, storedEnding(history)).json, json)
})
