import { type ModelPair, printPair, samePair } from '../contract/model.ts'
import { readHistory } from './finish.ts'
import type { Ledger, RunHistory, RunSummary } from './ledger.ts'
import { RunRecord } from './read-run.ts'
import { storedEnding } from './render-run.ts'
import type { ReadHistory } from './verify-chain.ts'
import type { VerifiedRun } from './verify-run.ts'

/** What real work is blocked on: a pass report of a run of this pair, by this agent, for this stage. */
export interface PassSearch {
  readonly pair: ModelPair
  readonly runtime: string
  readonly stage: string
}

/**
 * Where a work item stands. It is `blocked` until one pass report exists, whatever else has been shown: a record in force, a
 * gate that is closed, a process that was reached (ADM-B4, ADM-G7). Nothing stores it; it follows from the ledger each time.
 */
export type WorkItem =
  | { readonly status: 'unblocked'; readonly run_id: string; readonly ended_at: string }
  | { readonly status: 'blocked'; readonly found: string; readonly considered: readonly { readonly run_id: string; readonly because: string }[] }

/** How many runs that do not count are named. */
const NAMED = 5

/**
 * Looks for the pass report in the ledger, which is the one interface that counts: files, copies and claims are not read, and
 * a run that does not verify in whole, signatures included, is no evidence (ADM-B3). `verify` says what is wrong with a run. Throws what the ledger throws.
 */
export async function workItemOf(ledger: Ledger | undefined, search: PassSearch, verify: (history: RunHistory) => Promise<VerifiedRun>): Promise<WorkItem> {
  const asked = `a pass report of ${printPair(search.pair)} by ${search.runtime} for ${search.stage}`
  if (ledger === undefined) return { status: 'blocked', found: `${asked}: no run was ever made here`, considered: [] }
  const considered: { run_id: string; because: string }[] = []
  for (const run of await ledger.list()) {
    const { history, read } = await readHistory({ ledger }, run.runId)
    if (!isAbout(read, search)) continue
    const because = await whyNot(run, history, verify)
    if (because === undefined) return { status: 'unblocked', run_id: run.runId, ended_at: storedEnding(history).endedAt }
    considered.push({ run_id: run.runId, because })
  }
  return { status: 'blocked', found: `${asked}: ${considered.length === 0 ? 'no run asked for it' : `none among ${considered.length} runs that asked for it`}`, considered: considered.slice(0, NAMED) }
}

/** True if the run asked the records for this very use. */
function isAbout(read: ReadHistory, { pair, runtime, stage }: PassSearch): boolean {
  const admission = new RunRecord(read).admission
  return admission !== undefined && samePair(admission.requested, pair) && admission.runtime === runtime && admission.stage === stage
}

/** Why a run is no pass report; undefined if it is one: accepted by every gate, and all that is stored of it holds. */
async function whyNot(run: RunSummary, history: RunHistory, verify: (history: RunHistory) => Promise<VerifiedRun>): Promise<string | undefined> {
  if (run.kind !== 'task') return `a ${run.kind}, which has no report`
  if (run.state !== 'accepted') return `it is ${run.state}${run.reason === null ? '' : ` (${run.reason})`}`
  const [problem] = (await verify(history)).problems
  return problem === undefined ? undefined : `it does not verify: ${problem.code} at ${problem.where}`
}
