import { createPublicKey, hash, type KeyObject, verify } from 'node:crypto'

export const KEY_ALGORITHMS = ['ecdsa-p256', 'ed25519'] as const
export type KeyAlgorithm = (typeof KEY_ALGORITHMS)[number]

/** The public half of a key that signs checkpoints and attestations. */
export interface VerificationKey {
  /** SHA-256 of the PEM file, lower-case hex: `sha256sum` of the file gives the same. */
  readonly keyId: string
  readonly algorithm: KeyAlgorithm
  readonly pem: string
  readonly key: KeyObject
}

/** What signs. The private key is in it and comes out nowhere. */
export interface Signer {
  readonly key: VerificationKey
  sign(bytes: Buffer): Buffer
}

/** The digest that a signature of this key is made over; Ed25519 brings its own. */
export const digestFor = (algorithm: KeyAlgorithm): 'sha256' | null => (algorithm === 'ecdsa-p256' ? 'sha256' : null)

/** A public key as PEM. Undefined for anything else, a private key among it, and for a kind of key that is not one of ours. */
export function readVerificationKey(pem: string): VerificationKey | undefined {
  if (!/^-----BEGIN PUBLIC KEY-----\n[A-Za-z0-9+/=\n]+-----END PUBLIC KEY-----\n$/.test(pem)) return undefined
  try {
    const key = createPublicKey(pem)
    const algorithm = algorithmOf(key)
    return algorithm === undefined ? undefined : { keyId: hash('sha256', pem), algorithm, pem, key }
  } catch {
    return undefined
  }
}

export function algorithmOf(key: KeyObject): KeyAlgorithm | undefined {
  if (key.asymmetricKeyType === 'ed25519') return 'ed25519'
  return key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1' ? 'ecdsa-p256' : undefined
}

/** A signature that is no signature at all is a wrong one: node throws for some of them. */
export function signatureHolds(key: VerificationKey, bytes: Uint8Array, signature: Uint8Array): boolean {
  try {
    return verify(digestFor(key.algorithm), bytes, key.key, signature)
  } catch {
    return false
  }
}
