import * as z from 'zod'
import { Name } from './ids.ts'

/**
 * Whose token opens what (AUT-03). `admin` may give and end tokens; `operator` starts and ends work; `reader` looks;
 * `worker` is an agent or a machine that reports; `run` is the token of one run, made by the gates, for its model calls.
 */
export const ACCESS_KINDS = ['admin', 'operator', 'reader', 'worker', 'run'] as const
export type AccessKind = (typeof ACCESS_KINDS)[number]

/** The kinds that people give. The token of a run is given by the gates alone. */
export const GIVEN_KINDS = ['admin', 'operator', 'reader', 'worker'] as const satisfies readonly AccessKind[]

/** An access token as it is stored and listed. The token itself is nowhere. */
export const AccessToken = z.strictObject({
  id: z.string().regex(/^tok_[0-9a-f]{16}$/),
  kind: z.enum(GIVEN_KINDS),
  name: Name,
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime(),
  lastUsedAt: z.iso.datetime().nullable(),
  revokedAt: z.iso.datetime().nullable(),
})
export type AccessToken = z.infer<typeof AccessToken>

/** Who asks, once a token has shown it. */
export interface Principal {
  readonly kind: AccessKind
  /** The id of an access token, or the run of a run token. */
  readonly id: string
  readonly name: string
  readonly expiresAt: string
  /** The session of the console by which it asks, as a hash; left out where the token itself was shown. */
  readonly session?: string
}

/** Why somebody was not let in. It stands in the ledger; the one who asked is told only that there is no access. */
export const DENIALS = ['no_token', 'two_tokens', 'token_malformed', 'token_unknown', 'token_expired', 'token_revoked', 'session_unknown', 'kind_not_permitted', 'attempts_limited', 'host_refused', 'origin_refused', 'route_unknown'] as const
export type Denial = (typeof DENIALS)[number]

/** One decision about access, as the ledger keeps it. `route` is the route's own pattern, never what a stranger wrote into an address. */
export const AccessDecision = z.strictObject({
  at: z.iso.datetime(),
  surface: z.enum(['http', 'mcp']),
  method: z.string().max(20),
  route: z.string().max(200),
  address: z.string().max(100),
  permitted: z.boolean(),
  denial: z.enum(DENIALS).nullable(),
  kind: z.enum(ACCESS_KINDS).nullable(),
  /** The id of the token or run, where the token was one. */
  holder: z.string().nullable(),
})
export type AccessDecision = z.infer<typeof AccessDecision>
