import { digestOf } from '../contract/canonical.ts'
import type { Verdict } from '../contract/verdict.ts'
import { acceptanceGate, standingOf } from '../gates/acceptance/index.ts'
import type { Ending } from './compose-report.ts'
import type { RunRecord } from './read-run.ts'

/** Who closed a run, by which gate and verdict, and whether a person had to (MC-120). A type, not an interface: it is the data of an event as well. */
export type Closing = { readonly closed_by: string; readonly gate: string | null; readonly verdict: string | null; readonly human_input_required: boolean }

/** The closing of a run that ends so; `last` is a verdict that is not among its rows yet. Of one that waits there is none. */
export function closingOf(record: RunRecord, ending: Ending, last?: Verdict): Closing {
  const facts = record.facts(acceptanceGate)
  const people = ending.state !== 'accepted' || facts === undefined ? [] : facts.reviews.filter((review) => review.kind === 'human' && standingOf(facts, review) === 'approves')
  const verdict = ending.state === 'accepted' ? record.last('acceptance') : [...record.verdicts, ...(last === undefined ? [] : [last])].findLast((each) => each.outcome !== 'pass')
  return { closed_by: people.at(-1)?.by ?? 'portcullis', gate: verdict?.gate ?? null, verdict: verdict === undefined ? null : digestOf(verdict), human_input_required: people.length > 0 }
}
