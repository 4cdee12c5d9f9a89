import { randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { type AccessToken, GIVEN_KINDS } from '../contract/access.ts'
import { sha256 } from '../contract/canonical.ts'
import { PortcullisError, systemCode } from '../contract/errors.ts'
import { createAccessToken, Name } from '../contract/ids.ts'
import type { AccessStore } from '../engine/index.ts'
import { actorId } from '../gates/dispatch/index.ts'
import { instantOf } from './instant.ts'
import { type AppOptions, stateDirectoryOf, usage } from './places.ts'
import { accessStoreIn } from './store.ts'

export type GivenKind = (typeof GIVEN_KINDS)[number]

export interface GivenToken {
  /** Shown once, stored nowhere. */
  readonly token: string
  readonly stored: AccessToken
}

/** Makes a token and stores its hash. */
export async function giveToken(store: AccessStore, asked: { readonly kind: GivenKind; readonly name: string; readonly expiresAt: Date; readonly now: Date }): Promise<GivenToken> {
  if (!Name.safeParse(asked.name).success) throw usage('a name for the token: letters, digits, ".", "_" or "-", and a letter or digit first', JSON.stringify(asked.name), 'Name who holds it, as in --name build-machine.')
  const alike = (await store.tokens()).find((known) => known.name !== asked.name && actorId(known.name) === actorId(asked.name) && accessRowOf(known, asked.now).state === 'live')
  if (alike !== undefined) throw usage('a name for the token that nobody else has', `${asked.name}, and a live token of ${alike.name}: written otherwise, it is the same actor`, `Write it as ${alike.name} for the same holder, or give another one.`)
  const token = createAccessToken()
  const stored: AccessToken = { id: `tok_${randomBytes(8).toString('hex')}`, kind: asked.kind, name: asked.name, createdAt: asked.now.toISOString(), expiresAt: asked.expiresAt.toISOString(), lastUsedAt: null, revokedAt: null }
  await store.create(stored, sha256(token))
  return { token, stored }
}

async function withStore<Value>(options: AppOptions, use: (store: AccessStore) => Promise<Value>): Promise<Value> {
  const store = await accessStoreIn(options, stateDirectoryOf(options))
  try {
    return await use(store)
  } finally {
    await store.close()
  }
}

export const isGivenKind = (kind: string): kind is GivenKind => GIVEN_KINDS.some((given) => given === kind)

/** Makes a token for the server. Who can write to the state directory may do that, as they may change everything else there. */
export async function createAccess(options: AppOptions, asked: { readonly kind: GivenKind; readonly name: string; readonly expires: string }): Promise<GivenToken> {
  const now = options.clock()
  const expiresAt = instantOf(asked.expires, now)
  return withStore(options, (store) => giveToken(store, { ...asked, expiresAt, now }))
}

export type AccessRow = AccessToken & { readonly state: 'live' | 'expired' | 'revoked' }

export const accessRowOf = (token: AccessToken, now: Date): AccessRow => ({ ...token, state: token.revokedAt !== null ? 'revoked' : Date.parse(token.expiresAt) > now.getTime() ? 'live' : 'expired' })

/** Every access token ever given, newest first; never the token itself. */
export const listAccess = (options: AppOptions): Promise<readonly AccessRow[]> => withStore(options, async (store) => (await store.tokens()).map((token) => accessRowOf(token, options.clock())))

/** Ends an access token at once. False if it had been revoked before. Throws `token_not_found`. */
export const revokeAccess = (options: AppOptions, id: string): Promise<boolean> => withStore(options, (store) => endToken(store, id, options.clock()))

export async function endToken(store: AccessStore, id: string, at: Date): Promise<boolean> {
  if ((await store.token(id)) === undefined) throw new PortcullisError('token_not_found', { asked: `the token ${id}`, found: 'no token of this id', remedy: 'npx portcullis tokens list shows them.' })
  return store.revoke(id, at)
}

/** Name of the file in the state directory that holds the first token until somebody has taken it. */
export const FIRST_TOKEN_FILE = 'admin-token'

/**
 * The first token of a store that has none: it lies in a file that only this user can read, whose path is returned, and its hash
 * in the store. Undefined if there are tokens already. The file comes first: a token that nobody can find would lock the door.
 */
export async function firstToken(store: AccessStore, asked: { readonly stateDirectory: string; readonly expiresAt: () => Date; readonly now: Date }): Promise<string | undefined> {
  if ((await store.tokens()).length > 0) return undefined
  const path = join(asked.stateDirectory, FIRST_TOKEN_FILE)
  const expiresAt = asked.expiresAt()
  const file = createFile(path)
  try {
    const { token } = await giveToken(store, { kind: 'admin', name: 'first', expiresAt, now: asked.now })
    writeSync(file, `${token}\n`)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  return path
}

/** Made new, never followed or overwritten: somebody else's file would be read by somebody else. */
function createFile(path: string): number {
  try {
    return openSync(path, 'wx', 0o600)
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error
    throw new PortcullisError('file_exists', { asked: `a new file for the first token at ${path}`, found: 'a file is there, and the ledger knows no token', remedy: 'It belongs to another ledger. Move it away, then start again.', cause: error })
  }
}
