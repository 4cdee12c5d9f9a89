import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { sha256 } from '../../src/contract/canonical.ts'
import { runCli } from '../helpers/run-cli.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { verifies } from '../verifies.ts'

verifies('EVD-06', 'keys are made, listed, rotated and exported, and no command shows a private one', async (t) => {
  const directory = temporaryDirectory(t)
  const run = (...args: string[]) => runCli([...args, '--state', 'state'], { cwd: directory })
  const json = async (...args: string[]): Promise<Record<string, unknown>> => JSON.parse((await run(...args, '--json')).stdout) as Record<string, unknown>
  assert.equal((await json('keys', 'export'))['error'] === undefined, false)
  assert.deepEqual(await json('keys', 'list'), { keys: [] })
  const first = await json('keys', 'init')
  assert.equal(first['algorithm'], 'ecdsa-p256')
  assert.equal((await run('keys', 'init')).code, 2)
  const exported = await run('keys', 'export')
  assert.equal(exported.code, 0)
  assert.equal(sha256(exported.stdout), first['key_id'])
  const second = await json('keys', 'rotate', '--algorithm', 'ed25519', '--private-key', 'elsewhere.pem')
  assert.equal(statSync(join(directory, 'elsewhere.pem')).mode & 0o777, 0o600)
  assert.equal((await run('keys', 'export', String(first['key_id']).slice(0, 12))).stdout, exported.stdout)
  assert.equal(sha256((await run('keys', 'export')).stdout), second['key_id'])
  const listed = await run('keys', 'list')
  assert.match(listed.stdout, new RegExp(`${String(first['key_id'])} +ecdsa-p256 +retired [^]*${String(second['key_id'])} +ed25519 +signs since`))
  const shown = [exported, listed, await run('keys', 'list', '--json'), await run('keys', 'export', '--json')].map(({ stdout, stderr }) => stdout + stderr).join('')
  for (const line of readFileSync(join(directory, 'elsewhere.pem'), 'utf8').split('\n').slice(1, -2)) assert.ok(!shown.includes(line))
  assert.doesNotMatch(shown, /PRIVATE/)
  assert.deepEqual(readdirSync(join(directory, 'state/keys')).toSorted((a, b) => a.localeCompare(b)), [`${String(first['key_id'])}.pub.pem`, `${String(second['key_id'])}.pub.pem`, 'keys.json'].toSorted((a, b) => a.localeCompare(b)))
})

test('a key that does not read, an algorithm and an id that nobody knows are refused with what to do', async (t) => {
  const directory = temporaryDirectory(t)
  const run = (...args: string[]) => runCli([...args, '--state', 'state'], { cwd: directory })
  assert.match((await run('keys', 'init', '--algorithm', 'rsa')).stderr, /asked {4}an algorithm: ecdsa-p256 or ed25519[^]*found {4}"rsa"/)
  assert.match((await run('keys', 'rotate')).stderr, /Make one: npx portcullis keys init/)
  assert.equal((await run('keys', 'init')).code, 0)
  assert.match((await run('keys', 'export', 'zz')).stderr, /the beginning of 0 ids/)
  writeFileSync(join(directory, 'state/keys/keys.json'), '{')
  assert.match((await run('keys', 'list')).stderr, /A key cannot be used/)
})
