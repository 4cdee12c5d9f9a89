import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, statSync, writeSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import * as z from 'zod'
import { PortcullisError, systemCode } from '../../contract/errors.ts'
import { Digest } from '../../contract/verdict.ts'
import { algorithmOf, digestFor, KEY_ALGORITHMS, type KeyAlgorithm, readVerificationKey, type Signer, type VerificationKey } from '../../engine/index.ts'
import { makeDirectory } from '../directories/index.ts'

const KeyRecord = z.strictObject({
  key_id: Digest,
  algorithm: z.enum(KEY_ALGORITHMS),
  created_at: z.iso.datetime(),
  /** Null for the one key that signs. */
  retired_at: z.iso.datetime().nullable(),
  /** Where its private half is, from the directory of the keys; null once it is gone. */
  private_key: z.string().min(1).nullable(),
})
export type KeyRecord = z.infer<typeof KeyRecord>

const KeyRing = z.strictObject({ version: z.literal(1), keys: z.array(KeyRecord) })

const RING = 'keys.json'
const publicFile = (keyId: string): string => `${keyId}.pub.pem`

/** Every key of the directory, oldest first; none if there is no such directory. Throws `key_invalid` for one that does not read. */
export function listKeys(directory: string): readonly KeyRecord[] {
  const text = readIfThere(join(directory, RING))
  if (text === undefined) return []
  const parsed = KeyRing.safeParse(parseJson(text))
  if (!parsed.success || parsed.data.keys.filter((key) => key.retired_at === null).length > 1) throw invalid(join(directory, RING), 'a list of keys that does not validate')
  return parsed.data.keys
}

/** The public halves of all keys, retired ones included: what they signed is checked with them for ever. Throws `key_invalid`. */
export function trustedKeys(directory: string): readonly VerificationKey[] {
  return listKeys(directory).map(({ key_id: keyId }) => {
    const path = join(directory, publicFile(keyId))
    const key = readVerificationKey(readIfThere(path) ?? '')
    if (key?.keyId !== keyId) throw invalid(path, 'no public key of that id')
    return key
  })
}

/** A public key that somebody was given. Throws `file_missing` or `key_invalid`. */
export function readPublicKey(path: string): VerificationKey {
  const pem = readIfThere(path)
  if (pem === undefined) throw new PortcullisError('file_missing', { asked: `the public key ${path}`, found: 'no such file', remedy: 'Export it where the ledger is: npx portcullis keys export > portcullis.pub.pem' })
  const key = readVerificationKey(pem)
  if (key === undefined) throw invalid(path, 'no public key of ECDSA P-256 or Ed25519 as PEM')
  return key
}

export interface NewKey {
  readonly algorithm: KeyAlgorithm
  /** Where the private half is to be written, an absolute path; undefined puts it beside the public one. */
  readonly privateKeyFile: string | undefined
  readonly at: Date
}

/** Makes the first key. Throws `file_exists` if there is one that signs. */
export function createKey(directory: string, made: NewKey): KeyRecord {
  const current = listKeys(directory).find((key) => key.retired_at === null)
  if (current === undefined) return addKey(directory, made)
  throw new PortcullisError('file_exists', { asked: `a first key in ${directory}`, found: `key ${current.key_id} signs`, remedy: 'To sign with a new one from now on: npx portcullis keys rotate' })
}

/** Makes a key that signs from now on. The one before it signs no more: its public half stays, and its private half is deleted where we keep it. */
export function rotateKey(directory: string, made: NewKey): KeyRecord {
  const record = addKey(directory, made)
  for (const { key_id: keyId, private_key: file } of listKeys(directory)) {
    if (keyId !== record.key_id && file === privateFile(keyId)) rmSync(join(directory, file), { force: true })
  }
  writeRing(directory, listKeys(directory).map((key) => (key.retired_at !== null && key.private_key === privateFile(key.key_id) ? { ...key, private_key: null } : key)))
  return record
}

const privateFile = (keyId: string): string => `${keyId}.key.pem`

function addKey(directory: string, { algorithm, privateKeyFile, at }: NewKey): KeyRecord {
  const { privateKey, publicKey } = algorithm === 'ed25519' ? generateKeyPairSync('ed25519') : generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const key = readVerificationKey(String(publicKey.export({ type: 'spki', format: 'pem' })))
  if (key === undefined) throw new TypeError('a key that was just made does not read')
  const file = privateKeyFile ?? privateFile(key.keyId)
  makeDirectory(directory, 0o700)
  writeDurably(resolve(directory, file), String(privateKey.export({ type: 'pkcs8', format: 'pem' })), 0o600)
  writeDurably(join(directory, publicFile(key.keyId)), key.pem, 0o644)
  const record: KeyRecord = { key_id: key.keyId, algorithm, created_at: at.toISOString(), retired_at: null, private_key: file }
  writeRing(directory, [...listKeys(directory).map((each) => (each.retired_at === null ? { ...each, retired_at: at.toISOString() } : each)), record])
  return record
}

/** The list is what makes a key one of ours, so it is replaced as a whole and last. */
function writeRing(directory: string, keys: readonly KeyRecord[]): void {
  const beside = join(directory, `${RING}.part`)
  rmSync(beside, { force: true })
  writeDurably(beside, `${JSON.stringify(KeyRing.parse({ version: 1, keys }), null, 2)}\n`, 0o600)
  renameSync(beside, join(directory, RING))
}

/**
 * What signs here. Throws `key_missing` if nothing does, and `key_invalid` for a private key that others may read or that is
 * not the half of the public one.
 */
export function openSigner(directory: string): Signer {
  const current = listKeys(directory).find((key) => key.retired_at === null)
  const path = current?.private_key == null ? undefined : resolve(directory, current.private_key)
  const pem = path === undefined ? undefined : readIfThere(path)
  if (current === undefined || path === undefined || pem === undefined) {
    throw new PortcullisError('key_missing', { asked: `the key that signs what is stored beside ${directory}`, found: path === undefined ? `no key in ${directory}` : `no file ${path}`, remedy: 'Put it back. If it is lost, make a new one: npx portcullis keys rotate. What the old one signed is still verified with its public half.' })
  }
  if ((statSync(path).mode & 0o077) !== 0) throw invalid(path, 'a private key that others than its owner may read', `chmod 600 ${path}`)
  const key = trustedKeys(directory).find((each) => each.keyId === current.key_id)
  const privateKey = readPrivateKey(pem)
  if (key === undefined || privateKey === undefined || algorithmOf(privateKey) !== key.algorithm || createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }) !== key.pem) throw invalid(path, 'no private half of the key it is listed as')
  return { key, sign: (bytes) => sign(digestFor(key.algorithm), bytes, privateKey) }
}

/** The error of node may quote what it could not read. */
function readPrivateKey(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem)
  } catch {
    return undefined
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return undefined
    throw new PortcullisError('file_unreadable', { asked: `to read ${path}`, found: systemCode(error) ?? 'an unknown failure', remedy: 'Check the permissions of the file and its directory.', cause: error })
  }
}

/** A key is never written over: what another process made in between stays. */
function writeDurably(path: string, content: string, mode: number): void {
  try {
    makeDirectory(dirname(path), 0o700)
    const file = openSync(path, 'wx', mode)
    try {
      const bytes = Buffer.from(content)
      for (let written = 0; written < bytes.length; ) written += writeSync(file, bytes, written)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
  } catch (error) {
    if (systemCode(error) === 'EEXIST') throw new PortcullisError('file_exists', { asked: `to write ${path}`, found: 'a file is there', remedy: 'Name another one; a key is never written over.', cause: error })
    throw new PortcullisError('file_unwritable', { asked: `to write ${path}`, found: systemCode(error) ?? 'an unknown failure', remedy: 'Check the permissions of the directory.', cause: error })
  }
}

const invalid = (path: string, found: string, remedy = 'Put the file back as it was written, or make a new key: npx portcullis keys rotate'): PortcullisError => new PortcullisError('key_invalid', { asked: `the key ${path}`, found, remedy })
