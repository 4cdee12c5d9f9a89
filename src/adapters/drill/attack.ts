import type { ErrorCode } from '../../contract/errors.ts'
import type { GateName } from '../../contract/lifecycle.ts'
import type { Reason } from '../../contract/reasons.ts'
import type { FaultRule } from '../scripted-provider/index.ts'
import type { DrillCopy } from './copy.ts'
import type { DrillTarget } from './target.ts'

/** Who refuses: a gate; `configuration`, before a run is opened; `ledger`, which stores no credential. */
export type Refuser = GateName | 'configuration' | 'ledger'

/** How an attack ends on a closed gate. Anything else, a later gate that stopped it included, is an open one. */
export interface Expectation {
  readonly by: Refuser
  readonly reason: Reason | ErrorCode
  /** Whether the agent's process may have been started. */
  readonly process: boolean
  /** How many inference requests may have reached the provider, the health probe's included. */
  readonly requests: number
  /** What the refusal must name. */
  readonly naming?: readonly string[]
  /** The answer must have been kept from the agent, and not only have been counted afterwards. */
  readonly answerWithheld?: true
  /** The credential stood in what the run was asked for, before the wire had read it: the ledger holds the question as it was put. */
  readonly askedWithSecret?: true
}

/** What an attack may use beside its copy. */
export interface Surroundings {
  /** Where a second provider listens, which nobody admitted. */
  readonly otherUrl: string
  /** Where nothing listens. */
  readonly deadUrl: string
  readonly now: Date
}

/** One way in. */
export interface Attack {
  /** Stays the same; for programs that read the result. */
  readonly id: string
  readonly title: string
  /** What is done to the copy, in one sentence. */
  readonly tries: string
  readonly expects: Expectation
  /** Why it cannot be tried on this configuration; undefined if it can. */
  impossible?(target: DrillTarget): string | undefined
  /** What goes wrong at the provider. The first inference request is the health probe's. */
  readonly faults?: readonly FaultRule[]
  arrange(copy: DrillCopy, surroundings: Surroundings): void
  /** Called when the agent's own first call reaches the provider. */
  onAgentCall?(copy: DrillCopy): void
}

/** What was seen of one run on a copy. */
export interface Observed {
  /** Null: nobody refused, the work was accepted. */
  readonly by: Refuser | 'run' | null
  readonly reason: string | null
  readonly message: string
  /** What the refusal said it found. */
  readonly found: string
  readonly processStarted: boolean
  readonly requests: number
  /** Calls whose answer was kept from the agent. */
  readonly withheldAnswers: number
  /** Files of the run, and the ledger, in which the planted credential still stands. */
  readonly leftIn: readonly string[]
  readonly elapsedMs: number
  /** Its time was over before it had ended by itself. */
  readonly cutShort: boolean
}

export interface Judged {
  readonly verdict: 'closed' | 'open' | 'not-proven'
  /** Why it is not closed, one sentence each. */
  readonly because: readonly string[]
}

/**
 * What came of an attack. A run whose time was over shows nothing by how it ended, only by what had come through until then: a
 * slow machine would else be told of holes that are none. Pure.
 */
export function judgeAttack(expects: Expectation, seen: Observed): Judged {
  const because = faultsOf(expects, seen)
  if (because.length === 0) return { verdict: 'closed', because }
  const cameThrough = seen.by === null || (seen.processStarted && !expects.process) || seen.requests > expects.requests
  return seen.cutShort && !cameThrough ? { verdict: 'not-proven', because: ['its time was over before it ended', ...because] } : { verdict: 'open', because }
}

/** What is wrong with the outcome of an attack, one sentence each; empty for a closed gate. */
function faultsOf(expects: Expectation, seen: Observed): string[] {
  const faults: string[] = []
  if (seen.by === null) faults.push('it passed every gate')
  else if (seen.by !== expects.by || seen.reason !== expects.reason) faults.push(`${expects.by} let it pass; it ended as ${seen.reason ?? 'no reason'} at ${seen.by}`)
  if (seen.processStarted && !expects.process) faults.push('the agent was started')
  if (seen.requests > expects.requests) faults.push(`${seen.requests} requests reached the provider, where at most ${expects.requests} may`)
  if (expects.answerWithheld === true && seen.withheldAnswers === 0) faults.push('the answer reached the agent')
  const unnamed = (expects.naming ?? []).filter((name) => !seen.found.includes(name))
  if (unnamed.length > 0) faults.push(`the refusal does not name ${unnamed.join(', ')}`)
  const left = seen.leftIn.filter((name) => expects.askedWithSecret !== true || !name.startsWith('ledger.db'))
  if (left.length > 0) faults.push(`the planted credential stands in ${left.join(', ')}`)
  return faults
}
