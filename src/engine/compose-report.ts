import { digestOf, printDigest } from '../contract/canonical.ts'
import { printPair } from '../contract/model.ts'
import { REASON_TABLE, type Reason } from '../contract/reasons.ts'
import type { Verdict } from '../contract/verdict.ts'
import { type AcceptanceFacts, acceptanceGate, compareWithBaseline, itemStatuses, type ProbeRecord, ProbeRecordEvidence, recordDigest } from '../gates/acceptance/index.ts'
import { admissionOf, admissionStatus, isExternal } from '../gates/admission/index.ts'
import { markersOf, Report, reportGate } from '../gates/report/index.ts'
import { wireGate } from '../gates/wire/index.ts'

import { closingOf } from './closing.ts'
import type { RunHistory } from './ledger.ts'
import { merkleRoot } from './merkle.ts'
import { AgentExitEvidence, RunEvidence, WorkspaceEvidence } from './observations.ts'
import { RunRecord } from './read-run.ts'
import { caseFieldsOf } from './report-case.ts'
import { deliveryOf, reviewsOf } from './report-reviews.ts'
import { terminalStateOf } from './terminal-state.ts'
import type { ReadHistory } from './verify-chain.ts'

/** How the run ended, or will have ended when its report is written. */
export interface Ending {
  readonly state: 'accepted' | 'failed' | 'blocked' | 'waiting'
  readonly reason: Reason | null
  readonly endedAt: string
}

const WORDS = { failed: 'Failed', blocked: 'Blocked', waiting: 'Waiting' } as const
const STATUS = { accepted: 'pass', failed: 'fail', blocked: 'blocked', waiting: 'blocked' } as const

/** Renders the report from what is stored and nothing else (law 8). Throws if the run was never opened. */
export function composeReport(history: ReadHistory, { entries, checkpoint }: Pick<RunHistory, 'entries' | 'checkpoint'>, ending: Ending): Report {
  const record = new RunRecord(history)
  const [opened] = record.all(RunEvidence)
  if (opened === undefined) throw new TypeError(`run ${history.run.runId} holds no statement of what was asked`)
  const block = blockOf(record, ending)
  const { task } = opened
  return Report.parse({
    $schema: 'portcullis/spec/report.schema.json',
    schema_version: 1,
    run_id: history.run.runId,
    status: STATUS[ending.state],
    reason: ending.reason,
    summary: summaryOf(record, ending, block),
    refusal: block === undefined ? null : { asked: block.asked, found: block.found, remedy: block.remedy },
    task: { id: task.id, title: task.title, class: task.class, purpose: task.purpose, digest: printDigest(task.digest) },
    profile: opened.profile,
    agent: agentOf(record),
    model: modelOf(record),
    process_started: record.processStarted,
    exit: exitOf(record),
    ...caseFieldsOf(record),
    isolation: isolationOf(record),
    wire: wireOf(record),
    workspace: workspaceOf(record),
    target_repositories: record.facts(acceptanceGate)?.targets?.map(({ path, canary, entries, touched }) => ({ path, canary, entries, touched })) ?? null,
    ...acceptanceOf(record),
    delivery: deliveryOf(record),
    ...reviewsOf(record),
    gates: record.verdicts.map(gateOf),
    closing: closedBy(record, ending),
    terminal_state: terminalStateOf(record, ending, block),
    secret_scan: scanOf(record),
    markers: markersOf(ending.reason, block).map((marker) => marker.path),
    ledger: { rows: entries.length, root: printDigest(merkleRoot(entries.map((entry) => entry.body))), checkpoint: checkpoint?.note ?? null, key_id: checkpoint === null ? null : printDigest(checkpoint.keyId) },
    versions: opened.versions,
    started_at: history.run.startedAt,
    ended_at: ending.endedAt,
  })
}

/** Nobody has closed a run that waits. */
function closedBy(record: RunRecord, ending: Ending): Report['closing'] {
  if (ending.state === 'waiting') return null
  const { closed_by, gate, verdict, human_input_required } = closingOf(record, ending)
  return { by: closed_by, gate, verdict: verdict === null ? null : printDigest(verdict), human_input_required }
}

/** The level that was asked and the one that was found; and whether no model call can have gone another way than over the wire. */
function isolationOf(record: RunRecord): Report['isolation'] {
  if (record.launch === undefined) return null
  const { required, reached } = record.launch.isolation
  return { required, reached, record_complete: record.facts(wireGate)?.recordComplete ?? false }
}

/** report.json as it is written, printed and compared: two spaces, a line end. */
export const printReport = (report: Report): string => `${JSON.stringify(report, null, 2)}\n`

/** What refused the run: the last block with the run's reason, or the fault that ended it without a verdict. */
export function blockOf(record: RunRecord, ending: Ending): { asked: string; found: string; remedy: string; message: string } | undefined {
  if (ending.reason === null) return undefined
  const verdict = record.verdicts.findLast((each) => each.outcome === 'block' && each.reason === ending.reason)
  if (verdict?.outcome === 'block') return verdict
  // An abstention says in its message what it looked for and where.
  const abstained = record.verdicts.findLast((each) => each.outcome === 'abstain' && each.reason === ending.reason)
  if (abstained !== undefined) return { message: abstained.message, asked: `a verdict of the ${abstained.gate} gate that permits`, found: abstained.message, remedy: 'Make what could not be found reachable, then run the task again.' }
  const fault = record.event('fault')?.data
  const text = (name: string, otherwise: string): string => (typeof fault?.[name] === 'string' ? fault[name] : otherwise)
  return { message: REASON_TABLE[ending.reason].title, asked: text('asked', 'the run to go on'), found: text('found', REASON_TABLE[ending.reason].title), remedy: text('remedy', 'Read trace.jsonl of the run, then start a new one.') }
}

function summaryOf(record: RunRecord, ending: Ending, block: { message: string; found: string } | undefined): string {
  if (ending.state !== 'accepted') return `${WORDS[ending.state]}: ${ending.reason ?? 'unknown'}. ${block?.message ?? ''}`.trim()
  const acceptance = record.facts(acceptanceGate)
  const items = acceptance === undefined ? [] : itemStatuses(acceptance)
  const [workspace] = record.all(WorkspaceEvidence)
  const pair = record.resolution?.pair
  return `Accepted: ${items.filter((item) => item.status === 'met').length} of ${items.length} acceptance items hold on workspace ${workspace?.after.slice(0, 12) ?? ''}; ${record.agentCalls.length} model calls, all served by ${pair === undefined ? '' : printPair(pair)}.`
}

function agentOf(record: RunRecord): Report['agent'] {
  const profile = record.resolution?.profile
  if (profile === undefined) return null
  const plan = record.launch?.plan
  return { name: profile.agent, version: plan?.version.found ?? profile.agentVersion ?? null, program_digest: plan == null ? null : printDigest(plan.program.sha256), mode: 'headless' }
}

function modelOf(record: RunRecord): Report['model'] {
  const { resolution, admission } = record
  const status = admission === undefined ? null : admissionStatus(admission)
  const admitted = admission === undefined ? undefined : admissionOf(admission)
  const [file] = admission?.files ?? []
  const used = admitted ?? (file?.sha256 == null ? undefined : { path: file.path, sha256: file.sha256, expiresAt: null })
  return {
    requested: resolution === undefined ? null : printPair(resolution.pair),
    admitted: admitted === undefined || resolution === undefined ? null : printPair(resolution.pair),
    served: [...new Set(record.agentCalls.flatMap((call) => call.servedModel ?? []))],
    admission_status: status,
    admission_record: used === undefined ? null : { path: used.path, sha256: used.sha256, expires_at: used.expiresAt },
    stage: admission?.stage ?? null,
    network: admission === undefined ? null : { class: admission.networkClass, external: isExternal(admission), external_record: admitted?.approval == null ? null : { path: admitted.approval.path, sha256: admitted.approval.sha256, expires_at: admitted.approval.expiresAt } },
    alias: resolution?.alias == null ? null : { name: resolution.alias.name, steps: [...resolution.alias.steps], override: resolution.alias.overrideDigest === null ? null : printDigest(resolution.alias.overrideDigest) },
  }
}

function exitOf(record: RunRecord): Report['exit'] {
  const [exit] = record.all(AgentExitEvidence)
  return exit === undefined ? null : { code: exit.code, signal: exit.signal, timed_out: exit.timedOut !== null, claimed_status: exit.claimedStatus }
}

function wireOf(record: RunRecord): Report['wire'] {
  const calls = record.agentCalls
  const costs = calls.filter((call) => call.outcome !== 'refused').map((call) => call.costUsd)
  const error = calls.find((call) => call.inference && call.outcome === 'failed')
  return {
    requests: calls.length,
    refused: calls.filter((call) => call.outcome === 'refused').length,
    failed: calls.filter((call) => call.outcome === 'failed').length,
    input_tokens: sum(calls.map((call) => call.usage?.inputTokens ?? 0)),
    output_tokens: sum(calls.map((call) => call.usage?.outputTokens ?? 0)),
    cost_usd: costs.some((cost) => cost === null) ? null : sum(costs.map((cost) => cost ?? 0)),
    first_error: error?.reason == null ? null : { reason: error.reason, detail: error.detail },
  }
}

function workspaceOf(record: RunRecord): Report['workspace'] {
  const [change] = record.all(WorkspaceEvidence)
  if (change === undefined) return null
  const { before, after, filesChanged, filesLeftOut, patchTruncated, insertions, deletions, commits, files } = change
  return { before: printDigest(before), after: printDigest(after), files_changed: filesChanged, files_left_out: filesLeftOut, patch_complete: !patchTruncated, insertions, deletions, commits, files }
}

function acceptanceOf(record: RunRecord): Pick<Report, 'acceptance' | 'runtime_probe_evidence' | 'baseline'> {
  const facts = record.facts(acceptanceGate)
  const stored = record.all(ProbeRecordEvidence)
  const report = (probe: ProbeRecord) => ({
    probe: probe.probe,
    kind: probe.kind,
    phase: probe.phase,
    status: probe.status,
    summary: probe.summary,
    duration_ms: probe.duration_ms,
    evidence: printDigest(recordDigest(probe)),
  })
  const items = facts === undefined ? [] : itemStatuses(facts)
  return {
    acceptance: items.map((item) => ({ id: item.id, text: item.text, status: item.status, runtime_probe_evidence: item.runtime_probe_evidence.map(report) })),
    runtime_probe_evidence: stored.map(report),
    baseline: facts === undefined ? null : baselineOf(facts),
  }
}

function baselineOf(facts: AcceptanceFacts): Report['baseline'] {
  const { untouched, fake, reference } = facts.records
  const all = (records: readonly ProbeRecord[]): string => (records.length === 0 ? 'not-run' : records.every((record) => record.status === 'passed') ? 'passed' : 'failed')
  const { outcome, checks } = compareWithBaseline(facts)
  return { untouched: all(untouched), fake: all(fake), reference: reference === null ? null : all(reference), comparison: outcome, checks: checks.map((check) => ({ ...check })) }
}

function scanOf(record: RunRecord): Report['secret_scan'] {
  const facts = record.facts(reportGate)
  const verdict = record.last('report')
  if (facts === undefined || verdict === undefined) return { status: 'not-run', surfaces: 0, rules: null, known_values: 0 }
  const status = verdict.outcome === 'pass' ? 'clean' : verdict.reason === 'secret_leak' ? 'leak' : 'incomplete'
  return { status, surfaces: facts.surfaces.length, rules: facts.rules, known_values: facts.knownValues }
}

const gateOf = (verdict: Verdict): Report['gates'][number] => ({
  gate: verdict.gate,
  outcome: verdict.outcome,
  reason: verdict.outcome === 'pass' ? null : verdict.reason,
  message: verdict.message,
  asked: verdict.outcome === 'block' ? verdict.asked : null,
  found: verdict.outcome === 'block' ? verdict.found : null,
  remedy: verdict.outcome === 'block' ? verdict.remedy : null,
  decided_at: verdict.decidedAt,
  verdict: printDigest(digestOf(verdict)),
})

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0)
