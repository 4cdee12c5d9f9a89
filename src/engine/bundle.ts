import * as z from 'zod'
import { canonicalJson, digestOf, sha256 } from '../contract/canonical.ts'
import { Statement } from '../contract/evidence.ts'
import { Digest, type Subject } from '../contract/verdict.ts'
import { attestationsOf } from './attestations.ts'
import { parseNote } from './checkpoint.ts'
import { type HashedRow, type LedgerArchive, LedgerEntry, leafText, type RunHistory, RunSummary, StoredCheckpoint } from './ledger.ts'
import { leafHash } from './merkle.ts'
import { ArtefactEvidence, WorkspaceEvidence } from './observations.ts'
import { RunRecord } from './read-run.ts'
import { renderedFiles, renderRun, storedEnding } from './render-run.ts'
import type { ReadHistory } from './verify-chain.ts'

/** What a run leaves for somebody who was not there: one DSSE envelope a line. */
export const BUNDLE_FILE = 'run.intoto.jsonl'

export const MANIFEST_TYPE = 'https://portcullis.dev/attestation/run/v1'
export const ROW_TYPE = 'https://portcullis.dev/attestation/ledger-row/v1'

const Hash = z.string().regex(/^[A-Za-z0-9+/]{43}=$/)

/** The first line of a bundle. It names all the others, so that none can be missing, more, or in another place unseen. */
export const RunManifest = z.strictObject({
  run: RunSummary,
  /** The checkpoint that the run ended with, as its report has it. */
  ended: StoredCheckpoint.nullable(),
  /** The checkpoint that the rows are proven against. */
  checkpoint: StoredCheckpoint,
  /** What shows that the ledger continues what it was at earlier sizes, of which others may hold a checkpoint. */
  consistency: z.array(z.strictObject({ size: z.int().nonnegative(), proof: z.array(Hash) })),
  rows: z.array(z.strictObject({ position: z.int().positive(), leaf: Hash })),
  /** The files of the run's directory, this one left out. */
  files: z.array(z.strictObject({ path: z.string(), sha256: Digest })),
  attestations: z.array(z.strictObject({ predicateType: z.string(), sha256: Digest })),
})
export type RunManifest = z.infer<typeof RunManifest>

/** One row of the ledger, with the way from it to the root of the tree. */
export const BundledRow = z.strictObject({ ...LedgerEntry.shape, inclusion: z.array(Hash) })
export type BundledRow = z.infer<typeof BundledRow>

/** How the rows of a run lead to a signed checkpoint. */
export interface RunProof {
  readonly checkpoint: StoredCheckpoint
  readonly inclusion: readonly (readonly Buffer[])[]
  readonly consistency: readonly { readonly size: number; readonly proof: readonly Buffer[] }[]
}

/** How many of the checkpoints that were kept last a bundle is shown to continue. */
const EARLIER = 16

/**
 * Proves the rows of a run: `end` against the checkpoint that it ended with, `now` against the ledger as it is. `from` are
 * sizes of checkpoints that somebody else holds. Throws `store_failed` for a size or a row that the ledger does not have.
 */
export async function proveRun(archive: LedgerArchive, history: RunHistory, at: 'end' | 'now', from: readonly number[]): Promise<RunProof> {
  const checkpoint = at === 'end' && history.checkpoint !== null ? history.checkpoint : await archive.head()
  const size = sizeOf(checkpoint)
  const kept = (await archive.kept(size, EARLIER)).map(sizeOf)
  const sizes = [...new Set([...kept, ...from])].filter((each) => each < size).toSorted((a, b) => a - b)
  const proofs = await archive.proofs({ positions: history.entries.map((entry) => entry.position), size, from: sizes })
  return { checkpoint, inclusion: proofs.inclusion, consistency: sizes.map((each, index) => ({ size: each, proof: proofs.consistency[index] ?? [] })) }
}

const sizeOf = (stored: StoredCheckpoint): number => parseNote(stored.note)?.checkpoint.size ?? 0

/** The hash under which a row stands in the tree. Its columns repeat what its body says. */
export function leafOf(runId: string, { position, kind, digest, body }: LedgerEntry): Buffer {
  return leafHash(leafText({ position, runId, kind, ...columnsOf(kind, body), digest, body }))
}

const VerdictColumns = z.object({ sequence: z.int(), gate: z.string(), outcome: z.string() })

function columnsOf(kind: string, body: string): Pick<HashedRow, 'sequence' | 'gate' | 'outcome'> {
  const parsed = kind === 'verdict' ? VerdictColumns.safeParse(parseJson(body)) : undefined
  return parsed?.success === true ? parsed.data : { sequence: null, gate: null, outcome: null }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/**
 * The statements of a run, in their order, as canonical JSON: its manifest, its rows, what they show. A pure function, so
 * that whoever has the rows makes the same statements again. Throws `run_not_found` for a run that has not ended.
 */
export function statementsOf(history: RunHistory, read: ReadHistory, proof: RunProof): string[] {
  const attested = attestationsOf(read)
  const manifest: RunManifest = {
    run: history.run,
    ended: history.checkpoint,
    checkpoint: proof.checkpoint,
    consistency: proof.consistency.map(({ size, proof: hashes }) => ({ size, proof: hashes.map(base64) })),
    rows: history.entries.map((entry) => ({ position: entry.position, leaf: base64(leafOf(history.run.runId, entry)) })),
    files: filesOf(history, read),
    attestations: attested.map(({ predicateType, predicate }) => ({ predicateType, sha256: digestOf(predicate) })),
  }
  const [workspace] = new RunRecord(read).all(WorkspaceEvidence)
  const subject: Subject[] = [
    ...(workspace === undefined ? [] : [{ name: 'workspace', digest: { sha256: workspace.after } }]),
    { name: `manifest of ${history.run.runId}`, digest: { sha256: digestOf(manifest) } },
  ]
  const rows = history.entries.map((entry, index): BundledRow => ({ ...entry, inclusion: (proof.inclusion[index] ?? []).map(base64) }))
  return [{ predicateType: MANIFEST_TYPE, predicate: manifest }, ...rows.map((row) => ({ predicateType: ROW_TYPE, predicate: row })), ...attested].map(({ predicateType, predicate }) =>
    canonicalJson(Statement.parse({ _type: 'https://in-toto.io/Statement/v1', subject, predicateType, predicate })),
  )
}

const base64 = (bytes: Buffer): string => bytes.toString('base64')

/** Each file of a run's directory with its digest, as the ledger has it; a probe and a licence have none. */
function filesOf(history: RunHistory, read: ReadHistory): RunManifest['files'] {
  if (history.run.kind !== 'task') return []
  return [...filesLeft(history, read)].map(([path, digest]) => ({ path, sha256: digest })).toSorted((a, b) => (a.path < b.path ? -1 : 1))
}

/** The files that a run left, by name: the ones rendered from the ledger, and the others by the digest they were stored with. */
export function filesLeft(history: RunHistory, read: ReadHistory): Map<string, string> {
  const left = new Map<string, string>()
  // A run that was taken up may have left its files twice; the last are those that are there.
  const artefacts = new RunRecord(read).all(ArtefactEvidence).at(-1)
  for (const file of artefacts?.files ?? []) left.set(file.path, file.sha256)
  for (const [name, content] of renderedFiles(renderRun(history, read, storedEnding(history)))) left.set(name, sha256(content))
  return left
}
