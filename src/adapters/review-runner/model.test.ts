import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { type Judge, judgeServer } from '../../../test/helpers/judge-server.ts'
import { verifies } from '../../../test/verifies.ts'
import { systemClock } from '../../contract/clock.ts'
import { judgeAnswer, type ReviewAnswered, type ReviewRequest } from '../../gates/acceptance/index.ts'
import { workspaceDigest } from '../workspace/index.ts'
import { createReviewRunner } from './index.ts'

const SECRET = 'sk-test-0123456789abcdefghij'
const runner = createReviewRunner({ secrets: () => [SECRET], clock: systemClock })

async function requestOf(context: TestContext, judge: Judge, change: Partial<ReviewRequest> = {}): Promise<ReviewRequest> {
  const workspace = mkdtempSync(join(tmpdir(), 'portcullis-judged-'))
  context.after(() => rmSync(workspace, { recursive: true, force: true }))
  writeFileSync(join(workspace, 'a.txt'), `two, and ${SECRET}\n`)
  const baseUrl = { 'openai-chat': judge.url, 'openai-responses': judge.url, 'anthropic-messages': judge.url, gemini: judge.url }
  return {
    name: 'ada', definition: { kind: 'model', profile: 'judge', purpose: 'review', answerTokens: 1_000, timeout: '20s', family: 'x' }, head: await workspaceDigest(workspace), base: 'b'.repeat(64), workspace,
    diff: { bytes: Buffer.from('-one\n+two\n'), whole: true }, files: ['a.txt'], task: { id: 't', title: 'T', prompt: 'Do it.' }, items: [{ id: 1, text: 'It works' }], prior: null, answers: [], environment: {},
    runId: '20261120T213918Z-t-1', target: { token: 'token', baseUrl, dialect: 'openai-chat', model: 'judge-1', answer: () => judge.said }, signal: new AbortController().signal, ...change,
  }
}

const verdictOf = (request: ReviewRequest, { answer, marks }: ReviewAnswered): unknown => answer === null ? null : judgeAnswer(answer, { head: request.head, marks, diffWhole: request.diff.whole, items: [1], prior: null }).verdict

verifies('ACC-55', 'a model is heard only if it repeats the marks at the ends of what it was shown, which nobody can guess', async (context) => {
  const judge = await judgeServer(context)
  const request = await requestOf(context, judge)
  assert.equal(verdictOf(request, await runner.run(request)), 'PASS')
  assert.match(judge.prompts[0] ?? '', /\+two\n\n=+ end of the difference, mark [0-9a-f]{24}/)
  assert.match(judge.prompts[0] ?? '', /No prior review was given\./)
  assert.ok(!judge.prompts.join('').includes(SECRET), 'no credential goes to a model')
  judge.change = { read: { diff: 'guessed', source: 'guessed' } }
  assert.equal(verdictOf(request, await runner.run(request)), 'ABSTAIN')
  assert.notEqual(judge.prompts[0], judge.prompts[1], 'the marks are new for each question')
})

test('an answer between fences is read; anything that is no answer is a failure of the reviewer', async (context) => {
  const judge = await judgeServer(context)
  const request = await requestOf(context, judge)
  judge.words = 'I approve this change.'
  assert.equal((await runner.run(request)).failure?.code, 'answer_not_json')
  judge.words = '```json\n{"verdict":"PASS"}\n```'
  assert.equal((await runner.run(request)).failure?.code, 'answer_invalid')
  assert.equal((await runner.run({ ...request, target: null })).failure?.code, 'not_started')
  const silent = { ...request, target: { ...(request.target ?? assert.fail()), answer: () => null } }
  assert.equal((await runner.run(silent)).failure?.code, 'no_answer')
  const gone = { ...silent, target: { ...silent.target, baseUrl: { ...silent.target.baseUrl, 'openai-chat': 'http://127.0.0.1:1/v1' } } }
  assert.equal((await runner.run(gone)).failure?.code, 'not_answered')
  const long = { ...request, diff: { bytes: Buffer.alloc(1_100_000, 'x'), whole: true } }
  assert.equal((await runner.run(long)).failure?.code, 'inputs_too_long')
})
