import { digestOf, printDigest } from '../contract/canonical.ts'
import { PortcullisError } from '../contract/errors.ts'
import type { Verdict } from '../contract/verdict.ts'
import { acceptanceGate, type AcceptanceFacts, authorityDigest, HUMAN_FAMILY, ReviewRecord, type ReviewScope, reviewStatement } from '../gates/acceptance/index.ts'
import { Course } from './course.ts'
import { readHistory } from './finish.ts'
import { isFinal, type RunSummary } from './ledger.ts'
import { ArtefactEvidence, CompletionEvidence, WorkspaceEvidence } from './observations.ts'
import { answersOf } from './people.ts'
import { RunRecord } from './read-run.ts'
import { RULEBOOK } from './rulebook.ts'
import { verifyHistory } from './verify-chain.ts'
import type { World } from './world.ts'

/** What a person says of a run. */
export interface GivenReview {
  readonly verdict: 'PASS' | 'FAIL' | 'ABSTAIN'
  readonly by: string
  readonly reason: string
  /** The digest of the work that was looked at, or its first digits: a word about another head says nothing about this one. */
  readonly head: string
}

export interface GivenAnswer {
  /** Whose question; needed where several are open. */
  readonly reviewer: string | undefined
  readonly answer: string
  readonly by: string
}

const HEAD_DIGITS = 12
const RUNNER_VERSION = 'person/1'

/**
 * Records what a person who speaks for the authority says of a run that waits; `resume` then judges it with everything else.
 * Of a run that has ended only a rejection can be recorded: its state is final, and it is shown as one that needs a corrective
 * run (ACC-59). Throws `usage` for whoever does not speak for the authority, another head, or a run that does not wait.
 */
export async function giveReview(world: World, runId: string, given: GivenReview): Promise<{ readonly review: ReviewRecord; readonly recordedIn: string }> {
  const { record, facts, last } = await judgedRun(world, runId)
  const review = facts.review
  if (review === null) throw usage(`a review of run ${runId}`, 'its task class asks for none', 'Add review to the task class, and run the task again.')
  refuseStranger(review.authority, given.by)
  const named = given.head.replace(/^sha256:/, '')
  if (named.length < HEAD_DIGITS || !facts.workspace.after.startsWith(named)) throw usage(`the head of run ${runId}, ${printDigest(facts.workspace.after)}`, given.head, 'Look at the work under workspace/ of the run, and name its head as npx portcullis show prints it.')
  const made = reviewBy(world, record, facts, given)
  const event = { about: runId, verdict: given.verdict, by: given.by, reason: given.reason, authority: review.authority.name }
  const { run } = record.history
  if (run.state === 'waiting') {
    const course = courseOf(world, run, last)
    await course.append({ evidence: [reviewStatement(made)], events: [course.event('review_given', event)] })
    return { review: made, recordedIn: runId }
  }
  if (!isFinal(run.state)) throw usage(`run ${runId} to wait for a review`, `it is ${run.state}: it still goes on, or was interrupted`, `Take it up first: npx portcullis resume ${runId}`)
  if (given.verdict !== 'FAIL') throw usage(`run ${runId} to wait for a review`, `it has ended (${run.state})`, 'Only a rejection can be added to a run that has ended.')
  const own = await world.ledger.begin({ kind: 'review', taskId: run.taskId, startedAt: world.clock() })
  const course = courseOf(world, own, undefined)
  await course.append({ evidence: [reviewStatement(made)], events: [course.event('review_given', event), course.event('run_ended', { state: 'blocked', reason: 'review_failed' })], state: { to: 'blocked', reason: 'review_failed', at: world.clock() } })
  return { review: made, recordedIn: own.runId }
}

/** Records a person's answer to a question of a reviewer; `resume` asks the reviewer again, with it. Throws `usage` as above. */
export async function answerQuestion(world: World, runId: string, given: GivenAnswer): Promise<{ readonly reviewer: string; readonly question: string }> {
  const { record, facts, last } = await judgedRun(world, runId)
  if (record.history.run.state !== 'waiting' || facts.review === null) throw usage(`a question of run ${runId}`, `it is ${record.history.run.state}, and waits for no answer`, `See what it is: npx portcullis show ${runId}`)
  refuseStranger(facts.review.authority, given.by)
  const answered = answersOf(record).map(({ question }) => question)
  const open = facts.reviews.flatMap(({ reviewer, question }) => (question === null || answered.includes(question) ? [] : [{ reviewer, question }]))
  const fitting = open.filter(({ reviewer }) => given.reviewer === undefined || reviewer === given.reviewer)
  const [first, second] = fitting
  if (first === undefined) throw usage(`an open question${given.reviewer === undefined ? '' : ` of ${given.reviewer}`}`, 'none', `See the questions: npx portcullis show ${runId}`)
  if (second !== undefined && second.question !== first.question) throw usage('one question', fitting.map(({ reviewer, question }) => `${reviewer}: ${question}`).join('; ').slice(0, 500), 'Name whose question it is with --reviewer.')
  const course = courseOf(world, record.history.run, last)
  await course.append({ events: [course.event('question_answered', { reviewer: first.reviewer, question: first.question, answer: given.answer, by: given.by })] })
  return first
}

/** A run whose work was judged, from evidence that holds. */
async function judgedRun(world: World, runId: string): Promise<{ record: RunRecord; facts: AcceptanceFacts; last: Verdict | undefined }> {
  const { history, read } = await readHistory(world, runId)
  const [problem] = verifyHistory(history, RULEBOOK).problems.filter(({ code }) => code !== 'run_unfinished')
  if (problem !== undefined) throw new PortcullisError('store_tampered', { asked: `run ${runId} as it was written`, found: `${problem.code} at ${problem.where}: ${problem.found}`, remedy: `See all of it: npx portcullis verify ${runId}` })
  const record = new RunRecord(read)
  const facts = record.facts(acceptanceGate)
  if (facts === undefined) throw usage(`the judged work of run ${runId}`, 'its work was never judged', `See what it is: npx portcullis show ${runId}`)
  return { record, facts, last: read.verdicts.at(-1)?.verdict }
}

const courseOf = (world: World, run: RunSummary, after: Verdict | undefined): Course =>
  new Course({ run, ledger: world.ledger, scanner: world.scanner, clock: world.clock, policyDigest: world.configurationDigest, watcher: { gateBegan: () => undefined, gateDecided: () => undefined }, after })

function refuseStranger({ name, people }: NonNullable<AcceptanceFacts['review']>['authority'], by: string): void {
  if (!people.includes(by)) throw usage(`somebody who speaks for ${name}`, JSON.stringify(by), `Have it decided by one of the people that the task class names for ${name}.`)
}

function reviewBy(world: World, record: RunRecord, facts: AcceptanceFacts, { verdict, by, reason }: GivenReview): ReviewRecord {
  const authority = facts.review?.authority ?? { name: '', people: [] }
  const at = world.clock().toISOString()
  const id = digestOf({ by, verdict, reason, at }).slice(0, 12)
  return ReviewRecord.parse({
    review_id: `${facts.runId}:${authority.name}:${id}`,
    reviewer: authority.name, kind: 'human', family: HUMAN_FAMILY, run_id: facts.runId, attempt: facts.attempt, task_class: facts.taskClass, definition_digest: authorityDigest(authority),
    head: facts.workspace.after, base: facts.workspace.before, scope: scopeOf(record), verdict, said: verdict, failure: null, reason, confidence: null, source_read_ok: true, diff_read_ok: true,
    findings: [], requirements: verdict === 'PASS' ? facts.items.map((item) => ({ id: item.id, status: 'met', reason })) : [], prior: null, question: null, claimed_blocking_count: null, model: null, by,
    // Whoever decides after the others has their verdicts before them, and the record says so.
    blind: facts.reviews.length === 0, recovered: false, started_at: at, ended_at: at, runner_version: RUNNER_VERSION,
  })
}

function scopeOf(record: RunRecord): ReviewScope {
  const [change] = record.all(WorkspaceEvidence)
  const [pinned] = record.all(CompletionEvidence)
  const patch = record.all(ArtefactEvidence).at(-1)?.files.find((file) => file.path === 'backend/workspace.patch')
  const files = change?.files.map((file) => file.path.slice(0, 1_000).toWellFormed()) ?? []
  return { files, files_more: Math.max(0, (pinned?.workspace.filesChanged ?? 0) - files.length), files_left_out: change?.filesLeftOut ?? 0, diff: { sha256: patch?.sha256 ?? digestOf(null), bytes: patch?.bytes ?? 0, whole: change?.patchTruncated === false && patch !== undefined } }
}

const usage = (asked: string, found: string, remedy: string): PortcullisError => new PortcullisError('usage', { asked, found, remedy })
