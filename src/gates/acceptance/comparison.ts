import type { AcceptanceFacts } from './acceptance-facts.ts'
import { type Fault, fault } from './fault.ts'
import { faultOfRecords, holds, notCleanlyFailed, summariesOf } from './judge-records.ts'
import type { ProbeRecord } from './probe-record.ts'
import type { ProbeStatus } from './probe-status.ts'

/** The check that every comparison has, whatever probes are bound: do files that count differ from the untouched copy? */
export const CHANGE_CHECK = 'workspace-change'

/** One check, and what it said of each side; null where it was not made. */
export interface ComparedCheck {
  readonly check: string
  readonly untouched: ProbeStatus | null
  readonly fake: ProbeStatus | null
  readonly reference: ProbeStatus | null
  readonly result: ProbeStatus | null
  /** It holds on the result, and on nothing that was reached without the agent. */
  readonly better: boolean
}

export interface Comparison {
  /** `not-run` if a check lacks a side; `better-than-untouched` if each one is better than what doing nothing achieves. */
  readonly outcome: 'better-than-untouched' | 'not-better-than-untouched' | 'not-run'
  readonly checks: readonly ComparedCheck[]
}

/** Compares the result with the untouched copy and with the fake backend's, check by check (ADM-B2). Pure and total. */
export function compareWithBaseline(facts: AcceptanceFacts): Comparison {
  const checks = [changeCheck(facts), ...facts.binding.map(({ probe }) => probeCheck(facts, probe))]
  if (facts.fake === null || checks.some((check) => check.fake === null || check.untouched === null || check.result === null)) return { outcome: 'not-run', checks }
  return { outcome: checks.every((check) => check.better) ? 'better-than-untouched' : 'not-better-than-untouched', checks }
}

const said = (changed: boolean): ProbeStatus => (changed ? 'passed' : 'failed')

function changeCheck({ workspace, fake }: AcceptanceFacts): ComparedCheck {
  const result = said(workspace.before !== workspace.after && workspace.filesChanged > 0)
  const byFake = fake === null ? null : said(fake.before !== fake.after || fake.files_changed > 0)
  return { check: CHANGE_CHECK, untouched: 'failed', fake: byFake, reference: null, result, better: result === 'passed' && byFake === 'failed' }
}

function probeCheck(facts: AcceptanceFacts, probe: string): ComparedCheck {
  const { untouched, fake, reference, result } = facts.records
  const of = (records: readonly ProbeRecord[] | null): ProbeRecord | undefined => records?.find((record) => record.probe === probe)
  const [before, idle, known, done] = [of(untouched), of(fake), of(reference), of(result)]
  const better = done !== undefined && holds(facts, done) && before?.status === 'failed' && idle?.status === 'failed'
  return { check: probe, untouched: before?.status ?? null, fake: idle?.status ?? null, reference: known?.status ?? null, result: done?.status ?? null, better }
}

/** What the fake backend left is of this run, on this repository, and empty. That it was played at all is asked by the comparison. */
export function faultOfFake({ fake, workspace, runId, attempt }: AcceptanceFacts): Fault | undefined {
  if (fake === null) return undefined
  const asked = 'the work of the fake backend in the same run, on its own copy of the repository'
  if (fake.run_id !== runId || fake.attempt !== attempt) return fault('evidence_invalid', 'The work of the fake backend is not of this run.', asked, `attempt ${fake.attempt} of run ${fake.run_id}`)
  if (fake.before !== workspace.before) return fault('evidence_invalid', 'The fake backend was played on another repository.', asked, `workspace ${fake.before.slice(0, 12)}, where the agent began on ${workspace.before.slice(0, 12)}`)
  if (fake.after !== fake.before || fake.files_changed > 0) {
    return fault('baseline_inconclusive', 'The copy of the fake backend changed, though it does nothing.', 'an empty difference where nobody worked', `${fake.files_changed} changed files, workspace ${fake.after.slice(0, 12)}`)
  }
  return undefined
}

/** Every bound probe was run on the fake backend's copy, and looked: that it passed there is the comparison's to judge. */
export function faultOfFakeRecords(facts: AcceptanceFacts): Fault | undefined {
  const { fake, records } = facts
  if (fake === null) return undefined
  const faulty = faultOfRecords(facts, 'fake', records.fake, fake.after)
  if (faulty !== undefined) return faulty
  const unclear = records.fake.find((record) => record.status !== 'passed' && notCleanlyFailed(facts, record))
  return unclear === undefined ? undefined : fault('baseline_inconclusive', `${unclear.probe} gave no clear failure for the fake backend: ${unclear.summary}`, `${unclear.probe} to fail for the fake backend`, `${unclear.status}: ${unclear.summary}`)
}

/** Without a comparison that the result wins in every check nothing is accepted (ADM-B1, ADM-B2). */
export function faultOfComparison(facts: AcceptanceFacts): Fault | undefined {
  const { outcome, checks } = compareWithBaseline(facts)
  const asked = 'a result that is better than what the fake backend achieves by doing nothing, in every check'
  if (outcome === 'not-run') return fault('baseline_not_compared', 'The result was not compared with what doing nothing achieves.', asked, facts.fake === null ? 'the fake backend was not played' : 'a check without one of its sides')
  const poor = checks.filter((check) => !check.better).map(({ check }) => check)
  if (poor.length === 0) return undefined
  const part = checks.some((check) => check.better && check.check !== CHANGE_CHECK) ? 'A part of the result' : 'The result'
  const found = [...poor.filter((check) => check === CHANGE_CHECK), summariesOf(facts.records.fake.filter((record) => poor.includes(record.probe)))].filter((text) => text !== '').join('; ')
  return fault('not_better_than_baseline', `${part} is no better than what doing nothing achieves: ${poor.join(', ')}.`, asked, found)
}
