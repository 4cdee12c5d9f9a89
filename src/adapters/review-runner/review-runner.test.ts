import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { verifies } from '../../../test/verifies.ts'
import { systemClock } from '../../contract/clock.ts'
import { type ReviewAnswered, type ReviewRecord, reviewRecordOf, type ReviewRequest } from '../../gates/acceptance/index.ts'
import { workspaceDigest } from '../workspace/index.ts'
import { createReviewRunner } from './index.ts'

const RUN = '20261120T213918Z-r1-string-slugify-1'
const SECRET = 'sk-test-0123456789abcdefghij'
const PROGRAM = join(import.meta.dirname, '../../../test/fixtures/programs/reviewer.mjs')
const environment = { PATH: process.env['PATH'], LANG: 'C.UTF-8', MODE: 'strict', HOLDER: `Bearer ${SECRET}`, OTHER_API_KEY: 'x' }
const runner = createReviewRunner({ secrets: () => [SECRET], clock: systemClock })

function temporary(context: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'portcullis-reviewed-'))
  context.after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

async function requestOf(context: TestContext, change: object, more: Partial<ReviewRequest> = {}): Promise<ReviewRequest> {
  const workspace = temporary(context)
  writeFileSync(join(workspace, 'a.txt'), 'two\n')
  return {
    name: 'ada', definition: { kind: 'command', command: [process.execPath, PROGRAM, JSON.stringify(change)], timeout: '20s', family: 'static', environment: ['MODE', 'HOLDER', 'OTHER_API_KEY'] },
    head: await workspaceDigest(workspace), base: 'b'.repeat(64), workspace, diff: { bytes: Buffer.from('-one\n+two\n'), whole: true }, files: ['a.txt', 'removed.txt'],
    task: { id: 't', title: 'T', prompt: 'Do it.' }, items: [{ id: 1, text: 'It works' }], prior: null, answers: [], environment, runId: RUN, target: null, signal: new AbortController().signal, ...more,
  }
}

const recordOf = (request: ReviewRequest, answered: ReviewAnswered): ReviewRecord =>
  reviewRecordOf({ request, attempt: 1, taskClass: 'change', scope: { files: [...request.files], files_more: 0, files_left_out: 0, diff: { sha256: 'c'.repeat(64), bytes: 10, whole: request.diff.whole } }, model: null }, answered)

async function review(context: TestContext, change: object, more: Partial<ReviewRequest> = {}): Promise<ReviewRecord> {
  const request = await requestOf(context, change, more)
  return recordOf(request, await runner.run(request))
}

verifies('ACC-58 MC-110', 'a program that read the difference and the changed files is heard, with its findings and what it says of each item', async (context) => {
  const passed = await review(context, { findings: [{ id: 'F1', file: 'a.txt', line: 1, severity: 'low', confidence: 0.5, text: 'a nit', dropped_by: null }] })
  assert.deepEqual([passed.verdict, passed.source_read_ok, passed.diff_read_ok, passed.failure, passed.prior], ['PASS', true, true, null, null])
  assert.deepEqual([passed.findings[0]?.file, passed.findings[0]?.line, passed.requirements], ['a.txt', 1, [{ id: 1, status: 'met', reason: 'seen' }]])
  const failed = await review(context, { verdict: 'FAIL', reason: 'it breaks' })
  assert.deepEqual([failed.verdict, failed.reason], ['FAIL', 'it breaks'])
})

verifies('ACC-55', 'a program that did not read abstains, whatever it says', async (context) => {
  for (const change of [{ diff_read_ok: false }, { source_read_ok: false }, { read: { diff: 'x', source: 'y' } }, { head: 'c'.repeat(64) }]) {
    const record = await review(context, change)
    assert.deepEqual([record.verdict, record.said], ['ABSTAIN', 'PASS'], JSON.stringify(change))
  }
  assert.equal((await review(context, {}, { diff: { bytes: Buffer.from('cut'), whole: false } })).verdict, 'ABSTAIN')
})

verifies('ACC-65', 'a reviewer whose runtime failed gives no verdict, and its failure is named', async (context) => {
  const bwrap = 'bwrap: No permissions to create a new namespace, likely because the kernel does not allow it'
  for (const [change, code] of [
    [{ exitCode: 1 }, 'exit_code'],
    [{ print: '' }, 'no_answer'],
    [{ print: 'APPROVE' }, 'answer_not_json'],
    [{ print: '{"verdict":"PASS"}' }, 'answer_invalid'],
    [{ print: '{"verdict":"FAIL","verdict":"PASS"}' }, 'answer_not_json'],
    [{ verdict: 'APPROVED' }, 'answer_invalid'],
    [{ stderr: bwrap }, 'sandbox_failed'],
    [{ reason: `Every command failed: ${bwrap}` }, 'sandbox_failed'],
    [{ reason: 'every local file-read command failed before execution because the sandbox could not create its bwrap namespace; the namespace could not be created' }, 'sandbox_failed'],
    [{ long: 2_000_000 }, 'answer_too_long'],
  ] as const) {
    const record = await review(context, change)
    assert.deepEqual([record.verdict, record.failure?.code], [null, code], JSON.stringify(change).slice(0, 100))
    assert.ok(record.reason.startsWith('It gave no verdict: '))
  }
  const holder = await review(context, { reason: SECRET })
  assert.equal(holder.failure?.code, 'credential_in_command')
  const missing = await review(context, {}, { definition: { kind: 'command', command: ['no-such-reviewer'], timeout: '5s', family: 'x' } })
  assert.deepEqual([missing.verdict, missing.failure], [null, { code: 'not_started', text: 'it could not be started: ENOENT' }])
})

test('a reviewer that hangs is ended at its limit, and when the run is cancelled', async (context) => {
  const request = await requestOf(context, { hang: true })
  const limited = { ...request, definition: { ...request.definition, timeout: '500ms' } } as ReviewRequest
  assert.equal((await runner.run(limited)).failure?.code, 'timed_out')
  const cancel = new AbortController()
  const running = runner.run({ ...request, signal: cancel.signal })
  cancel.abort()
  assert.equal((await running).failure?.code, 'cancelled')
})

test('a reviewer sees no credential, works on a copy, and cannot change what is judged', async (context) => {
  const to = join(temporary(context), 'seen.json')
  const secret = join(temporary(context), 'reason.txt')
  writeFileSync(secret, `the key is ${SECRET}`)
  const record = await review(context, { tell: 'environment', to, write: 'a.txt', reasonFrom: secret })
  assert.equal(record.verdict, 'PASS', 'what it wrote went into its copy')
  assert.ok(!record.reason.includes(SECRET))
  const seen = JSON.parse(readFileSync(to, 'utf8')) as { names: string[]; cwd: string; request: { workspace: string; prior_findings: string } }
  assert.ok(seen.names.includes('MODE') && !seen.names.includes('HOLDER') && !seen.names.includes('OTHER_API_KEY'))
  assert.equal(seen.request.prior_findings, 'no prior review given')
  assert.equal(existsSync(seen.request.workspace), false, 'its copy is gone')
  const request = await requestOf(context, {})
  const reaching = { ...request, definition: { ...request.definition, command: [process.execPath, PROGRAM, JSON.stringify({ write: join(request.workspace, 'a.txt') })] } } as ReviewRequest
  assert.equal((await runner.run(reaching)).failure?.code, 'workspace_changed')
  assert.equal((await runner.run({ ...request, head: 'c'.repeat(64) })).failure?.code, 'workspace_changed')
})
