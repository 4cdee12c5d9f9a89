import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { CONFIGURATION, PROFILE, runTask, type Scenario, scenario } from '../e2e/scenario.ts'
import { verifies } from '../verifies.ts'

/** The example, whose work must reach two repositories; its agent claims what it is told to. */
async function delivering(t: TestContext): Promise<{ made: Scenario; sha: string; claim(claimed: object): void }> {
  const made = await scenario(t)
  const work = join(made.directory, 'work')
  mkdirSync(work)
  const git = (...parts: string[]): string => execFileSync('git', ['-c', 'user.name=A', '-c', 'user.email=a@localhost', ...parts], { cwd: work, encoding: 'utf8', env: { PATH: process.env['PATH'], GIT_CONFIG_GLOBAL: '/dev/null' } }).trim()
  git('init', '--quiet', '--initial-branch=master')
  writeFileSync(join(work, 'notes.md'), 'what was done\n')
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
    sha: git('rev-parse', 'HEAD'),
    claim: (claimed) => writeFileSync(script, `import { writeFileSync } from 'node:fs'\nawait import(${JSON.stringify(join(import.meta.dirname, '../fixtures/agents/implements.mjs'))})\nwriteFileSync('done.json', ${JSON.stringify(JSON.stringify(claimed))})\n`),
  }
}

verifies('MC-114 MC-115 MC-116 MC-117 MC-118 MC-123', 'work that reached both remotes is accepted, and a difference between the claimed and the run tests is shown', async (t) => {
  const { made, sha, claim } = await delivering(t)
  claim({ app: { sha, files: ['notes.md'], tests: 30 }, console: { sha } })
  const { report, runDirectory } = await runTask(made)
  assert.equal(report.status, 'pass', report.summary)
  assert.deepEqual(report.delivery?.map(({ name, done_sha, ancestor, difference }) => [name, done_sha, ancestor, difference]), [['app', sha, true, 'app: the agent says 30 tests, 1 ran'], ['console', sha, true, null]])
  assert.equal(existsSync(join(runDirectory, 'delivery')), false, 'its worktree went with the end of the gate')
  assert.equal((await made.portcullis(['verify', report.run_id])).code, 0)
})

verifies('MC-112 MC-116', 'one missing half, or a commit that is nowhere, is no delivery, whatever the agent claims', async (t) => {
  const { made, sha, claim } = await delivering(t)
  claim({ app: { sha, files: ['notes.md'] } })
  const half = await runTask(made)
  assert.deepEqual([half.result.code, half.report.reason], [4, 'delivery_missing'])
  assert.match(half.report.refusal?.found ?? '', /no commit for console/)
  claim({ app: { sha }, console: { sha: 'b'.repeat(40) } })
  const nowhere = await runTask(made)
  assert.deepEqual([nowhere.result.code, nowhere.report.status, nowhere.report.reason, nowhere.report.gates.find((gate) => gate.gate === 'acceptance')?.outcome], [4, 'fail', 'delivery_unresolved', 'abstain'])
  assert.match(nowhere.report.refusal?.found ?? '', /bbbbbbbbbbbb was found nowhere; searched: master of .*console\.git/)
  assert.equal((await made.portcullis(['verify', nowhere.report.run_id])).code, 0)
})
