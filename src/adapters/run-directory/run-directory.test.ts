import assert from 'node:assert/strict'
import { existsSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryDirectory } from '../../../test/helpers/temporary-directory.ts'
import { verifies } from '../../../test/verifies.ts'
import { sha256 } from '../../contract/canonical.ts'
import { createRunDirectory, openRunDirectory } from './index.ts'

const RUN = '20261120T213918Z-t-1'
const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8)

test('a run never writes into the directory of another', (t) => {
  const state = temporaryDirectory(t)
  createRunDirectory(state, RUN)
  assert.throws(() => createRunDirectory(state, RUN), { code: 'EEXIST' })
})

test('directories and files of a run are readable by their owner only', (t) => {
  const directory = createRunDirectory(temporaryDirectory(t), RUN)
  directory.write('report.json', '{}')
  directory.write('backend/deep/file.txt', 'x')
  for (const part of ['', 'backend', 'staging', 'workspace', 'agent/home', 'agent/configuration', 'agent/temporary', 'backend/deep']) assert.equal(modeOf(join(directory.path, part)), '700', part)
  for (const file of ['report.json', 'backend/deep/file.txt']) assert.equal(modeOf(join(directory.path, file)), '600', file)
})

test('what was written is read back and listed; the workspace and scratch are not', (t) => {
  const state = temporaryDirectory(t)
  const directory = createRunDirectory(state, RUN)
  directory.write('report.json', 'first')
  directory.write('report.json', 'second')
  directory.write('backend/agent.stdout.log', Buffer.from([0, 255]))
  writeFileSync(join(directory.workspace, 'work.txt'), 'x')
  writeFileSync(join(directory.staging, 'raw.log'), 'x')
  const opened = openRunDirectory(state, RUN)
  assert.equal(opened.read('report.json')?.toString(), 'second')
  assert.equal(opened.read('absent.json'), undefined)
  assert.deepEqual(opened.files(), [
    { name: 'backend/agent.stdout.log', bytes: 2, sha256: sha256(Buffer.from([0, 255])) },
    { name: 'report.json', bytes: 6, sha256: sha256('second') },
  ])
})

test('a file that cannot be read is a fault, never an absent one', (t) => {
  const directory = createRunDirectory(temporaryDirectory(t), RUN)
  assert.throws(() => directory.read('x'.repeat(300)), { code: 'file_unreadable', found: 'ENAMETOOLONG' })
  // What stands in its place and is no plain file is not the file.
  mkdirSync(join(directory.path, 'report.json'))
  assert.equal(directory.read('report.json'), undefined)
})

verifies('EVD-12', 'a file that a full disk does not take whole does not take the place of the one before', (t) => {
  if (!existsSync('/dev/full')) return t.skip('needs /dev/full')
  const directory = createRunDirectory(temporaryDirectory(t), RUN)
  directory.write('trace.jsonl', 'one\n')
  symlinkSync('/dev/full', join(directory.path, 'trace.jsonl.part'))
  assert.throws(() => directory.write('trace.jsonl', 'one\ntwo\n'), { code: 'ENOSPC' })
  assert.equal(directory.read('trace.jsonl')?.toString(), 'one\n')
})
