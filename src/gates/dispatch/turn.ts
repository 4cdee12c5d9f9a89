import { sha256 } from '../../contract/canonical.ts'
import { PortcullisError } from '../../contract/errors.ts'
import type { Proof } from '../../contract/proof.ts'
import type { Digest } from '../../contract/verdict.ts'
import { dispatchProof } from './gate.ts'

export interface TurnContent {
  readonly promptDigest: Digest
  readonly pid: number
}

/** The right to put one prompt into one session, once. */
export type Turn = Proof<'dispatch', TurnContent>

const spent = new WeakSet<object>()

/**
 * Uses a turn up, at the door through which a prompt enters a session. Throws `proof_forged` for a turn that the gate did
 * not make or that has expired, for another prompt or another process than it was given for, and for the second use.
 */
export function spendTurn(turn: Turn, act: { readonly prompt: string; readonly pid: number }, now: Date): void {
  dispatchProof.check(turn, now)
  const found = differenceOf(turn, act)
  if (found !== undefined) {
    throw new PortcullisError('proof_forged', { asked: 'a turn for this prompt in this session', found, remedy: 'Pass the dispatch gate for each prompt; a turn holds for one, once.' })
  }
  spent.add(turn)
}

function differenceOf(turn: Turn, act: { readonly prompt: string; readonly pid: number }): string | undefined {
  if (spent.has(turn)) return 'a turn that was already used'
  if (turn.pid !== act.pid) return `a turn for process ${turn.pid}, used for process ${act.pid}`
  if (turn.promptDigest !== sha256(act.prompt)) return 'a turn that was given for another prompt'
  return undefined
}
