import type { Reason } from '../../contract/reasons.ts'
import type { AcceptanceFacts, BoundProbe } from './acceptance-facts.ts'
import { type Fault, fault } from './fault.ts'
import type { ProbePhase, ProbeRecord } from './probe-record.ts'
import type { ProbeStatus } from './probe-status.ts'

const PLACES: Readonly<Record<ProbePhase, string>> = { untouched: 'the untouched copy', fake: 'the copy of the fake backend', reference: 'the reference solution', result: 'the result' }

/** How many failing summaries a refusal quotes (ACC-16 asks for three at least). */
const SUMMARIES = 5

const STATUS_REASONS = {
  failed: 'probe_failed',
  timed_out: 'probe_timed_out',
  error: 'probe_error',
  unimplemented: 'probe_unimplemented',
  needs_approval: 'approval_missing',
} as const satisfies Record<Exclude<ProbeStatus, 'passed' | 'cancelled'>, Reason>

/** Why the records of a phase are not one for each bound probe, of this run, on this subject; undefined if they are. */
export function faultOfRecords(facts: AcceptanceFacts, phase: ProbePhase, records: readonly ProbeRecord[], subjectDigest: string): Fault | undefined {
  const place = PLACES[phase]
  const stranger = records.find((record) => !facts.binding.some((bound) => bound.probe === record.probe))
  if (stranger !== undefined) return fault('evidence_invalid', `A record of ${place} belongs to no bound probe.`, `records of the bound probes on ${place}`, `a record of ${stranger.probe}`)
  for (const bound of facts.binding) {
    const own = records.filter((record) => record.probe === bound.probe)
    const [record, ...more] = own
    if (record === undefined) return fault('probe_not_run', `${bound.probe} was not run on ${place}.`, `a record of ${bound.probe} on ${place}`, 'none')
    if (more.length > 0) return fault('evidence_invalid', `${bound.probe} has several records on ${place}.`, `one record of ${bound.probe} on ${place}`, `${own.length} records`)
    const difference = differenceOf(facts, bound, phase, record, subjectDigest)
    if (difference !== undefined) return fault('evidence_invalid', `The record of ${bound.probe} on ${place} is not of this run.`, `a record of ${bound.probe} for attempt ${facts.attempt} of run ${facts.runId} on ${place}`, difference)
  }
  return undefined
}

function differenceOf(facts: AcceptanceFacts, bound: BoundProbe, phase: ProbePhase, record: ProbeRecord, subjectDigest: string): string | undefined {
  if (record.run_id !== facts.runId) return `a record of run ${record.run_id}`
  if (record.attempt !== facts.attempt) return `a record of attempt ${record.attempt}`
  if (record.task_class !== facts.taskClass) return `a record of task class ${record.task_class}`
  if (record.phase !== phase) return `a record of ${PLACES[record.phase]}`
  if (record.kind !== bound.kind) return `a record of a probe of kind ${record.kind}`
  if (record.definition_digest !== bound.definitionDigest) return `a record of another definition (${record.definition_digest.slice(0, 12)})`
  if (record.subject_digest !== subjectDigest) return `a record of another workspace (${record.subject_digest.slice(0, 12)})`
  return undefined
}

/** Passed, and left the workspace as it was or may change it. The one place that says what a passing record is. */
export const holds = (facts: AcceptanceFacts, record: ProbeRecord): boolean => record.status === 'passed' && !changedUnasked(facts, record)

const changedUnasked = (facts: AcceptanceFacts, record: ProbeRecord): boolean =>
  record.changed_workspace && facts.binding.find((bound) => bound.probe === record.probe)?.allowsWrites !== true

/** True unless the probe looked, found that what it looks for is not so, and left the copy as it was. */
export const notCleanlyFailed = (facts: AcceptanceFacts, record: ProbeRecord): boolean => record.status !== 'failed' || changedUnasked(facts, record)

/** Every bound probe must hold on the result; the refusal quotes the summaries of those that do not. */
export function faultOfResult(facts: AcceptanceFacts): Fault | undefined {
  const failing = facts.records.result.filter((record) => !holds(facts, record))
  const [first] = failing
  if (first === undefined) return undefined
  const reason = changedUnasked(facts, first) ? 'probe_changed_workspace' : first.status === 'passed' ? 'evidence_invalid' : first.status === 'cancelled' ? (facts.interruption ?? 'interrupted') : STATUS_REASONS[first.status]
  const summaries = summariesOf(failing)
  return fault(reason, `${failing.length} of ${facts.binding.length} probes did not pass: ${summaries}`, `${facts.binding.map((bound) => bound.probe).join(', ')} to pass on the result`, summaries)
}

/** Every bound probe must fail on the untouched copy, and cleanly: only then does its pass on the result say something (law 9). */
export function faultOfUntouched(facts: AcceptanceFacts): Fault | undefined {
  for (const record of facts.records.untouched) {
    const asked = `${record.probe} to fail on the untouched copy`
    if (record.status === 'passed') return fault('baseline_passes', `${record.probe} passes on the untouched copy, so it proves nothing.`, asked, record.summary)
    if (notCleanlyFailed(facts, record)) {
      return fault('baseline_inconclusive', `${record.probe} gave no clear failure on the untouched copy: ${record.summary}`, asked, `${record.changed_workspace ? 'changed the workspace' : record.status}: ${record.summary}`)
    }
  }
  return undefined
}

/** Every bound probe must pass on the reference solution, which must be one: another workspace than the untouched one. */
export function faultOfReference(facts: AcceptanceFacts): Fault | undefined {
  const records = facts.records.reference
  const [first] = records ?? []
  if (records === null) return undefined
  if (facts.binding.length > 0 && first?.subject_digest === facts.workspace.before) return fault('reference_fails', 'The reference solution changes nothing.', 'a reference solution', 'the untouched workspace')
  const faulty = faultOfRecords(facts, 'reference', records, first?.subject_digest ?? '')
  if (faulty !== undefined) return faulty
  const failing = records.filter((record) => !holds(facts, record))
  if (failing.length === 0) return undefined
  return fault('reference_fails', `The reference solution does not pass: ${summariesOf(failing)}`, `${facts.binding.map((bound) => bound.probe).join(', ')} to pass on the reference solution`, summariesOf(failing))
}

/** The first failing summaries, as a refusal quotes them. */
export function summariesOf(failing: readonly ProbeRecord[]): string {
  const quoted = failing.slice(0, SUMMARIES).map((record) => `${record.probe}: ${record.summary}`)
  return [...quoted, ...(failing.length > SUMMARIES ? [`${failing.length - SUMMARIES} more`] : [])].join('; ')
}
