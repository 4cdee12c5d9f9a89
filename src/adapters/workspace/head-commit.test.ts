import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryDirectory } from '../../../test/helpers/temporary-directory.ts'
import { headCommit } from './head-commit.ts'

const path = process.env['PATH'] ?? '/usr/bin:/bin'
const asked = { path, timeoutMs: 20_000 }
/** Where no git is, only what the files say is known. */
const fromFiles = { path: '/nonexistent', timeoutMs: 20_000 }

const git = (cwd: string, ...rest: string[]): string =>
  execFileSync('git', rest, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: path, HOME: cwd, GIT_CONFIG_NOSYSTEM: '1', GIT_AUTHOR_NAME: 'a', GIT_AUTHOR_EMAIL: 'a@b', GIT_COMMITTER_NAME: 'a', GIT_COMMITTER_EMAIL: 'a@b' } }).trim()

test('the commit of an ordinary repository is read without a process, on a branch, packed, detached and from a folder in it', async (context) => {
  const root = temporaryDirectory(context)
  git(root, 'init', '-q', '-b', 'main')
  git(root, 'commit', '-q', '--allow-empty', '-m', 'one')
  const first = git(root, 'rev-parse', 'HEAD')
  mkdirSync(join(root, 'deep/er'), { recursive: true })
  assert.deepEqual([await headCommit(fromFiles, root), await headCommit(fromFiles, join(root, 'deep/er'))], [first, first])
  git(root, 'pack-refs', '--all')
  assert.equal(await headCommit(fromFiles, root), first)
  git(root, 'commit', '-q', '--allow-empty', '-m', 'two')
  const second = git(root, 'rev-parse', 'HEAD')
  assert.notEqual(second, first)
  assert.equal(await headCommit(fromFiles, root), second, 'the branch itself counts, not what was packed before')
  git(root, 'checkout', '-q', '--detach', first)
  assert.equal(await headCommit(fromFiles, root), first)
})

test('where the files do not say it git is asked, and what is no repository or has no commit has none', async (context) => {
  const root = temporaryDirectory(context)
  const main = join(root, 'main')
  mkdirSync(main)
  assert.equal(await headCommit(asked, main), null)
  git(main, 'init', '-q', '-b', 'main')
  assert.equal(await headCommit(asked, main), null)
  git(main, 'commit', '-q', '--allow-empty', '-m', 'one')
  git(main, 'worktree', 'add', '-q', '-b', 'side', join(root, 'side'))
  git(join(root, 'side'), 'commit', '-q', '--allow-empty', '-m', 'two')
  assert.equal(await headCommit(asked, join(root, 'side')), git(join(root, 'side'), 'rev-parse', 'HEAD'))
  assert.equal(await headCommit(fromFiles, join(root, 'side')), null)
  writeFileSync(join(main, '.git/HEAD'), 'ref: refs/heads/../../../other')
  assert.equal(await headCommit(fromFiles, main), null)
  rmSync(join(main, '.git/HEAD'))
  assert.equal(await headCommit(asked, main), null)
})
