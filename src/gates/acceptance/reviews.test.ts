import assert from 'node:assert/strict'
import { test } from 'node:test'
import { verifies } from '../../../test/verifies.ts'
import { authorityDigest, blockingFindings, type BoundReview, bindReview, droppedBlockingFindings, judgeAnswer, ReviewAnswer, ReviewRecord, reviewRecordOf, type ReviewSight, reviewStatement, ReviewEvidence, standingOf } from './index.ts'
import { faultOfReviews } from './judge-reviews.ts'
import { type ReviewerDefinition, reviewerDigest, TaskClass } from '../catalog/index.ts'

const HEAD = 'a'.repeat(64)
const BASE = 'b'.repeat(64)
const RUN = '20261120T213918Z-r1-string-slugify-1'
const definition = (family: string): ReviewerDefinition => ({ kind: 'command', command: ['review', family], timeout: '5s', family })
const reviewers = { ada: definition('claude'), bob: definition('gpt'), cyd: definition('claude'), shade: definition('gemini') }
const authority = { name: 'release-board', people: ['J. Doe'] }
const rule = { required: ['ada', 'bob', 'cyd'], advisory: ['shade'], families: 1, authority }

function bound(change: Partial<BoundReview> = {}): BoundReview {
  const made = bindReview({ taskClass: 'change', taskClasses: { change: TaskClass.parse({ completion: 'review', probes: [], review: rule }) }, reviewers })
  assert.ok(made.ok && made.binding.bound !== null)
  return { ...made.binding.bound, ...change }
}

let made = 0
function review(reviewer: keyof typeof reviewers, change: Partial<ReviewRecord> = {}): ReviewRecord {
  const verdict = change.verdict === undefined ? 'PASS' : change.verdict
  return ReviewRecord.parse({
    review_id: `${RUN}:${reviewer}:${(made += 1)}`, reviewer, kind: 'command', family: reviewers[reviewer].family, run_id: RUN, attempt: 1, task_class: 'change', definition_digest: reviewerDigest(reviewers[reviewer]),
    head: HEAD, base: BASE, scope: { files: ['a.js'], files_more: 0, files_left_out: 0, diff: { sha256: BASE, bytes: 10, whole: true } },
    verdict, said: verdict, failure: verdict === null ? { code: 'timed_out', text: 'it did not end within 5s' } : null, reason: 'It does what was asked.', confidence: 0.9, source_read_ok: true, diff_read_ok: true,
    findings: [], requirements: [{ id: 1, status: 'met', reason: 'seen' }], prior: null, question: null, claimed_blocking_count: null, model: null, by: null, blind: true, recovered: false,
    started_at: '2026-11-20T21:39:23.000Z', ended_at: '2026-11-20T21:39:24.000Z', runner_version: 'review-runner/1', ...change,
  })
}
const human = (change: Partial<ReviewRecord> = {}): ReviewRecord => review('ada', { reviewer: authority.name, kind: 'human', family: 'human', definition_digest: authorityDigest(authority), by: 'J. Doe', ...change })
const finding = (change: Partial<ReviewRecord['findings'][number]> = {}): ReviewRecord['findings'][number] => ({ id: 'F1', file: 'src/a.js', line: 7, severity: 'high', confidence: 0.95, text: 'the input is not checked', dropped_by: null, ...change })

type Facts = Parameters<typeof faultOfReviews>[0]
const facts = (reviews: readonly ReviewRecord[], change: Partial<BoundReview> = {}): Facts => ({ runId: RUN, taskClass: 'change', completion: 'review', workspace: { before: BASE, after: HEAD, filesChanged: 1, protectedChanged: [], linksOut: [] }, review: bound(change), reviews: [...reviews] })
const reasonOf = (reviews: readonly ReviewRecord[], change: Partial<BoundReview> = {}): string | undefined => faultOfReviews(facts(reviews, change))?.reason
const foundOf = (reviews: readonly ReviewRecord[], change: Partial<BoundReview> = {}): string => faultOfReviews(facts(reviews, change))?.found ?? ''

verifies('ACC-56 MC-110', 'a pass carries the work; an abstention neither passes nor fails, and alone it waits for the authority, with its reason', () => {
  assert.equal(reasonOf([review('ada')]), undefined)
  assert.equal(reasonOf([review('ada'), review('bob', { verdict: 'ABSTAIN' })]), undefined)
  assert.equal(reasonOf([]), 'review_waiting')
  const abstained = [review('ada', { verdict: 'ABSTAIN', reason: 'I could not tell.' }), review('bob', { verdict: 'ABSTAIN' })]
  assert.equal(reasonOf(abstained), 'review_waiting')
  assert.match(foundOf(abstained), /^nobody approves, of 1 family needed; ada abstains: I could not tell\.; bob abstains/)
})

verifies('MC-113', 'when nobody decides it is the configured authority that is waited for, and one of its people can decide', () => {
  const waiting = [review('ada', { verdict: 'ABSTAIN' })]
  assert.match(faultOfReviews(facts(waiting))?.message ?? '', /^The work waits for release-board: /)
  assert.equal(reasonOf([...waiting, human()]), undefined)
  assert.equal(reasonOf([...waiting, human({ by: 'Somebody else' })]), 'evidence_invalid')
  assert.equal(reasonOf([...waiting, human({ reviewer: 'another-board' })]), 'evidence_invalid')
  assert.equal(reasonOf([review('ada')], { authorityMustAgree: true }), 'review_waiting')
  assert.equal(reasonOf([review('ada'), human()], { authorityMustAgree: true }), undefined)
  assert.equal(reasonOf([review('ada'), human({ verdict: 'ABSTAIN' })], { authorityMustAgree: true }), 'review_waiting')
})

verifies('ACC-59', 'a rejection on the same head overrules approvals, whichever came first and whoever gave them', () => {
  assert.equal(reasonOf([review('ada'), review('bob', { verdict: 'FAIL' })]), 'review_failed')
  assert.equal(reasonOf([review('ada', { verdict: 'FAIL' }), review('ada')]), 'review_failed')
  assert.equal(reasonOf([review('ada'), review('bob'), human({ verdict: 'FAIL' })]), 'review_failed')
  assert.equal(reasonOf([review('ada', { verdict: 'FAIL' }), human()]), 'review_failed')
})

verifies('ACC-57 ACC-66', 'a verdict on another head is shown and counts for nothing, in either direction', () => {
  assert.equal(reasonOf([review('ada', { head: BASE })]), 'review_waiting')
  assert.match(foundOf([review('ada', { head: BASE })]), /the review of ada is stale/)
  assert.equal(reasonOf([review('ada', { head: BASE, verdict: 'FAIL' }), review('bob')]), undefined)
})

verifies('ACC-60 ACC-68', 'what blocks is counted from the findings, whatever the reviewer says of itself', () => {
  assert.equal(reasonOf([review('ada', { findings: [finding()], claimed_blocking_count: 0 })]), 'review_failed')
  assert.match(foundOf([review('ada', { findings: [finding()], claimed_blocking_count: 0 })]), /it says PASS, with 1 blocking findings: src\/a\.js:7: the input is not checked/)
  assert.equal(reasonOf([review('ada', { findings: [finding({ severity: 'medium' })] })]), undefined)
  const answer = ReviewAnswer.parse({ ...ANSWER, merge_eligible: true, complete_eligible: true, blocking_count: 0 })
  assert.equal('merge_eligible' in answer, false)
})

verifies('ACC-61 MC-119', 'an acceptance item that a reviewer calls not met is not carried by its pass, and a pass that is silent on one is none', () => {
  assert.equal(reasonOf([review('ada', { requirements: [{ id: 1, status: 'not_met', reason: 'no test' }] })]), 'review_failed')
  assert.equal(reasonOf([review('ada', { requirements: [{ id: 1, status: 'partially_met', reason: 'no edge case' }] })]), undefined)
  assert.deepEqual(judged({ requirements: [] }), ['ABSTAIN', 'It says nothing of acceptance item 1. It said PASS: fine'])
})

verifies('ACC-63', 'an approval that left out a blocking finding counts only beside another, and the finding stays with its rule', () => {
  const dropped = review('ada', { findings: [finding({ dropped_by: 'outside the changed files' })] })
  assert.equal(reasonOf([dropped]), 'review_waiting')
  assert.match(foundOf([dropped]), /ada passes it and left out 1 blocking findings/)
  assert.equal(standingOf(facts([dropped]), dropped), 'not_alone')
  assert.equal(reasonOf([dropped, review('bob')]), undefined)
  assert.equal(dropped.findings[0]?.dropped_by, 'outside the changed files')
})

verifies('MC-122', 'a council needs so many distinct model families, and neither two of one family nor one model under two names make two', () => {
  assert.equal(reasonOf([review('ada'), review('cyd')], { families: 2 }), 'review_waiting')
  assert.match(foundOf([review('ada'), review('cyd')], { families: 2 }), /^claude approves, of 2 families needed/)
  assert.equal(reasonOf([review('ada'), review('bob')], { families: 2 }), undefined)
  assert.equal(reasonOf([review('ada'), review('bob', { verdict: 'ABSTAIN' })], { families: 2 }), 'review_waiting')
  assert.equal(reasonOf([review('ada'), human()], { families: 2 }), undefined)
  const model = (provider: string): ReviewRecord['model'] => ({ requested: { provider, model: 'm-1' }, served: 'm-1', review_run: RUN, calls: [HEAD] })
  const council = { families: 2, reviewers: bound().reviewers.map((each) => ({ ...each, kind: 'model' as const })) }
  assert.equal(reasonOf([review('ada', { kind: 'model', model: model('x') }), review('bob', { kind: 'model', model: model('y') })], council), 'review_waiting')
})

verifies('MC-111', 'an advisory reviewer changes nothing, whatever it says', () => {
  assert.equal(reasonOf([review('ada'), review('shade', { verdict: 'FAIL' })]), undefined)
  assert.equal(reasonOf([review('shade')]), 'review_waiting')
  const shadow = review('shade', { verdict: 'FAIL' })
  assert.equal(standingOf(facts([shadow]), shadow), 'advisory')
})

verifies('ACC-64 ACC-65', 'a recovered review and a failed runtime are no verdicts: shown, and counted for nothing', () => {
  assert.equal(reasonOf([review('ada', { recovered: true })]), 'review_waiting')
  const failed = [review('ada', { verdict: null })]
  assert.equal(reasonOf(failed), 'review_waiting')
  assert.match(foundOf(failed), /ada failed \(timed_out\): it did not end within 5s/)
})

test('a review that is not of this run, or not by a reviewer of it, is no evidence', () => {
  for (const change of [{ run_id: '20261120T213918Z-other-2' }, { task_class: 'other' }, { definition_digest: BASE }, { family: 'gpt' }, { reviewer: 'nobody' }] as const) {
    assert.equal(reasonOf([review('ada'), review('ada', change)]), 'evidence_invalid', JSON.stringify(change))
  }
  const twice = review('ada')
  assert.equal(reasonOf([twice, twice]), 'evidence_invalid')
  assert.equal(faultOfReviews({ ...facts([review('ada')]), completion: 'product', review: null })?.reason, 'evidence_invalid')
  assert.equal(faultOfReviews({ ...facts([]), completion: 'product', review: null }), undefined)
  assert.equal(faultOfReviews({ ...facts([]), review: null })?.reason, 'review_missing')
})

const ANSWER = { head: HEAD, verdict: 'PASS', confidence: 0.9, reason: 'fine', source_read_ok: true, diff_read_ok: true, read: { diff: 'D', source: 'S' }, findings: [], requirements: [{ id: 1, status: 'met', reason: 'seen' }] }
const SIGHT: ReviewSight = { head: HEAD, marks: { diff: 'D', source: 'S' }, diffWhole: true, items: [1], prior: null }
function judged(answer: Record<string, unknown>, sight: Partial<ReviewSight> = {}): [verdict: string | null, reason: string] {
  const { verdict, reason } = judgeAnswer(ReviewAnswer.parse({ ...ANSWER, ...answer }), { ...SIGHT, ...sight })
  return [verdict, reason]
}

verifies('ACC-55 ACC-56', 'whoever could not read its inputs, or does not show that it did, abstains, whatever it said', () => {
  assert.deepEqual(judged({}), ['PASS', 'fine'])
  assert.deepEqual(judged({ source_read_ok: false }), ['ABSTAIN', 'It could not read the changed files. It said PASS: fine'])
  assert.deepEqual(judged({ diff_read_ok: false }), ['ABSTAIN', 'It could not read the difference. It said PASS: fine'])
  assert.deepEqual(judged({ read: { diff: 'other', source: 'S' } }), ['ABSTAIN', 'It did not show that it read the difference. It said PASS: fine'])
  assert.deepEqual(judged({ read: { diff: 'D', source: '' } }), ['ABSTAIN', 'It did not show that it read the changed files. It said PASS: fine'])
  assert.deepEqual(judged({}, { diffWhole: false }), ['ABSTAIN', 'The difference was too long to be shown as a whole. It said PASS: fine'])
  assert.deepEqual(judged({ head: BASE }), ['ABSTAIN', 'It judged another head. It said PASS: fine'])
  assert.deepEqual(judged({ verdict: 'FAIL', source_read_ok: false })[0], 'ABSTAIN')
  assert.deepEqual(judged({ verdict: 'ABSTAIN', reason: 'no access', source_read_ok: false }), ['ABSTAIN', 'no access'])
  // Nor can such a record be written by hand.
  for (const flag of ['source_read_ok', 'diff_read_ok']) {
    for (const verdict of ['PASS', 'FAIL'] as const) assert.equal(ReviewRecord.safeParse({ ...review('ada', { verdict }), [flag]: false }).success, false)
    assert.equal(ReviewRecord.safeParse({ ...review('ada', { verdict: 'ABSTAIN' }), [flag]: false }).success, true)
  }
})

verifies('ACC-62', 'earlier findings must each be answered for, and none having been given is told from none being left', () => {
  assert.deepEqual(judged({ prior: [] }, { prior: ['F1'] }), ['ABSTAIN', 'It says nothing of the earlier finding F1. It said PASS: fine'])
  assert.deepEqual(judged({ prior: [{ id: 'F1', status: 'fixed' }] }, { prior: ['F1'] }), ['PASS', 'fine'])
  assert.equal(judgeAnswer(ReviewAnswer.parse(ANSWER), SIGHT).prior, null)
  assert.deepEqual(judgeAnswer(ReviewAnswer.parse(ANSWER), { ...SIGHT, prior: [] }).prior, [])
})

verifies('ACC-58 ACC-67', 'a record names its id, reviewer, head and what was shown, and one without is none', () => {
  const record = review('ada')
  assert.deepEqual(ReviewEvidence.read(JSON.parse(JSON.stringify(reviewStatement(record))))?.predicate, record)
  for (const field of ['review_id', 'reviewer', 'head', 'scope', 'source_read_ok', 'diff_read_ok', 'blind', 'model']) {
    assert.equal(ReviewRecord.safeParse({ ...record, [field]: undefined }).success, false, field)
  }
  assert.equal(ReviewRecord.safeParse({ ...record, kind: 'model' }).success, false, 'a verdict of a model that nobody saw answer')
  assert.equal(ReviewRecord.safeParse({ ...record, said: 'FAIL' }).success, false)
  assert.equal(ReviewRecord.safeParse({ ...record, by: 'J. Doe' }).success, false)
  assert.equal(ReviewRecord.safeParse({ ...record, verdict: null }).success, false)
})

test('what cannot be bound is refused before anything starts', () => {
  const bind = (review: object | undefined, table: Record<string, ReviewerDefinition> = reviewers) => bindReview({ taskClass: 'change', taskClasses: { change: TaskClass.parse({ completion: 'review', probes: [], ...(review === undefined ? {} : { review }) }) }, reviewers: table })
  assert.equal(bind(rule).ok, true)
  assert.equal(bind(undefined).ok, false)
  assert.equal(bind({ ...rule, required: ['constructor'] }).ok, false)
  assert.equal(bind(rule, {}).ok, false)
  assert.equal(TaskClass.safeParse({ completion: 'review', probes: [], review: { ...rule, families: 0 } }).success, false)
  for (const left of ['required', 'families', 'authority']) assert.equal(TaskClass.safeParse({ completion: 'review', probes: [], review: { ...rule, [left]: undefined } }).success, false, left)
})

test('a review for the authority is of its own family, by its own digest and by any of its people, and is never taken for that of a reviewer', () => {
  for (const change of [{ family: 'claude' }, { definition_digest: BASE }] as const) assert.equal(reasonOf([human(change)]), 'evidence_invalid')
  const two = { name: 'release-board', people: ['J. Doe', 'A. Roe'] }
  for (const by of two.people) assert.equal(reasonOf([human({ by, definition_digest: authorityDigest(two) })], { authority: two }), undefined)
  const namesake = { name: 'shade', people: ['J. Doe'] }
  assert.equal(reasonOf([review('ada'), human({ reviewer: 'shade', definition_digest: authorityDigest(namesake), verdict: 'FAIL' })], { authority: namesake }), 'review_failed')
})

test('one item that is not met rejects beside those that are, and a review of another kind is not of this reviewer', () => {
  assert.equal(reasonOf([review('ada', { requirements: [{ id: 1, status: 'met', reason: 'seen' }, { id: 2, status: 'not_met', reason: 'no test' }] })]), 'review_failed')
  assert.match(foundOf([review('ada', { requirements: [{ id: 1, status: 'met', reason: 'seen' }, { id: 2, status: 'not_met', reason: 'no test' }] })]), /acceptance item 2 is not met: no test/)
  assert.match(foundOf([review('ada', { verdict: 'FAIL', findings: [finding({ file: null })] })]), /^ada: the work as a whole: the input is not checked$/)
  assert.match(foundOf([review('ada', { verdict: 'FAIL', reason: 'It is wrong.' })]), /^ada: It is wrong\.$/)
  const model: ReviewRecord['model'] = { requested: { provider: 'x', model: 'm-1' }, served: 'm-1', review_run: RUN, calls: [HEAD] }
  assert.equal(reasonOf([review('ada', { kind: 'model', model })]), 'evidence_invalid')
  const council = { families: 2, reviewers: bound().reviewers.map((each) => ({ ...each, kind: 'model' as const })) }
  assert.equal(reasonOf([review('ada', { kind: 'model', model }), review('bob', { kind: 'model', model: { ...model, served: 'm-2' } })], council), undefined)
})

test('a record of a review does not hold together with a model that is none of its own, or an end before its start', () => {
  const fits = (change: Partial<ReviewRecord>): boolean => ReviewRecord.safeParse({ ...review('ada'), ...change }).success
  const model: ReviewRecord['model'] = { requested: { provider: 'x', model: 'm-1' }, served: 'm-1', review_run: RUN, calls: [HEAD] }
  const failed = { verdict: null, said: null, failure: { code: 'timed_out', text: 'late' } } as const
  assert.deepEqual([fits({ kind: 'model', model }), fits({ kind: 'model', ...failed }), fits({ ...failed, source_read_ok: false }), fits({ ended_at: '2026-11-20T21:39:23.000Z' })], [true, true, true, true])
  assert.deepEqual([fits({ model }), fits({ kind: 'model' }), fits({ ended_at: '2026-11-20T21:39:22.999Z' })], [false, false, false])
  const findings = [finding({ id: 'A' }), finding({ id: 'B', dropped_by: 'a rule' }), finding({ id: 'C', severity: 'low', dropped_by: 'a rule' }), finding({ id: 'D', severity: 'low' })]
  assert.deepEqual([blockingFindings({ findings }).map(({ id }) => id), droppedBlockingFindings({ findings }).map(({ id }) => id)], [['A'], ['B']])
})

test('a rejection needs no word on every item, a pass on each of them and on each earlier finding', () => {
  assert.deepEqual(judged({ verdict: 'FAIL', requirements: [] }), ['FAIL', 'fine'])
  assert.deepEqual(judged({}, { items: [1, 2] }), ['ABSTAIN', 'It says nothing of acceptance item 2. It said PASS: fine'])
  assert.deepEqual(judged({ prior: [{ id: 'F1', status: 'fixed' }] }, { prior: ['F1', 'F2'] }), ['ABSTAIN', 'It says nothing of the earlier finding F2. It said PASS: fine'])
  assert.deepEqual(judged({}, { prior: ['F1'] }), ['ABSTAIN', 'It says nothing of the earlier finding F1. It said PASS: fine'])
  const whole = judgeAnswer(ReviewAnswer.parse({ ...ANSWER, prior: [{ id: 'F1', status: 'fixed' }], question: 'Why?', blocking_count: 2 }), { ...SIGHT, prior: ['F1'] })
  assert.deepEqual([whole.prior?.length, whole.question, whole.claimed_blocking_count], [1, 'Why?', 2])
  const bare = judgeAnswer(ReviewAnswer.parse(ANSWER), { ...SIGHT, diffWhole: false })
  assert.deepEqual([bare.diff_read_ok, bare.question, bare.claimed_blocking_count], [false, null, null])
})

test('a task class that asks for no review binds none', () => {
  const bind = (completion: string) => bindReview({ taskClass: 'change', taskClasses: { change: TaskClass.parse({ completion, probes: completion === 'product' ? ['tests'] : [] }) }, reviewers })
  assert.deepEqual(bind('code'), { ok: true, binding: { bound: null, definitions: [] } })
  assert.equal(bind('review').ok, false)
})

test('a reviewer that failed, said nothing, or was not seen to answer gives no verdict', () => {
  const asked = (definition: ReviewerDefinition, model: ReviewRecord['model'] = null): Parameters<typeof reviewRecordOf>[0] => ({
    request: { name: 'ada', definition, runId: RUN, head: HEAD, base: BASE, diff: { bytes: Buffer.from(''), whole: true }, items: [{ id: 1, text: 'a' }], prior: null },
    attempt: 1, taskClass: 'change', scope: review('ada').scope, model,
  })
  const answer = { answer: ReviewAnswer.parse(ANSWER), failure: null, marks: SIGHT.marks, startedAt: '2026-11-20T21:39:23.000Z', endedAt: '2026-11-20T21:39:24.000Z', runnerVersion: 'review-runner/1' }
  const command = asked(reviewers.ada)
  const verdictOf = (record: ReviewRecord): readonly (string | null)[] => [record.verdict, record.failure?.code ?? null]
  assert.deepEqual(verdictOf(reviewRecordOf(command, answer)), ['PASS', null])
  assert.deepEqual(verdictOf(reviewRecordOf(command, { ...answer, answer: null })), [null, 'no_answer'])
  assert.deepEqual(verdictOf(reviewRecordOf(command, { ...answer, failure: { code: 'timed_out', text: 'late' } })), [null, 'timed_out'])
  const byModel = { kind: 'model', profile: 'judge', timeout: '5s', family: 'claude' } as unknown as ReviewerDefinition
  assert.deepEqual(verdictOf(reviewRecordOf(asked(byModel), answer)), [null, 'not_on_the_wire'])
  assert.deepEqual(verdictOf(reviewRecordOf(asked(byModel), { ...answer, answer: null })), [null, 'no_answer'])
  assert.deepEqual(verdictOf(reviewRecordOf(asked(byModel, { requested: { provider: 'x', model: 'm-1' }, served: 'm-1', review_run: RUN, calls: [HEAD] }), answer)), ['PASS', null])
  const prior = { ...command, request: { ...command.request, prior: [finding()] } }
  assert.deepEqual(verdictOf(reviewRecordOf(prior, answer)), ['ABSTAIN', null])
})
