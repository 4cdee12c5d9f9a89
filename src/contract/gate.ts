import { deepFreeze } from './canonical.ts'
import type { Digests, Evidence, Predicate } from './evidence.ts'
import { evidenceDigest } from './evidence.ts'
import type { GateName } from './lifecycle.ts'
import type { Reason } from './reasons.ts'
import { type Digest, type Subject, Verdict } from './verdict.ts'

/** What a gate's own code returns. The runner adds identity, order and time; a gate cannot forge them. */
export type Finding =
  | { readonly outcome: 'pass'; readonly message: string; readonly evidence: Digests; readonly expiresAt: Date }
  | ({ readonly outcome: 'block'; readonly evidence?: readonly Digest[] } & Refusal)
  | { readonly outcome: 'abstain'; readonly reason: Reason; readonly message: string; readonly evidence?: readonly Digest[] }

/** A refusal, loud (law 7): the reason code, one sentence, what was asked, what was found, what to do. */
export interface Refusal {
  readonly reason: Reason
  readonly message: string
  readonly asked: string
  readonly found: string
  readonly remedy: string
}

export interface Gate<Input> {
  readonly name: GateName
  readonly policy: Subject
  readonly timeoutMs: number
  evaluate(input: Input, signal: AbortSignal): Promise<Finding>
}

export interface Position {
  readonly runId: string
  readonly sequence: number
  readonly previous: Digest | null
  readonly subject: readonly [Subject, ...Subject[]]
}

/**
 * One gate as data: the facts it needs and how it judges them. `decide` is pure (no clock, disk, environment or network),
 * so that anybody can judge the stored facts again and must reach the same finding (EVD-10).
 */
export interface GateDefinition<Facts> {
  readonly name: GateName
  readonly facts: Predicate<Facts>
  decide(facts: Facts, evidence: Digests): Finding
}

/** Keeps the gate's name as a literal type, so that its proofs carry it. */
export const defineGate = <Name extends GateName, Facts>(definition: GateDefinition<Facts> & { readonly name: Name }): GateDefinition<Facts> & { readonly name: Name } => definition

/** What a gate's observer brings back: the facts, and further statements that the facts refer to. */
export interface Observation<Facts> {
  readonly facts: Facts
  readonly supporting?: readonly Evidence<unknown>[]
}

/** What a gate observed, as it must be stored beside its verdict: the statement of the facts comes first. */
export type Observed = readonly Evidence<unknown>[]

/**
 * Joins a definition to the world: `observe` looks, `decide` judges. `keep` receives the statements before the judgement,
 * so that a gate that judges and then crashes has still left what it saw.
 */
export function gateOf<Input, Facts>(
  definition: GateDefinition<Facts>,
  world: {
    readonly policy: Subject
    readonly timeoutMs: number
    readonly subject: readonly [Subject, ...Subject[]]
    observe(input: Input, signal: AbortSignal): Promise<Observation<Facts>>
    keep(observed: Observed): void
  },
): Gate<Input> {
  return {
    name: definition.name,
    policy: world.policy,
    timeoutMs: world.timeoutMs,
    async evaluate(input, signal) {
      const { facts, supporting = [] } = await world.observe(input, signal)
      const observed: Observed = [definition.facts.state(world.subject, facts), ...supporting]
      world.keep(observed)
      return judge(definition, observed)
    },
  }
}

/** Judges stored statements: the first holds the facts. Used by the runner, by proofs and by `portcullis verify` alike. */
export function judge<Facts>(definition: GateDefinition<Facts>, observed: Observed): Finding {
  const [first, ...rest] = observed
  const statement = definition.facts.read(first)
  if (first === undefined || statement === undefined) {
    return {
      outcome: 'block',
      reason: 'evidence_invalid',
      message: `The facts of ${definition.name} do not validate.`,
      asked: `the stored facts of ${definition.name}`,
      found: first === undefined ? 'no statement' : `a statement that is not a valid ${definition.facts.type}`,
      remedy: 'Run the gate again; stored evidence that does not validate counts for nothing.',
    }
  }
  return definition.decide(statement.predicate, [evidenceDigest(first), ...rest.map(evidenceDigest)])
}

const sealed = new WeakSet<Verdict>()

/** True only for a verdict that `runGate` made in this process: a literal that looks like one is not a verdict. */
export const isSealed = (verdict: Verdict): boolean => sealed.has(verdict)

/** Adds identity, order and time to a finding. Throws ZodError if the result is no verdict. */
export function sealFinding(finding: Finding, gate: Pick<Gate<never>, 'name' | 'policy'>, at: Position, decidedAt: Date): Verdict {
  return Verdict.parse({
    evidence: [],
    ...finding,
    ...(finding.outcome === 'pass' ? { expiresAt: finding.expiresAt.toISOString() } : {}),
    gate: gate.name,
    policy: gate.policy,
    decidedAt: decidedAt.toISOString(),
    ...at,
  })
}

/** Runs a gate and always returns a verdict: a throw, a delay or a malformed finding is a block. */
export async function runGate<Input>(gate: Gate<Input>, input: Input, at: Position, now: () => Date): Promise<Verdict> {
  const seal = (finding: Finding): Verdict => {
    // Frozen all the way down: with another digest in `evidence`, a verdict about one thing would prove another.
    const verdict = deepFreeze(sealFinding(finding, gate, at, now()))
    sealed.add(verdict)
    return verdict
  }
  const block = (reason: Reason, found: string): Verdict =>
    seal({
      outcome: 'block',
      reason,
      message: `The ${gate.name} gate gave no verdict, so it is closed.`,
      asked: `a verdict of the ${gate.name} gate for ${at.subject[0].name}`,
      found,
      remedy: `Read trace.jsonl of run ${at.runId}; the run stays blocked until the gate answers.`,
    })

  const deadline = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const expired = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      deadline.abort()
      reject(new Error('deadline'))
    }, gate.timeoutMs)
  })
  const startedAtMs = performance.now()
  const late = (): Verdict => block('gate_timed_out', `no verdict within ${gate.timeoutMs} ms`)
  let finding: Finding
  try {
    finding = await Promise.race([gate.evaluate(input, deadline.signal), expired])
  } catch (error) {
    return deadline.signal.aborted ? late() : block('gate_crashed', `the gate threw ${classOf(error)}`)
  } finally {
    clearTimeout(timer)
  }
  // A gate may answer the very signal that told it to stop, or keep the thread busy so that no timer can fire. Late is late.
  if (deadline.signal.aborted || !(performance.now() - startedAtMs <= gate.timeoutMs)) return late()
  try {
    return seal(finding)
  } catch (error) {
    return block('gate_output_invalid', `a finding that is not a verdict (${classOf(error)})`)
  }
}

/** The class of what was thrown. Its text may quote a credential or an argv and is never repeated; its name is only if it looks like one. */
function classOf(thrown: unknown): string {
  try {
    return thrown instanceof Error && /^[A-Za-z]{1,60}$/.test(thrown.name) ? thrown.name : typeof thrown
  } catch {
    return 'something that cannot be read'
  }
}
