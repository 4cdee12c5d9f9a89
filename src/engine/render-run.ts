import { REASONS } from '../contract/reasons.ts'
import { PortcullisError } from '../contract/errors.ts'
import { type Report, renderMarkdown } from '../gates/report/index.ts'
import { composeReport, type Ending, printReport } from './compose-report.ts'
import { RunEvent, type RunHistory } from './ledger.ts'
import { renderTrace } from './trace.ts'
import type { ReadHistory } from './verify-chain.ts'

export interface RenderedRun {
  readonly report: Report
  readonly json: string
  readonly markdown: string
  readonly trace: string
}

/** Renders everything that is rendered from the ledger. Pure: the same history gives the same bytes in any process. */
export function renderRun(history: RunHistory, read: ReadHistory, ending: Ending): RenderedRun {
  const report = composeReport(read, history, ending)
  return { report, json: printReport(report), markdown: renderMarkdown(report), trace: renderTrace(history) }
}

/** The files of a run's directory that are rendered, each with its name. */
export const renderedFiles = ({ json, markdown, trace }: RenderedRun): readonly (readonly [name: string, content: string])[] => [['report.json', json], ['report.md', markdown], ['trace.jsonl', trace]]

/** How a run ended, as the store says. Throws for a run that has not: there is nothing to report of it yet. */
export function storedEnding(history: RunHistory): Ending {
  const { runId, state, reason, endedAt, kind } = history.run
  if (kind === 'task' && state === 'waiting') return waitingEnding(history)
  if (kind === 'task' && endedAt !== null && (state === 'accepted' || state === 'failed' || state === 'blocked')) return { state, reason, endedAt }
  throw new PortcullisError('run_not_found', {
    asked: `the report of run ${runId}`,
    found: kind === 'probe' ? 'a health probe, which has no report' : kind === 'wire' ? 'a licence on the wire, which has calls and no report' : `a run that is ${state}: it was interrupted, or it still runs`,
    remedy: kind !== 'task' ? `Verify it: npx portcullis verify ${runId}` : 'Wait for its end; an interrupted run is never accepted, start it again.',
  })
}

/** A run that waits is told as it stood when it began to. */
function waitingEnding(history: RunHistory): Ending {
  const parked = history.entries.flatMap(({ kind, body }) => (kind === 'event' ? [RunEvent.parse(JSON.parse(body))] : [])).findLast((event) => event.type === 'run_parked')
  const reason = REASONS.find((each) => each === parked?.data['reason'])
  if (parked === undefined || reason === undefined) throw new PortcullisError('store_failed', { asked: `why run ${history.run.runId} waits`, found: 'no event that says so', remedy: 'See all of it: npx portcullis verify' })
  return { state: 'waiting', reason, endedAt: parked.at }
}
