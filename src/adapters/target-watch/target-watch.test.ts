import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { temporaryDirectory } from '../../../test/helpers/temporary-directory.ts'
import { verifies } from '../../../test/verifies.ts'
import { createTargetWatcher } from './index.ts'

interface Place {
  readonly root: string
  readonly canary: string
  watch(used?: readonly string[], canary?: true): Promise<() => Promise<readonly string[]>>
}

function place(t: TestContext): Place {
  const root = temporaryDirectory(t)
  const canary = join(root, 'shop')
  mkdirSync(join(canary, 'src/deep'), { recursive: true })
  mkdirSync(join(canary, '.git'))
  for (const name of ['README.md', 'src/a.js', 'src/deep/b.js', '.git/HEAD']) writeFileSync(join(canary, name), name)
  symlinkSync('src/a.js', join(canary, 'link'))
  return {
    root,
    canary,
    watch: async (used = [], kind = true as const) => {
      const watch = await createTargetWatcher({ directory: root, targets: [{ path: 'shop', canary: kind }] }).watch(used)
      return async () => {
        const [look, ...more] = await watch.look()
        assert.ok(look !== undefined && more.length === 0)
        assert.deepEqual([look.path, look.canary, look.entries, look.touched.length], ['shop', true, 9, look.touched_count])
        return [...look.touched].sort()
      }
    },
  }
}

verifies('ADM-N12', 'each read, listing, copy and change of a canary shows, by the entry that was looked at', async (t) => {
  const looks: [name: string, act: (canary: string) => void, seen: readonly string[]][] = [
    ['a file is read by its known path', (canary) => readFileSync(join(canary, 'src/deep/b.js')), ['src/deep/b.js']],
    ['a file is read through a link', (canary) => readFileSync(join(canary, 'link')), ['link', 'src/a.js']],
    ['the canary is listed', (canary) => readdirSync(canary), ['.']],
    ['a folder in it is listed', (canary) => readdirSync(join(canary, 'src')), ['src']],
    ['another program reads it', (canary) => execFileSync('cat', [join(canary, 'README.md')]), ['README.md']],
    ['it is asked as a git repository', (canary) => execFileSync('sh', ['-c', 'git -C "$1" status >/dev/null 2>&1 || true', 'sh', canary]), ['.git/HEAD']],
    ['a file is written', (canary) => writeFileSync(join(canary, 'src/a.js'), 'x'), ['src/a.js']],
    ['a file is added', (canary) => writeFileSync(join(canary, 'src/c.js'), ''), ['src']],
    ['a file is removed', (canary) => rmSync(join(canary, 'README.md')), ['.', 'README.md']],
    ['its permissions are changed', (canary) => chmodSync(join(canary, 'README.md'), 0o600), ['README.md']],
  ]
  for (const [name, act, seen] of looks) {
    const { canary, watch } = place(t)
    const touched = await watch()
    assert.deepEqual(await touched(), [], `${name}: nothing yet`)
    act(canary)
    const found = await touched()
    for (const entry of seen) assert.ok(found.includes(entry), `${name}: ${found.join(', ') || 'nothing was seen'}`)
  }
  const copied = place(t)
  const touched = await copied.watch()
  cpSync(copied.canary, join(copied.root, 'copy'), { recursive: true })
  for (const entry of ['.', 'README.md', 'src', 'src/a.js', 'src/deep', 'src/deep/b.js', '.git', '.git/HEAD']) assert.ok((await touched()).includes(entry), entry)
})

verifies('ADM-N12', 'a read shows that somebody put the time of access back after it', async (t) => {
  const { canary, watch } = place(t)
  const touched = await watch()
  const file = join(canary, 'src/a.js')
  const { mtime } = statSync(file)
  readFileSync(file)
  utimesSync(file, new Date(0), mtime)
  assert.deepEqual(await touched(), ['src/a.js'])
})

test('to look at it, at its metadata or at what lies beside it, is no touch; the second look sees what the first did', async (t) => {
  const { root, canary, watch } = place(t)
  const touched = await watch()
  assert.ok(statSync(join(canary, 'src/a.js')).isFile())
  writeFileSync(join(root, 'beside.txt'), 'x')
  assert.deepEqual([await touched(), await touched()], [[], []])
  readFileSync(join(canary, 'README.md'))
  assert.deepEqual([await touched(), await touched()], [['README.md'], ['README.md']])
  // Armed again, it forgets what was before.
  assert.deepEqual(await (await watch())(), [])
})

verifies('ADM-N12', 'a canary that is moved away is touched, in whole', async (t) => {
  const { root, canary, watch } = place(t)
  const touched = await watch()
  renameSync(canary, join(root, 'elsewhere'))
  assert.equal((await touched()).length, 9)
})

verifies('ADM-N12', 'a run whose repository or directory lies in a target repository, or around it, is refused, also behind a link', async (t) => {
  const { root, canary, watch } = place(t)
  symlinkSync(canary, join(root, 'harmless'))
  mkdirSync(join(root, 'fixture'))
  for (const used of [canary, join(canary, 'src'), root, join(root, 'harmless'), join(root, 'harmless/src/new'), join(canary, '.portcullis/runs/1')]) {
    await assert.rejects(watch([join(root, 'fixture'), used]), { code: 'task_invalid', asked: 'a run that stays away from the target repository shop' }, used)
  }
  assert.deepEqual(await (await watch([join(root, 'fixture'), join(root, 'shopping')]))(), [])
})

test('a canary that cannot be armed is a fault, and no watch', async (t) => {
  const { root } = place(t)
  const watching = (path: string) => createTargetWatcher({ directory: root, targets: [{ path, canary: true }] }).watch([])
  await assert.rejects(watching('gone'), { code: 'configuration_invalid', found: /cannot be prepared \(ENOENT\)/ })
  await assert.rejects(watching('shop/README.md'), { code: 'configuration_invalid', found: /ENOTDIR/ })
})

test('a repository that is no canary is not listed, not even by its watch, and a change at its root shows', async (t) => {
  const { root, canary } = place(t)
  utimesSync(canary, new Date(0), new Date())
  const watch = await createTargetWatcher({ directory: root, targets: [{ path: 'shop' }, { path: 'not-there-yet' }] }).watch([])
  const looked = async () => (await watch.look()).map(({ path, entries, touched }) => [path, entries, touched])
  assert.deepEqual(await looked(), [['shop', 1, []], ['not-there-yet', 1, []]])
  assert.equal(statSync(canary).atimeMs, 0)
  writeFileSync(join(canary, 'new.txt'), '')
  mkdirSync(join(root, 'not-there-yet'))
  assert.deepEqual(await looked(), [['shop', 1, ['.']], ['not-there-yet', 1, ['.']]])
})
