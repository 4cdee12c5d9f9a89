import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { answeredBy, type Stage, stage } from '../../test/helpers/fake-world.ts'
import { verifies } from '../../test/verifies.ts'
import { answerQuestion, correctionsOf, giveReview, readHistory, showRun, type ShownRun } from './index.ts'

const REVIEW = { required: ['ada'], families: 1, authority: { name: 'board', people: ['J. Doe'] } }
const configured = (change: object = {}): Record<string, unknown> => ({
  taskClasses: { change: { completion: 'product', probes: ['tests'], review: { ...REVIEW, ...change } } },
  reviewers: { ada: { kind: 'command', command: ['review'], timeout: '5s', family: 'claude' } },
})

/** A run that waits: its reviewer abstains until it is told what it asks for. */
async function waiting(context: TestContext): Promise<{ made: Stage; runId: string; head: string }> {
  const made = await stage(context, {
    configuration: configured(),
    review: (request) => answeredBy(request, request.answers.length === 0 ? { verdict: 'ABSTAIN', reason: 'I must know more.', question: 'May accents be dropped?' } : { reason: `They said: ${request.answers[0]?.answer}` }),
  })
  const { report } = await made.run()
  assert.equal(report.reason, 'review_waiting')
  return { made, runId: report.run_id, head: report.workspace?.after ?? '' }
}

const shown = async (made: Stage, runId: string): Promise<ShownRun> => {
  const { history, read } = await readHistory(made, runId)
  return showRun(history, read, await correctionsOf(made.ledger, runId))
}
const ended = async (made: Stage, runId: string): Promise<unknown> => (await readHistory(made, runId)).read.events.findLast((event) => event.type === 'run_ended')?.data

verifies('MC-113 MC-120', 'one who speaks for the authority decides a run that waits, with name and reason, and its end says who and by which gate', async (t) => {
  const { made, runId, head } = await waiting(t)
  assert.deepEqual([(await shown(made, runId)).waiting, (await shown(made, runId)).head], [{ authority: 'board', questions: [{ reviewer: 'ada', question: 'May accents be dropped?', answered: false }] }, head])
  const given = { verdict: 'PASS', by: 'J. Doe', reason: 'I read it.', head } as const
  for (const change of [{ by: 'Somebody' }, { head: 'b'.repeat(64) }, { head: head.slice(0, 15) }, { head: '' }]) await assert.rejects(giveReview(made.world, runId, { ...given, ...change }), { code: 'usage' })
  assert.equal((await shown(made, runId)).reviews.length, 1, 'nothing of these was recorded')
  const { recordedIn } = await giveReview(made.world, runId, given)
  assert.equal(recordedIn, runId)
  assert.equal((await shown(made, runId)).state, 'waiting', 'a word is no end: the gate judges it')
  const { report } = await made.resume(runId)
  assert.deepEqual([report.status, report.reviews.findLast((review) => review.kind === 'human')?.by], ['pass', 'J. Doe'])
  const data = await ended(made, runId)
  assert.ok(typeof data === 'object' && data !== null && 'verdict' in data)
  assert.deepEqual(data, { state: 'accepted', reason: null, closed_by: 'J. Doe', gate: 'acceptance', verdict: data.verdict, human_input_required: true })
  assert.deepEqual((await made.verify(runId)).problems, [])
  await assert.rejects(giveReview(made.world, runId, given), { code: 'usage' }, 'a second closer finds it closed')
})

verifies('ACC-59', 'a person rejects work that waits, and work that was accepted: then the run is shown as one that needs a corrective run', async (t) => {
  const { made, runId, head } = await waiting(t)
  await giveReview(made.world, runId, { verdict: 'FAIL', by: 'J. Doe', reason: 'It drops letters.', head })
  assert.equal((await made.resume(runId)).report.reason, 'review_failed')
  const later = await stage(t, { configuration: configured() })
  const { report, json } = await later.run()
  assert.equal(report.status, 'pass')
  assert.deepEqual((await shown(later, report.run_id)).corrective_run_required, [])
  const { recordedIn } = await giveReview(later.world, report.run_id, { verdict: 'FAIL', by: 'J. Doe', reason: 'Post-merge audit.', head: `sha256:${report.workspace?.after.slice(7, 30)}` })
  assert.notEqual(recordedIn, report.run_id)
  assert.deepEqual((await shown(later, report.run_id)).corrective_run_required.map(({ by, reason }) => [by, reason]), [['J. Doe', 'Post-merge audit.']])
  assert.equal((await later.resume(report.run_id)).json, json, 'what was proven is told as it was')
  assert.deepEqual((await later.verify(recordedIn)).problems, [])
})

verifies('ACC-56', 'a question of a reviewer is answered by a person of the authority, and the reviewer judges again with the answer', async (t) => {
  const { made, runId } = await waiting(t)
  await assert.rejects(answerQuestion(made.world, runId, { answer: 'Yes.', by: 'Somebody', reviewer: undefined }), { code: 'usage' })
  await assert.rejects(answerQuestion(made.world, runId, { answer: 'Yes.', by: 'J. Doe', reviewer: 'bob' }), { code: 'usage' })
  assert.deepEqual(await answerQuestion(made.world, runId, { answer: 'Yes.', by: 'J. Doe', reviewer: undefined }), { reviewer: 'ada', question: 'May accents be dropped?' })
  await assert.rejects(answerQuestion(made.world, runId, { answer: 'No.', by: 'J. Doe', reviewer: undefined }), { code: 'usage' }, 'answered')
  assert.equal((await shown(made, runId)).waiting?.questions[0]?.answered, true)
  const { report } = await made.resume(runId)
  assert.deepEqual([report.status, report.reviews.at(-1)?.reason], ['pass', 'They said: Yes.'])
  assert.deepEqual((await made.verify(runId)).problems, [])
})
