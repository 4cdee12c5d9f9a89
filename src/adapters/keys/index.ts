export { createKey, type KeyRecord, listKeys, type NewKey, openSigner, readPublicKey, rotateKey, trustedKeys } from './key-ring.ts'
