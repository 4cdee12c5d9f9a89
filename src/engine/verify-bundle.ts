import { digestOf } from '../contract/canonical.ts'
import { anchorsOf, compareAnchors, forked, openAnchors, type Trust } from './anchors.ts'
import { filesLeft, leafOf, type RunManifest } from './bundle.ts'
import { type Checkpoint, openNote } from './checkpoint.ts'
import { faultOfEnvelope } from './envelope.ts'
import { isFinal, type RunHistory } from './ledger.ts'
import { verifyConsistency } from './merkle.ts'
import { type BundleLine, manifestIn, otherStatements, readLines, rowIn, type ToldRun, toldBy, unprovenRows } from './read-bundle.ts'
import { RULEBOOK } from './rulebook.ts'
import { isOfOtherFormat, type Problem, type ReadHistory, verifyHistory } from './verify-chain.ts'
import { verifyStored } from './verify-run.ts'

export interface VerifiedBundle {
  readonly problems: readonly Problem[]
  /** The run as the bundle tells it; undefined if its first line cannot be believed. */
  readonly told: { readonly history: RunHistory; readonly read: ReadHistory } | undefined
  readonly lines: number
  readonly checkpoint: Checkpoint | undefined
}

/**
 * Checks one bundle from its own text, the keys and the anchors alone: every signature, that no line is missing, more or in
 * another place, that the rows lead to the signed checkpoint, and then everything that is checked of a run in a ledger.
 */
export function verifyBundle(text: string, trust: Trust): VerifiedBundle {
  const { lines, torn } = readLines(text)
  const manifest = firstLine(lines, trust)
  if ('problems' in manifest) return { problems: [...(torn ? [TORN] : []), ...manifest.problems], told: undefined, lines: lines.length, checkpoint: undefined }
  const order = [...(torn ? [TORN] : []), ...checkLines(manifest.manifest, lines.slice(1), trust)]
  const told = toldBy(lines)
  if (told === undefined) throw new TypeError('a manifest that was read is gone')
  const { problems, read } = verifyHistory(told.history, RULEBOOK)
  // A line that is missing or not believed makes everything after it differ; what it is, is said once.
  const proven = checkProof(told, trust, order.length === 0)
  const stored = order.length > 0 ? [] : isOfOtherFormat(problems) ? problems : [...problems, ...verifyStored(told.history, read), ...checkFiles(told, read), ...checkStatements(lines, told, read)]
  return { problems: [...order, ...proven.problems, ...stored], told: { history: told.history, read }, lines: lines.length, checkpoint: proven.checkpoint }
}

/** Which lines none of the keys signed. For a bundle whose content is compared with the ledger itself. */
export function unsignedLines(text: string, keys: Trust['keys']): Problem[] {
  return readLines(text).lines.flatMap((line): Problem[] => {
    const fault = line.envelope === undefined ? undefined : faultOfEnvelope(line.envelope, keys)
    return fault === undefined ? [] : [{ code: fault, where: `line ${line.number}`, found: saidOf(fault, line) }]
  })
}

const TORN: Problem = { code: 'tail_truncated', where: 'last line', found: 'the file ends within it; what is left of it is not read' }

type First = { readonly manifest: RunManifest } | { readonly problems: readonly Problem[] }

function firstLine(lines: readonly BundleLine[], { keys }: Trust): First {
  const [first] = lines
  const problem = (code: Problem['code'], found: string): First => ({ problems: [{ code, where: 'line 1', found }] })
  if (first === undefined) return problem('bundle_malformed', 'no whole line')
  if (first.envelope === undefined) return problem('bundle_malformed', 'no DSSE envelope as this version writes it')
  const fault = faultOfEnvelope(first.envelope, keys)
  if (fault !== undefined) return problem(fault, saidOf(fault, first))
  const manifest = manifestIn(first)
  if (manifest !== undefined) return { manifest }
  const elsewhere = lines.find((line) => manifestIn(line) !== undefined)
  if (elsewhere !== undefined) return problem('rows_swapped', `another line, where the manifest of the run belongs, which is line ${elsewhere.number}`)
  return first.statement === undefined ? problem('bundle_malformed', 'no statement of in-toto') : problem('row_removed', 'no manifest of a run: it was taken away')
}

const saidOf = (fault: 'wrong_key' | 'signature_invalid', line: BundleLine): string => (fault === 'wrong_key' ? `a signature of key ${line.envelope?.signatures[0].keyid.slice(0, 12) ?? ''}…, which is none of those that are trusted` : 'a signature that does not hold')

/** What a line stands for, in the words of the manifest; undefined if it cannot be believed. */
function keyOf(line: BundleLine, runId: string): string | undefined {
  const row = rowIn(line)
  if (row !== undefined) return rowKey(row.position, leafOf(runId, row).toString('base64'))
  return line.statement === undefined ? undefined : `${line.statement.predicateType} ${digestOf(line.statement.predicate)}`
}

const rowKey = (position: number, leaf: string): string => `row ${position} ${leaf}`
const positionIn = (key: string): string | undefined => /^row \d+ /.exec(key)?.[0]

/** Every line after the first against what the manifest names: believed, none missing, none more, none elsewhere. */
function checkLines(manifest: RunManifest, lines: readonly BundleLine[], { keys }: Trust): Problem[] {
  const expected = [...manifest.rows.map(({ position, leaf }) => rowKey(position, leaf)), ...manifest.attestations.map(({ predicateType, sha256 }) => `${predicateType} ${sha256}`)]
  const bad: Problem[] = []
  const found: { readonly key: string; readonly line: BundleLine }[] = []
  for (const line of lines) {
    const fault = line.envelope === undefined ? 'row_changed' : faultOfEnvelope(line.envelope, keys)
    const key = fault === undefined ? keyOf(line, manifest.run.runId) : undefined
    if (key !== undefined) found.push({ key, line })
    else bad.push({ code: fault === 'wrong_key' ? 'wrong_key' : 'row_changed', where: `line ${line.number}`, found: fault === 'wrong_key' || fault === 'signature_invalid' ? saidOf(fault, line) : 'no envelope with a statement as this version writes it' })
  }
  const present = new Set(found.map(({ key }) => key))
  const missing = expected.filter((key) => !present.has(key))
  const left = new Set(expected)
  const more = found.filter(({ key }) => !left.delete(key))
  const missingPositions = new Set(missing.map(positionIn))
  const changed = more.filter(({ key }) => positionIn(key) !== undefined && missingPositions.has(positionIn(key)))
  const problems: Problem[] = [
    ...bad,
    ...more.map(({ key, line }): Problem => (changed.some((each) => each.line === line) ? { code: 'row_changed', where: `line ${line.number}`, found: `another ${positionIn(key)?.trim() ?? 'row'} than the manifest names` } : { code: 'row_inserted', where: `line ${line.number}`, found: 'a line that the manifest does not name' })),
  ]
  const gone = missing.length - bad.length - changed.length
  if (gone > 0) problems.push(...missingLines(expected, present, gone))
  if (problems.length > 0) return problems
  const misplaced = found.find(({ key }, index) => key !== expected[index])
  return misplaced === undefined ? [] : [{ code: 'rows_swapped', where: `line ${misplaced.line.number}`, found: 'a line of this run in the place of another' }]
}

function missingLines(expected: readonly string[], present: ReadonlySet<string>, gone: number): Problem[] {
  const end = expected.findLastIndex((key) => present.has(key)) + 1
  const first = expected.findIndex((key) => !present.has(key))
  if (first === end) return [{ code: 'tail_truncated', where: `after line ${end + 1}`, found: `${expected.length - end} lines that the manifest names are not there` }]
  return [{ code: 'row_removed', where: `line ${first + 2}`, found: `${gone} of ${expected.length} lines that the manifest names are not there` }]
}

/** Do the rows lead to a checkpoint that is signed, does it continue the one that the run ended with, and every anchor? */
function checkProof({ history, proof, manifest }: ToldRun, trust: Trust, whole: boolean): { readonly problems: readonly Problem[]; readonly checkpoint: Checkpoint | undefined } {
  const head = openNote(proof.checkpoint.note, trust.keys)
  const anchors = openAnchors(trust)
  if (!head.ok) return { problems: [{ code: head.fault, where: 'checkpoint', found: head.found }, ...anchors.problems], checkpoint: undefined }
  const { checkpoint } = head
  const named: Problem[] = head.key.keyId === proof.checkpoint.keyId ? [] : [{ code: 'wrong_key', where: 'checkpoint', found: 'a checkpoint of another key than the manifest names' }]
  const proofFrom = (size: number): readonly Buffer[] | undefined => proof.consistency.find((each) => each.size === size)?.proof
  const { problems, own } = anchorsOf(checkpoint.origin, anchors.opened)
  return { problems: [...named, ...(whole ? unprovenRows(history, proof, checkpoint) : []), ...checkEnd(manifest, checkpoint, proofFrom, trust), ...anchors.problems, ...problems, ...compareAnchors({ ...checkpoint, latest: false }, own, proofFrom)], checkpoint }
}

/** The checkpoint in the report of the run must be one that the proven one continues. */
function checkEnd({ run, ended }: RunManifest, checkpoint: Checkpoint, proofFrom: (size: number) => readonly Buffer[] | undefined, { keys }: Trust): Problem[] {
  const where = 'checkpoint of the end'
  if (ended === null) return isFinal(run.state) ? [{ code: 'checkpoint_malformed', where, found: 'none, of a run that has ended' }] : []
  const opened = openNote(ended.note, keys)
  if (!opened.ok) return [{ code: opened.fault, where, found: opened.found }]
  const same = opened.checkpoint.size === checkpoint.size
  const holds = opened.checkpoint.origin === checkpoint.origin && opened.key.keyId === ended.keyId && verifyConsistency(opened.checkpoint, checkpoint, same ? [] : proofFrom(opened.checkpoint.size) ?? [])
  return holds ? [] : [forked(where, opened.checkpoint.size)]
}

/** The manifest names each file of the run's directory; which they are, the rows say. */
function checkFiles({ history, manifest }: ToldRun, read: ReadHistory): Problem[] {
  if (history.run.kind !== 'task') return []
  const left = filesOrNone(history, read)
  if (left === undefined) return [{ code: 'row_malformed', where: 'report.json', found: 'the run cannot be rendered from its rows' }]
  const named = new Map(manifest.files.map((file) => [file.path, file.sha256]))
  return [...new Set([...left.keys(), ...named.keys()])].filter((path) => left.get(path) !== named.get(path)).map((path) => ({ code: 'file_changed', where: path, found: 'the manifest names another content than the rows give' }))
}

function filesOrNone(history: RunHistory, read: ReadHistory): Map<string, string> | undefined {
  try {
    return filesLeft(history, read)
  } catch {
    return undefined
  }
}

function checkStatements(lines: readonly BundleLine[], told: ToldRun, read: ReadHistory): Problem[] {
  try {
    return otherStatements(lines, told, read)
  } catch {
    return [{ code: 'statement_not_reproduced', where: 'line 1', found: 'the rows give no statements' }]
  }
}
