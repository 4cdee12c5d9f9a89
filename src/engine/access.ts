import type { AccessDecision, AccessKind, AccessToken, Denial } from '../contract/access.ts'
import type { GateName } from '../contract/lifecycle.ts'
import type { Digest } from '../contract/verdict.ts'

/** What a token is judged by. `undefined` where nothing is stored under its hash. */
export type TokenFacts = Pick<AccessToken, 'kind' | 'expiresAt' | 'revokedAt'> | { readonly kind: 'run'; readonly expiresAt: string; readonly revokedAt: string | null } | undefined

/** Why a token does not open a route that is open to `kinds`, or undefined if it does. Pure; what is not known denies. */
export function denialOf(token: TokenFacts, kinds: readonly AccessKind[], now: Date): Denial | undefined {
  if (token === undefined) return 'token_unknown'
  if (token.revokedAt !== null) return 'token_revoked'
  // An instant that cannot be read is no time to come.
  if (!(Date.parse(token.expiresAt) > now.getTime())) return 'token_expired'
  return kinds.includes(token.kind) ? undefined : 'kind_not_permitted'
}

/** An answer that was given once and is given again to whoever repeats the request under the same key. */
export interface StoredAnswer {
  readonly status: number
  readonly contentType: string
  readonly body: string
}

/** What became of an earlier request under the same key of the same holder. */
export type EarlierRequest =
  | { readonly state: 'none' }
  /** The same request. Null: it was begun and its answer is not known, or may not be given twice. */
  | { readonly state: 'same'; readonly answer: StoredAnswer | null }
  | { readonly state: 'other' }

export interface Change {
  /** The place in the ledger's order, which a follower can go on from. */
  readonly position: number
  readonly runId: string
  readonly kind: 'event' | 'verdict'
  /** The row exactly as it is stored. */
  readonly body: string
}

export interface ActRowsAsked {
  readonly type: 'person_acted' | 'act_ended' | 'check_ended'
  readonly order: 'newest' | 'oldest'
  readonly beyond: number
  readonly most: number
}

/**
 * What the server keeps in the ledger's own file: tokens by their hash, every decision about access, answers by their key.
 * Every method rejects with a `store_*` PortcullisError if the store is down: nobody is let in on a guess.
 */
export interface AccessStore {
  tokens(): Promise<readonly AccessToken[]>
  tokenOf(sha256: Digest): Promise<AccessToken | undefined>
  token(id: string): Promise<AccessToken | undefined>
  create(token: AccessToken, sha256: Digest): Promise<void>
  /** False if it had been revoked before. */
  revoke(id: string, at: Date): Promise<boolean>
  /** Durable when it resolves; a permitted one also marks the last use of its token. */
  decided(decision: AccessDecision): Promise<void>
  decisionsAfter(position: number, most: number): Promise<readonly (AccessDecision & { readonly position: number })[]>
  newestDecisions(most: number): Promise<readonly (AccessDecision & { readonly position: number })[]>
  /** Takes the key for a request, unless it was taken before. */
  takeKey(request: { readonly holder: string; readonly key: string; readonly digest: Digest; readonly at: Date }): Promise<EarlierRequest>
  keepAnswer(request: { readonly holder: string; readonly key: string }, answer: StoredAnswer): Promise<void>
  /** For a request that did nothing: it may be tried again under the same key. */
  releaseKey(request: { readonly holder: string; readonly key: string }): Promise<void>
  changesAfter(position: number, most: number): Promise<readonly Change[]>
  /** Rows of one type of the books of acts, beyond a position in the order that is asked for. */
  actRows(asked: ActRowsAsked): Promise<readonly Pick<Change, 'position' | 'body'>[]>
  lastPosition(): Promise<number>
  /** How many verdicts of each gate and outcome were decided from an instant on. */
  verdictsSince(since: Date): Promise<readonly { readonly gate: string; readonly outcome: string; readonly count: number }[]>
  /** The newest verdicts of one gate over all runs, newest first, as they are stored. */
  newestVerdicts(gate: GateName, most: number): Promise<readonly Pick<Change, 'position' | 'runId' | 'body'>[]>
  /** Rejects unless a row can be written and taken back. */
  proveWritable(): Promise<void>
  close(): Promise<void>
}
