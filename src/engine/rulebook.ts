import type { GateDefinition } from '../contract/gate.ts'
import type { GateName } from '../contract/lifecycle.ts'
import { acceptanceGate, ApprovalEvidence, FakeWorkEvidence, ProbeRecordEvidence, ReviewEvidence } from '../gates/acceptance/index.ts'
import { admissionGate } from '../gates/admission/index.ts'
import { catalogGate } from '../gates/catalog/index.ts'
import { DeliveryEvidence, dispatchGate } from '../gates/dispatch/index.ts'
import { healthGate } from '../gates/health/index.ts'
import { launchGate } from '../gates/launch/index.ts'
import { AgentReadinessEvidence, agentReadinessGate, readinessGate } from '../gates/readiness/index.ts'
import { reportGate } from '../gates/report/index.ts'
import { ModelCallEvidence, wireGate } from '../gates/wire/index.ts'
import { AgentExitEvidence, ArtefactEvidence, CompletionEvidence, RunEvidence, WorkspaceEvidence } from './observations.ts'
import type { Rulebook } from './verify-chain.ts'

/** Every gate by its name. The type makes a lifecycle with a gate missing here impossible. */
const GATES: Readonly<Record<GateName, GateDefinition<unknown>>> = {
  catalog: catalogGate,
  admission: admissionGate,
  health: healthGate,
  launch: launchGate,
  readiness: readinessGate,
  dispatch: dispatchGate,
  wire: wireGate,
  acceptance: acceptanceGate,
  report: reportGate,
}

/** The rules by which stored runs are judged again. */
export const RULEBOOK: Rulebook = {
  gates: GATES,
  agentGates: { ...GATES, readiness: agentReadinessGate },
  predicates: [...Object.values(GATES).map((gate) => gate.facts), AgentReadinessEvidence, ModelCallEvidence, ApprovalEvidence, ProbeRecordEvidence, FakeWorkEvidence, ReviewEvidence, DeliveryEvidence, RunEvidence, AgentExitEvidence, WorkspaceEvidence, CompletionEvidence, ArtefactEvidence],
}
