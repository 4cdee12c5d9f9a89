import { join, resolve as resolvePath } from 'node:path'
import { createKey, type KeyRecord, listKeys, rotateKey, trustedKeys } from '../adapters/keys/index.ts'
import { PortcullisError } from '../contract/errors.ts'
import { KEY_ALGORITHMS, type KeyAlgorithm, type VerificationKey } from '../engine/index.ts'
import { type AppOptions, stateDirectoryOf, usage } from './places.ts'

export type { KeyRecord }

export interface KeyRequest {
  readonly algorithm: string
  /** Where the private half is to be kept, from the caller's directory; undefined keeps it in the state directory. */
  readonly privateKey: string | undefined
}

/** Where the keys are that sign the ledger of a state directory. */
export const keysOf = (options: AppOptions): string => join(stateDirectoryOf(options), 'keys')

/** Makes the key that signs. Throws `file_exists` if there is one: from then on it is rotated. */
export const initialiseKeys = (options: AppOptions, request: KeyRequest): KeyRecord => createKey(keysOf(options), newKey(options, request))

/** Makes a key that signs from now on; what the one before it signed is still verified with its public half. */
export function rotateKeys(options: AppOptions, request: KeyRequest): KeyRecord {
  requireKeys(options)
  return rotateKey(keysOf(options), newKey(options, request))
}

export const keysIn = (options: AppOptions): readonly KeyRecord[] => listKeys(keysOf(options))

/** A public key, the one that signs if none is named. A few digits of its id are enough. Throws `key_missing` or `usage`. */
export function exportedKey(options: AppOptions, named: string | undefined): VerificationKey {
  requireKeys(options)
  const current = listKeys(keysOf(options)).find((key) => key.retired_at === null)
  const wanted = (named ?? current?.key_id ?? '').replace(/^sha256:/, '')
  const found = trustedKeys(keysOf(options)).filter((key) => wanted !== '' && key.keyId.startsWith(wanted))
  if (found.length === 1 && found[0] !== undefined) return found[0]
  throw usage('the id of one key', `${JSON.stringify(named ?? null)}, which is the beginning of ${found.length} ids`, 'List them: npx portcullis keys list')
}

function requireKeys(options: AppOptions): void {
  if (listKeys(keysOf(options)).length > 0) return
  throw new PortcullisError('key_missing', { asked: `the keys of ${stateDirectoryOf(options)}`, found: 'none', remedy: 'Make one: npx portcullis keys init. The first run makes one too.' })
}

const newKey = (options: AppOptions, { algorithm, privateKey }: KeyRequest) => ({ algorithm: algorithmNamed(algorithm), privateKeyFile: privateKey === undefined ? undefined : resolvePath(options.cwd, privateKey), at: options.clock() })

function algorithmNamed(name: string): KeyAlgorithm {
  const algorithm = KEY_ALGORITHMS.find((each) => each === name)
  if (algorithm === undefined) throw usage(`an algorithm: ${KEY_ALGORITHMS.join(' or ')}`, JSON.stringify(name), `Give --algorithm ${KEY_ALGORITHMS[0]}.`)
  return algorithm
}
