import { randomBytes } from 'node:crypto'
import type { AccessDecision, AccessKind, Denial, Principal } from '../contract/access.ts'
import { sha256 } from '../contract/canonical.ts'
import type { Clock } from '../contract/clock.ts'
import { looksLikeAccessToken, looksLikeRunToken } from '../contract/ids.ts'
import { type AccessStore, denialOf, type TokenFacts } from '../engine/index.ts'
import { FailureCount } from './failure-count.ts'
import type { RunTokens } from './run-tokens.ts'

/** What somebody showed to be let in. */
export type Presented = { readonly by: 'token'; readonly token: string } | { readonly by: 'session'; readonly session: string } | { readonly by: 'nothing' } | { readonly by: 'two' }

export interface AccessRequest {
  readonly surface: AccessDecision['surface']
  readonly method: string
  /** The pattern of the route, never the address as it was written. */
  readonly route: string
  /** Where the connection comes from. */
  readonly address: string
  readonly kinds: readonly AccessKind[]
  readonly presented: Presented
}

export type AccessAnswer =
  | { readonly ok: true; readonly principal: Principal }
  | { readonly ok: false; readonly code: 'access_denied' | 'access_forbidden'; readonly retryAfterSeconds: null }
  | { readonly ok: false; readonly code: 'attempts_limited'; readonly retryAfterSeconds: number }

export interface Session {
  /** What the cookie holds. Kept as a hash only, and in memory only: a session ends with the server. */
  readonly id: string
  readonly expiresAt: Date
}

interface Found {
  readonly facts: TokenFacts
  readonly principal: Principal | null
  /** The hash of what was shown, by which a holder who was let in before is known again. */
  readonly hash: string | null
  readonly denial: Denial | null
}

const nobody = (denial: Denial, hash: string | null = null): Found => ({ facts: undefined, principal: null, hash, denial })

/**
 * The one place where it is decided who may ask what of the server. Every decision is in the ledger before anything
 * follows from it; if it cannot be stored, nobody is let in.
 */
export class AccessDesk {
  readonly #store: AccessStore
  readonly #runTokens: RunTokens
  readonly #clock: Clock
  readonly #failures: FailureCount
  readonly #sessions = new Map<string, { readonly token: string; readonly expiresAt: Date }>()

  constructor(store: AccessStore, runTokens: RunTokens, clock: Clock) {
    this.#store = store
    this.#runTokens = runTokens
    this.#clock = clock
    this.#failures = new FailureCount(clock)
  }

  async decide(request: AccessRequest): Promise<AccessAnswer> {
    const now = this.#clock()
    const found = await this.#find(request.presented)
    // A guess is not even looked at once there were too many; whoever was let in before is no guess.
    const waitSeconds = found.hash !== null && this.#failures.isKnown(found.hash) ? undefined : this.#failures.secondsToWait(request.address)
    const denial: Denial | undefined = waitSeconds !== undefined ? 'attempts_limited' : (found.denial ?? denialOf(found.facts, request.kinds, now))
    const { principal } = found
    const permitted = denial === undefined && principal !== null
    const told = waitSeconds === undefined && principal !== null ? principal : null
    await this.#store.decided({ at: now.toISOString(), surface: request.surface, method: request.method, route: request.route, address: request.address, permitted, denial: permitted ? null : (denial ?? 'token_unknown'), kind: told?.kind ?? null, holder: told?.id ?? null })
    if (permitted) {
      if (found.hash !== null) this.#failures.know(found.hash)
      return { ok: true, principal }
    }
    if (waitSeconds !== undefined) return { ok: false, code: 'attempts_limited', retryAfterSeconds: waitSeconds }
    // Who holds a token in force guesses nothing: it is told that its kind is not enough.
    if (denial === 'kind_not_permitted') return { ok: false, code: 'access_forbidden', retryAfterSeconds: null }
    this.#failures.failed(request.address)
    return { ok: false, code: 'access_denied', retryAfterSeconds: null }
  }

  /** Whether whoever was let in would be let in again now: what takes long asks from time to time. */
  async isInForce(principal: Principal): Promise<boolean> {
    if (this.hasSignedOut(principal)) return false
    const facts = principal.kind === 'run' ? undefined : await this.#store.token(principal.id)
    return denialOf(facts, [principal.kind], this.#clock()) === undefined
  }

  /** Whether the session by which it was let in has ended: its token may go on, what was begun by the session may not. */
  hasSignedOut({ session }: Principal): boolean {
    return session !== undefined && !this.#sessions.has(session)
  }

  /** Records a request that was refused before anybody asked who it came from. */
  async refused(request: Pick<AccessRequest, 'surface' | 'method' | 'route' | 'address'>, denial: Denial): Promise<void> {
    const { surface, method, route, address } = request
    await this.#store.decided({ at: this.#clock().toISOString(), surface, method, route, address, permitted: false, denial, kind: null, holder: null })
  }

  /** Opens a session for the holder of an access token; it ends with the token at the latest. */
  openSession(principal: Principal): Session {
    this.#dropEnded()
    const id = randomBytes(32).toString('base64url')
    const expiresAt = new Date(principal.expiresAt)
    this.#sessions.set(sha256(id), { token: principal.id, expiresAt })
    return { id, expiresAt }
  }

  endSession(id: string): void {
    this.#sessions.delete(sha256(id))
  }

  #dropEnded(): void {
    const now = this.#clock().getTime()
    for (const [hash, { expiresAt }] of this.#sessions) if (expiresAt.getTime() <= now) this.#sessions.delete(hash)
  }

  async #find(presented: Presented): Promise<Found> {
    switch (presented.by) {
      case 'nothing':
        return nobody('no_token')
      case 'two':
        return nobody('two_tokens')
      case 'token':
        return this.#findToken(presented.token)
      case 'session': {
        const hash = sha256(presented.session)
        const session = this.#sessions.get(hash)
        const token = session === undefined ? undefined : await this.#store.token(session.token)
        return token === undefined ? nobody('session_unknown', hash) : { facts: token, principal: { ...token, session: hash }, hash, denial: null }
      }
    }
  }

  async #findToken(token: string): Promise<Found> {
    const hash = sha256(token)
    if (looksLikeRunToken(token)) {
      const run = await this.#runTokens.find(hash)
      return run === undefined ? nobody('token_unknown', hash) : { facts: { kind: 'run', ...run }, principal: { kind: 'run', id: run.runId, name: run.profile, expiresAt: run.expiresAt }, hash, denial: null }
    }
    if (!looksLikeAccessToken(token)) return nobody('token_malformed', hash)
    const stored = await this.#store.tokenOf(hash)
    return stored === undefined ? nobody('token_unknown', hash) : { facts: stored, principal: stored, hash, denial: null }
  }
}
