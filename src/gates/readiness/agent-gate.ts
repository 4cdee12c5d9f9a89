import { defineGate } from '../../contract/gate.ts'
import { printPair } from '../../contract/model.ts'
import { defineProof, type Proof } from '../../contract/proof.ts'
import type { Digest, Subject } from '../../contract/verdict.ts'
import { digestOf } from '../../contract/canonical.ts'
import { AgentReadinessEvidence, type AgentReadinessFacts } from './agent-facts.ts'
import { missingParts, spelled } from './missing-parts.ts'

/** Gate 5 for an agent that lives on: has it proven, by what was observed and not by what it says, that it is the one that was meant? */
export const agentReadinessGate = defineGate({
  name: 'readiness',
  facts: AgentReadinessEvidence,
  decide(facts, evidence) {
    const parts = missingParts(facts)
    const [first] = parts
    if (first !== undefined) {
      return {
        outcome: 'block',
        reason: first.reason,
        message: `${facts.agent} is not ready: ${[...new Set(parts.map(({ reason }) => spelled(reason)))].join(', ')}.`,
        asked: parts.map(({ reason, expected }) => `${spelled(reason)}: ${expected}`).join('; '),
        found: parts.map(({ reason, observed }) => `${spelled(reason)}: ${observed}`).join('; '),
        remedy: remedyOf(facts),
        evidence,
      }
    }
    // Whatever it found in order: without a call of the model nothing shows which one serves.
    if (facts.depth === 'light') return { outcome: 'abstain', reason: 'required_gate_abstained', message: 'A light look proves nothing.', evidence }
    return {
      outcome: 'pass',
      message: `${facts.expected.name} ${facts.expected.version}, served by ${printPair(facts.expected.pair)}`,
      evidence,
      expiresAt: new Date(Date.parse(facts.observedAt) + facts.validForMs),
    }
  },
})

export interface AgentReadyContent {
  readonly agent: string
  readonly runId: string
  readonly generation: number
  /** Where it is asked. */
  readonly endpoint: string
  readonly seed: Digest
}

/** That this generation of an agent was, when it was looked at, the one that was meant. */
export type AgentReady = Proof<'readiness', AgentReadyContent>

export const agentReadyProof = defineProof(agentReadinessGate, ({ agent, runId, generation, card, expected }): AgentReadyContent => {
  // Cannot be reached: facts without a card do not pass.
  if (card.status !== 'read') throw new TypeError('An agent without a card is not ready')
  return { agent, runId, generation, endpoint: card.endpoint, seed: expected.seed }
})

/** What a verdict about an agent is about: one generation of it, in one run (RDY-47). */
export const agentSubject = (agent: string, runId: string, generation: number): Subject => ({ name: `agent ${agent} generation ${generation}`, digest: { sha256: digestOf({ agent, runId, generation }) } })

const remedyOf = ({ agent, card, process }: AgentReadinessFacts): string =>
  card.status === 'refused'
    ? `List the exact address under agents.${agent}.allow if it is yours. Nothing was sent to it.`
    : `Give the agent what is named here${process === null ? ' where it is started' : ' by its seed'}, then start a new generation: npx portcullis agents start ${agent} --restart`
