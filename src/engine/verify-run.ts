import { canonicalJson, sha256 } from '../contract/canonical.ts'
import type { GateName } from '../contract/lifecycle.ts'
import { acceptanceGate, FakeWorkEvidence, ProbeRecordEvidence, recordsOf, ReviewEvidence } from '../gates/acceptance/index.ts'
import { DeliveryEvidence, dispatchGate } from '../gates/dispatch/index.ts'
import { healthGate, probeCallOf } from '../gates/health/index.ts'
import { ModelCallEvidence, wireGate, witnessedCall } from '../gates/wire/index.ts'
import { reportGate } from '../gates/report/index.ts'
import { BUNDLE_FILE, filesLeft } from './bundle.ts'
import { isFinal, type RunHistory } from './ledger.ts'
import { merkleRoot } from './merkle.ts'
import { AgentExitEvidence, CompletionEvidence, WorkspaceEvidence } from './observations.ts'
import { otherBundle } from './read-bundle.ts'
import { RunRecord } from './read-run.ts'
import { RULEBOOK } from './rulebook.ts'
import type { RunDirectory } from './run-directory.ts'
import { renderTrace } from './trace.ts'
import { isOfOtherFormat, type Problem, type ReadHistory, verifyHistory } from './verify-chain.ts'

export interface VerifiedRun {
  readonly problems: readonly Problem[]
  readonly rows: number
  readonly verdicts: number
  readonly files: number
}

/** Checks a run from what is stored of it and from its directory; nothing else is asked, so it works offline and in any process. */
export function verifyRun(history: RunHistory, directory: Pick<RunDirectory, 'read' | 'files'>): VerifiedRun {
  const { problems, read } = verifyHistory(history, RULEBOOK)
  if (isOfOtherFormat(problems)) return { problems, rows: history.entries.length, verdicts: read.verdicts.length, files: 0 }
  const files = history.run.kind === 'task' ? verifyFiles(history, read, directory) : { problems: [], checked: 0 }
  return { problems: [...problems, ...verifyStored(history, read), ...files.problems], rows: history.entries.length, verdicts: read.verdicts.length, files: files.checked }
}

/** What the statements of a run say about each other, beyond its chain of verdicts. */
export const verifyStored = (history: RunHistory, read: ReadHistory): Problem[] => [...verifyFacts(read), ...verifyRows(history, read)]

const contradiction = (gate: GateName, found: string): Problem => ({ code: 'facts_contradict_evidence', where: `facts of ${gate}`, found })

/** Facts repeat what other statements say first-hand. Where the two differ, a verdict was made from something that nobody observed. */
function verifyFacts(read: ReadHistory): Problem[] {
  const record = new RunRecord(read)
  return [...healthOf(read, record), ...deliveryOf(record), ...wireOf(read, record), ...acceptanceOf(record)]
}

const callOf = (read: ReadHistory, evidence: string) => ModelCallEvidence.read(read.statements.get(evidence))?.predicate

function healthOf(read: ReadHistory, record: RunRecord): Problem[] {
  return record.all(healthGate.facts).flatMap(({ probe }) => {
    if (probe === null) return []
    const call = callOf(read, probe.evidence)
    const same = call !== undefined && canonicalJson(probeCallOf([{ evidence: probe.evidence, call }]).probe) === canonicalJson(probe)
    return same ? [] : [contradiction('health', 'the call of the probe is not the recorded one')]
  })
}

function deliveryOf(record: RunRecord): Problem[] {
  const asked = record.all(dispatchGate.facts)
  const other = record.all(DeliveryEvidence).find((delivery) => !asked.some((facts) => facts.promptDigest === delivery.promptDigest && facts.pid === delivery.pid))
  return other === undefined ? [] : [contradiction('dispatch', 'another prompt or process than the one that the gate judged')]
}

function wireOf(read: ReadHistory, record: RunRecord): Problem[] {
  const wire = record.facts(wireGate)
  if (wire === undefined) return []
  const problems: Problem[] = []
  const agent = record.agentCalls
  if (wire.calls.length !== agent.length) problems.push(contradiction('wire', `${wire.calls.length} calls judged, ${agent.length} recorded`))
  for (const judged of wire.calls) {
    const call = callOf(read, judged.evidence)
    if (call === undefined || canonicalJson(witnessedCall({ evidence: judged.evidence, call })) !== canonicalJson(judged)) problems.push(contradiction('wire', `call ${judged.number} is not the recorded one`))
  }
  return problems
}

/** What one transaction appends at the end of a run: the facts of the report gate, the event that the run ended, the verdict. */
const LAST_ROWS = 3

/** No verdict names an event or a statement that nobody judged; the report gate's facts name all rows that were there before them. */
function verifyRows({ run, entries }: RunHistory, read: ReadHistory): Problem[] {
  const judged = new RunRecord(read).facts(reportGate)?.ledger
  if (judged === undefined) return []
  const where = `rows of ${run.runId}`
  const before = entries.slice(0, judged.rows)
  if (merkleRoot(before.map((entry) => entry.body)) !== judged.root) return [{ code: 'row_changed', where, found: `the first ${judged.rows} are not those that the report was made from` }]
  // A run that waits goes on: what people say of it is appended.
  if (!isFinal(run.state)) return []
  if (entries.length !== judged.rows + LAST_ROWS) return [{ code: 'row_changed', where, found: `${entries.length}, where the run left ${judged.rows + LAST_ROWS}` }]
  const ended = read.events.at(-1)
  const same = ended?.type === 'run_ended' && ended.data['state'] === run.state && ended.data['reason'] === run.reason
  return same ? [] : [{ code: 'state_unjustified', where: `state of ${run.runId}`, found: `${run.state}, where the last event says that it ended as ${String(ended?.data['state'])}` }]
}

function acceptanceOf(record: RunRecord): Problem[] {
  const facts = record.facts(acceptanceGate)
  if (facts === undefined) return []
  const problems: Problem[] = []
  const stored = new Set(record.all(ProbeRecordEvidence).map(canonicalJson))
  for (const probe of recordsOf(facts)) if (!stored.has(canonicalJson(probe))) problems.push(contradiction('acceptance', `the ${probe.phase} result of ${probe.probe} is not the recorded one`))
  const sorted = (reviews: readonly unknown[]): string => canonicalJson(reviews.map(canonicalJson).sort())
  // A rejection that was recorded and not judged would be worse than a review that nobody gave.
  if (isFinal(record.history.run.state) && sorted(record.all(ReviewEvidence)) !== sorted(facts.reviews)) problems.push(contradiction('acceptance', 'the reviews are not the recorded ones'))
  const [pinned] = record.all(CompletionEvidence)
  if (canonicalJson(pinned?.claims ?? []) !== canonicalJson(facts.delivery?.map(({ claim }) => claim) ?? [])) problems.push(contradiction('acceptance', 'the delivery that was judged is not the one that was pinned'))
  if (record.admission !== undefined && record.admission.stage !== facts.stage) problems.push(contradiction('acceptance', 'another stage than the one that was admitted'))
  const works = record.all(FakeWorkEvidence).filter((work) => work.attempt === facts.attempt).map((work) => canonicalJson(work))
  if (canonicalJson(works) !== canonicalJson(facts.fake === null ? [] : [canonicalJson(facts.fake)])) problems.push(contradiction('acceptance', 'the work of the fake backend is not the recorded one'))
  const ends = record.all(AgentExitEvidence).map(({ code, signal, timedOut, claimedStatus, objection }) => canonicalJson({ exitCode: code, signal, timedOut: timedOut !== null, claimedStatus, objection }))
  if (ends.length !== 1 || ends[0] !== canonicalJson(facts.agent)) problems.push(contradiction('acceptance', 'the end of the agent is not the recorded one'))
  const changes = record.all(WorkspaceEvidence).map((change) => canonicalJson({ before: change.before, after: change.after, filesChanged: change.filesChanged }))
  const { before, after, filesChanged } = facts.workspace
  if (changes.length !== 1 || changes[0] !== canonicalJson({ before, after, filesChanged })) problems.push(contradiction('acceptance', 'the change of the workspace is not the recorded one'))
  return problems
}

/**
 * The files of the run: rendered again, and compared byte for byte; the others by the digest they were stored with; its
 * bundle by what it says, because a signature is another one each time.
 */
export function verifyFiles(history: RunHistory, read: ReadHistory, directory: Pick<RunDirectory, 'read' | 'files'>): { problems: Problem[]; checked: number } {
  if (!isFinal(history.run.state)) return { problems: [], checked: 0 }
  let expected: Map<string, string>
  try {
    expected = filesLeft(history, read)
  } catch (error) {
    return { problems: [{ code: 'row_malformed', where: 'report.json', found: `the stored run cannot be rendered (${error instanceof Error ? error.name : typeof error})` }], checked: 0 }
  }
  const problems: Problem[] = []
  for (const [name, digest] of expected) {
    const content = directory.read(name)
    if (content === undefined) problems.push(missing(name))
    else if (sha256(content) !== digest) problems.push((name === TRACE ? tornTrace(content, history) : undefined) ?? { code: 'file_changed', where: name, found: 'it differs from what the ledger says' })
  }
  const bundle = directory.read(BUNDLE_FILE)
  const other = bundle === undefined ? undefined : otherBundle(bundle.toString('utf8'), history, read)
  if (bundle === undefined) problems.push(missing(BUNDLE_FILE))
  else if (other !== undefined) problems.push({ code: 'file_changed', where: BUNDLE_FILE, found: other })
  for (const file of directory.files()) if (file.name !== BUNDLE_FILE && !expected.has(file.name)) problems.push({ code: 'file_changed', where: file.name, found: 'a file that the run did not leave' })
  return { problems, checked: expected.size + 1 }
}

const TRACE = 'trace.jsonl'

/** A trace that a full disk or a crash cut off is told from one that somebody changed. Nothing is ever read from it: the ledger is what counts. */
function tornTrace(content: Buffer, history: RunHistory): Problem | undefined {
  const whole = Buffer.from(renderTrace(history))
  if (content.length >= whole.length || !whole.subarray(0, content.length).equals(content)) return undefined
  const lines = content.toString('latin1').split('\n').length - 1
  return { code: 'file_torn', where: TRACE, found: `${content.length} of ${whole.length} bytes: ${lines} of ${history.entries.length} lines are whole, and what follows them is cut. Write it again: npx portcullis report ${history.run.runId} --write` }
}

const missing = (name: string): Problem => ({ code: 'file_missing', where: name, found: 'no such file in the directory of the run' })
