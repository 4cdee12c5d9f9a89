import type { GateName } from '../../src/contract/lifecycle.ts'
import { gateOf, type GateDefinition, type Observed, type Position, runGate } from '../../src/contract/gate.ts'
import type { Proof, ProofMint } from '../../src/contract/proof.ts'

const subject = [{ name: 'test', digest: { sha256: '0'.repeat(64) } }] as const

/** A real proof, for tests of the doors behind a gate: runs the gate on these facts. Throws if the gate blocks. */
export async function proofOf<Name extends GateName, Facts, Content extends object>(
  definition: GateDefinition<Facts>,
  mint: ProofMint<Name, Content>,
  facts: Facts,
  now: Date,
): Promise<Proof<Name, Content>> {
  let observed: Observed = []
  const gate = gateOf(definition, {
    policy: { name: 'test', digest: { sha256: '1'.repeat(64) } },
    timeoutMs: 1_000,
    subject,
    observe: () => Promise.resolve({ facts }),
    keep: (statements) => (observed = statements),
  })
  const position: Position = { runId: '20261120T213918Z-test-1', sequence: 0, previous: null, subject }
  const verdict = await runGate(gate, undefined, position, () => now)
  const proof = mint.prove(verdict, observed, now)
  if (proof === undefined) throw new Error(`No proof: ${JSON.stringify(verdict)}`)
  return proof
}
