import { canonicalJson, sha256 } from '../contract/canonical.ts'
import type { GateName } from '../contract/lifecycle.ts'
import { acceptanceGate, FakeWorkEvidence, ProbeRecordEvidence, recordsOf, ReviewEvidence } from '../gates/acceptance/index.ts'
import { DeliveryEvidence, dispatchGate } from '../gates/dispatch/index.ts'
import { healthGate, probeCallOf } from '../gates/health/index.ts'
import { ModelCallEvidence, wireGate, witnessedCall } from '../gates/wire/index.ts'
import { reportGate } from '../gates/report/index.ts'
import { renderRun, storedEnding } from './finish.ts'
import { isFinal, type RunHistory } from './ledger.ts'
import { merkleRoot } from './merkle.ts'
import { AgentExitEvidence, ArtefactEvidence, CompletionEvidence, WorkspaceEvidence } from './observations.ts'
import { RunRecord } from './read-run.ts'
import { RULEBOOK } from './rulebook.ts'
import type { RunDirectory } from './run-directory.ts'
import { type Problem, type ReadHistory, verifyHistory } from './verify-chain.ts'

export interface VerifiedRun {
  readonly problems: readonly Problem[]
  readonly rows: number
  readonly verdicts: number
  readonly files: number
}

/** Checks a run from what is stored of it and from its directory; nothing else is asked, so it works offline and in any process. */
export function verifyRun(history: RunHistory, directory: Pick<RunDirectory, 'read' | 'files'>): VerifiedRun {
  const { problems, read } = verifyHistory(history, RULEBOOK)
  const files = history.run.kind === 'task' ? verifyFiles(history, read, directory) : { problems: [], checked: 0 }
  return { problems: [...problems, ...verifyFacts(read), ...verifyRows(history, read), ...files.problems], rows: history.entries.length, verdicts: read.verdicts.length, files: files.checked }
}

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

/** The files of the run: rendered again, and compared byte for byte; the others by the digest they were stored with. */
function verifyFiles(history: RunHistory, read: ReadHistory, directory: Pick<RunDirectory, 'read' | 'files'>): { problems: Problem[]; checked: number } {
  if (!isFinal(history.run.state)) return { problems: [], checked: 0 }
  const expected = new Map<string, string>()
  // A run that was taken up may have left its files twice; the last are those that are there.
  const artefacts = new RunRecord(read).all(ArtefactEvidence).at(-1)
  for (const file of artefacts?.files ?? []) expected.set(file.path, file.sha256)
  try {
    const rendered = renderRun(history, read, storedEnding(history))
    for (const [name, content] of [['report.json', rendered.json], ['report.md', rendered.markdown], ['trace.jsonl', rendered.trace]] as const) expected.set(name, sha256(content))
  } catch (error) {
    return { problems: [{ code: 'row_malformed', where: 'report.json', found: `the stored run cannot be rendered (${error instanceof Error ? error.name : typeof error})` }], checked: 0 }
  }
  const problems: Problem[] = []
  for (const [name, digest] of expected) {
    const content = directory.read(name)
    if (content === undefined) problems.push({ code: 'file_missing', where: name, found: 'no such file in the directory of the run' })
    else if (sha256(content) !== digest) problems.push({ code: 'file_changed', where: name, found: 'it differs from what the ledger says' })
  }
  for (const file of directory.files()) if (!expected.has(file.name)) problems.push({ code: 'file_changed', where: file.name, found: 'a file that the run did not leave' })
  return { problems, checked: expected.size }
}
