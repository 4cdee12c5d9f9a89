import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { appendFileSync, chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { verifies } from '../../../test/verifies.ts'
import { createWorkspaces } from './index.ts'

const path = process.env['PATH'] ?? '/usr/bin:/bin'
const workspaces = createWorkspaces({ path, timeoutMs: 20_000 })

function room(context: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'portcullis-workspace-'))
  context.after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

function write(root: string, files: Readonly<Record<string, string>>): string {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(root, name, '..'), { recursive: true })
    writeFileSync(join(root, name), text)
  }
  return root
}

const git = (cwd: string, ...rest: string[]): string =>
  execFileSync('git', rest, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: path, HOME: cwd, GIT_CONFIG_NOSYSTEM: '1', GIT_AUTHOR_NAME: 'a', GIT_AUTHOR_EMAIL: 'a@b', GIT_COMMITTER_NAME: 'a', GIT_COMMITTER_EMAIL: 'a@b' } })

/** A prepared workspace of two files, and the room it lies in. */
async function prepared(context: TestContext, files: Readonly<Record<string, string>> = { 'a.txt': 'one\ntwo\n', 'src/b.js': 'let b\n' }): Promise<{ directory: string; workspace: string; untouched: string }> {
  const directory = room(context)
  const workspace = join(directory, 'workspace')
  const untouched = join(directory, 'untouched')
  await workspaces.prepare({ source: write(join(directory, 'source'), files), branch: 'main', into: workspace })
  await workspaces.copy(workspace, untouched)
  return { directory, workspace, untouched }
}

test('plain files become a fresh repository with one commit, and the source stays as it was', async (context) => {
  const directory = room(context)
  const source = write(join(directory, 'source'), { 'run.sh': '#!/bin/sh\n', 'deep/er/file': 'x', 'nested/.git/hooks/post-checkout': 'x', '.gitignore': 'ignored\n', ignored: 'kept' })
  chmodSync(join(source, 'run.sh'), 0o555)
  symlinkSync('deep/er/file', join(source, 'link'))
  const before = await workspaces.digest(source)
  const into = join(directory, 'into')
  await workspaces.prepare({ source, branch: 'trunk', into })
  assert.equal(git(into, 'log', '--format=%an %s').trim(), 'Portcullis Baseline')
  assert.equal(git(into, 'branch', '--show-current').trim(), 'trunk')
  assert.equal(git(into, 'status', '--porcelain'), '')
  assert.equal(git(into, 'remote'), '')
  assert.deepEqual(git(into, 'ls-files').trim().split('\n'), ['.gitignore', 'deep/er/file', 'ignored', 'link', 'run.sh'])
  assert.match(git(into, 'ls-files', '--stage', 'run.sh'), /^100755/)
  assert.equal(existsSync(join(into, 'nested/.git')), false)
  assert.equal(await workspaces.digest(source), before)
  appendFileSync(join(into, 'run.sh'), 'echo\n')
})

test('a repository that says it is a partial clone makes git start no program of its own to fetch what is missing', async (context) => {
  const directory = room(context)
  for (const [name, address] of [['file', join(directory, 'source-file')], ['ext', `ext::touch ${join(directory, 'ran')}`]] as const) {
    const source = write(join(directory, `source-${name}`), { 'a.txt': 'committed\n' })
    git(source, 'init', '--quiet', '--initial-branch=main')
    for (const [key, value] of Object.entries({ 'core.repositoryFormatVersion': '1', 'extensions.partialClone': 'origin', 'remote.origin.url': address, 'remote.origin.promisor': 'true', 'remote.origin.uploadpack': `touch ${join(directory, 'ran')}; false`, 'protocol.ext.allow': 'always', 'protocol.allow': 'always' })) git(source, 'config', key, value)
    write(source, { '.git/refs/heads/main': `${'a'.repeat(40)}\n` })
    await assert.rejects(workspaces.prepare({ source, branch: 'main', into: join(directory, `into-${name}`) }), { code: 'task_invalid' })
    assert.equal(existsSync(join(directory, 'ran')), false, name)
  }
})

test('of a git repository the committed tree of the branch is taken, without remotes, hooks or configuration', async (context) => {
  const directory = room(context)
  const source = write(join(directory, 'source'), { 'a.txt': 'committed\n' })
  git(source, 'init', '--quiet', '--initial-branch=main')
  git(source, 'add', '.')
  git(source, 'commit', '--quiet', '-m', 'first')
  git(source, 'remote', 'add', 'origin', 'https://user:hidden@example.invalid/x.git')
  git(source, 'config', 'core.fsmonitor', `touch ${directory}/ran`)
  write(source, { '.git/hooks/post-checkout': `#!/bin/sh\ntouch ${directory}/ran\n`, 'a.txt': 'dirty\n', 'new.txt': 'untracked\n' })
  chmodSync(join(source, '.git/hooks/post-checkout'), 0o755)
  const status = readFileSync(join(source, '.git/index'))
  const into = join(source, '.portcullis/workspace')
  await workspaces.prepare({ source, branch: 'main', into })
  assert.equal(readFileSync(join(into, 'a.txt'), 'utf8'), 'committed\n')
  assert.equal(existsSync(join(into, 'new.txt')), false)
  assert.equal(git(into, 'remote'), '')
  assert.equal(existsSync(join(into, '.git/hooks')), false)
  assert.doesNotMatch(readFileSync(join(into, '.git/config'), 'utf8'), /hidden|fsmonitor/)
  assert.equal(existsSync(join(directory, 'ran')), false)
  assert.deepEqual(readFileSync(join(source, '.git/index')), status)
  assert.equal(git(into, 'rev-list', '--count', 'HEAD').trim(), '1')
})

test('a source that cannot be copied safely is refused', async (context) => {
  const directory = room(context)
  const outside = write(join(directory, 'outside'), { secret: 'x' })
  const links: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
    absolute: [['link', join(outside, 'secret')]],
    climbing: [['link', '../outside/secret']],
    'climbing through a link': [['p/q/r', '../..'], ['t', 'p/q/r/../outside']],
    'to nothing yet': [['link', '../not-there-yet']],
    circle: [['a', 'b'], ['b', 'a']],
  }
  for (const [name, pairs] of Object.entries(links)) {
    const source = write(join(directory, name), { 'p/q/file': 'x' })
    for (const [link, target] of pairs) symlinkSync(target, join(source, link))
    await assert.rejects(workspaces.prepare({ source, branch: 'main', into: join(directory, `${name}-into`) }), { code: 'task_invalid', message: /symbolic link .* points out of it/ }, name)
  }
  const fifo = write(join(directory, 'fifo'), { a: 'x' })
  execFileSync('mkfifo', [join(fifo, 'pipe')])
  const refusals = [
    { source: fifo, branch: 'main', into: join(directory, 'i1') },
    { source: join(directory, 'missing'), branch: 'main', into: join(directory, 'i2') },
    { source: outside, branch: '--upload-pack=x', into: join(directory, 'i3') },
    { source: outside, branch: 'a..b', into: join(directory, 'i4') },
    { source: outside, branch: 'main', into: join(outside, 'state/workspace') },
    { source: join(outside, 'secret'), branch: 'main', into: join(directory, 'i5') },
    { source: outside, branch: 'main', into: fifo },
  ]
  for (const refusal of refusals) await assert.rejects(workspaces.prepare(refusal), { code: 'task_invalid' }, JSON.stringify(refusal))
  const repository = write(join(directory, 'repository'), { a: 'x' })
  git(repository, 'init', '--quiet', '--initial-branch=main')
  git(repository, 'add', '.')
  git(repository, 'commit', '--quiet', '-m', 'first')
  await assert.rejects(workspaces.prepare({ source: repository, branch: 'other', into: join(directory, 'i6') }), { code: 'task_invalid', message: /no such branch/ })
})

test('links that stay inside are kept, also through other links', async (context) => {
  const directory = room(context)
  const source = write(join(directory, 'source'), { 'p/q/file': 'x' })
  symlinkSync('p/q', join(source, 'short'))
  symlinkSync('short/../q/file', join(source, 'file'))
  symlinkSync('p/not-built-yet', join(source, 'later'))
  const into = join(directory, 'into')
  await workspaces.prepare({ source, branch: 'main', into })
  assert.equal(readFileSync(join(into, 'file'), 'utf8'), 'x')
  assert.equal(await workspaces.digest(into), await workspaces.digest(source))
})

test('the digest sees content, names, the executable bit, links, ignored files, directories and nested repositories; not times or the repository', async (context) => {
  const { directory, workspace } = await prepared(context, { 'a.txt': 'one', '.gitignore': 'ignored*\n' })
  const original = await workspaces.digest(workspace)
  const changes: Readonly<Record<string, (root: string) => void>> = {
    content: (root) => writeFileSync(join(root, 'a.txt'), 'two'),
    name: (root) => execFileSync('mv', ['a.txt', 'b.txt'], { cwd: root }),
    executable: (root) => chmodSync(join(root, 'a.txt'), 0o755),
    link: (root) => symlinkSync('a.txt', join(root, 'link')),
    ignored: (root) => writeFileSync(join(root, 'ignored.txt'), ''),
    directory: (root) => mkdirSync(join(root, 'empty')),
    pipe: (root) => void execFileSync('mkfifo', [join(root, 'pipe')]),
    'a name that is not UTF-8': (root) => writeFileSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0xff])]), ''),
    'nested repository': (root) => write(root, { 'sub/.git/config': 'x' }),
  }
  const digests = new Set([original])
  for (const [name, change] of Object.entries(changes)) {
    const copy = join(directory, `copy of ${name}`)
    await workspaces.copy(workspace, copy)
    assert.equal(await workspaces.digest(copy), original)
    change(copy)
    digests.add(await workspaces.digest(copy))
  }
  assert.equal(digests.size, 1 + Object.keys(changes).length)
  git(workspace, 'commit', '--quiet', '--allow-empty', '-m', 'more')
  execFileSync('touch', ['-d', '2001-01-01', join(workspace, 'a.txt')])
  assert.equal(await workspaces.digest(workspace), original)
})

test('changes are counted whether committed, staged, untracked or left, and ignored files are not', async (context) => {
  const { workspace, untouched } = await prepared(context, { 'a.txt': 'one\ntwo\n', 'gone.txt': 'x\n', 'src/b.js': 'let b\n', '.gitignore': 'node_modules\n' })
  assert.deepEqual(await workspaces.changes(workspace, untouched), { filesChanged: 0, insertions: 0, deletions: 0, commits: [], files: [], linksOut: [], filesLeftOut: 0, patch: Buffer.alloc(0), patchTruncated: false, whole: Buffer.alloc(0), history: Buffer.alloc(0) })
  writeFileSync(join(workspace, 'a.txt'), 'one\n2\nthree\n')
  git(workspace, 'commit', '--quiet', '-a', '-m', 'work')
  git(workspace, 'rm', '--quiet', 'gone.txt')
  write(workspace, { 'src/b.js': 'let c\n', 'näw "quoted"\n.txt': 'new\n', 'node_modules/x/index.js': 'x', 'sub/repository/file': 'hidden?\n', 'binary': 'a\0b' })
  git(join(workspace, 'sub/repository'), 'init', '--quiet')
  const changes = await workspaces.changes(workspace, untouched)
  assert.deepEqual(
    [...changes.files].sort((a, b) => (a.path < b.path ? -1 : 1)),
    [
      { path: 'a.txt', insertions: 2, deletions: 1 },
      { path: 'binary', insertions: 0, deletions: 0 },
      { path: 'gone.txt', insertions: 0, deletions: 1 },
      { path: 'näw "quoted"\n.txt', insertions: 1, deletions: 0 },
      { path: 'src/b.js', insertions: 1, deletions: 1 },
      { path: 'sub/repository/file', insertions: 1, deletions: 0 },
    ],
  )
  assert.deepEqual([changes.filesChanged, changes.insertions, changes.deletions], [6, 5, 3])
  // node_modules/x/index.js, and what the repository inside keeps of itself.
  assert.ok(changes.filesLeftOut > 1)
  assert.deepEqual(changes.commits, [git(workspace, 'rev-parse', 'HEAD').trim()])
  assert.match(changes.patch.toString(), /^-two\n\+2\n\+three$/m)
})

test('nothing that the agent does to its repository runs in our git or hides a change', async (context) => {
  const { directory, workspace, untouched } = await prepared(context)
  const ran = join(directory, 'ran')
  const program = `touch ${ran}`
  for (const [name, value] of Object.entries({ 'core.fsmonitor': program, 'core.hooksPath': join(directory, 'hooks'), 'diff.external': program, 'diff.trap.textconv': program, 'diff.trap.command': program, 'filter.trap.clean': program, 'filter.trap.process': program, 'core.excludesFile': join(workspace, 'all') }))
    git(workspace, 'config', name, value)
  write(workspace, { '.gitattributes': '* filter=trap diff=trap\n*.txt -diff\n', '.git/info/exclude': '*\n', '.git/info/attributes': '* -diff\n', all: '*\n', 'a.txt': 'one\nother\n', 'added.txt': 'new\n' })
  rmSync(join(workspace, '.git/index'))
  const changes = await workspaces.changes(workspace, untouched)
  assert.deepEqual(changes.files.map((file) => file.path).sort(), ['.gitattributes', 'a.txt', 'added.txt', 'all'])
  assert.match(changes.patch.toString(), /^\+other$/m)
  assert.equal(existsSync(ran), false)
  rmSync(join(workspace, '.git'), { recursive: true })
  assert.equal((await workspaces.changes(workspace, untouched)).filesChanged, 4)
})

test('a rewritten history, a link in the place of a directory and a long patch are told as they are', async (context) => {
  const { directory, workspace, untouched } = await prepared(context)
  git(workspace, 'checkout', '--quiet', '--orphan', 'fresh')
  git(workspace, 'commit', '--quiet', '-m', 'no history')
  rmSync(join(workspace, 'src'), { recursive: true })
  symlinkSync(write(join(directory, 'elsewhere'), { 'b.js': 'let b\n' }), join(workspace, 'src'))
  writeFileSync(join(workspace, 'long.txt'), 'line of text\n'.repeat(200_000))
  const changes = await workspaces.changes(workspace, untouched)
  assert.deepEqual(changes.files.map((file) => file.path).sort(), ['long.txt', 'src', 'src/b.js'])
  assert.equal(changes.commits.length, 1)
  assert.equal(changes.patchTruncated, true)
  assert.equal(changes.patch.length, 1_048_576)
  assert.deepEqual(changes.linksOut, ['src'])
})

test('nothing is left beside a workspace that could be edited to hide a change, and a patch keeps bytes that are not UTF-8', async (context) => {
  const { directory, workspace, untouched } = await prepared(context)
  assert.deepEqual(readdirSync(directory).sort(), ['source', 'untouched', 'workspace'])
  writeFileSync(join(workspace, 'a.txt'), Buffer.from('caf\xe9\n', 'latin1'))
  const { patch } = await workspaces.changes(workspace, untouched)
  assert.ok(patch.includes(Buffer.from('+caf\xe9\n', 'latin1')))
  assert.deepEqual(readdirSync(directory).sort(), ['source', 'untouched', 'workspace'])
})

test('the reference patch is applied to a copy, and one that does not fit is refused', async (context) => {
  const { directory, workspace } = await prepared(context)
  const reference = join(directory, 'reference')
  await workspaces.copy(workspace, reference)
  const patch = Buffer.from('--- a/a.txt\n+++ b/a.txt\n@@ -1,2 +1,2 @@\n one\n-two\n+2\n')
  assert.equal(await workspaces.applyPatch(reference, patch), true)
  assert.equal(readFileSync(join(reference, 'a.txt'), 'utf8'), 'one\n2\n')
  assert.equal(readFileSync(join(workspace, 'a.txt'), 'utf8'), 'one\ntwo\n')
  assert.equal(await workspaces.applyPatch(reference, patch), false)
  assert.equal(await workspaces.applyPatch(reference, Buffer.from('--- /dev/null\n+++ b/../outside.txt\n@@ -0,0 +1 @@\n+x\n')), false)
  assert.equal(existsSync(join(directory, 'outside.txt')), false)
})

test('git that is missing, or does not end in time, is a fault', async (context) => {
  const directory = room(context)
  const source = write(join(directory, 'source'), { a: 'x' })
  await assert.rejects(createWorkspaces({ path: directory, timeoutMs: 1_000 }).prepare({ source, branch: 'main', into: join(directory, 'i1') }), { code: 'tool_missing' })
  const slow = write(join(directory, 'bin'), { git: '#!/bin/sh\nexec /bin/sleep 60\n' })
  chmodSync(join(slow, 'git'), 0o755)
  await assert.rejects(createWorkspaces({ path: slow, timeoutMs: 200 }).prepare({ source, branch: 'main', into: join(directory, 'i2') }), { code: 'unexpected', message: /no end within 200 ms/ })
})

verifies('SEC-03', 'what a patch for people leaves out is shown whole to the scan: binary files, and what is too long', async (context) => {
  const { workspace, untouched } = await prepared(context)
  write(workspace, { 'long.txt': `${'line of text\n'.repeat(100_000)}at-the-end\n`, 'src/binary.bin': 'a\0b\0in-binary\0', '.gitattributes': '* -diff\n' })
  const { patch, whole } = await workspaces.changes(workspace, untouched)
  for (const text of ['at-the-end', 'in-binary']) assert.deepEqual([patch.includes(text), whole?.includes(text)], [false, true], text)
  write(workspace, { 'huge.txt': '.'.repeat(68_000_000) })
  assert.equal((await workspaces.changes(workspace, untouched)).whole, undefined)
})

verifies('ADM-X2', 'the history shows all that was committed: messages, authors, and what was added and taken away again', async (context) => {
  const { workspace, untouched } = await prepared(context)
  write(workspace, { 'note.txt': 'added-and-removed\n', '.gitattributes': '*.txt -diff\n', '.mailmap': 'Nobody <a@b> <author-in-commit@b>\n' })
  git(workspace, 'add', '.')
  git(workspace, '-c', 'user.name=x', 'commit', '--author', 'author-in-commit <author-in-commit@b>', '-m', 'said-in-message')
  rmSync(join(workspace, 'note.txt'))
  git(workspace, 'commit', '-a', '-m', 'Take it away')
  const { history, commits } = await workspaces.changes(workspace, untouched)
  assert.equal(commits.length, 2)
  for (const text of ['added-and-removed', 'said-in-message', 'author-in-commit@b']) assert.ok(history?.includes(text), text)
  // The baseline is not the agent's work, and is full of whatever the repository holds.
  assert.ok(history?.includes('let b') === false)
})

verifies('ADM-X2', 'a history that cannot be read whole is none', async (context) => {
  const { workspace, untouched } = await prepared(context)
  write(workspace, { 'note.txt': 'x\n' })
  git(workspace, 'add', '.')
  git(workspace, 'commit', '-m', 'One')
  const blob = git(workspace, 'rev-parse', 'HEAD:note.txt').trim()
  rmSync(join(workspace, 'note.txt'))
  rmSync(join(workspace, '.git/objects', blob.slice(0, 2), blob.slice(2)))
  assert.equal((await workspaces.changes(workspace, untouched)).history, undefined)
})
