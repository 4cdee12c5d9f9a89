import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PASSED_PAYLOADS } from '../../../test/helpers/probe-samples.ts'
import { verifies } from '../../../test/verifies.ts'
import { PortcullisError } from '../../contract/errors.ts'
import { PROBE_STATUSES, ProbeRecord, ProbeRecordEvidence, type ProbeRequest, recordStatement, runProbes } from './index.ts'
import { type ProbeDefinition } from '../catalog/index.ts'

const RUN = '20261120T213918Z-r1-string-slugify-1'
const payload = { expected: { exit_code: 0, stdout: null }, exit_code: 0, signal: null, stdout_matched: null, error: null, leaked: false, stdout: null, stderr: null, environment: ['PATH'], environment_withheld: [] }
const passed: ProbeRecord = {
  probe: 'tests',
  kind: 'headless_run',
  phase: 'result',
  status: 'passed',
  summary: 'exited 0 in 5 ms',
  duration_ms: 5,
  changed_workspace: false,
  payload,
  run_id: RUN,
  attempt: 1,
  task_class: 'change',
  definition_digest: 'd'.repeat(64),
  subject_digest: 'a'.repeat(64),
  started_at: '2026-11-20T21:39:23.000Z',
  ended_at: '2026-11-20T21:39:23.005Z',
  runner_version: 'probe-runner/1',
}

const INVALID: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'no kind': { kind: '' },
  'an unknown kind': { kind: 'vibes' },
  'a status that is no status': { status: true },
  'a negative duration': { duration_ms: -1 },
  'a payload that is no object': { payload: 'text' },
  'a payload that is a list': { payload: [] },
  'a payload of another kind': { payload: {} },
  'a payload without bound': { kind: 'render_hash', payload: { trace: 'x'.repeat(70_000) } },
  'a payload that is no JSON': { kind: 'render_hash', payload: { trace: 1n } },
  'an empty summary': { summary: '' },
  'an end before the start': { ended_at: '2026-11-20T21:39:22.000Z' },
  'attempt zero': { attempt: 0 },
  'no workspace': { subject_digest: '' },
  'a field nobody defined': { waived: true },
  'a pass that exited 1': { payload: { ...payload, exit_code: 1 } },
  'a pass that was killed': { payload: { ...payload, signal: 'SIGKILL' } },
  'a pass with an error': { payload: { ...payload, error: 'ENOENT' } },
  'a pass without the expected output': { payload: { ...payload, expected: { exit_code: 0, stdout: 'ok' }, stdout_matched: false } },
  'a pass of an output nobody looked at': { payload: { ...payload, expected: { exit_code: 0, stdout: 'ok' } } },
  'a failure that never ran': { status: 'failed', payload: { ...payload, exit_code: null } },
  'a failure with an error': { status: 'failed', payload: { ...payload, error: 'ENOENT' } },
  'an error without a cause': { status: 'error' },
}

verifies('ACC-02 ACC-08', 'a record that does not validate is refused when it is written and when it is read back', () => {
  const stored = recordStatement(passed)
  assert.deepEqual(ProbeRecordEvidence.read(JSON.parse(JSON.stringify(stored))), stored)
  for (const [name, change] of Object.entries(INVALID)) {
    const record = { ...passed, ...change }
    assert.throws(() => ProbeRecordEvidence.state(stored.subject, record), { name: 'ZodError' }, name)
    assert.equal(ProbeRecordEvidence.read({ ...stored, predicate: record }), undefined, name)
  }
})

verifies('ACC-07', 'a record names its run, attempt, class, definition, subject, times and runner: none may be left out', () => {
  for (const name of Object.keys(passed)) {
    assert.equal(ProbeRecord.safeParse(Object.fromEntries(Object.entries(passed).filter(([key]) => key !== name))).success, false, name)
  }
  assert.deepEqual(recordStatement(passed).subject, [{ name: 'workspace', digest: { sha256: passed.subject_digest } }])
})

test('the JSON shape of a record is pinned', () => {
  assert.deepEqual(Object.keys(passed).sort(), Object.keys(ProbeRecord.shape).sort())
  assert.deepEqual(PROBE_STATUSES, ['passed', 'failed', 'timed_out', 'error', 'unimplemented', 'cancelled', 'needs_approval'])
})

const definition: ProbeDefinition = { kind: 'headless_run', command: ['npm', 'test'], timeout: '5s', expect: { exitCode: 0 } }
const phase: Omit<ProbeRequest, 'name' | 'definition'> = { phase: 'result', subjectDigest: passed.subject_digest, workspace: '/w', environment: {}, runId: RUN, attempt: 1, taskClass: 'change', signal: new AbortController().signal, keep: (name) => name }
const probes = [{ name: 'one', definition }, { name: 'two', definition }]
const answering = (run: (request: ProbeRequest) => unknown) => ({ run: (request: ProbeRequest) => Promise.resolve(run(request) as ProbeRecord) })

verifies('ACC-18 ACC-06', 'the runner is asked once for each bound probe, in their order, and for nothing else', async () => {
  const asked: string[] = []
  const answer = await runProbes(answering((request) => (asked.push(request.name), { ...passed, probe: request.name })), probes, phase)
  assert.deepEqual(asked, ['one', 'two'])
  assert.deepEqual([answer.runner, answer.records.map((record) => record.probe)], ['ran', ['one', 'two']])
  assert.deepEqual(await runProbes(answering(() => assert.fail('nothing is bound')), [], phase), { runner: 'ran', records: [] })
})

verifies('ACC-17 ACC-74 ACC-78', 'a runner that throws has crashed, and its message is not repeated', async () => {
  const throwing = { run: () => Promise.reject(new TypeError('hidden-value')) }
  assert.deepEqual(await runProbes(throwing, probes, phase), { runner: { failed: 'TypeError in one' }, records: [] })
  const fault = new PortcullisError('file_unreadable', { asked: 'a', found: 'EACCES', remedy: 'r' })
  assert.deepEqual((await runProbes({ run: () => Promise.reject(fault) }, probes, phase)).runner, { failed: 'A file could not be read: EACCES in one' })
})

verifies('ACC-02 ACC-03', 'a runner that answers with something else than a record has crashed', async () => {
  for (const answer of [undefined, true, {}, { ...passed, status: 'ok' }, { ...passed, payload: { ...payload, exit_code: 1 } }]) {
    const result = await runProbes(answering(() => answer), probes, phase)
    assert.deepEqual(result, { runner: { failed: 'it answered for one with something that is no record' }, records: [] })
  }
})

test('two runs on one runner share nothing', async () => {
  let run = 0
  const runner = answering((request) => ({ ...passed, probe: request.name, summary: `of run ${run}` }))
  run = 1
  const first = await runProbes(runner, probes, phase)
  run = 2
  const second = await runProbes(runner, probes, phase)
  assert.deepEqual(first.records.map((record) => record.summary), ['of run 1', 'of run 1'])
  assert.deepEqual(second.records.map((record) => record.summary), ['of run 2', 'of run 2'])
})

const smoke = PASSED_PAYLOADS.api_smoke
const [declared, unknown, malformed, afterwards] = smoke.exchanges
const CONTRADICTORY: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'a pass without a request': { ...smoke, exchanges: [unknown, malformed, afterwards] },
  'a pass without an unknown path': { ...smoke, exchanges: [declared, malformed, afterwards] },
  'a pass with a fault': { ...smoke, exchanges: [{ ...declared, faults: ['answered 500, not 200'] }, unknown, malformed, afterwards] },
  'a pass without an answer': { ...smoke, exchanges: [{ ...declared, status: null }, unknown, malformed, afterwards] },
  'a pass of a service that was never ready': { ...smoke, ready_after_ms: null },
  'a pass of a service that had to be killed': { ...smoke, end: { asked: true, exit_code: null, signal: 'SIGKILL', leaked: false } },
  'a pass of a service that left something behind': { ...smoke, end: { ...smoke.end, leaked: true } },
  'a pass of a service that ended before it was asked': { ...smoke, end: { ...smoke.end, asked: false } },
  'a pass with an error': { ...smoke, error: 'ENOENT' },
  'a pass of nothing': {},
}

verifies('ACC-02', 'a record of api_smoke that passed says so only with every answer as expected and a clean end', () => {
  const record = { ...passed, kind: 'api_smoke', payload: smoke }
  assert.equal(ProbeRecord.safeParse(record).success, true)
  for (const [name, payload] of Object.entries(CONTRADICTORY)) assert.equal(ProbeRecord.safeParse({ ...record, payload }).success, false, name)
  assert.equal(ProbeRecord.safeParse({ ...record, status: 'error' }).success, false, 'an error without a cause')
  assert.equal(ProbeRecord.safeParse({ ...record, status: 'failed', payload: { ...smoke, error: 'ENOENT' } }).success, false, 'a failure of what was not looked at')
})

const simulation = PASSED_PAYLOADS.sim_trace
const [ran] = simulation.runs
const IMPOSSIBLE: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'a pass after one run': { ...simulation, runs: [ran] },
  'a pass of two traces': { ...simulation, runs: [ran, { ...ran, digest: 'e'.repeat(64) }] },
  'a pass of another trace than the golden one': { ...simulation, golden: 'e'.repeat(64) },
  'a pass with too few ticks': { ...simulation, runs: [ran, { ...ran, ticks: 19 }] },
  'a pass with a fault': { ...simulation, runs: [{ ...ran, faults: ['tick 3: /energy is -1, less than 0'] }, ran] },
  'a pass without a trace': { ...simulation, runs: [{ ...ran, digest: null }, { ...ran, digest: null }] },
  'a pass that exited 1': { ...simulation, runs: [ran, { ...ran, exit_code: 1 }] },
  'a pass that was ended': { ...simulation, runs: [ran, { ...ran, exit_code: null, signal: 'SIGKILL' }] },
  'a pass that left something behind': { ...simulation, runs: [ran, { ...ran, leaked: true }] },
  'a pass with too few changes': { ...simulation, changes: [{ ...simulation.changes[0], found: 4 }] },
  'a pass in which nothing had to happen': { ...simulation, changes: [] },
  'a pass with an error': { ...simulation, error: 'ENOENT' },
}

verifies('ACC-02', 'a record of sim_trace that passed says so only with two whole, equal traces, every required change and two clean ends', () => {
  const record = { ...passed, kind: 'sim_trace', payload: simulation }
  assert.equal(ProbeRecord.safeParse(record).success, true)
  assert.equal(ProbeRecord.safeParse({ ...record, payload: { ...simulation, golden: ran?.digest } }).success, true)
  for (const [name, payload] of Object.entries(IMPOSSIBLE)) assert.equal(ProbeRecord.safeParse({ ...record, payload }).success, false, name)
  for (const status of ['error', 'needs_approval']) assert.equal(ProbeRecord.safeParse({ ...record, status }).success, false, status)
  assert.equal(ProbeRecord.safeParse({ ...record, status: 'failed', payload: { ...simulation, runs: [] } }).success, false, 'a failure of what was not looked at')
})

test('only what is shown to people can wait for their approval', () => {
  for (const [kind, payload] of Object.entries(PASSED_PAYLOADS)) assert.equal(ProbeRecord.safeParse({ ...passed, kind, payload, status: 'needs_approval' }).success, false, kind)
  const waiting = { ...passed, kind: 'render_hash', status: 'needs_approval', payload: { ...PASSED_PAYLOADS.render_hash, approved: null, difference: null } }
  assert.equal(ProbeRecord.safeParse(waiting).success, true)
})

const page = PASSED_PAYLOADS.render_hash
const UNSEEN: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'a pass without an approved image': { ...page, approved: null },
  'a pass without a comparison': { ...page, difference: null },
  'a pass with too many changed pixels': { ...page, difference: { ...page.difference, changed_share: 0.0011 } },
  'a pass that is too far away': { ...page, difference: { ...page.difference, distance: 0.021 } },
  'a pass without an image': { ...page, image: null },
  'a pass of an image of one colour': { ...page, image: { ...page.image, colours: 1 } },
  'a pass of a page that was not ready': { ...page, page_fault: 'Timeout 10000ms exceeded.' },
  'a pass with an error': { ...page, error: 'no browser' },
  'a pass of a service that was killed': { ...page, service: true, end: { asked: true, exit_code: null, signal: 'SIGKILL', leaked: false } },
  'a pass of a service nobody knows the end of': { ...page, service: true },
}

verifies('ACC-02', 'a record of render_hash that passed says so only with a picture near enough to an approved one', () => {
  const record = { ...passed, kind: 'render_hash', payload: page }
  assert.equal(ProbeRecord.safeParse(record).success, true)
  for (const [name, payload] of Object.entries(UNSEEN)) assert.equal(ProbeRecord.safeParse({ ...record, payload }).success, false, name)
  for (const status of ['error', 'needs_approval']) assert.equal(ProbeRecord.safeParse({ ...record, status }).success, false, status)
})
