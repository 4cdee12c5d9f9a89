import type { LedgerWrite } from '../../engine/index.ts'
import type { Account, GrantRequest, Licence, ModelCall, Spending, TallyOrder, Withdrawal } from '../../gates/wire/index.ts'
import type { ErrorCode } from '../../contract/errors.ts'

/**
 * What the primary process says to a worker. Both are this program in the same version, and the channel between them is nobody
 * else's. The primary alone decides, counts and writes; a worker that does not hear from it forwards nothing.
 */
export type ToWorker =
  | { readonly kind: 'adopt'; readonly request: GrantRequest; readonly licence: Licence }
  | { readonly kind: 'withdraw'; readonly grant: string; readonly withdrawal: Withdrawal }
  | { readonly kind: 'revoke'; readonly grant: string }
  /** How old the last good reading of licences and records is, in milliseconds. */
  | { readonly kind: 'current'; readonly ageMs: number }
  | { readonly kind: 'answer'; readonly question: number; readonly answer: Answer }
  | { readonly kind: 'close' }

export type Answer = { readonly ok: true; readonly value: number | string | Spending | undefined } | { readonly ok: false; readonly fault: string }

/** What a worker asks the primary, and waits for. */
export type Asked =
  | { readonly what: 'number'; readonly runId: string }
  | { readonly what: 'take'; readonly order: TallyOrder }
  | { readonly what: 'append'; readonly write: LedgerWrite }
  | { readonly what: 'charged'; readonly account: Account }

export type ToPrimary =
  | { readonly kind: 'ready'; readonly address: string }
  | { readonly kind: 'failed'; readonly fault: { readonly code: ErrorCode; readonly asked: string; readonly found: string; readonly remedy: string } }
  | { readonly kind: 'ask'; readonly question: number; readonly asked: Asked }
  | { readonly kind: 'settle'; readonly grant: string; readonly profile: string; readonly used: Spending }
  | { readonly kind: 'recorded'; readonly call: ModelCall }
  | { readonly kind: 'unrecorded' }
  | { readonly kind: 'revoked'; readonly grant: string }
