import { PortcullisError } from '../../contract/errors.ts'
import { isSealed } from '../../contract/gate.ts'
import type { Reason } from '../../contract/reasons.ts'
import { permits, type Verdict } from '../../contract/verdict.ts'
import { type AgentReadinessFacts, agentSubject, type MissingPart, missingParts, spelled } from '../../gates/readiness/index.ts'
import type { AgentRecord, AgentStage, AgentState } from './states.ts'
import type { AgentChange } from './store.ts'

/** One generation of an agent. */
export interface AgentIdentity {
  readonly name: string
  readonly runId: string
  readonly generation: number
}

/** Why an agent changes. Only `proven` leads to online, and it takes the verdict itself. */
export type AgentCause =
  | { readonly kind: 'proven'; readonly verdict: Verdict; readonly facts: AgentReadinessFacts }
  | { readonly kind: 'unready'; readonly to: 'degraded' | 'failed'; readonly stage: AgentStage; readonly reason: Reason; readonly message: string; readonly failures: number; readonly facts: AgentReadinessFacts | null }
  | { readonly kind: 'moved'; readonly to: Exclude<AgentState, 'online' | 'failed'>; readonly stage: AgentStage; readonly reason: Reason | null; readonly message: string }

/**
 * The one function that says what an agent becomes (RDY-11). Throws `proof_forged` for online without a passing verdict of the
 * readiness gate that this process sealed, that is about this very generation in its own run, and that is in force.
 */
export function transition(agent: AgentIdentity, cause: AgentCause, at: Date): AgentChange {
  const common = { name: agent.name, generation: agent.generation, at }
  switch (cause.kind) {
    case 'proven': {
      const { verdict, facts } = cause
      const subject = agentSubject(agent.name, agent.runId, agent.generation)
      if (!isSealed(verdict) || verdict.gate !== 'readiness' || verdict.runId !== agent.runId || !permits(verdict, subject, at)) throw forged(agent)
      return { ...common, to: 'online', stage: 'serving', reason: null, message: verdict.message, failures: 0, proof: 'verdict', conditions: conditionsOf(facts) }
    }
    case 'unready': {
      const { to, stage, reason, message, failures, facts } = cause
      return { ...common, to, stage, reason, message, failures, proof: null, conditions: facts === null ? [notReady(reason, message)] : conditionsOf(facts, reason, message) }
    }
    case 'moved': {
      const { to, stage, reason, message } = cause
      return { ...common, to, stage, reason, message, failures: 0, proof: null, conditions: [notReady(reason ?? 'agent_stopped', message)] }
    }
  }
}

const forged = ({ name, generation }: AgentIdentity): PortcullisError =>
  new PortcullisError('proof_forged', { asked: `agent ${name} online in generation ${generation}`, found: 'no verdict of the readiness gate in force for it', remedy: 'Let it pass the readiness gate; nothing else brings an agent online.' })

/** True only for an agent that may be given something to do now. Asked of what the store holds, at the moment it matters (RDY-21). */
export const isRoutable = (agent: Pick<AgentRecord, 'state' | 'provenUntil'>, now: Date): boolean => agent.state === 'online' && agent.provenUntil !== null && now.getTime() < Date.parse(agent.provenUntil)

type Condition = AgentChange['conditions'][number]

const notReady = (reason: Reason, message: string): Condition => ({ type: 'Ready', status: 'False', reason: spelled(reason), message: message.slice(0, 4_000) })

const PARTS_OF: Readonly<Record<'Identity' | 'Model' | 'Tools' | 'Build', readonly Reason[]>> = {
  Identity: ['missing_identity', 'identity_mismatch', 'agent_not_as_planned'],
  Model: ['missing_model', 'model_mismatch'],
  Tools: ['missing_mcp_server', 'missing_tool'],
  Build: ['stale_deployment'],
}

/** What was found out, part by part, as conditions. What could not be looked at is Unknown, never True. */
function conditionsOf(facts: AgentReadinessFacts, reason?: Reason, message = ''): Condition[] {
  const parts = missingParts(facts)
  const heard = facts.challenge.status === 'answered' || facts.challenge.status === 'unanswered'
  const about = (type: keyof typeof PARTS_OF): Condition[] => {
    const own = parts.filter((part) => PARTS_OF[type].includes(part.reason))
    if (own[0] !== undefined) return [{ type, status: 'False', reason: spelled(own[0].reason), message: sentence(own) }]
    // A light look asks for no call of the model, so it says nothing about it.
    if (type === 'Model' && facts.depth === 'light') return []
    return [heard ? { type, status: 'True', reason: 'Observed', message: '' } : { type, status: 'Unknown', reason: 'NotObserved', message: '' }]
  }
  const unreachable = parts.filter((part) => part.passing)
  const summary: Condition = parts.length === 0 && reason === undefined ? { type: 'Ready', status: 'True', reason: 'Proven', message: '' } : notReady(reason ?? parts[0]?.reason ?? 'gate_crashed', message || sentence(parts))
  return [
    { type: 'Registered', status: facts.card.status === 'read' ? 'True' : 'False', reason: facts.card.status === 'read' ? 'CardRead' : 'NoCard', message: 'found' in facts.card ? facts.card.found : '' },
    ...about('Identity'),
    ...about('Model'),
    ...about('Tools'),
    ...about('Build'),
    unreachable[0] === undefined ? { type: 'Reachable', status: heard ? 'True' : 'Unknown', reason: heard ? 'Observed' : 'NotObserved', message: '' } : { type: 'Reachable', status: 'False', reason: spelled(unreachable[0].reason), message: sentence(unreachable) },
    summary,
  ]
}

const sentence = (parts: readonly MissingPart[]): string => parts.map(({ reason, expected, observed }) => `${spelled(reason)}: expected ${expected}, observed ${observed}`).join('; ').slice(0, 4_000)
