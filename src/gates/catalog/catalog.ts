import { z } from 'zod'
import { Name } from '../../contract/ids.ts'
import { Dialect, parsePair } from '../../contract/model.ts'
import { Duration, Money } from '../../contract/units.ts'

/** Where the wire finds a provider's credential. The class may be shown; the value never enters a configuration (SEC-01). */
export const CredentialSource = z.discriminatedUnion('source', [
  z.strictObject({ source: z.literal('env'), name: z.string().min(1), class: Name }),
  z.strictObject({ source: z.literal('file'), path: z.string().min(1), class: Name }),
  z.strictObject({ source: z.literal('command'), command: z.array(z.string().min(1)).min(1), class: Name }),
  z.strictObject({ source: z.literal('oauth-file'), path: z.string().min(1), class: Name }),
  z.strictObject({ source: z.literal('none'), class: Name }),
])
export type CredentialSource = z.infer<typeof CredentialSource>

/** How long the wire waits for a provider. All four are required: no time limit is defaulted (law 5). */
export const ProviderTimeouts = z.strictObject({ connect: Duration, firstByte: Duration, idle: Duration, total: Duration })
export type ProviderTimeouts = z.infer<typeof ProviderTimeouts>

/** US dollars per million tokens. Without a price the cost of a call is unknown, and unknown is not zero. */
export const Price = z.strictObject({ input: Money, output: Money })

export const Provider = z.strictObject({
  dialect: Dialect,
  baseUrl: z.url({ protocol: /^https?$/ }),
  networkClass: Name,
  credential: CredentialSource,
  timeouts: ProviderTimeouts,
  prices: z.record(z.string().min(1), Price).optional(),
})
export type Provider = z.infer<typeof Provider>

/** Only exact ids stand here or, by name, another alias. Nothing floats (MC-083). */
export const Alias = z.strictObject({
  requires: z.array(z.enum(['tools'])).optional(),
  candidates: z.array(z.string().min(1)).min(1),
  onUnhealthy: z.enum(['next-admitted', 'block']).optional(),
})
export type Alias = z.infer<typeof Alias>

export const ISOLATION_LEVELS = ['none', 'env', 'fs', 'network'] as const
export const IsolationLevel = z.enum(ISOLATION_LEVELS)
export type IsolationLevel = z.infer<typeof IsolationLevel>

export const ProfileLimits = z.strictObject({
  total: Duration,
  idle: Duration,
  calls: z.int().positive(),
  tokens: z.int().positive(),
  cost: Money.optional(),
})
export type ProfileLimits = z.infer<typeof ProfileLimits>

export const PERMISSION_MODES = ['read-only', 'ask', 'accept-edits', 'bypass'] as const

export const Profile = z.strictObject({
  agent: Name,
  /** The exact version of the agent program. For `command` agents, which have none, it is left out. */
  agentVersion: z.string().min(1).optional(),
  /** The argv of a `command` agent. */
  command: z.array(z.string().min(1)).min(1).optional(),
  /** An exact `provider/model`, or the name of an alias. */
  model: z.string().min(1),
  context: z.string().min(1).optional(),
  effort: z.string().min(1).optional(),
  permissions: z.enum(PERMISSION_MODES),
  purposes: z.array(Name).min(1),
  isolation: IsolationLevel,
  backgroundModels: z.enum(['map', 'refuse']),
  limits: ProfileLimits,
})
export type Profile = z.infer<typeof Profile>

export const Purpose = z.strictObject({
  needs: z.array(z.enum(['readiness', 'acceptance'])),
  mayIgnorePurposeOfProfile: z.literal(true).optional(),
})
export type Purpose = z.infer<typeof Purpose>

/** The tables that a name is resolved in. Part of portcullis.yaml. */
export const Catalog = z.strictObject({
  providers: z.record(Name, Provider),
  aliases: z.record(Name, Alias).optional(),
  profiles: z.record(Name, Profile),
  purposes: z.record(Name, Purpose),
})
export type Catalog = z.infer<typeof Catalog>

/** True for `provider/model`; an alias name has no slash. */
export const isExactPair = (text: string): boolean => parsePair(text) !== undefined
