import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { PASSED_PAYLOADS } from '../../../test/helpers/probe-samples.ts'
import { verifies } from '../../../test/verifies.ts'
import { evidenceDigest } from '../../contract/evidence.ts'
import { type Finding, gateOf, judge, type Observed, runGate } from '../../contract/gate.ts'
import { type Reason, REASON_TABLE } from '../../contract/reasons.ts'
import { AcceptanceEvidence, type AcceptanceFacts, acceptanceGate, acceptedProof, compareWithBaseline, type FakeWork, fakeWorkStatement, itemStatuses, type ProbeRecord, recordsOf, recordStatement } from './index.ts'

const BEFORE = 'b'.repeat(64)
const AFTER = 'a'.repeat(64)
const REFERENCE = 'c'.repeat(64)
const DEFINITION = 'd'.repeat(64)
const RUN = '20261120T213918Z-r1-string-slugify-1'
const SUBJECT = { name: 'workspace', digest: { sha256: AFTER } }

function record(change: Partial<ProbeRecord> = {}, payload: Partial<Record<string, unknown>> = {}): ProbeRecord {
  const status = change.status ?? 'passed'
  return {
    probe: 'repository-tests',
    kind: 'headless_run',
    phase: 'result',
    status,
    summary: status === 'passed' ? 'exited 0 in 412 ms' : `${status}: exited 1 where 0 was expected`,
    duration_ms: 412,
    changed_workspace: false,
    payload: {
      expected: { exit_code: 0, stdout: null },
      exit_code: status === 'passed' ? 0 : status === 'failed' ? 1 : null,
      signal: null,
      stdout_matched: null,
      error: status === 'error' ? 'ENOENT' : null,
      leaked: false,
      stdout: null,
      stderr: null,
      environment: [],
      environment_withheld: [],
      ...payload,
    },
    run_id: RUN,
    attempt: 1,
    task_class: 'code-change',
    definition_digest: DEFINITION,
    subject_digest: AFTER,
    started_at: '2026-11-20T21:39:23.000Z',
    ended_at: '2026-11-20T21:39:23.412Z',
    runner_version: 'probe-runner/1',
    ...change,
  }
}

const untouched = (change: Partial<ProbeRecord> = {}): ProbeRecord => record({ phase: 'untouched', status: 'failed', subject_digest: BEFORE, ...change })
/** What the probes say of the copy of the fake backend. It is the untouched one again, by digest. */
const idle = (change: Partial<ProbeRecord> = {}): ProbeRecord => untouched({ phase: 'fake', ...change })
const fakeWork = (change: Partial<FakeWork> = {}): FakeWork => ({ backend: 'fake', script: 'nothing', run_id: RUN, attempt: 1, before: BEFORE, after: BEFORE, files_changed: 0, ...change })
const reference = (change: Partial<ProbeRecord> = {}): ProbeRecord => record({ phase: 'reference', subject_digest: REFERENCE, ...change })
const bound = (probe = 'repository-tests', allowsWrites = false): AcceptanceFacts['binding'][number] => ({ probe, kind: 'headless_run', definitionDigest: DEFINITION, allowsWrites })

const proven: AcceptanceFacts = {
  observedAt: '2026-11-20T21:39:24.000Z',
  validForMs: 60_000,
  runId: RUN,
  attempt: 1,
  taskId: 'r1-string-slugify',
  taskClass: 'code-change',
  completion: 'product',
  stage: 'work',
  targets: null,
  agent: { exitCode: 0, signal: null, timedOut: false, claimedStatus: 'completed', objection: null },
  workspace: { before: BEFORE, after: AFTER, filesChanged: 1, protectedChanged: [], linksOut: [] },
  binding: [bound()],
  items: [{ id: 1, text: 'All tests of the repository pass', probes: ['repository-tests'] }],
  runner: 'ran',
  interruption: null,
  fake: fakeWork(),
  records: { untouched: [untouched()], fake: [idle()], reference: [reference()], result: [record()] },
  deliveryAsked: [],
  delivery: null,
  review: null,
  reviews: [],
}

const withRecords = (change: Partial<AcceptanceFacts['records']>, more: Partial<AcceptanceFacts> = {}): AcceptanceFacts => ({ ...proven, ...more, records: { ...proven.records, ...change } })
const withAgent = (change: Partial<AcceptanceFacts['agent']>): AcceptanceFacts => ({ ...proven, agent: { ...proven.agent, ...change } })
const observed = (facts: AcceptanceFacts): Observed => [AcceptanceEvidence.state([SUBJECT], facts), ...(facts.fake === null ? [] : [fakeWorkStatement(facts.fake)]), ...recordsOf(facts).map(recordStatement)]
const decide = (facts: AcceptanceFacts): Finding => judge(acceptanceGate, observed(facts))

function blocks(facts: AcceptanceFacts, reason: Reason, text?: RegExp): void {
  const finding = decide(facts)
  assert.equal(finding.outcome, 'block', 'the gate must block')
  assert.equal(finding.reason, reason)
  assert.ok(finding.asked.length > 0 && finding.found.length > 0 && finding.remedy.length > 0)
  if (text !== undefined) assert.match(finding.message, text)
}

verifies('ACC-28', 'work that holds is accepted, with an expiry and the digest of every record in the verdict', () => {
  const finding = decide(proven)
  assert.equal(finding.outcome, 'pass')
  assert.equal(finding.message, '1 of 1 met: repository-tests passed (failed on the untouched copy, passed on the reference)')
  assert.equal(finding.expiresAt.toISOString(), '2026-11-20T21:40:24.000Z')
  assert.deepEqual(finding.evidence, observed(proven).map(evidenceDigest))
  const plain = decide(withRecords({ reference: null }))
  assert.equal(plain.outcome === 'pass' && plain.message, '1 of 1 met: repository-tests passed (failed on the untouched copy)')
})

verifies('ACC-28', 'a record that does not stand in the verdict by its digest counts for nothing', () => {
  for (const left of [0, 1, 2, 3, 4]) {
    const statements = observed(proven).filter((_, index) => index !== left + 1)
    const finding = judge(acceptanceGate, statements)
    assert.deepEqual([finding.outcome, finding.outcome === 'block' && finding.reason], ['block', 'evidence_invalid'])
  }
  const swapped = [...observed(proven).slice(0, 5), recordStatement(record({ summary: 'another one' }))]
  assert.equal(judge(acceptanceGate, swapped).outcome, 'block')
})

verifies('ACC-17 ACC-25 ACC-78', 'a crash of the runner blocks and names its cause, whatever the records say', () => {
  blocks({ ...proven, runner: { failed: 'TypeError in repository-tests' } }, 'probe_crashed', /^runtime probe runner failed: TypeError in repository-tests$/)
  blocks(withRecords({ result: [record({ status: 'failed' })] }), 'probe_failed')
  assert.deepEqual([REASON_TABLE.probe_crashed.retry, REASON_TABLE.probe_failed.retry], ['later', 'never'])
})

test('an agent that failed, was killed or ran late is not accepted, whatever the probes say', () => {
  blocks(withAgent({ timedOut: true }), 'agent_timed_out')
  blocks(withAgent({ exitCode: 1 }), 'agent_failed', /exit code 1/)
  blocks(withAgent({ exitCode: null }), 'agent_failed')
  blocks(withAgent({ exitCode: null, signal: 'SIGKILL' }), 'agent_failed', /SIGKILL/)
  blocks(withAgent({ signal: 'SIGTERM' }), 'agent_failed')
  blocks(withAgent({ claimedStatus: 'failed' }), 'agent_failed', /says that it failed/)
})

test('what stands against a run by the agent\'s own protocol or settings fails it under its own reason, before what the agent says of itself', () => {
  for (const reason of ['agent_protocol', 'agent_not_as_planned', 'agent_failed', 'evidence_invalid'] as const) {
    const objection = { reason, message: 'case agent result protocol failed: no delimiter', asked: 'a result', found: 'none' }
    blocks(withAgent({ objection, claimedStatus: 'failed' }), reason, /^case agent result protocol failed/)
    blocks(withAgent({ objection }), reason)
    blocks(withAgent({ objection, timedOut: true }), 'agent_timed_out')
  }
})

test('that the agent says nothing, or says that it is done, changes nothing', () => {
  assert.equal(decide(withAgent({ claimedStatus: null })).outcome, 'pass')
  blocks(withRecords({ result: [record({ status: 'failed' })] }), 'probe_failed')
})

verifies('ADM-B5', 'done without a change is refused by digest and by count', () => {
  blocks({ ...proven, workspace: { ...proven.workspace, filesChanged: 0 } }, 'done_without_change')
  blocks({ ...proven, workspace: { ...proven.workspace, linksOut: ['src'] } }, 'work_not_pinned')
  blocks({ ...proven, workspace: { ...proven.workspace, protectedChanged: ['test'] } }, 'protected_changed')
  blocks(withRecords({ untouched: [untouched({ subject_digest: AFTER })] }, { workspace: { before: AFTER, after: AFTER, filesChanged: 1, protectedChanged: [], linksOut: [] } }), 'done_without_change')
})

verifies('ACC-26', 'completion code asks for a change and no probe; product asks for both; a bound probe counts in each', () => {
  const nothing: Partial<AcceptanceFacts> = { binding: [], items: [], runner: 'not_run', records: { untouched: [], fake: [], reference: null, result: [] } }
  const code = decide({ ...proven, ...nothing, completion: 'code' })
  assert.deepEqual([code.outcome, code.outcome === 'pass' && code.message], ['pass', '1 file changed; completion code asks for no probe'])
  blocks({ ...proven, ...nothing, completion: 'code', workspace: { ...proven.workspace, filesChanged: 0 } }, 'done_without_change')
  blocks({ ...proven, ...nothing, completion: 'product' }, 'acceptance_unbound')
  blocks(withRecords({ result: [record({ status: 'failed' })] }, { completion: 'code' }), 'probe_failed')
  blocks({ ...proven, completion: 'review' }, 'review_missing')
})

verifies('ACC-19 ACC-27', 'not run, run without a result and run in part are told apart, and all block', () => {
  blocks({ ...proven, runner: 'not_run' }, 'probe_not_run')
  blocks(withRecords({ untouched: [], fake: [], reference: null, result: [] }, { runner: 'not_run' }), 'probe_not_run')
  blocks(withRecords({ result: [] }), 'probe_produced_nothing')
  blocks(withRecords({}, { binding: [bound(), bound('second')] }), 'probe_not_run', /second was not run on the result/)
  blocks(withRecords({ untouched: [] }), 'probe_not_run', /untouched/)
  blocks(withRecords({ reference: [] }), 'probe_not_run', /reference/)
})

verifies('ACC-16 ACC-78', 'a probe that did not pass blocks with its own reason', () => {
  blocks(withRecords({ result: [record({ status: 'failed' })] }), 'probe_failed')
  blocks(withRecords({ result: [record({ status: 'timed_out' })] }), 'probe_timed_out')
  blocks(withRecords({ result: [record({ status: 'error' })] }), 'probe_error')
  blocks(withRecords({ result: [record({ status: 'cancelled' })] }), 'interrupted')
})

verifies('ACC-16', 'the refusal quotes the first failing summaries', () => {
  const names = ['one', 'two', 'three', 'four', 'five', 'six', 'seven']
  const facts = withRecords(
    { untouched: names.map((probe) => untouched({ probe })), fake: names.map((probe) => idle({ probe })), reference: null, result: names.map((probe) => record({ probe, status: probe === 'two' ? 'passed' : 'failed', summary: `summary of ${probe}` })) },
    { binding: names.map((name) => bound(name)), items: [] },
  )
  blocks(facts, 'probe_failed', /^6 of 7 probes did not pass: one: summary of one; three: summary of three; four: summary of four; five: .*; six: .*; 1 more$/)
})

verifies('ACC-11', 'a kind without a runner blocks, on the result and on the untouched copy', () => {
  const binding = [{ ...bound(), kind: 'api_smoke' as const }]
  const change = { kind: 'api_smoke' as const, payload: PASSED_PAYLOADS.api_smoke }
  const facts = (status: ProbeRecord['status']): AcceptanceFacts => withRecords({ untouched: [untouched(change)], fake: [idle(change)], reference: null, result: [record({ ...change, status })] }, { binding })
  blocks(facts('unimplemented'), 'probe_unimplemented')
  assert.equal(decide(facts('passed')).outcome, 'pass', 'the twin: only the status is in the way')
  blocks(withRecords({ untouched: [untouched({ ...change, status: 'unimplemented' })], reference: null, result: [record(change)] }, { binding }), 'baseline_inconclusive')
})

verifies('ACC-49', 'a probe that changed the workspace does not count unless its definition allows writes', () => {
  blocks(withRecords({ result: [record({ changed_workspace: true })] }), 'probe_changed_workspace')
  blocks(withRecords({ result: [record({ changed_workspace: true, status: 'failed' })] }), 'probe_changed_workspace')
  blocks(withRecords({ untouched: [untouched({ changed_workspace: true })] }), 'baseline_inconclusive')
  blocks(withRecords({ reference: [reference({ changed_workspace: true })] }), 'reference_fails')
  assert.equal(decide(withRecords({ result: [record({ changed_workspace: true })] }, { binding: [bound('repository-tests', true)] })).outcome, 'pass')
})

test('a probe that passes on the untouched copy proves nothing, and one that gave no clear failure there neither', () => {
  blocks(withRecords({ untouched: [untouched({ status: 'passed', payload: record().payload })] }), 'baseline_passes')
  for (const status of ['timed_out', 'error', 'cancelled'] as const) {
    blocks(withRecords({ untouched: [untouched({ status, payload: record({ status }).payload })] }), 'baseline_inconclusive')
  }
})

verifies('ADM-N12', 'a run of stage-2 is not accepted if a target repository was touched, or if nobody looked', () => {
  const target = { path: '../shop', canary: true, entries: 4, touched: [], touched_count: 0 }
  const stage2 = (targets: AcceptanceFacts['targets']): AcceptanceFacts => ({ ...proven, stage: 'stage-2', targets })
  assert.equal(decide(stage2([])).outcome, 'pass')
  assert.equal(decide(stage2([target])).outcome, 'pass')
  blocks(stage2(null), 'targets_not_watched')
  blocks(stage2([target, { ...target, path: '../site', touched: ['.', 'src/a.js'], touched_count: 2 }]), 'target_repository_touched', /\.\.\/site \(\., src\/a\.js\)/)
  blocks(stage2([{ ...target, touched_count: 1 }]), 'target_repository_touched')
  // What was seen counts in every stage, and before whatever else went wrong.
  blocks({ ...stage2([{ ...target, touched: ['.'], touched_count: 1 }]), stage: 'work' }, 'target_repository_touched')
  blocks({ ...stage2([{ ...target, touched: ['.'], touched_count: 1 }]), agent: { ...proven.agent, exitCode: 1 } }, 'target_repository_touched')
})

verifies('ADM-B1', 'without the fake backend of the same run, on the same repository, with every probe run on it, nothing is accepted', () => {
  assert.equal(decide(proven).outcome, 'pass', 'the twin: only the fake backend is in the way')
  blocks({ ...proven, fake: null }, 'baseline_not_compared', /was not compared/)
  const code: Partial<AcceptanceFacts> = { completion: 'code', binding: [], items: [], runner: 'not_run', records: { untouched: [], fake: [], reference: null, result: [] } }
  blocks({ ...proven, ...code, fake: null }, 'baseline_not_compared', /was not compared/)
  blocks({ ...proven, fake: fakeWork({ run_id: '20261120T213918Z-r1-string-slugify-2' }) }, 'evidence_invalid')
  blocks({ ...proven, fake: fakeWork({ attempt: 2 }) }, 'evidence_invalid')
  blocks({ ...proven, fake: fakeWork({ before: REFERENCE }) }, 'evidence_invalid')
  blocks(withRecords({ fake: [] }), 'probe_not_run', /copy of the fake backend/)
  for (const status of ['timed_out', 'error', 'cancelled'] as const) blocks(withRecords({ fake: [idle({ status, payload: record({ status }).payload })] }), 'baseline_inconclusive')
  blocks(withRecords({ fake: [idle({ changed_workspace: true })] }), 'baseline_inconclusive')
})

verifies('ADM-B2', 'a result that is no better than the empty diff of the fake backend is not accepted, in whole or in part', () => {
  const passing = record().payload
  blocks(withRecords({ fake: [idle({ status: 'passed', payload: passing })] }), 'not_better_than_baseline', /^The result is no better than what doing nothing achieves: repository-tests\.$/)
  const two = { binding: [bound(), bound('second')] }
  const facts = withRecords({ untouched: [untouched(), untouched({ probe: 'second' })], fake: [idle(), idle({ probe: 'second', status: 'passed', payload: passing })], reference: null, result: [record(), record({ probe: 'second' })] }, two)
  blocks(facts, 'not_better_than_baseline', /^A part of the result .*: second\.$/)
  assert.deepEqual(compareWithBaseline(facts).checks.map(({ check, untouched: before, fake, result, better }) => [check, before, fake, result, better]), [
    ['workspace-change', 'failed', 'failed', 'passed', true],
    ['repository-tests', 'failed', 'failed', 'passed', true],
    ['second', 'failed', 'passed', 'passed', false],
  ])
})

verifies('ADM-B2', 'a copy of the fake backend that changed shows that the comparison cannot be trusted', () => {
  blocks({ ...proven, fake: fakeWork({ files_changed: 1 }) }, 'baseline_inconclusive', /though it does nothing/)
  blocks({ ...withRecords({ fake: [idle({ subject_digest: REFERENCE })] }), fake: fakeWork({ after: REFERENCE }) }, 'baseline_inconclusive', /though it does nothing/)
})

verifies('ADM-B2', 'the comparison says of each check what it found on each side, and is not made where a side is missing', () => {
  const { outcome, checks } = compareWithBaseline(proven)
  assert.equal(outcome, 'better-than-untouched')
  assert.deepEqual(checks.at(-1), { check: 'repository-tests', untouched: 'failed', fake: 'failed', reference: 'passed', result: 'passed', better: true })
  for (const side of ['untouched', 'fake', 'result'] as const) assert.equal(compareWithBaseline(withRecords({ [side]: [] })).outcome, 'not-run', side)
  assert.equal(compareWithBaseline({ ...proven, fake: null }).outcome, 'not-run')
  const worse = [withRecords({ result: [record({ status: 'failed' })] }), withRecords({ untouched: [untouched({ status: 'passed' })] }), withRecords({ fake: [idle({ status: 'passed' })] }), { ...proven, workspace: { ...proven.workspace, filesChanged: 0 } }]
  for (const facts of worse) assert.equal(compareWithBaseline(facts).outcome, 'not-better-than-untouched')
})

test('the reference solution must be another workspace, and every probe must pass on it', () => {
  blocks(withRecords({ reference: [reference({ status: 'failed', payload: record({ status: 'failed' }).payload })] }), 'reference_fails')
  blocks(withRecords({ reference: [reference({ status: 'error', payload: record({ status: 'error' }).payload })] }), 'reference_fails')
  blocks(withRecords({ reference: [reference({ subject_digest: BEFORE })] }), 'reference_fails', /changes nothing/)
  const two = { binding: [bound(), bound('second')] }
  const both = (make: (change: Partial<ProbeRecord>) => ProbeRecord): ProbeRecord[] => [make({}), make({ probe: 'second' })]
  const facts = withRecords({ untouched: both(untouched), fake: both(idle), reference: both(reference), result: both(record) }, two)
  assert.equal(decide(facts).outcome, 'pass')
  blocks(withRecords({ ...facts.records, reference: [reference(), reference({ probe: 'second', subject_digest: AFTER })] }, two), 'evidence_invalid')
})

verifies('ACC-07', 'a record of another run, attempt, class, phase, kind, definition or workspace is no evidence', () => {
  const strangers: readonly Partial<ProbeRecord>[] = [
    { run_id: '20261120T213918Z-r1-string-slugify-2' },
    { attempt: 2 },
    { task_class: 'research' },
    { phase: 'reference' },
    { kind: 'api_smoke', payload: PASSED_PAYLOADS.api_smoke },
    { definition_digest: 'e'.repeat(64) },
    { subject_digest: 'e'.repeat(64) },
  ]
  for (const stranger of strangers) {
    blocks(withRecords({ result: [record(stranger)] }), 'evidence_invalid')
    if (stranger.phase === undefined) for (const change of [{ untouched: [untouched(stranger)] }, { fake: [idle(stranger)] }]) blocks(withRecords(change), 'evidence_invalid')
    if (stranger.subject_digest === undefined && stranger.phase === undefined) blocks(withRecords({ reference: [reference(stranger)] }), 'evidence_invalid')
  }
  blocks(withRecords({ untouched: [untouched({ phase: 'reference' })] }), 'evidence_invalid')
  blocks(withRecords({ reference: [reference({ phase: 'result' })] }), 'evidence_invalid')
  blocks(withRecords({ fake: [untouched()] }), 'evidence_invalid')
})

verifies('ACC-05', 'a second record of a probe, or one of a probe that is not bound, is not looked over', () => {
  blocks(withRecords({ result: [record(), record({ status: 'failed' })] }), 'evidence_invalid')
  blocks(withRecords({ result: [record(), record({ probe: 'other' })] }), 'evidence_invalid')
  blocks(withRecords({ untouched: [untouched(), untouched({ probe: 'other' })] }), 'evidence_invalid')
  blocks(withRecords({ reference: [reference(), reference({ probe: 'other' })] }), 'evidence_invalid')
  blocks(withRecords({}, { binding: [bound(), bound()] }), 'evidence_invalid', /bound twice/)
})

test('an item without a probe, or with one that is not bound, cannot be met', () => {
  blocks({ ...proven, items: [{ id: 1, text: 'x', probes: [] }] }, 'acceptance_unbound')
  blocks({ ...proven, items: [{ id: 1, text: 'x', probes: ['repository-tests', 'other'] }] }, 'acceptance_unbound')
})

test('each item has its status and the records of its probes', () => {
  const names = ['one', 'two']
  const facts = withRecords(
    { untouched: names.map((probe) => untouched({ probe })), fake: names.map((probe) => idle({ probe })), reference: null, result: [record({ probe: 'one' }), record({ probe: 'two', status: 'failed' })] },
    { binding: names.map((name) => bound(name)), items: [{ id: 1, text: 'first', probes: ['one'] }, { id: 2, text: 'second', probes: ['one', 'two'] }, { id: 3, text: 'third', probes: [] }] },
  )
  assert.deepEqual(itemStatuses(facts).map(({ id, status, runtime_probe_evidence }) => [id, status, runtime_probe_evidence.map((each) => `${each.probe} ${each.phase}`)]), [
    [1, 'met', ['one untouched', 'one fake', 'one result']],
    [2, 'not_met', ['one untouched', 'two untouched', 'one fake', 'two fake', 'one result', 'two result']],
    [3, 'not_met', []],
  ])
  assert.deepEqual(itemStatuses(withRecords({ result: [record({ run_id: '20261120T213918Z-x-2' })] })).map((item) => item.status), ['not_met'])
})

verifies('ACC-01 ACC-74', 'the evidence of a run is a list in order, empty and present where no probe is bound', () => {
  assert.deepEqual(recordsOf(withRecords({ untouched: [], fake: [], reference: null, result: [] })), [])
  assert.deepEqual(recordsOf(proven).map((each) => each.phase), ['untouched', 'fake', 'reference', 'result'])
})

verifies('ACC-08 ACC-03', 'a record that was edited by hand does not load, and blocks', () => {
  const failing = withRecords({ result: [record({ status: 'failed' })] })
  const edited = { ...failing, records: { ...failing.records, result: [{ ...record({ status: 'failed' }), status: 'passed' }] } }
  const [, ...statements] = observed(failing)
  const facts = { ...AcceptanceEvidence.state([SUBJECT], failing), predicate: edited }
  const finding = judge(acceptanceGate, [facts as unknown as Observed[number], ...statements])
  assert.deepEqual([finding.outcome, finding.outcome === 'block' && finding.reason], ['block', 'evidence_invalid'])
  // Also where the edit is made whole, the statement that the verdict names is another one.
  const whole = { ...failing, records: { ...failing.records, result: [record()] } }
  assert.equal(judge(acceptanceGate, [AcceptanceEvidence.state([SUBJECT], whole), ...statements]).outcome, 'block')
})

test('the proof names the workspace that was accepted, and only a verdict of the gate makes one', async () => {
  let kept: Observed = []
  const gate = gateOf(acceptanceGate, {
    policy: { name: 'policy', digest: { sha256: DEFINITION } },
    timeoutMs: 1_000,
    subject: [SUBJECT],
    observe: (facts: AcceptanceFacts) => Promise.resolve({ facts, supporting: observed(facts).slice(1) }),
    keep: (statements) => void (kept = statements),
  })
  const now = new Date(proven.observedAt)
  const at = { runId: RUN, sequence: 0, previous: null, subject: [SUBJECT] as const }
  const proof = acceptedProof.prove(await runGate(gate, proven, at, () => now), kept, now)
  assert.deepEqual([proof?.workspace, proof?.runId, proof?.attempt], [AFTER, RUN, 1])
  assert.equal(acceptedProof.prove(await runGate(gate, { ...proven, runner: 'not_run' }, at, () => now), kept, now), undefined)
})

test('a probe may write only where its own definition allows it, whatever others may', () => {
  const lint = { probe: 'lint', summary: 'it looks at style' }
  const both = { ...proven, binding: [bound('repository-tests', true), bound('lint')] }
  const records = (changed: string): AcceptanceFacts => ({ ...both, records: { untouched: [untouched(), untouched(lint)], fake: [idle(), idle(lint)], reference: null, result: [record({ changed_workspace: changed === 'repository-tests' }), record({ ...lint, changed_workspace: changed === 'lint' })] } })
  assert.equal(decide(records('repository-tests')).outcome, 'pass')
  blocks(records('lint'), 'probe_changed_workspace')
})

test('a change counts as one by its files and by its digest, and the fake backend has made none', () => {
  const check = (change: Partial<AcceptanceFacts>): unknown => {
    const [first] = compareWithBaseline({ ...proven, ...change }).checks
    return [first?.result, first?.fake, first?.better]
  }
  assert.deepEqual(check({}), ['passed', 'failed', true])
  assert.deepEqual(check({ workspace: { ...proven.workspace, after: BEFORE } }), ['failed', 'failed', false])
  assert.deepEqual(check({ workspace: { ...proven.workspace, filesChanged: 0 } }), ['failed', 'failed', false])
  for (const fake of [fakeWork({ after: AFTER }), fakeWork({ files_changed: 1 })]) assert.deepEqual(check({ fake }), ['passed', 'passed', false])
  assert.deepEqual(compareWithBaseline(withRecords({ reference: null })).checks.map(({ reference: known }) => known), [null, null])
})

test('a cancelled probe says what cancelled it, and a target is touched by its names as by its count', () => {
  blocks(withRecords({ result: [record({ status: 'cancelled' })] }, { interruption: 'run_timed_out' }), 'run_timed_out')
  for (const touched of [{ touched: ['a'], touched_count: 0 }, { touched: [], touched_count: 1 }]) blocks({ ...proven, targets: [{ path: '/repository', canary: true, entries: 3, ...touched }] }, 'target_repository_touched')
})

verifies('ACC-54', 'the gate runs nothing: its code knows the contract, the catalog, zod and its own folder, and no way to start a process', () => {
  const sources = globSync('*.ts', { cwd: import.meta.dirname }).filter((name) => !name.endsWith('.test.ts'))
  assert.ok(sources.length > 5)
  for (const name of sources) {
    const text = readFileSync(join(import.meta.dirname, name), 'utf8')
    const imports = [...text.matchAll(/(?:from |import\()'([^']+)'/g)].map((match) => match[1] ?? '')
    for (const specifier of imports) assert.match(specifier, /^(?:zod|\.\/[a-z-]+\.ts|\.\.\/catalog\/index\.ts|\.\.\/\.\.\/contract\/[a-z]+\.ts)$/, name)
    assert.doesNotMatch(text, /\bprocess\.|getBuiltinModule|\brequire\(/, name)
  }
})
