import assert from 'node:assert/strict'
import { existsSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryDirectory } from '../../../test/helpers/temporary-directory.ts'
import { makeDirectory } from './index.ts'

test('a directory is made with those above it, and is left as it is where it exists', (t) => {
  const root = temporaryDirectory(t)
  makeDirectory(join(root, 'a/b/c'), 0o700)
  makeDirectory(join(root, 'a/b/c'), 0o755)
  assert.equal(statSync(join(root, 'a/b')).mode & 0o777, 0o700)
  assert.equal(statSync(join(root, 'a/b/c')).mode & 0o777, 0o700)
})

test('where nothing can be made it ends with the error of the system', { skip: existsSync('/proc/self') ? false : 'needs /proc' }, (t) => {
  assert.throws(() => makeDirectory('/proc/portcullis/below'), { code: 'ENOENT' })
  const file = join(temporaryDirectory(t), 'file')
  writeFileSync(file, '')
  assert.throws(() => makeDirectory(file), { code: 'EEXIST' })
  assert.throws(() => makeDirectory(join(file, 'below')), { code: 'ENOTDIR' })
})
