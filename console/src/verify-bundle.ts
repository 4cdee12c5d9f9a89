import { bytesOf, canonicalJson, checksOf, digestOf, encoder, openLine, openNote, type OpenedLine, type PublicKey, same, sha256, sha256Hex, type Statement, type Tree } from './signed-lines.ts'
import { continues, included } from './tree-proofs.ts'

export { type PublicKey, sha256Hex }

/**
 * Checks a bundle (run.intoto.jsonl) in the browser with WebCrypto alone: nothing the server says about the run is used but
 * its public keys, and those may be given by hand instead. Whether the files of the run say what its rows say is not made
 * again here; `portcullis verify` does that.
 */
export interface CheckedRow { readonly line: number; readonly what: string; readonly digest: string; readonly problems: readonly string[] }
export interface Checked {
  readonly runId: string
  readonly state: string
  readonly rows: readonly CheckedRow[]
  /** What is wrong with the whole and with no line of it. */
  readonly problems: readonly string[]
  readonly holds: boolean
  readonly verdicts: number
  /** What the manifest says of each file of the run, to be compared with the file itself. */
  readonly files: readonly { readonly path: string; readonly sha256: string }[]
}

interface Row { readonly body: string; readonly digest: string; readonly inclusion: readonly string[]; readonly kind: string; readonly position: number }
interface Note { readonly keyId: string; readonly note: string }
interface Manifest {
  readonly run: { readonly runId: string; readonly state: string; readonly kind: string }
  readonly ended: Note | null
  readonly checkpoint: Note
  readonly consistency: readonly { readonly size: number; readonly proof: readonly string[] }[]
  readonly rows: readonly { readonly leaf: string; readonly position: number }[]
  readonly attestations: readonly { readonly predicateType: string; readonly sha256: string }[]
  readonly files: readonly { readonly path: string; readonly sha256: string }[]
}

const MANIFEST_TYPE = 'https://portcullis.dev/attestation/run/v1'
const ROW_TYPE = 'https://portcullis.dev/attestation/ledger-row/v1'
const WORKSPACE_TYPE = 'https://portcullis.dev/evidence/workspace/v1'
const SUMMARY_TYPE = 'https://in-toto.io/attestation/svr/v0.2'

/** What the rows told so far, by which the rest is judged. */
interface Told {
  verdicts: number
  previous: string | null
  /** The last outcome of each gate. */
  readonly outcomes: Map<string, string>
  workspace: string | undefined
  endedAs: string | undefined
}

/** Every line, what it is and what is wrong with it. An empty bundle, no key, no manifest: none of them holds. */
export async function checkBundle(text: string, keys: readonly PublicKey[]): Promise<Checked> {
  const checks = await checksOf(keys)
  const lines = text.split('\n')
  const problems: string[] = lines.pop() === '' ? [] : ['tail_truncated: the last line is torn off']
  const opened: OpenedLine[] = []
  for (const line of lines) opened.push(await openLine(line, checks))
  const manifest = manifestIn(opened[0])
  if (manifest === undefined) return { runId: '', state: '', rows: opened.map(({ problem, payloadDigest }, index) => ({ line: index + 1, what: 'line', digest: payloadDigest, problems: problem === undefined ? [] : [problem] })), problems: [...problems, 'bundle_malformed: it begins with no manifest of a run'], holds: false, verdicts: 0, files: [] }
  const tree = await openNote(manifest.checkpoint, checks)
  if (tree === undefined) problems.push('checkpoint_malformed: the checkpoint of the ledger is not signed by a key that was given')
  else problems.push(...(await endProblems(manifest, tree, await (manifest.ended === null ? undefined : openNote(manifest.ended, checks)))))
  const expected = 1 + manifest.rows.length + manifest.attestations.length
  if (lines.length < expected) problems.push(`tail_truncated: ${expected} lines belong to it, ${lines.length} are here`)
  if (lines.length > expected) problems.push(`row_inserted: ${expected} lines belong to it, ${lines.length} are here`)
  const told: Told = { verdicts: 0, previous: null, outcomes: new Map(), workspace: undefined, endedAs: undefined }
  const rows: CheckedRow[] = []
  for (const [index, { statement, problem, payloadDigest }] of opened.entries()) {
    const { what, found } = index === 0 ? { what: 'manifest', found: [] } : index <= manifest.rows.length ? await checkRow(statement, manifest, index - 1, tree, told) : await checkAttestation(statement, manifest, index - 1 - manifest.rows.length, told)
    rows.push({ line: index + 1, what, digest: payloadDigest, problems: [...(problem === undefined ? [] : [problem]), ...found] })
  }
  problems.push(...(await wholeProblems(manifest, opened, told)))
  return { runId: manifest.run.runId, state: manifest.run.state, rows, problems, verdicts: told.verdicts, files: manifest.files, holds: problems.length === 0 && rows.every((row) => row.problems.length === 0) }
}

function manifestIn(first: OpenedLine | undefined): Manifest | undefined {
  if (first?.statement?.predicateType !== MANIFEST_TYPE) return undefined
  const predicate = first.statement.predicate as Partial<Manifest>
  return typeof predicate.run?.runId !== 'string' || typeof predicate.checkpoint?.note !== 'string' || predicate.ended === undefined || ![predicate.rows, predicate.attestations, predicate.files, predicate.consistency].every(Array.isArray) ? undefined : (predicate as Manifest)
}

/** The checkpoint that the run ended with must be one that the proven one continues. */
async function endProblems({ run, ended, consistency }: Manifest, tree: Tree, end: Tree | undefined): Promise<string[]> {
  if (ended === null) return ['open', 'started', 'waiting'].includes(run.state) ? [] : ['checkpoint_malformed: no checkpoint of the end, of a run that has ended']
  if (end === undefined) return ['checkpoint_malformed: the checkpoint of the end is not signed by a key that was given']
  const proof = end.size === tree.size ? [] : consistency.find(({ size }) => size === end.size)?.proof.map(bytesOf)
  return proof !== undefined && (await continues(end, tree, proof)) ? [] : ['ledger_forked: the ledger does not continue the checkpoint that the run ended with']
}

interface Found { readonly what: string; readonly found: readonly string[] }

async function checkRow(statement: Statement | undefined, manifest: Manifest, index: number, tree: Tree | undefined, told: Told): Promise<Found> {
  const row = rowIn(statement)
  const named = manifest.rows[index]
  if (row === undefined || named === undefined) return { what: 'row', found: ['row_changed: this is no row of a ledger'] }
  const read = bodyOf(row)
  const found = await rowProblems(row, read, named, manifest.run.runId, tree)
  if (row.kind === 'verdict') {
    if (read?.previous !== told.previous || read.sequence !== told.verdicts) found.push('chain_broken: it does not continue the verdict before it')
    told.previous = row.digest
    told.verdicts += 1
    told.outcomes.set(String(read?.gate), String(read?.outcome))
  }
  if (row.kind === 'evidence' && read?.predicateType === WORKSPACE_TYPE) told.workspace ??= read.predicate?.after
  if (row.kind === 'event' && read?.type === 'run_ended') told.endedAs = read.data?.state
  return { what: describe(row, read), found }
}

async function checkAttestation(statement: Statement | undefined, { attestations, run }: Manifest, index: number, told: Told): Promise<Found> {
  const what = statement?.predicateType.split('/').slice(-2).join(' ') ?? 'attestation'
  const named = attestations[index]
  if (statement === undefined || named === undefined) return { what, found: ['row_inserted: the manifest names no line here'] }
  if (named.predicateType !== statement.predicateType || named.sha256 !== (await digestOf(statement.predicate))) return { what, found: ['rows_swapped: another attestation belongs here'] }
  if (statement.predicateType !== SUMMARY_TYPE) return { what, found: [] }
  const { properties } = statement.predicate as { readonly properties?: unknown }
  const shown = [...told.outcomes].flatMap(([gate, outcome]) => (outcome === 'pass' ? [`PORTCULLIS_GATE_${gate.toUpperCase()}_PASSED`] : []))
  const expected = [...shown, ...(run.state === 'accepted' ? ['PORTCULLIS_RUN_ACCEPTED'] : [])]
  return { what, found: JSON.stringify(properties) === JSON.stringify(expected) ? [] : ['statement_not_reproduced: the verdicts give another summary'] }
}

/** What is said of the run as a whole, against what its rows told. Every line is about the same workspace and the same manifest. */
async function wholeProblems(manifest: Manifest, opened: readonly OpenedLine[], told: Told): Promise<string[]> {
  const subject = canonicalJson([...(told.workspace === undefined ? [] : [{ name: 'workspace', digest: { sha256: told.workspace } }]), { name: `manifest of ${manifest.run.runId}`, digest: { sha256: await digestOf(manifest) } }])
  return [
    ...opened.flatMap(({ statement }, index) => (statement === undefined || canonicalJson(statement.subject) === subject ? [] : [`statement_not_reproduced: line ${index + 1} is about something else than the rows and the manifest of this run`])),
    ...(told.endedAs === undefined || told.endedAs === manifest.run.state ? [] : [`chain_broken: the manifest calls the run ${manifest.run.state}, its last row ${told.endedAs}`]),
    ...(told.endedAs === undefined && manifest.run.state === 'accepted' ? ['evidence_missing: no row tells how the run ended'] : []),
    ...(told.verdicts === 0 ? ['evidence_missing: no verdict is in it'] : []),
  ]
}

function rowIn(statement: Statement | undefined): Row | undefined {
  if (statement?.predicateType !== ROW_TYPE) return undefined
  const row = statement.predicate as Partial<Row>
  return typeof row.body === 'string' && typeof row.digest === 'string' && typeof row.position === 'number' && typeof row.kind === 'string' && Array.isArray(row.inclusion) ? (row as Row) : undefined
}

interface Body { readonly gate?: string; readonly outcome?: string; readonly sequence?: number; readonly previous?: string | null; readonly type?: string; readonly predicateType?: string; readonly predicate?: { readonly after?: string }; readonly data?: { readonly state?: string } }

function bodyOf({ body }: Row): Body | undefined {
  try {
    return JSON.parse(body) as Body
  } catch {
    return undefined
  }
}

function describe({ kind }: Row, read: Body | undefined): string {
  if (kind === 'verdict') return `verdict ${read?.gate ?? '?'}: ${read?.outcome ?? '?'}`
  return kind === 'event' ? `event ${read?.type ?? '?'}` : `evidence ${read?.predicateType?.split('/').slice(-2).join(' ') ?? '?'}`
}

async function rowProblems(row: Row, read: Body | undefined, named: Manifest['rows'][number], runId: string, tree: Tree | undefined): Promise<string[]> {
  const problems: string[] = read === undefined ? ['row_changed: its content cannot be read'] : []
  if ((await sha256Hex(encoder.encode(row.body))) !== row.digest) problems.push('row_changed: its content does not have its digest')
  if (row.position !== named.position) problems.push('rows_swapped: another row belongs here')
  const columns = row.kind === 'verdict' ? read : undefined
  const leaf = await sha256(encoder.encode(`\u0000${row.position}\n${runId}\n${row.kind}\n${columns?.sequence ?? ''}\n${columns?.gate ?? ''}\n${columns?.outcome ?? ''}\n${row.digest}\n${row.body}`))
  if (!same(leaf, bytesOf(named.leaf))) problems.push('row_changed: it is not the row that the manifest names')
  if (tree !== undefined && !(await included(leaf, row.position - 1, tree, row.inclusion.map(bytesOf)))) problems.push('row_not_in_tree: nothing shows it to be in the signed ledger')
  return problems
}
