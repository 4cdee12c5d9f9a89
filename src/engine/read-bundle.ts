import type * as z from 'zod'
import { canonicalJson } from '../contract/canonical.ts'
import { Statement } from '../contract/evidence.ts'
import { BundledRow, leafOf, MANIFEST_TYPE, ROW_TYPE, RunManifest, type RunProof, statementsOf } from './bundle.ts'
import { type Checkpoint, parseNote } from './checkpoint.ts'
import { type Envelope, readEnvelope } from './envelope.ts'
import type { LedgerEntry, RunHistory } from './ledger.ts'
import { verifyInclusion } from './merkle.ts'
import type { Problem, ReadHistory } from './verify-chain.ts'

/** One line of a bundle, read without believing it. */
export interface BundleLine {
  /** From 1. */
  readonly number: number
  /** Undefined for a line that is no envelope as we write it; then nothing else is known of it. */
  readonly envelope: Envelope | undefined
  readonly payload: string
  readonly statement: z.infer<typeof Statement> | undefined
}

/** The whole lines of a bundle. What follows the last line end is torn off: it is cut, and said. */
export function readLines(text: string): { readonly lines: readonly BundleLine[]; readonly torn: boolean } {
  const parts = text.split('\n')
  const rest = parts.pop() ?? ''
  return { lines: parts.map((part, index) => readLine(part, index + 1)), torn: rest !== '' }
}

function readLine(text: string, number: number): BundleLine {
  const envelope = readEnvelope(text)
  if (envelope === undefined) return { number, envelope, payload: '', statement: undefined }
  const payload = Buffer.from(envelope.payload, 'base64').toString('utf8')
  return { number, envelope, payload, statement: statementIn(payload) }
}

/** Canonical JSON only, so that one statement has one form. */
function statementIn(payload: string): z.infer<typeof Statement> | undefined {
  try {
    const value: unknown = JSON.parse(payload)
    const parsed = Statement.safeParse(value)
    return parsed.success && canonicalJson(value) === payload ? parsed.data : undefined
  } catch {
    return undefined
  }
}

export function manifestIn(line: BundleLine | undefined): RunManifest | undefined {
  if (line?.statement?.predicateType !== MANIFEST_TYPE) return undefined
  return RunManifest.safeParse(line.statement.predicate).data
}

export function rowIn(line: BundleLine): BundledRow | undefined {
  return line.statement?.predicateType === ROW_TYPE ? BundledRow.safeParse(line.statement.predicate).data : undefined
}

/** A run as a bundle tells it. */
export interface ToldRun {
  readonly manifest: RunManifest
  readonly history: RunHistory
  readonly proof: RunProof
}

/** Puts the run together again from its lines. Undefined if the first is no manifest. */
export function toldBy(lines: readonly BundleLine[]): ToldRun | undefined {
  const manifest = manifestIn(lines[0])
  if (manifest === undefined) return undefined
  const rows = lines.flatMap((line) => rowIn(line) ?? [])
  const entries = rows.map(({ position, kind, digest, body }): LedgerEntry => ({ position, kind, digest, body }))
  return {
    manifest,
    history: { run: manifest.run, entries, checkpoint: manifest.ended },
    proof: { checkpoint: manifest.checkpoint, inclusion: rows.map((row) => row.inclusion.map(bytes)), consistency: manifest.consistency.map(({ size, proof }) => ({ size, proof: proof.map(bytes) })) },
  }
}

const bytes = (base64: string): Buffer => Buffer.from(base64, 'base64')

/** Which rows do not lead to a checkpoint, by their own proofs. */
export function unprovenRows({ run, entries }: RunHistory, proof: Pick<RunProof, 'inclusion'>, checkpoint: Checkpoint): Problem[] {
  return entries.flatMap((entry, index): Problem[] => {
    const proven = verifyInclusion(leafOf(run.runId, entry), entry.position - 1, checkpoint.size, proof.inclusion[index] ?? [], checkpoint.root)
    return proven ? [] : [{ code: 'row_not_in_tree', where: `row ${index + 1} (position ${entry.position} of the ledger)`, found: `it does not lead to the root of ${checkpoint.size} rows` }]
  })
}

/** Which lines are not what their own rows give. */
export function otherStatements(lines: readonly BundleLine[], told: ToldRun, read: ReadHistory): Problem[] {
  const again = statementsOf(told.history, read, told.proof)
  const problems = lines.flatMap((line, index): Problem[] => (line.payload === again[index] ? [] : [{ code: 'statement_not_reproduced', where: `line ${line.number}`, found: 'the rows of the bundle give another statement' }]))
  return again.length > lines.length ? [...problems, { code: 'statement_not_reproduced', where: `line ${lines.length + 1}`, found: `no line, where the rows give ${again.length}` }] : problems
}

/**
 * Why the bundle in the directory of a run is not the one that its rows give; undefined if it is. Who signed it is asked
 * elsewhere, of those who know the keys.
 */
export function otherBundle(text: string, history: RunHistory, read: ReadHistory): string | undefined {
  const { lines, torn } = readLines(text)
  if (torn || lines.length === 0) return 'it ends within a line'
  const told = toldBy(lines)
  if (told === undefined) return 'it begins with no manifest of a run'
  if (canonicalJson(told.history) !== canonicalJson(history)) return 'it tells of other rows than the ledger'
  const checkpoint = parseNote(told.proof.checkpoint.note)?.checkpoint
  if (checkpoint === undefined) return 'it names no checkpoint'
  return [...unprovenRows(history, told.proof, checkpoint), ...otherStatements(lines, told, read)].map(({ where, found }) => `${where}: ${found}`)[0]
}

