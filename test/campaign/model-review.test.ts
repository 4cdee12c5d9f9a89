import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { CONFIGURATION, RECORD, runTask, type Scenario, scenario } from '../e2e/scenario.ts'
import { type Judge, judgeServer } from '../helpers/judge-server.ts'
import { verifies } from '../verifies.ts'

/** The example, reviewed by a model of another provider, on a pair of its own. */
async function judged(t: TestContext): Promise<{ made: Scenario; judge: Judge }> {
  const [made, judge] = [await scenario(t), await judgeServer(t)]
  const provider = { dialect: 'openai-chat', baseUrl: judge.url, networkClass: 'loopback', credential: { source: 'none', class: 'no-secret' }, timeouts: { connect: '1s', firstByte: '10s', idle: '10s', total: '20s' } }
  made.set(CONFIGURATION, ['providers', 'bench'], provider)
  made.set(CONFIGURATION, ['profiles', 'judge'], { agent: 'command', command: ['true'], model: 'bench/judge-1', permissions: 'read-only', purposes: ['review'], isolation: 'env', backgroundModels: 'refuse', limits: { total: '1m', idle: '30s', calls: 5, tokens: 100_000 } })
  made.set(CONFIGURATION, ['purposes', 'review'], { needs: [] })
  made.set(CONFIGURATION, ['reviewers'], { ada: { kind: 'model', profile: 'judge', purpose: 'review', answerTokens: 2_000, timeout: '20s', family: 'bench' } })
  made.set(CONFIGURATION, ['taskClasses', 'code-change', 'review'], { required: ['ada'], families: 1, authority: { name: 'board', people: ['J. Doe'] } })
  const record = JSON.parse(readFileSync(join(made.directory, RECORD), 'utf8')) as Record<string, unknown>
  made.write('admissions/bench--judge-1.json', JSON.stringify({ ...record, provider: 'bench', model: 'judge-1', endpoint: judge.url, served_model_ids: ['judge-1'] }))
  return { made, judge }
}

verifies('ACC-58 ACC-55', 'a model judges through the wire, on its own admitted pair; the served model and its call stand in the ledger', async (t) => {
  const { made, judge } = await judged(t)
  const { report } = await runTask(made)
  assert.equal(report.status, 'pass', report.summary)
  const [review] = report.reviews
  assert.deepEqual([review?.verdict, review?.requested_model, review?.served_model, review?.head], ['PASS', 'bench/judge-1', 'judge-1', report.workspace?.after])
  assert.equal(report.model.requested, 'scripted/coder-1', 'the run is still one of its own pair')
  const own = await made.portcullis(['verify', review?.review_run ?? ''])
  assert.equal(own.code, 0, own.stdout)
  assert.match((await made.portcullis(['calls', review?.review_run ?? '', '--json'])).stdout, /judge-1/)
  assert.equal((await made.portcullis(['verify', report.run_id])).code, 0)
  assert.match(judge.prompts[0] ?? '', /Implement `slugify`/)
})

verifies('ACC-56 ACC-65', 'a model that is not admitted, or is another one than it was asked for, gives no verdict, whatever it says', async (t) => {
  const { made, judge } = await judged(t)
  judge.served = 'cheaper-1'
  const swapped = await runTask(made)
  assert.deepEqual([swapped.report.reason, swapped.report.reviews[0]?.verdict, swapped.report.reviews[0]?.served_model], ['review_waiting', null, null])
  made.set('admissions/bench--judge-1.json', ['status'], 'revoked')
  const asked = judge.prompts.length
  const refused = await runTask(made)
  assert.deepEqual([refused.report.reason, refused.report.reviews[0]?.failure?.code, judge.prompts.length], ['review_waiting', 'not_admitted', asked])
})
