import { printDigest } from '../contract/canonical.ts'
import { REASON_TABLE } from '../contract/reasons.ts'
import type { Report } from '../gates/report/index.ts'
import type { Ending } from './compose-report.ts'
import { WorkspaceEvidence } from './observations.ts'
import type { RunRecord } from './read-run.ts'

/** The one record that every end of a run leaves, whatever the end (MC-050, MC-051). */
export function terminalStateOf(record: RunRecord, ending: Ending, block: { readonly found: string; readonly remedy: string; readonly message: string } | undefined): Report['terminal_state'] {
  const evidence = record.last('acceptance')?.evidence ?? record.verdicts.at(-1)?.evidence ?? []
  const artifacts = evidence.map((digest) => `evidence:${printDigest(digest)}`)
  if (ending.state === 'accepted') {
    return { contract: 1, status: 'ok', summary: 'Every gate passed.', root_cause: null, safe_retry: 'not needed', stop_condition: 'accepted', human_input_required: false, next_actions: [applyingOf(record)], artifacts }
  }
  if (ending.state === 'waiting') return waitingState(record, block, artifacts)
  const blocked = ending.state === 'blocked'
  const gate = record.verdicts.findLast((verdict) => verdict.outcome !== 'pass')?.gate
  const later = ending.reason !== null && REASON_TABLE[ending.reason].retry === 'later'
  return {
    contract: 1,
    status: blocked ? 'blocked' : 'failed',
    summary: block?.message ?? 'The run did not pass.',
    root_cause: `${ending.reason ?? 'unknown'}: ${block?.found ?? 'see the trace'}`,
    // True in both cases by construction: a run works on its own copy, and a blocked one started nothing.
    safe_retry: `${blocked ? 'safe: no process was started' : 'safe: the run worked on its own copy'}; ${later ? 'the same run may pass later' : 'the same run will end the same way until something is changed'}`,
    stop_condition: `${gate === undefined ? 'the run could not go on' : `the ${gate} gate did not pass`}; nothing is retried by itself`,
    human_input_required: blocked || ending.reason === 'approval_missing',
    next_actions: block === undefined ? [] : [block.remedy],
    artifacts,
  }
}

/** Somebody must decide; nothing of the work is lost meanwhile. */
function waitingState(record: RunRecord, block: { readonly found: string; readonly message: string } | undefined, artifacts: string[]): Report['terminal_state'] {
  const { runId } = record.history.run
  return {
    contract: 1,
    status: 'blocked',
    summary: block?.message ?? 'The run waits.',
    root_cause: `review_waiting: ${block?.found ?? 'see the trace'}`,
    safe_retry: 'safe: the work is pinned and kept; resume goes on with it through the same gate',
    stop_condition: 'nobody who may decide has decided; nothing is decided by waiting',
    human_input_required: true,
    next_actions: [`npx portcullis show ${runId}`, `npx portcullis approve review ${runId}`, `npx portcullis resume ${runId}`],
    artifacts,
  }
}

/** The patch is the work only if it is whole, and if the probes saw nothing beside it. */
function applyingOf(record: RunRecord): string {
  const [change] = record.all(WorkspaceEvidence)
  if (change?.patchTruncated !== false) return 'Take the work from workspace/; backend/workspace.patch is cut short.'
  const apply = 'Apply backend/workspace.patch to the repository.'
  return change.filesLeftOut === 0 ? apply : `${apply} The probes also saw ${change.filesLeftOut} files in workspace/ that it does not carry, because they are ignored: see whether the work needs them.`
}
