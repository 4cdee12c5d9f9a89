import assert from 'node:assert/strict'
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryDirectory } from '../../../test/helpers/temporary-directory.ts'
import { verifies } from '../../../test/verifies.ts'
import { sha256 } from '../../contract/canonical.ts'
import { KEY_ALGORITHMS, signatureHolds } from '../../engine/index.ts'
import { createKey, listKeys, openSigner, readPublicKey, rotateKey, trustedKeys } from './index.ts'

const at = new Date('2026-11-20T21:39:18.001Z')
const made = { algorithm: 'ecdsa-p256', privateKeyFile: undefined, at } as const
const message = Buffer.from('a checkpoint')

for (const algorithm of KEY_ALGORITHMS) {
  verifies('EVD-06', `a key of ${algorithm} signs, and its id is the digest of its public file`, (t) => {
    const directory = join(temporaryDirectory(t), 'keys')
    const { key_id: keyId } = createKey(directory, { ...made, algorithm })
    const [key] = trustedKeys(directory)
    assert.ok(key !== undefined)
    assert.equal(keyId, sha256(readFileSync(join(directory, `${keyId}.pub.pem`))))
    const signature = openSigner(directory).sign(message)
    assert.ok(signatureHolds(key, message, signature))
    for (let index = 0; index < signature.length; index++) {
      const flipped = Buffer.from(signature)
      flipped[index] = (flipped[index] ?? 0) ^ 1
      assert.ok(!signatureHolds(key, message, flipped), `byte ${index}`)
    }
    assert.ok(!signatureHolds(key, Buffer.from('another'), signature))
  })
}

test('the private half is readable by its owner only, and is refused when it is not', (t) => {
  const directory = join(temporaryDirectory(t), 'keys')
  const { key_id: keyId, private_key: file } = createKey(directory, made)
  assert.equal(file, `${keyId}.key.pem`)
  const path = join(directory, file)
  assert.equal((statSync(path).mode & 0o777).toString(8), '600')
  for (const mode of [0o640, 0o604, 0o620]) {
    chmodSync(path, mode)
    assert.throws(() => openSigner(directory), { code: 'key_invalid', remedy: `chmod 600 ${path}` })
  }
})

test('a second first key is refused; a key is never written over', (t) => {
  const directory = join(temporaryDirectory(t), 'keys')
  createKey(directory, made)
  assert.throws(() => createKey(directory, made), { code: 'file_exists' })
  const elsewhere = join(temporaryDirectory(t), 'mine.pem')
  writeFileSync(elsewhere, 'mine')
  assert.throws(() => rotateKey(directory, { ...made, privateKeyFile: elsewhere }), { code: 'file_exists' })
  assert.equal(readFileSync(elsewhere, 'utf8'), 'mine')
  assert.equal(listKeys(directory).length, 1)
})

test('after a rotation the new key signs, what the old one signed still holds, and its private half is gone', (t) => {
  const directory = join(temporaryDirectory(t), 'keys')
  const first = createKey(directory, made)
  const signature = openSigner(directory).sign(message)
  const second = rotateKey(directory, { algorithm: 'ed25519', privateKeyFile: undefined, at: new Date(at.getTime() + 1) })
  assert.equal(openSigner(directory).key.keyId, second.key_id)
  assert.deepEqual(trustedKeys(directory).map((key) => [key.keyId, signatureHolds(key, message, signature)]), [[first.key_id, true], [second.key_id, false]])
  assert.deepEqual(listKeys(directory).map((key) => [key.retired_at !== null, key.private_key]), [[true, null], [false, `${second.key_id}.key.pem`]])
  assert.ok(!existsSync(join(directory, `${first.key_id}.key.pem`)))
})

test('a private key may be kept elsewhere, and stays there when it signs no more', (t) => {
  const directory = join(temporaryDirectory(t), 'keys')
  const elsewhere = join(temporaryDirectory(t), 'vault/portcullis.pem')
  createKey(directory, { ...made, privateKeyFile: elsewhere })
  assert.deepEqual(readdirSync(directory).filter((name) => name.endsWith('.key.pem')), [])
  openSigner(directory)
  rotateKey(directory, made)
  assert.ok(existsSync(elsewhere))
})

test('keys that were exchanged, cut or lost are refused, and no error quotes a key', (t) => {
  const other = join(temporaryDirectory(t), 'keys')
  createKey(other, made)
  const [theirs] = trustedKeys(other)
  const tries: [string, (directory: string, keyId: string) => void, string][] = [
    ['another public key', (directory, keyId) => writeFileSync(join(directory, `${keyId}.pub.pem`), theirs?.pem ?? ''), 'key_invalid'],
    ['another private key', (directory, keyId) => writeFileSync(join(directory, `${keyId}.key.pem`), readFileSync(join(other, `${theirs?.keyId}.key.pem`))), 'key_invalid'],
    ['half a private key', (directory, keyId) => writeFileSync(join(directory, `${keyId}.key.pem`), readFileSync(join(directory, `${keyId}.key.pem`), 'utf8').slice(0, 90)), 'key_invalid'],
    ['no list', (directory) => writeFileSync(join(directory, 'keys.json'), '{}'), 'key_invalid'],
  ]
  for (const [name, spoil, code] of tries) {
    const directory = join(temporaryDirectory(t), 'keys')
    const { key_id: keyId } = createKey(directory, made)
    const secret = readFileSync(join(directory, `${keyId}.key.pem`), 'utf8').split('\n')[1] ?? ''
    spoil(directory, keyId)
    assert.throws(() => openSigner(directory), (error: Error & { code?: string; found?: string }) => error.code === code && !JSON.stringify([error.message, error.found, error.stack]).includes(secret), name)
  }
  assert.throws(() => openSigner(join(temporaryDirectory(t), 'none')), { code: 'key_missing' })
})

test('what is no public key is not taken for one', (t) => {
  const directory = join(temporaryDirectory(t), 'keys')
  const { key_id: keyId } = createKey(directory, made)
  assert.equal(readPublicKey(join(directory, `${keyId}.pub.pem`)).keyId, keyId)
  assert.throws(() => readPublicKey(join(directory, `${keyId}.key.pem`)), { code: 'key_invalid' })
  assert.throws(() => readPublicKey(join(directory, 'keys.json')), { code: 'key_invalid' })
  assert.throws(() => readPublicKey(join(directory, 'absent.pem')), { code: 'file_missing' })
})
