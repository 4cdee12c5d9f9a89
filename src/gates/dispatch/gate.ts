import { defineGate, type Refusal } from '../../contract/gate.ts'
import { defineProof } from '../../contract/proof.ts'
import { DispatchEvidence, type DispatchFacts } from './dispatch-facts.ts'
import type { TurnContent } from './turn.ts'

/** Gate 6: may this message enter this session now, exactly once? */
export const dispatchGate = defineGate({
  name: 'dispatch',
  facts: DispatchEvidence,
  decide(facts, evidence) {
    const refusal = refusalOf(facts)
    if (refusal !== undefined) return { outcome: 'block', ...refusal, evidence }
    return {
      outcome: 'pass',
      message: 'one prompt, once, to an idle session',
      evidence,
      expiresAt: new Date(Date.parse(facts.observedAt) + facts.validForMs),
    }
  },
})

export const dispatchProof = defineProof(dispatchGate, ({ promptDigest, pid }): TurnContent => ({ promptDigest, pid }))

function refusalOf(facts: DispatchFacts): Refusal | undefined {
  const asked = `a prompt of ${facts.promptBytes} bytes into the session of process ${facts.pid}`
  if (facts.phase === 'failed') return failed(asked, facts.failure ?? 'the delivery failed, and nothing says why')
  // Facts that say both "not tried yet" and "it failed" are not to be believed in the better half.
  if (facts.failure !== null) return failed(asked, facts.failure)
  if (facts.deliveriesBefore > 0) return failed(asked, `the prompt was already handed over ${facts.deliveriesBefore === 1 ? 'once' : `${facts.deliveriesBefore} times`}`)
  switch (facts.sessionState) {
    case 'dead':
      return failed(asked, 'the session has ended')
    case 'running':
      return {
        reason: 'runtime_busy',
        message: 'The session is running a turn; nothing was sent.',
        asked,
        found: 'a turn is running',
        remedy: 'Wait until the turn has ended, then send it again.',
      }
    case 'idle':
      return promptRefusal(facts, asked)
  }
}

function promptRefusal(facts: DispatchFacts, asked: string): Refusal | undefined {
  return facts.promptBytes > 0 ? undefined : failed(asked, 'the prompt is empty')
}

const failed = (asked: string, found: string): Refusal => ({
  reason: 'failed_to_inject',
  message: 'The prompt did not enter the session.',
  asked,
  found,
  remedy: 'Start a new run; a prompt is never sent a second time into a session that may already have it.',
})
