import type { Refusal } from '../../src/contract/gate.ts'
import type { Reason } from '../../src/contract/reasons.ts'

/** A refusal, as small as one can be. */
export const refuse = (reason: Reason, found: string): Refusal => ({ reason, message: found, asked: 'a test', found, remedy: 'none' })
