import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PASSED_PAYLOADS } from '../../../test/helpers/probe-samples.ts'
import { contradictionOfApiSmoke, endedCleanly } from './api-smoke-payload.ts'
import { contradictionOfHeadlessRun } from './headless-run-payload.ts'
import { ProbeRecord } from './probe-record.ts'
import type { ProbeStatus } from './probe-status.ts'
import { contradictionOfRenderHash, withinLimits } from './render-hash-payload.ts'
import { cleanRun, contradictionOfSimTrace } from './sim-trace-payload.ts'

const { headless_run: headless, api_smoke: service, render_hash: picture, sim_trace: trace } = PASSED_PAYLOADS
const [simulated] = trace.runs
const [moved] = trace.changes

/** A status and a payload of each kind that belong together, and such as contradict each other. */
const KINDS = {
  headless_run: {
    judge: contradictionOfHeadlessRun,
    sound: [['passed', headless], ['passed', { ...headless, expected: { exit_code: 0, stdout: 'ok' }, stdout_matched: true }], ['failed', { ...headless, exit_code: 1 }], ['failed', { ...headless, expected: { exit_code: 0, stdout: 'ok' }, stdout_matched: false }], ['failed', { ...headless, exit_code: null, signal: 'SIGKILL' }], ['error', { ...headless, exit_code: null, error: 'ENOENT' }]],
    wrong: [['passed', { ...headless, exit_code: 1 }], ['passed', { ...headless, signal: 'SIGKILL' }], ['passed', { ...headless, error: 'ENOENT' }], ['passed', { ...headless, expected: { exit_code: 0, stdout: 'ok' }, stdout_matched: null }], ['failed', { ...headless, error: 'ENOENT' }], ['failed', { ...headless, exit_code: null }]],
  },
  api_smoke: {
    judge: contradictionOfApiSmoke,
    sound: [['passed', service], ['failed', { ...service, exchanges: [] }], ['error', { ...service, error: 'ENOENT' }]],
    wrong: [['passed', { ...service, error: 'ENOENT' }], ['passed', { ...service, ready_after_ms: null }], ['passed', { ...service, end: null }], ['passed', { ...service, exchanges: service.exchanges.slice(1) }], ['passed', { ...service, exchanges: service.exchanges.map((each) => ({ ...each, status: null })) }], ['passed', { ...service, exchanges: service.exchanges.map((each, index) => ({ ...each, faults: index === 0 ? ['another'] : [] })) }], ['failed', { ...service, error: 'ENOENT' }]],
  },
  render_hash: {
    judge: contradictionOfRenderHash,
    sound: [['passed', picture], ['passed', { ...picture, service: true, end: service.end }], ['failed', { ...picture, image: null }], ['needs_approval', { ...picture, approved: null, difference: null }], ['error', { ...picture, error: 'ENOENT' }]],
    wrong: [['passed', { ...picture, service: true, end: null }], ['passed', { ...picture, page_fault: 'timeout' }], ['passed', { ...picture, error: 'ENOENT' }], ['passed', { ...picture, image: null }], ['passed', { ...picture, approved: null }], ['passed', { ...picture, difference: null }], ['needs_approval', picture], ['needs_approval', { ...picture, approved: null, image: null }], ['failed', { ...picture, error: 'ENOENT' }]],
  },
  sim_trace: {
    judge: contradictionOfSimTrace,
    sound: [['passed', trace], ['passed', { ...trace, golden: simulated?.digest ?? null }], ['passed', { ...trace, changes: trace.changes.map((each) => ({ ...each, found: each.wanted })) }], ['failed', { ...trace, changes: [] }], ['error', { ...trace, error: 'ENOENT', runs: [] }]],
    wrong: [['passed', { ...trace, runs: [] }], ['passed', { ...trace, runs: [simulated] }], ['passed', { ...trace, error: 'ENOENT' }], ['passed', { ...trace, runs: [simulated, { ...simulated, digest: 'e'.repeat(64) }] }], ['passed', { ...trace, golden: 'e'.repeat(64) }], ['passed', { ...trace, changes: [] }], ['passed', { ...trace, changes: [moved, { ...moved, found: 0 }] }], ['failed', { ...trace, error: 'ENOENT' }], ['failed', { ...trace, runs: [] }]],
  },
} as const satisfies Record<string, { readonly judge: (status: ProbeStatus, payload: unknown) => string | undefined; readonly sound: readonly (readonly [ProbeStatus, unknown])[]; readonly wrong: readonly (readonly [ProbeStatus, unknown])[] }>

for (const [kind, { judge, sound, wrong }] of Object.entries(KINDS)) {
  test(`the status of a ${kind} record follows from its payload, or the record is refused`, () => {
    for (const [status, payload] of sound) assert.equal(judge(status, payload), undefined, `${status} ${JSON.stringify(payload)}`)
    for (const [status, payload] of wrong) assert.equal(typeof judge(status, payload), 'string', `${status} ${JSON.stringify(payload)}`)
    assert.equal(judge('error', sound[0][1]), 'an error without its cause')
    assert.match(judge('passed', {}) ?? '', /^a payload that is not one of /)
  })
}

test('a service ends cleanly with 0 or by the signal it was sent, when it was asked, with nothing left behind', () => {
  const end = { asked: true, exit_code: 0, signal: null, leaked: false }
  for (const clean of [end, { ...end, exit_code: null, signal: 'SIGTERM' }]) assert.equal(endedCleanly(clean), true)
  for (const other of [null, { ...end, asked: false }, { ...end, leaked: true }, { ...end, exit_code: 1 }, { ...end, exit_code: null, signal: 'SIGKILL' }]) assert.equal(endedCleanly(other), false)
})

test('a run of a simulation is clean only if it ended by itself with 0 and printed every tick', () => {
  assert.ok(simulated !== undefined)
  assert.equal(cleanRun(simulated, trace.ticks), true)
  for (const change of [{ exit_code: 1 }, { signal: 'SIGKILL' }, { leaked: true }, { ticks: trace.ticks - 1 }, { ticks: trace.ticks + 1 }, { digest: null }, { faults: ['a gap'] }]) assert.equal(cleanRun({ ...simulated, ...change }, trace.ticks), false, JSON.stringify(change))
})

test('a picture is near enough up to each limit, and not beyond either', () => {
  const at = (changed_share: number, distance: number): boolean => withinLimits({ difference: { changed_pixels: 1, changed_share, distance, file: null }, at_most: { changed_share: 0.1, distance: 0.2 } })
  assert.deepEqual([at(0.1, 0.2), at(0.11, 0.2), at(0.1, 0.21)], [true, false, false])
})

test('a payload that nobody contradicts is bounded all the same, and must be JSON', () => {
  const unimplemented = (payload: Readonly<Record<string, unknown>>, change: Partial<ProbeRecord> = {}): boolean =>
    ProbeRecord.safeParse({
      probe: 'shape', kind: 'render_hash', phase: 'result', status: 'unimplemented', summary: 'nobody can', duration_ms: 0, changed_workspace: false, payload, run_id: '20261120T213918Z-r1-1', attempt: 1, task_class: 'change', definition_digest: 'd'.repeat(64), subject_digest: 'a'.repeat(64),
      started_at: '2026-11-20T21:39:23.000Z', ended_at: '2026-11-20T21:39:23.000Z', runner_version: 'probe-runner/1', ...change,
    }).success
  const EMPTY_LENGTH = '{"trace":""}'.length
  assert.equal(unimplemented({}), true)
  assert.equal(unimplemented({ trace: 'x'.repeat(65_536 - EMPTY_LENGTH) }), true)
  assert.equal(unimplemented({ trace: 'x'.repeat(65_537 - EMPTY_LENGTH) }), false)
  assert.equal(unimplemented({ trace: 1n }), false)
})
