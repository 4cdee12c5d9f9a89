import * as z from 'zod'
import { Name } from '../../contract/ids.ts'
import { Dialect, parsePair } from '../../contract/model.ts'
import { Duration, Money, Size } from '../../contract/units.ts'
import { judgeProviderUrl, type OwnerPermission } from './provider-address.ts'

/** Where the wire finds a provider's credential. The class may be shown; the value never enters a configuration (SEC-01). */
export const CredentialSource = z
  .discriminatedUnion('source', [
    z.strictObject({ source: z.literal('env'), name: z.string().min(1), class: Name }),
    z.strictObject({ source: z.literal('file'), path: z.string().min(1), class: Name }),
    z.strictObject({ source: z.literal('command'), command: z.array(z.string().min(1)).min(1), class: Name }),
    z.strictObject({ source: z.literal('oauth-file'), path: z.string().min(1), class: Name }),
    z.strictObject({ source: z.literal('none'), class: Name }),
  ])
  .describe('Where the wire finds the credential, and its class, which an admission record must name. Never the value. Files and variables are read anew for each call; what a command prints is used for one minute.')
export type CredentialSource = z.infer<typeof CredentialSource>

/** How long the wire waits for a provider. All four are required: no time limit is defaulted (law 5). */
export const ProviderTimeouts = z
  .strictObject({
    connect: Duration.describe('Until the connection stands.'),
    firstByte: Duration.describe('From the request to the first byte of the answer.'),
    idle: Duration.describe('Between two bytes of an answer.'),
    total: Duration.describe('For one whole call.'),
  })
  .describe('How long the wire waits for this provider. All four are required.')
export type ProviderTimeouts = z.infer<typeof ProviderTimeouts>

/** US dollars per million tokens. Without a price the cost of a call is unknown, and unknown is not zero. */
export const Price = z.strictObject({ input: Money, output: Money })

/** An address without user, password, query or fragment: those are where credentials hide, and records compare what is left. */
export const isPlainUrl = (text: string): boolean => {
  const url = URL.parse(text)
  return url !== null && url.username === '' && url.password === '' && url.search === '' && url.hash === '' && !/[?#]/.test(text)
}

const ProviderFields = z.strictObject({
  dialect: Dialect.describe('The API it speaks.'),
  baseUrl: z
    .url({ protocol: /^https?$/ })
    .refine(isPlainUrl, 'expected an address without user, password, query or fragment')
    .describe('The address that calls are sent to, without credentials. Admission records bind it.'),
  allowPrivateAddresses: z
    .literal(true)
    .optional()
    .describe('Lets calls go to a private network, and to a name that resolves to one or to this machine. Not needed where baseUrl is a loopback address itself. Metadata and link-local addresses stay closed.'),
  networkClass: Name.describe('Where its calls go, as a class that an admission record must allow.'),
  credential: CredentialSource,
  timeouts: ProviderTimeouts,
  onBusy: z.enum(['pass', 'wait']).optional().describe('What a 429 or 529 with Retry-After becomes: passed to the agent, or waited for once, within `timeouts.total`. Left out, it is passed.'),
  prices: z.record(z.string().min(1), Price).optional().describe('US dollars per million tokens, by exact model id. A model without a price has an unknown cost.'),
})

/** Who serves models. The address is judged as it is written here; what a name resolves to is judged for each connection (WIR-42). */
export const Provider = ProviderFields.check((context) => {
  const { baseUrl } = context.value
  // What is not plain is told by the field itself, and may hold a credential.
  const judged = isPlainUrl(baseUrl) ? judgeProviderUrl(baseUrl, addressPermission(context.value)) : undefined
  if (judged?.ok === false) context.issues.push({ code: 'custom', path: ['baseUrl'], input: baseUrl, message: `expected an address that a provider may be called at; this is ${judged.found}` })
})
export type Provider = z.infer<typeof ProviderFields>

/** Where the calls of a provider may go. */
export const addressPermission = (provider: Pick<Provider, 'allowPrivateAddresses'>): OwnerPermission => ({ privateAddresses: provider.allowPrivateAddresses === true })

/** Only exact ids stand here or, by name, another alias. Nothing floats (MC-083). */
export const Alias = z.strictObject({
  requires: z.array(z.enum(['tools'])).optional().describe('What the health probe must prove of a candidate.'),
  candidates: z.array(z.string().min(1)).min(1).describe('Exact provider/model ids or names of other aliases, best first.'),
  onUnhealthy: z.enum(['next-admitted', 'block']).optional().describe('What happens when a candidate is unhealthy. Left out, the run is blocked.'),
})
export type Alias = z.infer<typeof Alias>

/** `aliases.json`: stands beside portcullis.yaml, is read for every resolution, and replaces the targets of aliases by name (MC-084). */
export const AliasOverride = z.strictObject({
  $schema: z.string().optional(),
  version: z.literal(1),
  reason: z.string().min(1).max(500).describe('Why the table is overridden, for whoever reads a run later.'),
  aliases: z.record(Name, Alias).describe('The new targets, by the name of an alias that portcullis.yaml defines.'),
})
export type AliasOverride = z.infer<typeof AliasOverride>

export const ISOLATION_LEVELS = ['none', 'env', 'fs', 'network'] as const
export const IsolationLevel = z.enum(ISOLATION_LEVELS)
export type IsolationLevel = z.infer<typeof IsolationLevel>

export const ProfileLimits = z.strictObject({
  total: Duration.describe('How long the agent may take.'),
  run: Duration.optional().describe('How long the whole run may take, from its opening to its last probe. Without it each part has its own limit alone.'),
  idle: Duration.describe('How long the agent may be silent on the wire and on its output.'),
  calls: z.int().positive().describe('How many model calls it may make.'),
  tokens: z.int().positive().describe('How many tokens it may use.'),
  cost: Money.optional().describe('What it may cost. Needs a price for the model.'),
  memory: Size.optional().describe('How much memory the agent and all that it starts may have together. Needs isolation fs or network.'),
  processes: z.int().positive().optional().describe('How many processes the agent may have at one time, itself included. Needs isolation fs or network.'),
  fileSize: Size.optional().describe('How long no file may become that the agent writes. Needs isolation fs or network.'),
})
export type ProfileLimits = z.infer<typeof ProfileLimits>

export const Budget = z
  .strictObject({
    calls: z.int().positive().optional().describe('How many model calls.'),
    tokens: z.int().positive().optional().describe('How many tokens.'),
    cost: Money.optional().describe('What they may cost. Needs a price for every model they reach.'),
  })
  .refine(({ calls, tokens, cost }) => calls !== undefined || tokens !== undefined || cost !== undefined, 'expected calls, tokens or cost: a budget of nothing in particular limits nothing')
export type Budget = z.infer<typeof Budget>

export const PERMISSION_MODES = ['read-only', 'ask', 'accept-edits', 'bypass'] as const

export const Profile = z.strictObject({
  agent: Name.describe('The adapter that drives the agent, as in pi or command. Admission records call it the runtime.'),
  /** The exact version of the agent program. For `command` agents, which have none, it is left out. */
  agentVersion: z.string().min(1).optional().describe('The exact version of the agent program. Required, except for command agents, which have none.'),
  /** The argv of a `command` agent. */
  command: z.array(z.string().min(1)).min(1).optional().describe('The argv of a command agent, started in the copy of the repository: name files of your own by absolute paths. For case: bun, and the program of Case. Never a secret.'),
  /** An exact `provider/model`, or the name of an alias. */
  model: z.string().min(1).describe('An exact provider/model, or the name of an alias.'),
  context: z.string().min(1).optional().describe('The context variant, as in 1m. Where it goes over the wire, a request that does not ask for it is refused.'),
  effort: z.string().min(1).optional().describe('The effort the model is asked for, as in medium. The wire refuses a request that asks for another one, or for none.'),
  permissions: z.enum(PERMISSION_MODES).describe('What the agent may do without being asked.'),
  purposes: z.array(Name).min(1).describe('What runs of this profile may be for. Anything else is refused, for every caller.'),
  isolation: IsolationLevel.describe('The isolation that must be reached, or the run is blocked.'),
  readable: z
    .array(z.string().regex(/^\//, 'expected an absolute path'))
    .max(50)
    .optional()
    .describe('Folders and files that the agent may also read under isolation fs and network, beside the system and its own program.'),
  refuses: z
    .array(z.string().max(500).regex(/^(?!\/)(?!(?:.*\/)?\.{1,2}(?:\/|$))[^\0]*[^\0/]$/, 'expected a path in the repository, without . and .. and without a slash at either end'))
    .max(100)
    .optional()
    .describe('Files and folders of a repository from which the program of a command or acp agent would take settings: a repository that has one of them is refused. An agent of acp needs it, and [] says that its program takes none from there.'),
  backgroundModels: z.enum(['map', 'refuse']).describe('A model the agent asks for by itself: map it onto the admitted one, or refuse the call.'),
  providerTools: z
    .array(z.string().regex(/^[A-Za-z][\w.:-]{0,79}$/, 'expected the exact type or member by which a request asks for it, as in web_search_20250305 or image_url'))
    .min(1)
    .max(20)
    .optional()
    .describe('What the provider may run or bring in by itself during a run, by the exact type or member of the request, as in web_search_20250305, googleSearch or mcp_servers, and by which members it may fetch content from an address, as in image_url, source.url or fileUri. It reaches beyond this machine, whatever the isolation. Left out, a request for any is refused.'),
  limits: ProfileLimits.describe('What one run may use.'),
  budget: z
    .strictObject({ total: Budget.optional().describe('For ever.'), perDay: Budget.optional().describe('On one day of UTC.') })
    .refine(({ total, perDay }) => total !== undefined || perDay !== undefined, 'expected total or perDay')
    .optional()
    .describe('What all runs of the profile may use together. Used up, the next call is refused; none is cut.'),
})
export type Profile = z.infer<typeof Profile>

export const Purpose = z.strictObject({
  needs: z.array(z.enum(['readiness', 'acceptance'])),
  stage: Name.optional().describe('The stage that an admission record must cover for it, as in stage-2. Left out, it is work, ordinary work on a copy; for the agent case it is stage-2.'),
  mayIgnorePurposeOfProfile: z.literal(true).optional().describe('For the preflight alone: it may use profiles that do not list this purpose, and the ledger shows it.'),
})
export type Purpose = z.infer<typeof Purpose>

/**
 * Which network classes lead out of the machines that people here answer for. Nothing is concluded from the name of a
 * class: one that is not declared counts as external, except at a loopback address (ADM-D10).
 */
export const NetworkClasses = z.record(Name, z.strictObject({ external: z.boolean().describe('True if calls of this class reach somebody else. Such a provider needs a decision of people in decisions/, beside its admission record.') }))
export type NetworkClasses = z.infer<typeof NetworkClasses>

/** The tables that a name is resolved in. Part of portcullis.yaml. */
export const Catalog = z.strictObject({
  providers: z.record(Name, Provider).describe('Who serves models.'),
  aliases: z.record(Name, Alias).optional().describe('Stable names for exact models.'),
  profiles: z.record(Name, Profile).describe('Named ways to run an agent. Nothing is parsed out of the name.'),
  purposes: z.record(Name, Purpose).describe('What a run may be for.'),
})
export type Catalog = z.infer<typeof Catalog>

/** True for `provider/model`; an alias name has no slash. */
export const isExactPair = (text: string): boolean => parsePair(text) !== undefined

/** Looks a name up in a table of a file: own entries only, so that `constructor` and `toString` name nothing. */
export const entryOf = <Entry>(table: Readonly<Record<string, Entry>> | undefined, name: string): Entry | undefined =>
  table !== undefined && Object.hasOwn(table, name) ? table[name] : undefined
