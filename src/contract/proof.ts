import { deepFreeze } from './canonical.ts'
import { PortcullisError } from './errors.ts'
import { evidenceDigest } from './evidence.ts'
import { type GateDefinition, isSealed, judge, type Observed } from './gate.ts'
import type { GateName } from './lifecycle.ts'
import type { Pass, Verdict } from './verdict.ts'

declare const brand: unique symbol

/** What an earlier gate hands to the next privileged act. Only `ProofMint.prove` makes one; no literal is one. */
export type Proof<Name extends GateName, Content> = Readonly<Content> & { readonly [brand]: Name; readonly verdict: Pass }

export interface ProofMint<Name extends GateName, Content> {
  readonly gate: Name
  /** Makes the proof from a passing verdict of `runGate` and the statements it was made from; undefined if it does not permit now. */
  prove(verdict: Verdict, observed: Observed, now: Date): Proof<Name, Content> | undefined
  /** Throws `proof_forged` for anything this mint did not make, and for a proof that has expired. Every door calls it first. */
  check(value: Proof<Name, Content>, now: Date): void
}

/**
 * The mint of one gate's proofs. It trusts neither its caller nor the verdict: the verdict must have been sealed by
 * `runGate` for this gate, and the gate's own `decide` must pass the very statements the verdict names.
 */
export function defineProof<Name extends GateName, Facts, Content extends object>(
  definition: GateDefinition<Facts> & { readonly name: Name },
  contentOf: (facts: Facts) => Content,
): ProofMint<Name, Content> {
  const minted = new WeakSet<object>()
  return {
    gate: definition.name,
    prove(verdict, observed, now) {
      if (!isSealed(verdict) || verdict.gate !== definition.name || verdict.outcome !== 'pass') return undefined
      if (!(now.getTime() < Date.parse(verdict.expiresAt))) return undefined
      const digests = observed.map(evidenceDigest)
      if (digests.length !== verdict.evidence.length || digests.some((digest, index) => digest !== verdict.evidence[index])) return undefined
      const facts = definition.facts.read(observed[0])
      if (facts === undefined) return undefined
      const finding = judge(definition, observed)
      // The expiry is part of the judgement: a verdict that grants more time than `decide` does is not this gate's.
      if (finding.outcome !== 'pass' || finding.expiresAt.getTime() !== Date.parse(verdict.expiresAt)) return undefined
      const proof = deepFreeze({ ...contentOf(facts.predicate), verdict })
      minted.add(proof)
      return proof as unknown as Proof<Name, Content>
    },
    check(value, now) {
      const genuine = typeof value === 'object' && value !== null && minted.has(value)
      if (genuine && now.getTime() < Date.parse(value.verdict.expiresAt)) return
      throw new PortcullisError('proof_forged', {
        asked: `a proof of the ${definition.name} gate`,
        found: genuine ? `a proof that expired at ${value.verdict.expiresAt}` : 'an object that the gate did not make',
        remedy: `Pass the ${definition.name} gate; its proof cannot be written by hand.`,
      })
    },
  }
}
