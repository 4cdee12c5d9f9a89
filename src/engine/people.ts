import { type Ledger, RunEvent } from './ledger.ts'
import type { ReviewRequest } from '../gates/acceptance/index.ts'
import type { RunRecord } from './read-run.ts'

/** What people answered to the questions of reviewers of a run, in the order in which they did. */
export function answersOf(record: RunRecord): ReviewRequest['answers'] {
  return record.history.events.flatMap(({ type, data }) => {
    const { question, answer, by } = data
    return type === 'question_answered' && typeof question === 'string' && typeof answer === 'string' && typeof by === 'string' ? [{ question, answer, by }] : []
  })
}

/**
 * What people said of a run after it had ended. A final state is final, so their word stands as a run of its own; the run it is
 * about is then told as one that needs a corrective run (ACC-59).
 */
export async function correctionsOf(ledger: Pick<Ledger, 'list' | 'history'>, runId: string): Promise<readonly { readonly review_run: string; readonly by: string; readonly reason: string; readonly at: string }[]> {
  const found = []
  for (const run of await ledger.list()) {
    const history = run.kind === 'review' ? await ledger.history(run.runId) : undefined
    for (const entry of history?.entries ?? []) {
      const event = entry.kind === 'event' ? RunEvent.safeParse(JSON.parse(entry.body)) : undefined
      if (event?.success !== true || event.data.type !== 'review_given') continue
      const { about, verdict, by, reason } = event.data.data
      if (about === runId && verdict === 'FAIL' && typeof by === 'string' && typeof reason === 'string') found.push({ review_run: run.runId, by, reason, at: event.data.at })
    }
  }
  return found
}
