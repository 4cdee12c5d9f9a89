import type { Evidence, Predicate } from '../contract/evidence.ts'
import type { GateDefinition } from '../contract/gate.ts'
import type { GateName } from '../contract/lifecycle.ts'
import type { Verdict } from '../contract/verdict.ts'
import { admissionGate, type AdmissionFacts } from '../gates/admission/index.ts'
import { catalogGate, type ResolvedProfile, resolutionOf } from '../gates/catalog/index.ts'
import { launchGate, type LaunchFacts } from '../gates/launch/index.ts'
import { type ModelCall, ModelCallEvidence } from '../gates/wire/index.ts'
import type { RunEvent } from './ledger.ts'
import type { ReadHistory } from './verify-chain.ts'

/** Questions to a history that was read strictly. Nothing here judges. */
export class RunRecord {
  readonly history: ReadHistory

  constructor(history: ReadHistory) {
    this.history = history
  }

  get verdicts(): readonly Verdict[] {
    return this.history.verdicts.map(({ verdict }) => verdict)
  }

  /** The last verdict of a gate: an alias with several candidates meets the first gates more than once. */
  last(gate: GateName): Verdict | undefined {
    return this.verdicts.findLast((verdict) => verdict.gate === gate)
  }

  /** The facts that the last verdict of a gate was made from. */
  facts<Facts>(definition: GateDefinition<Facts>): Facts | undefined {
    const digest = this.last(definition.name)?.evidence[0]
    const statement = digest === undefined ? undefined : this.history.statements.get(digest)
    return definition.facts.read(statement)?.predicate
  }

  /** Every statement of one kind, in the order it was stored. */
  all<Fields>(predicate: Predicate<Fields>): Fields[] {
    return [...this.history.statements.values()].flatMap((statement: Evidence) => predicate.read(statement)?.predicate ?? [])
  }

  event(type: RunEvent['type']): RunEvent | undefined {
    return this.history.events.find((event) => event.type === type)
  }

  get resolution(): ResolvedProfile | undefined {
    const facts = this.facts(catalogGate)
    return facts === undefined ? undefined : resolutionOf(facts)
  }

  get admission(): AdmissionFacts | undefined {
    return this.facts(admissionGate)
  }

  get launch(): LaunchFacts | undefined {
    return this.facts(launchGate)
  }

  /** The agent's own requests; a health probe is not work. */
  get agentCalls(): readonly ModelCall[] {
    return this.all(ModelCallEvidence).filter((call) => call.purpose === 'agent')
  }

  get processStarted(): boolean {
    return this.event('process_started') !== undefined
  }
}
