import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { verifies } from '../verifies.ts'
import { reasons, reviewed, reviewer } from '../e2e/review-scenario.ts'
import { runTask } from '../e2e/scenario.ts'

verifies('ACC-58 ACC-61 ACC-67', 'a run whose reviewers approve is accepted, and its report shows what each said of the very head', async (t) => {
  const made = await reviewed(t, { ada: reviewer('claude'), shade: reviewer('gpt', { verdict: 'FAIL', reason: 'I disagree.' }) }, { required: ['ada'], advisory: ['shade'] })
  const ran = await runTask(made)
  assert.deepEqual(reasons(ran), [0, 'pass', null, 'approved'])
  assert.deepEqual(ran.report.reviews.map((review) => [review.reviewer, review.verdict, review.counts_as, review.advisory, review.blind]), [['ada', 'PASS', 'approves', false, true], ['shade', 'FAIL', 'advisory', true, true]])
  assert.ok(ran.report.reviews.every((review) => review.head === ran.report.workspace?.after && review.prior_findings === 'no prior review given'))
  assert.match(readFileSync(join(ran.runDirectory, 'report.md'), 'utf8'), /\*\*shade\*\* \(command\) FAIL, advisory: it changes nothing/)
  const verified = await made.portcullis(['verify', ran.report.run_id])
  assert.equal(verified.code, 0, verified.stdout)
})

verifies('ACC-55 ACC-56', 'reviewers that could not read never carry a run, although each of them approves', async (t) => {
  const ran = await runTask(await reviewed(t, { ada: reviewer('claude', { diff_read_ok: false }), bob: reviewer('gpt', { stderr: 'bwrap: No permissions to create a new namespace' }) }))
  assert.notEqual(ran.report.status, 'pass')
  assert.deepEqual([ran.report.reason, ran.report.reviews.map((review) => [review.verdict, review.said])], ['review_waiting', [['ABSTAIN', 'PASS'], [null, null]]])
  assert.equal(ran.report.review?.failures, 1)
  assert.match(ran.report.refusal?.found ?? '', /^nobody approves.*ada abstains: It could not read the difference\. It said PASS.*bob failed \(sandbox_failed\)/)
})
