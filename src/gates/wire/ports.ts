import type { Dialect, ModelPair } from '../../contract/model.ts'
import type { Digest } from '../../contract/verdict.ts'
import type { Provider } from '../catalog/index.ts'
import type { CallPurpose, ModelCall } from './model-call.ts'

/** Makes a call's evidence durable. Resolves with its digest only once it is; rejects if it could not be stored (WIR-22). */
export interface CallRecorder {
  record(runId: string, call: ModelCall): Promise<Digest>
}

/** A call whose evidence is durable. */
export interface RecordedCall {
  readonly evidence: Digest
  readonly call: ModelCall
}

/** A run's licence on the wire: whoever holds the token may ask these pairs, until the grant is revoked or its limits are used up. */
export interface GrantRequest {
  readonly runId: string
  readonly purpose: CallPurpose
  /** The one pair this run was admitted for, and the provider that serves it. */
  readonly admitted: ModelPair
  readonly provider: Provider
  /** Names by which the provider may report the admitted model; the exact id, and dated snapshots the record lists. */
  readonly servedModelIds: readonly string[]
  readonly backgroundModels: 'map' | 'refuse'
  readonly limits: { readonly calls: number; readonly tokens: number; readonly costUsd: number | null }
  readonly expiresAt: Date
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
  /** When the last call of this grant began or moved a byte; for idle limits. */
  lastActivityAt(): Date | undefined
  /** Ends the grant: later requests are refused, open ones are cut, and every call's evidence is durable when it resolves. */
  revoke(): Promise<void>
}

/** The wire as the engine sees it. */
export interface Wire {
  /** `http://127.0.0.1:<port>` */
  readonly address: string
  /** Requests that named no live run, or two: they belong to nobody's record. All were refused, but a bare greeting (`HEAD /`). */
  unboundRequests(): number
  grant(request: GrantRequest): Grant
  close(): Promise<void>
}

/** A provider's credential, readable only by the wire. It prints, serialises and compares as nothing. */
export interface Credential {
  /** The headers to send: the one way the value leaves. */
  headers(): Readonly<Record<string, string>>
  /** True if the bytes repeat the value. */
  isIn(bytes: Uint8Array): boolean
  /** The bytes with every occurrence of the value replaced by asterisks. */
  redact(bytes: Uint8Array): Uint8Array
}

/** A missing credential is a refusal, not a fault: it says where it was looked for, never what was found there. */
export type CredentialRead = { readonly ok: true; readonly credential: Credential } | { readonly ok: false; readonly found: string; readonly remedy: string }

/** Where the wire gets credentials from, fresh for every call. */
export interface CredentialReader {
  credentialFor(providerName: string, provider: Provider, dialect: Dialect): Promise<CredentialRead>
}
