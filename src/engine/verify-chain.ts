import { canonicalJson, digestOf, sha256 } from '../contract/canonical.ts'
import { type Evidence, evidenceDigest, type Predicate, Statement } from '../contract/evidence.ts'
import { type GateDefinition, judge, sealFinding } from '../contract/gate.ts'
import type { GateName } from '../contract/lifecycle.ts'
import type { Reason } from '../contract/reasons.ts'
import { Verdict } from '../contract/verdict.ts'
import { ApprovalEvidence } from '../gates/acceptance/index.ts'
import { FORMAT, formatOf } from './format.ts'
import { GATES_BEFORE, isFinal, type LedgerEntry, RunEvent, type RunHistory, type RunSummary } from './ledger.ts'

/** What a verification can find. The codes are stable: scripts may rely on them. */
export const PROBLEM_CODES = [
  'row_changed',
  'row_malformed',
  'evidence_invalid',
  'evidence_missing',
  'chain_broken',
  'verdict_not_reproduced',
  'facts_contradict_evidence',
  'state_unjustified',
  'run_unfinished',
  'file_missing',
  'file_changed',
  'file_torn',
  // Of the tree over all rows, its checkpoints and what is signed.
  'row_removed',
  'row_inserted',
  'rows_swapped',
  'tail_truncated',
  'row_not_in_tree',
  'wrong_key',
  'signature_invalid',
  'checkpoint_malformed',
  'ledger_forked',
  'ledger_rolled_back',
  'anchor_unproven',
  'bundle_malformed',
  'statement_not_reproduced',
  // Of no change at all: another version wrote it.
  'format_other',
] as const
export type ProblemCode = (typeof PROBLEM_CODES)[number]

export interface Problem {
  readonly code: ProblemCode
  /** Which row, verdict or file. */
  readonly where: string
  readonly found: string
}

/** The rules that stored evidence is judged by again. */
export interface Rulebook {
  readonly gates: Readonly<Record<GateName, GateDefinition<unknown>>>
  /** The same for runs of agents that live on, which are judged by what they prove from outside. */
  readonly agentGates: Readonly<Record<GateName, GateDefinition<unknown>>>
  /** Every kind of evidence that may stand in a ledger; an unknown kind is a problem, never skipped. */
  readonly predicates: readonly Predicate<unknown>[]
}

/** A history that was read strictly. */
export interface ReadHistory {
  readonly run: RunSummary
  readonly statements: ReadonlyMap<string, Evidence>
  readonly verdicts: readonly { readonly row: number; readonly verdict: Verdict }[]
  readonly events: readonly RunEvent[]
}

/** A verdict of the runner itself, on a gate that gave none. It has nothing that could be judged again, and it can only deny. */
const UNJUDGED: readonly Reason[] = ['gate_crashed', 'gate_timed_out', 'gate_output_invalid']

/**
 * Checks all that is stored of a run: every digest, the chain, every fact against its schema, every verdict by judging the
 * stored facts again (EVD-10), and the state against the verdicts. Pure; an empty list means that all of it holds.
 */
export function verifyHistory(history: RunHistory, rulebook: Rulebook): { readonly problems: readonly Problem[]; readonly read: ReadHistory } {
  const problems: Problem[] = []
  const statements = new Map<string, Evidence>()
  const verdicts: { row: number; verdict: Verdict }[] = []
  const events: RunEvent[] = []
  for (const [index, entry] of history.entries.entries()) {
    const row = index + 1
    const where = `row ${row} (${entry.kind})`
    const body = readRow(entry)
    if (body === undefined) {
      problems.push({ code: 'row_changed', where, found: `its content has digest ${sha256(entry.body).slice(0, 12)}…, stored as ${entry.digest.slice(0, 12)}…` })
      continue
    }
    if (entry.kind === 'verdict') readInto(problems, where, Verdict.safeParse(body), (verdict) => verdicts.push({ row, verdict }))
    else if (entry.kind === 'event') readInto(problems, where, RunEvent.safeParse(body), (event) => events.push(event))
    else {
      readInto(problems, where, Statement.safeParse(body), (statement) => {
        if (rulebook.predicates.some((predicate) => predicate.read(statement) !== undefined)) statements.set(evidenceDigest(statement), statement)
        else problems.push({ code: 'evidence_invalid', where, found: `${statement.predicateType} whose facts do not validate, or of a kind nobody knows` })
      })
    }
  }
  const read = { run: history.run, statements, verdicts, events }
  const other = otherFormat(history)
  // Judged by rules that it was not made by, everything in it would seem changed. What needs no rule is said all the same.
  if (other !== undefined) return { problems: [...problems.filter(({ code }) => code === 'row_changed'), other], read }
  problems.push(...checkChain(read), ...checkVerdicts(read, rulebook), ...checkState(read))
  return { problems, read }
}

/** A run in another form cannot be judged again here. It is denied as what it is, never passed and never called tampered with. */
function otherFormat(history: RunHistory): Problem | undefined {
  const written = formatOf(history)
  if (written === undefined || written.format === FORMAT) return undefined
  return { code: 'format_other', where: `run ${history.run.runId}`, found: `form ${written.format}, written by Portcullis ${written.version}; this version reads form ${FORMAT}` }
}

/** True if a run was written in a form that this version does not judge. */
export const isOfOtherFormat = (problems: readonly Problem[]): boolean => problems.some(({ code }) => code === 'format_other')

/** The parsed body of a row, or undefined if it is not the canonical JSON that its digest names. */
function readRow(entry: LedgerEntry): unknown {
  if (sha256(entry.body) !== entry.digest) return undefined
  try {
    const body: unknown = JSON.parse(entry.body)
    return canonicalJson(body) === entry.body ? body : undefined
  } catch {
    return undefined
  }
}

type Parsed<Value> = { readonly success: true; readonly data: Value } | { readonly success: false }

function readInto<Value>(problems: Problem[], where: string, parsed: Parsed<Value>, keep: (value: Value) => void): void {
  if (parsed.success) keep(parsed.data)
  else problems.push({ code: 'row_malformed', where, found: 'a document that does not validate' })
}

function checkChain(read: ReadHistory): Problem[] {
  const problems: Problem[] = []
  let previous: string | null = null
  for (const [index, { row, verdict }] of read.verdicts.entries()) {
    const where = `row ${row} (verdict of ${verdict.gate})`
    if (verdict.runId !== read.run.runId) problems.push({ code: 'chain_broken', where, found: `a verdict of run ${verdict.runId}` })
    if (verdict.sequence !== index) problems.push({ code: 'chain_broken', where, found: `number ${verdict.sequence} where ${index} belongs` })
    if (verdict.previous !== previous) problems.push({ code: 'chain_broken', where, found: 'it does not name the verdict before it' })
    previous = digestOf(verdict)
  }
  return problems
}

function checkVerdicts(read: ReadHistory, rulebook: Rulebook): Problem[] {
  return read.verdicts.flatMap(({ row, verdict }): Problem[] => {
    const where = `row ${row} (verdict of ${verdict.gate})`
    const missing = verdict.evidence.filter((digest) => !read.statements.has(digest))
    if (missing.length > 0) return [{ code: 'evidence_missing', where, found: `no valid evidence ${missing.map((digest) => `${digest.slice(0, 12)}…`).join(', ')}` }]
    if (verdict.outcome === 'block' && UNJUDGED.includes(verdict.reason)) return []
    const observed = verdict.evidence.flatMap((digest) => read.statements.get(digest) ?? [])
    const again = judgedAgain(verdict, observed, (read.run.kind === 'agent' ? rulebook.agentGates : rulebook.gates)[verdict.gate])
    return again === canonicalJson(verdict) ? [] : [{ code: 'verdict_not_reproduced', where, found: `judged again, the stored facts give ${again === undefined ? 'no verdict' : summaryOf(again)}` }]
  })
}

/** The verdict that the stored facts give today, as canonical JSON; undefined if they give none. */
function judgedAgain(verdict: Verdict, observed: readonly Evidence[], definition: GateDefinition<unknown>): string | undefined {
  const { runId, sequence, previous } = verdict
  const [first, ...rest] = verdict.subject
  if (first === undefined) return undefined
  try {
    const finding = judge(definition, observed)
    return canonicalJson(sealFinding(finding, { name: verdict.gate, policy: verdict.policy }, { runId, sequence, previous, subject: [first, ...rest] }, new Date(verdict.decidedAt)))
  } catch {
    return undefined
  }
}

function summaryOf(canonical: string): string {
  const verdict = Verdict.parse(JSON.parse(canonical))
  return verdict.outcome === 'pass' ? `pass (${verdict.message})` : `${verdict.outcome} (${verdict.reason})`
}

/** Which ends a run can have. A task that were taken for a probe would need three gates instead of nine. */
const ENDS: Readonly<Record<RunSummary['kind'], readonly RunSummary['state'][]>> = { task: ['accepted', 'failed', 'blocked'], probe: ['checked', 'blocked'], wire: ['closed', 'blocked'], review: ['closed', 'blocked'], approval: ['recorded'], agent: ['closed', 'failed', 'blocked'], tickets: [], session: ['closed', 'failed', 'blocked'], acts: [] }

/** Does the state follow from the verdicts? The store refuses what does not; a store that was edited did not ask. */
function checkState(read: ReadHistory): Problem[] {
  const { run } = read
  const problem = (found: string): Problem[] => [{ code: 'state_unjustified', where: `state of ${run.runId}`, found }]
  if (!isFinal(run.state)) return [{ code: 'run_unfinished', where: `state of ${run.runId}`, found: `the run is ${run.state}: it was interrupted or still runs` }]
  if (!ENDS[run.kind].includes(run.state)) return problem(`a ${run.kind} that is ${run.state}`)
  const ends = read.events.filter((event) => event.type === 'run_ended')
  const said = ends[0]?.data
  if (ends.length !== 1 || said?.['state'] !== run.state || (said['reason'] ?? null) !== run.reason) {
    return problem(`${run.state} with ${run.reason ?? 'no reason'}, where ${ends.length} events tell of the end${said === undefined ? '' : `, as ${String(said['state'])} with ${String(said['reason'] ?? 'no reason')}`}`)
  }
  if (run.state === 'recorded') return checkApproval(read)
  const last = new Map(read.verdicts.map(({ verdict }) => [verdict.gate, verdict]))
  const started = read.events.filter((event) => event.type === 'process_started').length
  if (started > 1) return problem(`${started} events say that the process started`)
  if (run.state === 'accepted' || run.state === 'checked' || run.state === 'closed') {
    const lacking = GATES_BEFORE[run.state].filter((gate) => last.get(gate)?.outcome !== 'pass')
    if (lacking.length > 0) return problem(`${run.state}, although ${lacking.join(', ')} did not pass`)
    return run.reason === null ? [] : problem(`${run.state} with the reason ${run.reason}`)
  }
  if (run.state === 'blocked' && started > 0) return problem('blocked, although a process was started')
  return run.reason === null ? problem(`${run.state} without a reason`) : []
}

/** An approval is one statement and its end. With anything more it could say two things, and with less it says nothing. */
function checkApproval({ run, statements, verdicts, events }: ReadHistory): Problem[] {
  const approvals = [...statements.values()].filter((statement) => ApprovalEvidence.read(statement) !== undefined).length
  if (approvals === 1 && statements.size === 1 && verdicts.length === 0 && events.length === 1 && run.reason === null) return []
  return [{ code: 'state_unjustified', where: `state of ${run.runId}`, found: `recorded, with ${approvals} approvals among ${statements.size} statements, ${verdicts.length} verdicts and ${events.length} events` }]
}
