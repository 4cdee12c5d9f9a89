import type { Dialect, ModelPair } from '../../contract/model.ts'
import type { Reason } from '../../contract/reasons.ts'
import type { Digest } from '../../contract/verdict.ts'
import type { Provider } from '../catalog/index.ts'
import type { Account, Allowance, Charge, SharedBudget, Spending } from './budget.ts'
import type { CallPurpose, ModelCall } from './model-call.ts'
import type { ModelSettings } from './settings.ts'

/** Makes a call's evidence durable. */
export interface CallRecorder {
  /** Resolves with the digest of the evidence only once it is durable, and the charge with it; rejects if it could not be stored (WIR-22). */
  record(runId: string, call: ModelCall, charge: Charge | undefined): Promise<Digest>
  /** What was charged to an account until now, by whoever writes into the same store. */
  charged(account: Account): Promise<Spending>
}

/** A call that would like to be forwarded, and everything that may forbid it. */
export interface TallyOrder {
  /** Which grant, as the table of grants knows it. */
  readonly grant: string
  readonly profile: string
  readonly allowance: Allowance
  readonly shared: readonly { readonly budget: SharedBudget; readonly charged: Spending }[]
}

/** Numbers the calls of each run and counts what they use: one tally for all processes that serve the same runs (WIR-54). */
export interface Tally {
  /** Takes a grant up where an earlier process left off. */
  open(grant: string, runId: string, from: { readonly lastNumber: number; readonly spent: Spending }): void
  /** The number of a call that has just arrived; given by run, and never twice. */
  number(runId: string): number | Promise<number>
  /** Takes a place for one call, or says why there is none. Looking and taking are one step: two calls at once cannot both take the last place. */
  take(order: TallyOrder): string | undefined | Promise<string | undefined>
  /** Counts what a call that took a place has used, once its evidence is durable or lost. */
  settle(grant: string, profile: string, used: Spending): void
  close(grant: string): void
}

/** A call whose evidence is durable. */
export interface RecordedCall {
  readonly evidence: Digest
  readonly call: ModelCall
}

/** One pair that a run was admitted for, and the provider that serves it. */
export interface Target {
  readonly admitted: ModelPair
  readonly provider: Provider
  /** Names by which the provider may report the admitted model; the exact id, and dated snapshots the record lists. */
  readonly servedModelIds: readonly string[]
  /** When the record that admits it ends; from then on nothing is forwarded to it (WIR-04). Null if no date ends the record. */
  readonly admittedUntil: Date | null
}

/** A run's licence on the wire: whoever holds the token may ask these pairs, until the grant is revoked or its limits are used up. */
export interface GrantRequest extends Target {
  readonly runId: string
  /** Counts the generations of a run, from 1. A grant of a later one makes the earlier ones stale (WIR-04). */
  readonly epoch: number
  readonly purpose: CallPurpose
  /** Aliases by which the targets may be asked for, resolved here as at launch (WIR-03). */
  readonly aliases: readonly string[]
  /** Whether each target may also be asked for by its own model id. A grant of an alias alone does not imply it (WIR-07). */
  readonly byModelId: boolean
  /** The further candidates of the same alias, each admitted by its own record, in order (WIR-31). Empty for a run pinned to one pair. */
  readonly fallbacks: readonly Target[]
  readonly backgroundModels: 'map' | 'refuse'
  /** What its profile names beside the model: a request that asks for anything else is refused (MC-082). */
  readonly settings: ModelSettings
  /** What the provider may run or bring in by itself, by the type or the member that asks for it. */
  readonly providerTools: readonly string[]
  readonly limits: Allowance
  /** The profile whose run it is: what its calls use is charged to it. */
  readonly profile: string
  /** Budgets that it shares with other runs (WIR-23). */
  readonly budgets: readonly SharedBudget[]
  readonly expiresAt: Date
}

/** All targets of a grant, the first choice first. */
export const targetsOf = (grant: GrantRequest): readonly [Target, ...Target[]] => [grant, ...grant.fallbacks]

/** Why a grant is no longer in force, although it was not ended: its admission was. */
export interface Withdrawal {
  readonly reason: Reason
  readonly found: string
  readonly remedy: string
}

/** The end of an answer, and the number of the call that it answered. */
export interface LastWords {
  readonly number: number
  readonly text: string
}

export interface Grant {
  /** The run token, for `Authorization: Bearer` or `x-api-key`. Shown once; the wire keeps its hash. */
  readonly token: string
  /** Base URLs to give to a client of each dialect, without the token in them. */
  readonly baseUrl: Readonly<Record<Dialect, string>>
  /** Every call of this grant so far whose evidence is durable, in order of arrival. */
  calls(): readonly RecordedCall[]
  /** Calls whose evidence could not be stored. Anything but zero means that the record of the run has a hole (WIR-22). */
  unrecordedCalls(): number
  /** What the model said in words in the answer to the last question that was answered, by the order of arrival; null before one. Kept in memory only. */
  lastWords(): LastWords | null
  /** When the last call of this grant began or moved a byte; for idle limits. */
  lastActivityAt(): Date | undefined
  /**
   * Also takes this run's calls on a Unix socket at `path`, until the grant is revoked: who calls there is this run, with its
   * token or with none, and no other run can (ISO-03). Rejects with the system's error where it cannot be made.
   */
  listen(path: string): Promise<void>
  /** Refuses every later call with this reason, because what admitted the run is not in force any more. Calls under way go on. */
  withdraw(withdrawal: Withdrawal): void
  /** Ends the grant: later requests are refused, open ones are cut, and every call's evidence is durable when it resolves. */
  revoke(): Promise<void>
}

/** What an earlier process knew of a licence: the wire keeps no token, only its hash (SEC-02). */
export interface Licence {
  readonly tokenSha256: Digest
  /** The highest number among its recorded calls, so that no number is given twice; 0 for none. */
  readonly lastNumber: number
  readonly spent: Spending
}

/** The wire as the engine sees it. */
export interface Wire {
  /** `http://127.0.0.1:<port>` */
  readonly address: string
  /** Requests that named no live run, or two: they belong to nobody's record. All were refused, but a bare greeting (`HEAD /`). */
  unboundRequests(): number
  grant(request: GrantRequest): Grant
  /** Takes up a licence whose token was made elsewhere, by the token's SHA-256, with what was used of it before. */
  adopt(request: GrantRequest, licence: Licence): Omit<Grant, 'token'>
  close(): Promise<void>
}

/** What whoever serves licences needs of a wire: of one process, or of several (WIR-54). */
export interface LicenceWire extends Pick<Wire, 'address' | 'close'> {
  adopt(request: GrantRequest, licence: Licence): Pick<Grant, 'withdraw' | 'revoke'>
}

/** A provider's credential, readable only by the wire. It prints, serialises and compares as nothing. */
export interface Credential {
  /** The headers to send: the one way the value leaves. */
  headers(): Readonly<Record<string, string>>
  /** True if the bytes repeat the value. */
  isIn(bytes: Uint8Array): boolean
  /** The length in bytes of the longest form that `isIn` looks for; 0 if there is nothing to look for. */
  readonly longest: number
  /** The bytes with every occurrence of the value replaced by asterisks. */
  redact(bytes: Uint8Array): Uint8Array
}

/** A missing credential is a refusal, not a fault: it says where it was looked for, never what was found there. */
export type CredentialRead = { readonly ok: true; readonly credential: Credential } | { readonly ok: false; readonly found: string; readonly remedy: string }

/** Where the wire gets credentials from, fresh for every call. */
export interface CredentialReader {
  credentialFor(providerName: string, provider: Provider, dialect: Dialect): Promise<CredentialRead>
}
