import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { verifies } from '../../../test/verifies.ts'
import type { DeliveryRequest } from '../../engine/index.ts'
import type { DeliveredRepository } from '../../gates/acceptance/index.ts'
import { createDeliveryChecker } from './index.ts'

const PATH = process.env['PATH'] ?? ''
const checker = createDeliveryChecker({ path: PATH, timeoutMs: 20_000, secrets: () => ['sk-test-0123456789abcdefghij'] })

interface Repositories {
  readonly directory: string
  readonly remote: string
  git(...parts: string[]): string
  commit(files: Readonly<Record<string, string>>, message: string): string
  push(branch: string, force?: boolean): void
  check(change: Partial<DeliveryRequest['claim']>, tests?: DeliveryRequest['tests']): Promise<DeliveredRepository>
}

/** A remote, and a clone of it in which somebody works. */
function repositories(context: TestContext): Repositories {
  const directory = mkdtempSync(join(tmpdir(), 'portcullis-truth-'))
  context.after(() => rmSync(directory, { recursive: true, force: true }))
  const [remote, clone] = [join(directory, 'remote.git'), join(directory, 'clone')]
  const run = (cwd: string, ...parts: string[]): string => execFileSync('git', ['-c', 'user.name=A', '-c', 'user.email=a@localhost', ...parts], { cwd, encoding: 'utf8', env: { PATH, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' }, stdio: ['ignore', 'pipe', 'pipe'] }).trim()
  run(directory, 'init', '--quiet', '--bare', '--initial-branch=master', remote)
  run(directory, 'init', '--quiet', '--initial-branch=master', clone)
  const made: Repositories = {
    directory,
    remote,
    git: (...parts) => run(clone, ...parts),
    commit: (files, message) => {
      for (const [name, content] of Object.entries(files)) writeFileSync(join(clone, name), content)
      run(clone, 'add', '--all')
      run(clone, 'commit', '--quiet', '--allow-empty', '-m', message)
      return run(clone, 'rev-parse', 'HEAD')
    },
    push: (branch, force = false) => void run(clone, 'push', '--quiet', ...(force ? ['--force'] : []), remote, `HEAD:refs/heads/${branch}`),
    check: (change, tests) =>
      checker.check({ claim: { name: 'app', remote, branch: 'master', done_sha: null, head_before: 'none', files: [], tests: null, ...change }, tests, into: join(directory, 'delivery'), environment: { PATH, API_KEY: 'x' }, signal: new AbortController().signal }),
  }
  made.commit({ 'a.txt': 'one\n' }, 'first')
  made.push('master')
  return made
}

verifies('MC-115', 'a pinned commit must be on the target branch of the remote, which is fetched and named', async (context) => {
  const made = repositories(context)
  const done = made.commit({ 'a.txt': 'two\n' }, 'work')
  const unpushed = await made.check({ done_sha: done })
  assert.deepEqual([unpushed.found_in, unpushed.ancestor, unpushed.searched], [null, false, [`master of ${made.remote}`, `every branch of ${made.remote}`]])
  made.push('feature')
  const elsewhere = await made.check({ done_sha: done })
  assert.deepEqual([elsewhere.found_in, elsewhere.ancestor], [`every branch of ${made.remote}`, false])
  made.push('master')
  const merged = await made.check({ done_sha: done })
  assert.deepEqual([merged.ancestor, merged.remote_head], [true, done])
  assert.ok(merged.command.startsWith('git fetch ') && merged.command.includes(made.remote))
  made.git('reset', '--quiet', '--hard', 'HEAD~1')
  made.commit({ 'a.txt': 'three\n' }, 'another')
  made.push('master', true)
  assert.equal((await made.check({ done_sha: done })).ancestor, false, 'it was taken off the branch again')
})

verifies('MC-115', 'a commit is new only if the branch is known not to have had it before', async (context) => {
  const made = repositories(context)
  const head = (remote = made.remote, branch = 'master') => checker.head({ remote, branch })
  const before = made.git('rev-parse', 'HEAD')
  assert.equal(await head(), before)
  assert.deepEqual([await head(made.remote, 'aster'), await head(made.remote, 'absent'), await head(join(made.directory, 'nowhere.git'))], ['none', 'none', 'unknown'])
  const touched = join(made.directory, 'touched')
  assert.deepEqual([await head(`--upload-pack=touch ${touched}`), await head(`ext::touch ${touched}`), existsSync(touched)], ['unknown', 'unknown', false])
  const done = made.commit({ 'a.txt': 'two\n' }, 'work')
  made.push('master')
  const isNew = async (sha: string, head_before: string) => (await made.check({ done_sha: sha, head_before })).is_new
  assert.deepEqual([await isNew(done, before), await isNew(done, 'none')], [true, true])
  assert.deepEqual([await isNew(before, before), await isNew(before, done), await isNew(done, done), await isNew(done, 'unknown')], [false, false, false, false])
  assert.equal(await isNew(done, 'c'.repeat(40)), false, 'a head that is not there any more')
})

verifies('MC-112', 'a remote that cannot be asked and a commit that is nowhere are findings, with the places that were searched', async (context) => {
  const made = repositories(context)
  const gone = await made.check({ remote: join(made.directory, 'nowhere.git'), done_sha: 'a'.repeat(40) })
  assert.deepEqual([gone.remote_head, gone.found_in, gone.ancestor], [null, null, false])
  assert.equal(gone.searched.length, 2)
  assert.equal((await made.check({ done_sha: 'a'.repeat(40) })).found_in, null)
  const touched = join(made.directory, 'touched')
  await made.check({ remote: `--upload-pack=touch ${touched}`, done_sha: 'a'.repeat(40) })
  await made.check({ remote: `ext::sh -c "touch ${touched}"`, done_sha: 'a'.repeat(40) })
  assert.equal(existsSync(touched), false, 'an address starts no program')
})

verifies('MC-114 MC-117', 'files are those of the pinned commit, tracked and with their size and digest, whatever is pushed later', async (context) => {
  const made = repositories(context)
  const done = made.commit({ 'probe.md': 'text\n', 'empty.md': '' }, 'work')
  made.commit({ 'probe.md': 'another, longer text\n', 'late.md': 'late\n' }, 'later')
  made.push('master')
  const { files, ancestor } = await made.check({ done_sha: done, files: ['probe.md', 'empty.md', 'late.md', '../a.txt'] })
  assert.equal(ancestor, true)
  assert.deepEqual(files.map(({ path, tracked, bytes }) => [path, tracked, bytes]), [['probe.md', true, 5], ['empty.md', true, 0], ['late.md', false, 0], ['../a.txt', false, 0]])
  assert.match(files[0]?.sha256 ?? '', /^[0-9a-f]{64}$/)
})

verifies('MC-118 MC-114', 'the tests run in a worktree of the pinned commit, and count and exit status are those of that run', async (context) => {
  const made = repositories(context)
  const done = made.commit({ 'count.sh': 'echo "# tests 16"; test -z "$API_KEY" && cat a.txt\n' }, 'work')
  made.commit({ 'count.sh': 'echo "# tests 99"; exit 1\n' }, 'later')
  made.push('master')
  const tests = { command: ['sh', 'count.sh'], timeout: '10s', count: '^# tests (\\d+)$' }
  const passed = await made.check({ done_sha: done, tests: 30 }, tests)
  assert.deepEqual([passed.tests?.exit_code, passed.tests?.count, passed.tests?.timed_out], [0, 16, false])
  assert.equal((await made.check({ done_sha: made.git('rev-parse', 'HEAD') }, tests)).tests?.exit_code, 1)
  const hanging = await made.check({ done_sha: done }, { command: ['sleep', '30'], timeout: '300ms' })
  assert.deepEqual([hanging.tests?.timed_out, hanging.tests?.count], [true, null])
  assert.match((await made.check({ done_sha: done }, { command: ['no-such-program'], timeout: '1s' })).tests?.summary ?? '', /ENOENT/)
})

test('nothing is run of a commit that is not on the branch', async (context) => {
  const made = repositories(context)
  const ran = join(made.directory, 'ran')
  const done = made.commit({ 'count.sh': `touch ${ran}\n` }, 'work')
  made.push('feature')
  assert.equal((await made.check({ done_sha: done }, { command: ['sh', 'count.sh'], timeout: '5s' })).tests, null)
  assert.equal(existsSync(ran), false)
})
