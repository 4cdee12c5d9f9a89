import { sha256 } from '../contract/canonical.ts'
import { PortcullisError } from '../contract/errors.ts'
import type { Reason } from '../contract/reasons.ts'
import { milliseconds } from '../contract/units.ts'
import { type Accepted, acceptanceGate, acceptedProof } from '../gates/acceptance/index.ts'
import { markersOf, reportGate, reportProof, type ScannedSurface } from '../gates/report/index.ts'
import { proveRun, statementsOf, BUNDLE_FILE } from './bundle.ts'
import { closingOf } from './closing.ts'
import { blockOf, type Ending } from './compose-report.ts'
import type { Course } from './course.ts'
import type { RunHistory } from './ledger.ts'
import { printEnvelopes, sealEnvelope } from './envelope.ts'
import { LOCAL_WORK_MS } from './limits.ts'
import { merkleRoot } from './merkle.ts'
import { ArtefactEvidence } from './observations.ts'
import { RunRecord } from './read-run.ts'
import { renderedFiles, renderRun, type RenderedRun, storedEnding } from './render-run.ts'
import { RULEBOOK } from './rulebook.ts'
import { AGENT_AREAS, type RunDirectory } from './run-directory.ts'
import { areaSurface, scanLeftovers, type ScannedText, scanSurface } from './scan.ts'
import { type ReadHistory, verifyHistory } from './verify-chain.ts'
import type { World } from './world.ts'

/** A file that a run produced and that people may want to read, as it was produced. */
export interface RawArtefact {
  readonly name: string
  readonly content: Buffer
}

/** All that a run leaves behind beside what is in the ledger. */
export interface Leavings {
  readonly artefacts: readonly RawArtefact[]
  /** What it went by or did that is kept elsewhere: it must be free of credentials too. */
  readonly texts: readonly ScannedText[]
}

/**
 * How a run came to its last gate: with the proof that its work holds, with a reason and whether a process may have run, or with
 * the reason why it waits for somebody, which ends nothing.
 */
export type Outcome = { readonly accepted: Accepted } | { readonly waiting: Reason } | { readonly started: boolean; readonly reason: Reason }

/** The history of a run, read strictly. Throws `store_failed` for one that does not read: nothing is ever rendered from it. */
export async function readHistory(world: Pick<World, 'ledger'>, runId: string): Promise<{ history: RunHistory; read: ReadHistory }> {
  const history = await world.ledger.history(runId)
  if (history === undefined) throw new PortcullisError('run_not_found', { asked: `run ${runId}`, found: 'the ledger holds no such run', remedy: 'List the runs: npx portcullis runs' })
  return { history, read: verifyHistory(history, RULEBOOK).read }
}

/**
 * Ends a run: scans what it left, lets the report gate decide, makes state and verdict durable in one transaction, and
 * only then writes the report from what was stored. The one place that writes a final state of a task.
 * A run that waits is shown as it stands, and stays open for `resume`.
 */
export async function finishRun(world: World, course: Course, directory: RunDirectory, outcome: Outcome, { artefacts, texts }: Leavings): Promise<RenderedRun> {
  if ('accepted' in outcome) checkAccepted(world, course, outcome.accepted)
  const scanned = artefacts.map((artefact) => ({ artefact, surface: scanSurface(world, artefact.name, artefact.content) }))
  const raw = [...scanned.map(({ surface }) => surface), ...texts.map(({ name, content }) => scanSurface(world, name, content)), ...scanLeftovers(world, directory)]
  const strangers = await nameStrangers(world, course, directory)
  const told: Outcome = strangers && !('reason' in outcome) ? { started: true, reason: 'evidence_invalid' } : outcome
  const ending = endingOf(world, told, raw.some((surface) => surface.findings.length > 0))
  const kept = scanned.map(({ artefact, surface }) => keepArtefact(world, directory, artefact, surface))
  const { read } = await readHistory(world, course.run.runId)
  const markers = markersOf(ending.reason, blockOf(new RunRecord(read), ending))
  const marked = markers.map(({ path, text }) => ({ path, text: world.scanner.redact(text), surface: scanSurface(world, path, Buffer.from(text)) }))
  for (const { path, text } of marked) directory.write(path, text)
  const files = [...kept, ...marked.map(({ path, text, surface }) => ({ path, bytes: Buffer.byteLength(text), sha256: sha256(text), redacted: surface.findings.length > 0 }))]
  await course.append({ evidence: [ArtefactEvidence.state([{ name: `run ${course.run.runId}`, digest: { sha256: course.head } }], { files })] })
  // Named by what there is and not by what was scanned: what was left out of the scan is missed.
  const expected = [...artefacts, ...texts].map(({ name }) => name).concat(AGENT_AREAS.map(areaSurface), markers.map(({ path }) => path))
  await decideReport(world, course, ending, { expected, surfaces: [...raw, ...marked.map(({ surface }) => surface)] })
  return writeReport(world, course, directory)
}

/** True if files stand in the directory that people read before we wrote any: somebody else put them there, and nobody scanned them. */
async function nameStrangers(world: World, course: Course, directory: RunDirectory): Promise<boolean> {
  const names = directory.files().map((file) => file.name)
  if (names.length === 0) return false
  const found = world.scanner.redact(`${names.length} other files: ${names.slice(0, 5).join(', ')}`).slice(0, 1_000).toWellFormed()
  const fault = { reason: 'evidence_invalid', asked: 'a run directory that holds what the run leaves', found, remedy: 'Find out what the agent or one of its programs writes outside its workspace; nothing of this run counts.' }
  await course.append({ events: [course.event('fault', fault)] })
  return true
}

/** The door to the accepted state: the proof of gate 8, of this very run. Anything else is a fault, and the run stays unaccepted. */
function checkAccepted(world: World, course: Course, accepted: Accepted): void {
  acceptedProof.check(accepted, world.clock())
  if (accepted.runId === course.run.runId) return
  throw new PortcullisError('proof_forged', { asked: `the acceptance of run ${course.run.runId}`, found: `the acceptance of run ${accepted.runId}`, remedy: 'Take the run through its own gates.' })
}

/** Gate 9. Judges the draft of what will be written; the final bytes differ from it only by this gate's own verdict, and are scanned again. */
async function decideReport(world: World, course: Course, ending: Ending, { expected, surfaces }: { readonly expected: readonly string[]; readonly surfaces: readonly ScannedSurface[] }): Promise<void> {
  const { history, read } = await readHistory(world, course.run.runId)
  const draft = renderRun(history, read, ending)
  const all = [...surfaces, ...renderedFiles(draft).map(([name, content]) => scanSurface(world, name, Buffer.from(content)))]
  await course.decide({
    definition: reportGate,
    mint: reportProof,
    subject: { name: `run ${course.run.runId}`, digest: { sha256: course.head } },
    timeoutMs: LOCAL_WORK_MS,
    observe: () =>
      Promise.resolve({
        facts: {
          observedAt: world.clock().toISOString(),
          validForMs: milliseconds(world.configuration.health.maxAge),
          rules: world.scanner.rules,
          knownValues: world.scanner.knownValues(),
          ledger: { rows: history.entries.length, root: merkleRoot(history.entries.map((entry) => entry.body)) },
          expected: [...expected],
          surfaces: all,
        },
      }),
    together: (verdict) => {
      const last = verdict.outcome === 'pass' ? ending : overruled(ending, verdict.reason)
      if (last.state === 'waiting') return { state: { to: 'waiting', reason: null, at: new Date(last.endedAt) }, events: [course.event('run_parked', { reason: last.reason, authority: authorityOf(read) })] }
      return { state: { to: last.state, reason: last.reason, at: new Date(last.endedAt) }, events: [course.event('run_ended', { state: last.state, reason: last.reason, ...closingOf(new RunRecord(read), last, verdict) })] }
    },
  })
}

/** A leak is named above everything else. A report that could not be checked turns a pass into a failure, and leaves a failure its own reason. */
function overruled(ending: Ending, reason: Reason): Ending {
  return { ...ending, state: ending.state === 'blocked' ? 'blocked' : 'failed', reason: reason === 'secret_leak' || ending.state === 'waiting' ? reason : (ending.reason ?? reason) }
}

function endingOf(world: World, outcome: Outcome, leaked: boolean): Ending {
  const endedAt = world.clock().toISOString()
  if ('reason' in outcome) return { state: outcome.started ? 'failed' : 'blocked', reason: leaked ? 'secret_leak' : outcome.reason, endedAt }
  if (leaked) return { state: 'failed', reason: 'secret_leak', endedAt }
  return 'waiting' in outcome ? { state: 'waiting', reason: outcome.waiting, endedAt } : { state: 'accepted', reason: null, endedAt }
}

/** Renders the ended run from the ledger and puts it on disk. Withholds a file whose final bytes hold a credential, and says so. */
async function writeReport(world: World, course: Course, directory: RunDirectory): Promise<RenderedRun> {
  const { history, read } = await readHistory(world, course.run.runId)
  const rendered = renderRun(history, read, storedEnding(history))
  for (const [name, content] of renderedFiles(rendered)) {
    refuseLeak(world, course, name, content)
    directory.write(name, content)
  }
  // What waits has no end that could be signed for.
  if (history.run.state === 'waiting') return rendered
  const statements = statementsOf(history, read, await proveRun(world.archive, history, 'end', []))
  // As base64 a credential would not be recognised, so what is looked at is what will be signed.
  for (const statement of statements) refuseLeak(world, course, BUNDLE_FILE, statement)
  directory.write(BUNDLE_FILE, printEnvelopes(statements.map((statement) => sealEnvelope(statement, world.signer))))
  return rendered
}

function refuseLeak(world: World, course: Course, name: string, content: string): void {
  if (world.scanner.scan(Buffer.from(content)).length === 0) return
  throw new PortcullisError('secret_withheld', { asked: `to write ${name} of run ${course.run.runId}`, found: 'a credential in its final bytes', remedy: 'The file was not written. Replace the credential.' })
}

const authorityOf = (read: ReadHistory): string | null => new RunRecord(read).facts(acceptanceGate)?.review?.authority.name ?? null

interface KeptFile {
  readonly path: string
  readonly bytes: number
  readonly sha256: string
  readonly redacted: boolean
}

/** Stores an artefact for people; one with a credential in it is withheld, and a copy without it takes its place (SEC-08). */
function keepArtefact(world: World, directory: RunDirectory, artefact: RawArtefact, surface: ScannedSurface): KeptFile {
  const keep = (path: string, content: Buffer, redacted: boolean): KeptFile => {
    directory.write(path, content)
    return { path, bytes: content.length, sha256: sha256(content), redacted }
  }
  const withheld = artefact.name.replace(/(\.[a-z]+)$/, '.redacted$1')
  // What nobody could look into may hold anything: to keep it would be the worse error.
  if (!surface.scanned) return keep(withheld, Buffer.from('withheld: this artefact could not be scanned for credentials\n'), true)
  if (surface.findings.length === 0) return keep(artefact.name, artefact.content, false)
  const clean = Buffer.from(world.scanner.redact(artefact.content.toString('utf8')))
  if (world.scanner.scan(clean).length === 0) return keep(withheld, clean, true)
  return keep(withheld, Buffer.from('withheld: this artefact holds a credential in a form that could not be cut out\n'), true)
}
