import { canonicalJson, digestOf } from '../contract/canonical.ts'
import type { Clock } from '../contract/clock.ts'
import { PortcullisError } from '../contract/errors.ts'
import type { Evidence } from '../contract/evidence.ts'
import { type GateDefinition, gateOf, type Observation, type Observed, runGate } from '../contract/gate.ts'
import type { GateName } from '../contract/lifecycle.ts'
import type { Proof, ProofMint } from '../contract/proof.ts'
import type { Reason } from '../contract/reasons.ts'
import type { Digest, Subject, Verdict } from '../contract/verdict.ts'
import type { SecretScanner } from '../gates/report/index.ts'
import type { AgentChange } from './agents/store.ts'
import type { Ledger, LedgerWrite, RunEvent, RunSummary, StateChange } from './ledger.ts'

/** A gate that has decided: the proof if it permits, otherwise the verdict that ends the run. */
export type Decided<Name extends GateName, Content> = { readonly ok: true; readonly proof: Proof<Name, Content>; readonly verdict: Verdict } | { readonly ok: false; readonly verdict: Verdict; readonly reason: Reason }

export interface Step<Name extends GateName, Facts, Content> {
  readonly definition: GateDefinition<Facts> & { readonly name: Name }
  readonly mint: ProofMint<Name, Content>
  readonly subject: Subject
  readonly timeoutMs: number
  /** When what this gate judges began, by `performance.now()`, if that was earlier and has been announced already. */
  readonly beganAt?: number
  observe(signal: AbortSignal): Promise<Observation<Facts>>
  /** What must become durable in the same transaction as the verdict. */
  together?(verdict: Verdict): { readonly state?: StateChange; readonly events?: readonly RunEvent[]; readonly agent?: AgentChange }
}

/** Tells whoever watches that a gate began or has decided. Watching can not change anything. */
export interface CourseWatcher {
  gateBegan(gate: GateName): void
  gateDecided(verdict: Verdict, elapsedMs: number): void
}

/**
 * A run on its way: the only place that runs gates and appends to the run's chain. Each verdict is durable, together
 * with what it was made from, before its proof exists (laws 2 and 3).
 */
export class Course {
  readonly run: RunSummary
  readonly #ledger: Ledger
  readonly #scanner: SecretScanner
  readonly #clock: Clock
  readonly #policyDigest: Digest
  readonly #watcher: CourseWatcher
  #sequence = 0
  #previous: Digest | null = null

  /** `after`: the last verdict of a run that is taken up. */
  constructor(options: { run: RunSummary; ledger: Ledger; scanner: SecretScanner; clock: Clock; policyDigest: Digest; watcher: CourseWatcher; after?: Verdict | undefined }) {
    this.run = options.run
    this.#ledger = options.ledger
    this.#scanner = options.scanner
    this.#clock = options.clock
    this.#policyDigest = options.policyDigest
    this.#watcher = options.watcher
    if (options.after !== undefined) {
      this.#sequence = options.after.sequence + 1
      this.#previous = digestOf(options.after)
    }
  }

  /** Digest of the last verdict, or of the run's id before the first: what the report gate judges. */
  get head(): Digest {
    return this.#previous ?? digestOf(this.run.runId)
  }

  async decide<Name extends GateName, Facts, Content>(step: Step<Name, Facts, Content>): Promise<Decided<Name, Content>> {
    const began = step.beganAt ?? this.announce(step.definition.name)
    let observed: Observed = []
    const gate = gateOf<null, Facts>(step.definition, {
      policy: { name: `${step.definition.name}/v1`, digest: { sha256: this.#policyDigest } },
      timeoutMs: step.timeoutMs,
      subject: [step.subject],
      observe: (_input, signal) => step.observe(signal),
      keep: (statements) => {
        observed = statements
      },
    })
    const at = { runId: this.run.runId, sequence: this.#sequence, previous: this.#previous, subject: [step.subject] as const }
    const verdict = await runGate(gate, null, at, this.#clock)
    await this.append({ evidence: observed, verdict, ...step.together?.(verdict) })
    this.#sequence += 1
    this.#previous = digestOf(verdict)
    this.#watcher.gateDecided(verdict, performance.now() - began)
    if (verdict.outcome !== 'pass') return { ok: false, verdict, reason: verdict.reason }
    const proof = step.mint.prove(verdict, observed, this.#clock())
    // A pass that no longer permits (expired on the way, statements swapped) opens nothing.
    return proof === undefined ? { ok: false, verdict, reason: 'gate_output_invalid' } : { ok: true, proof, verdict }
  }

  /** Tells the watcher that the work of a gate begins; returns the time, for `beganAt`. */
  announce(gate: GateName): number {
    this.#watcher.gateBegan(gate)
    return performance.now()
  }

  /** Appends to the run in one transaction. Refuses to store a credential: `secret_withheld`, and nothing is written. */
  async append(write: Omit<LedgerWrite, 'runId'>): Promise<void> {
    for (const body of [...(write.evidence ?? []), ...(write.events ?? []), ...(write.verdict === undefined ? [] : [write.verdict])]) {
      refuseSecrets(this.#scanner, body)
    }
    await this.#ledger.append({ runId: this.run.runId, ...write })
  }

  event(type: RunEvent['type'], data: RunEvent['data']): RunEvent {
    return { type, at: this.#clock().toISOString(), data }
  }
}

/** Throws `secret_withheld` if the document holds a credential that the wire knows: the ledger is append-only, so what enters it stays. */
export function refuseSecrets(scanner: SecretScanner, document: Evidence<unknown> | RunEvent | Verdict): void {
  const kind = 'predicateType' in document ? document.predicateType : 'gate' in document ? `verdict of ${document.gate}` : `event ${document.type}`
  refuseSecretsIn(scanner, Buffer.from(canonicalJson(document)), kind)
}

/** The same for a document that is bytes already; `kind` is what it is called if it is refused. */
export function refuseSecretsIn(scanner: Pick<SecretScanner, 'scan'>, bytes: Buffer, kind: string): void {
  const findings = scanner.scan(bytes)
  if (findings.length === 0) return
  throw new PortcullisError('secret_withheld', {
    asked: `to store a ${kind}`,
    found: `a credential in it (${findings.map((finding) => `${finding.rule}, #${finding.hash}`).join('; ')})`,
    remedy: 'Nothing was stored. Replace the credential, and find out how it came there.',
  })
}
