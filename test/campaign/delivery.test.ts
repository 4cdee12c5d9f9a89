import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { reviewed, reviewer } from '../e2e/review-scenario.ts'
import { CONFIGURATION, PROFILE, RECORD, runTask, type Scenario, scenario } from '../e2e/scenario.ts'
import { verifies } from '../verifies.ts'

const KEY = 'canary-of-the-provider-6f1d90'

/** Where a claim names the commit that the agent pushed in this run. */
const PUSHED = '(pushed)'

interface Delivering {
  readonly made: Scenario
  /** The commit that was pushed last. */
  sha(): string
  /** What the agent of the next run claims. */
  claim(claimed: object, work?: 'pushes' | 'pushes nothing'): void
}

/** The example, whose work must reach two repositories; its agent pushes a commit to both, and claims what it is told to. */
async function delivering(t: TestContext, given?: Scenario): Promise<Delivering> {
  const made = given ?? (await scenario(t))
  const place = join(made.directory, 'work')
  mkdirSync(place)
  const git = (...parts: string[]): string => execFileSync('git', ['-c', 'user.name=A', '-c', 'user.email=a@localhost', ...parts], { cwd: place, encoding: 'utf8', env: { PATH: process.env['PATH'], GIT_CONFIG_GLOBAL: '/dev/null' } }).trim()
  git('init', '--quiet', '--initial-branch=master')
  writeFileSync(join(place, 'notes.md'), 'what was done\n')
  git('add', '--all')
  git('commit', '--quiet', '-m', 'work')
  for (const name of ['app', 'console']) {
    git('init', '--quiet', '--bare', `../${name}.git`)
    git('push', '--quiet', `../${name}.git`, 'master')
  }
  const tests = { command: ['sh', '-c', 'grep -c . notes.md | sed "s/^/# tests /"'], timeout: '10s', count: '^# tests (\\d+)$' }
  made.set('task.yaml', ['delivery'], { claim: 'done.json', repositories: [{ name: 'app', remote: './app.git', branch: 'master', tests }, { name: 'console', remote: './console.git', branch: 'master' }] })
  const script = join(made.directory, 'agent.mjs')
  made.set(CONFIGURATION, [...PROFILE, 'command'], ['node', script])
  return {
    made,
    sha: () => git('rev-parse', 'HEAD'),
    claim: (claimed, work = 'pushes') =>
      writeFileSync(script, `import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
await import(${JSON.stringify(join(import.meta.dirname, '../fixtures/agents/implements.mjs'))})
const git = (...parts) => execFileSync('git', ['-c', 'user.name=A', '-c', 'user.email=a@localhost', ...parts], { cwd: ${JSON.stringify(place)}, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
if (${JSON.stringify(work)} === 'pushes') {
  git('commit', '--quiet', '--allow-empty', '-m', 'more work')
  for (const name of ['app', 'console']) git('push', '--quiet', '../' + name + '.git', 'master')
}
writeFileSync('done.json', ${JSON.stringify(JSON.stringify(claimed))}.replaceAll('${PUSHED}', git('rev-parse', 'HEAD')))
`),
  }
}

verifies('MC-114 MC-115 MC-116 MC-117 MC-118 MC-123', 'work that reached both remotes is accepted, and a difference between the claimed and the run tests is shown', async (t) => {
  const { made, sha, claim } = await delivering(t)
  claim({ app: { sha: PUSHED, files: ['notes.md'], tests: 30 }, console: { sha: PUSHED } })
  const { report, runDirectory } = await runTask(made)
  assert.equal(report.status, 'pass', report.summary)
  assert.deepEqual(report.delivery?.map(({ name, done_sha, ancestor, difference }) => [name, done_sha, ancestor, difference]), [['app', sha(), true, 'app: the agent says 30 tests, 1 ran'], ['console', sha(), true, null]])
  assert.equal(existsSync(join(runDirectory, 'delivery')), false, 'its worktree went with the end of the gate')
  assert.equal((await made.portcullis(['verify', report.run_id])).code, 0)
})

verifies('MC-112 MC-116', 'one missing half, or a commit that is nowhere, is no delivery, whatever the agent claims', async (t) => {
  const { made, claim } = await delivering(t)
  claim({ app: { sha: PUSHED, files: ['notes.md'] } })
  const half = await runTask(made)
  assert.deepEqual([half.result.code, half.report.reason], [4, 'delivery_missing'])
  assert.match(half.report.refusal?.found ?? '', /no commit for console/)
  claim({ app: { sha: PUSHED }, console: { sha: 'b'.repeat(40) } })
  const nowhere = await runTask(made)
  assert.deepEqual([nowhere.result.code, nowhere.report.status, nowhere.report.reason, nowhere.report.gates.find((gate) => gate.gate === 'acceptance')?.outcome], [4, 'fail', 'delivery_unresolved', 'abstain'])
  assert.match(nowhere.report.refusal?.found ?? '', /bbbbbbbbbbbb was found nowhere; searched: master of .*console\.git/)
  assert.equal((await made.portcullis(['verify', nowhere.report.run_id])).code, 0)
})

verifies('MC-115', 'an agent that delivers nothing and claims what the branch had already has delivered nothing', async (t) => {
  const { made, sha, claim } = await delivering(t)
  claim({ app: { sha: PUSHED }, console: { sha: PUSHED } }, 'pushes nothing')
  const { result, report } = await runTask(made)
  assert.deepEqual([result.code, report.status, report.reason], [4, 'fail', 'delivery_not_new'])
  assert.equal(report.refusal?.found, `the branch was at ${sha().slice(0, 12)}, and had it or was written anew`)
  assert.deepEqual(report.delivery?.map(({ ancestor, is_new }) => [ancestor, is_new]), [[true, false], [true, false]])
  assert.equal((await made.portcullis(['verify', report.run_id])).code, 0)
})

verifies('MC-124', 'the report, its text and the trace hold what was delivered, judged and closed, and all of them pass the scan', async (t) => {
  const finding = { id: 'F1', file: 'src/slugify.js', line: 1, severity: 'low', confidence: 0.4, text: 'It could be shorter.', dropped_by: null }
  const { made, sha, claim } = await delivering(t, await reviewed(t, { ada: reviewer('claude', { confidence: 0.91, reason: 'It does what was asked.' }), eve: reviewer('gpt', { verdict: 'ABSTAIN', reason: 'The diff is too long for me.', findings: [finding] }) }))
  claim({ app: { sha: PUSHED, files: ['notes.md'], tests: 30 }, console: { sha: PUSHED } })
  const { report, runDirectory } = await runTask(made)
  assert.equal(report.status, 'pass', report.summary)
  const read = (name: string): string => readFileSync(join(runDirectory, name), 'utf8')

  assert.deepEqual(report.reviews.map(({ reviewer, verdict, confidence, reason, advisory }) => [reviewer, verdict, confidence, reason, advisory]), [['ada', 'PASS', 0.91, 'It does what was asked.', false], ['eve', 'ABSTAIN', 0.9, 'The diff is too long for me.', false]])
  assert.deepEqual(report.reviews[1]?.findings.map(({ file, line, severity, text }) => [file, line, severity, text]), [['src/slugify.js', 1, 'low', 'It could be shorter.']])
  assert.deepEqual([report.review?.authority, report.review?.families_needed], ['release-board', 1])
  assert.deepEqual(report.delivery?.map(({ done_sha, remote_head, ancestor, command }) => [done_sha, remote_head, ancestor, command.startsWith('git fetch ')]), [[sha(), sha(), true, true], [sha(), sha(), true, true]])
  assert.deepEqual([report.delivery[0]?.files[0]?.path, report.delivery[0]?.tests?.count, report.delivery[0]?.tests?.claimed], ['notes.md', 1, 30])
  assert.deepEqual(report.acceptance.map(({ id, status, runtime_probe_evidence }) => [id, status, runtime_probe_evidence.length > 0]), [[1, 'met', true]])
  assert.deepEqual(report.closing, { by: 'portcullis', gate: 'acceptance', verdict: report.gates.find(({ gate }) => gate === 'acceptance')?.verdict, human_input_required: false })

  const text = read('report.md')
  for (const told of ['**ada**', 'It does what was asked.', '**eve**', 'ABSTAIN', 'The authority is release-board', sha().slice(0, 12), 'the agent says 30 tests, 1 ran', '1. met', 'Closed by portcullis at the acceptance gate; human input required: no.']) assert.ok(text.includes(told), told)
  const trace = read('trace.jsonl')
  for (const told of ['evidence/review/v1', 'evidence/acceptance/v1', '"closed_by":"portcullis"', '"human_input_required":false']) assert.ok(trace.includes(told), told)
  assert.ok(report.gates.some(({ gate, outcome }) => gate === 'report' && outcome === 'pass'))

  // What a reviewer says is scanned as everything else: one that prints a credential has given no verdict, and it stands nowhere.
  made.env['SCRIPTED_KEY'] = KEY
  made.set(CONFIGURATION, ['providers', 'scripted', 'credential'], { source: 'env', name: 'SCRIPTED_KEY', class: 'provider-api-key' })
  made.set(RECORD, ['credential_source_class'], 'provider-api-key')
  made.set(CONFIGURATION, ['reviewers', 'ada'], reviewer('claude', { reason: `It holds ${KEY}.` }))
  const leaking = await runTask(made)
  assert.deepEqual([leaking.result.code, leaking.report.reason, leaking.report.closing, leaking.report.reviews[0]?.verdict], [3, 'review_waiting', null, null])
  for (const name of ['report.json', 'report.md', 'trace.jsonl']) assert.ok(!readFileSync(join(leaking.runDirectory, name), 'utf8').includes(KEY), name)
})
