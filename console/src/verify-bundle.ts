/**
 * Checks a bundle (run.intoto.jsonl) in the browser with WebCrypto alone: nothing the server says about the run is used but
 * its public keys, and those may be given by hand instead.
 */
export interface PublicKey { readonly key_id: string; readonly algorithm: string; readonly pem: string }
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

interface Envelope { readonly payload: string; readonly payloadType: string; readonly signatures: readonly { readonly keyid: string; readonly sig: string }[] }
interface Row { readonly body: string; readonly digest: string; readonly inclusion: readonly string[]; readonly kind: string; readonly position: number }
interface Manifest {
  readonly run: { readonly runId: string; readonly state: string }
  readonly checkpoint: { readonly keyId: string; readonly note: string }
  readonly rows: readonly { readonly leaf: string; readonly position: number }[]
  readonly attestations: readonly { readonly predicateType: string; readonly sha256: string }[]
  readonly files: readonly { readonly path: string; readonly sha256: string }[]
}
interface Statement { readonly predicateType: string; readonly predicate: unknown; readonly subject: readonly { readonly name: string; readonly digest: { readonly sha256: string } }[] }

const encoder = new TextEncoder()
type Bytes = Uint8Array<ArrayBuffer>
const bytesOf = (base64: string): Bytes => Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
const hex = (bytes: Uint8Array): string => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
const sha256 = async (bytes: Bytes): Promise<Bytes> => new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
export const sha256Hex = async (bytes: Bytes): Promise<string> => hex(await sha256(bytes))
const join = (...parts: readonly Uint8Array[]): Bytes => {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) { all.set(part, at); at += part.length }
  return all
}
const same = (one: Uint8Array, other: Uint8Array): boolean => one.length === other.length && one.every((byte, index) => byte === other[index])

type Check = (signed: Bytes, signature: Bytes) => Promise<boolean>

async function checkOf({ algorithm, pem }: PublicKey): Promise<Check> {
  const spki = bytesOf(pem.replace(/-----[^-]+-----|\s/g, ''))
  if (algorithm === 'ed25519') {
    const key = await crypto.subtle.importKey('spki', spki, { name: 'Ed25519' }, false, ['verify'])
    return (signed, signature) => crypto.subtle.verify({ name: 'Ed25519' }, key, signature, signed)
  }
  const key = await crypto.subtle.importKey('spki', spki, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['verify'])
  return async (signed, signature) => {
    const raw = rawSignature(signature)
    return raw !== undefined && crypto.subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, key, raw, signed)
  }
}

/** WebCrypto wants r and s side by side, the bundle has them in DER. */
function rawSignature(der: Uint8Array): Bytes | undefined {
  if (der[0] !== 0x30 || der[1] !== der.length - 2) return undefined
  const raw = new Uint8Array(64)
  let at = 2
  for (const end of [32, 64]) {
    const length = der[at + 1] ?? 0
    const number = der.slice(at + 2, at + 2 + length)
    const trimmed = number[0] === 0 ? number.slice(1) : number
    if (der[at] !== 0x02 || trimmed.length > 32 || number.length !== length) return undefined
    raw.set(trimmed, end - trimmed.length)
    at += 2 + length
  }
  return at === der.length ? raw : undefined
}

const preAuthentication = (type: string, body: Uint8Array): Bytes => join(encoder.encode(`DSSEv1 ${encoder.encode(type).length} ${type} ${body.length} `), body)

interface Opened { readonly statement: Statement | undefined; readonly problem: string | undefined; readonly payloadDigest: string }

async function open(line: string, checks: ReadonlyMap<string, Check>): Promise<Opened> {
  try {
    const { payload, payloadType, signatures } = JSON.parse(line) as Envelope
    const body = bytesOf(payload)
    const payloadDigest = await sha256Hex(body)
    const statement = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)) as Statement
    const [signature] = signatures
    const check = signature === undefined || signatures.length !== 1 ? undefined : checks.get(signature.keyid)
    if (signature === undefined || check === undefined) return { statement, payloadDigest, problem: 'wrong_key: signed with a key that is none of those given' }
    const holds = await check(preAuthentication(payloadType, body), bytesOf(signature.sig))
    return { statement, payloadDigest, problem: holds ? undefined : 'signature_invalid: the signature does not hold for these bytes' }
  } catch {
    return { statement: undefined, payloadDigest: '', problem: 'row_changed: no signed statement can be read here' }
  }
}

/** Every line, what it is and what is wrong with it. An empty bundle, no key, no manifest: none of them holds. */
export async function checkBundle(text: string, keys: readonly PublicKey[]): Promise<Checked> {
  const checks = new Map<string, Check>()
  // The id is the digest of the file: a key under another's id would speak for it.
  for (const key of keys) checks.set(await sha256Hex(encoder.encode(key.pem)), await checkOf(key))
  const lines = text.split('\n')
  const problems: string[] = lines.pop() === '' ? [] : ['tail_truncated: the last line is torn off']
  const opened: Opened[] = []
  for (const line of lines) opened.push(await open(line, checks))
  const manifest = manifestIn(opened[0])
  if (manifest === undefined) return { runId: '', state: '', rows: opened.map(({ problem, payloadDigest }, index) => ({ line: index + 1, what: 'line', digest: payloadDigest, problems: problem === undefined ? [] : [problem] })), problems: [...problems, 'bundle_malformed: it begins with no manifest of a run'], holds: false, verdicts: 0, files: [] }
  const checkpoint = await checkNote(manifest.checkpoint, checks)
  if (checkpoint === undefined) problems.push('checkpoint_malformed: the checkpoint of the ledger is not signed by a key that was given')
  const expected = 1 + manifest.rows.length + manifest.attestations.length
  if (lines.length < expected) problems.push(`tail_truncated: ${expected} lines belong to it, ${lines.length} are here`)
  if (lines.length > expected) problems.push(`row_inserted: ${expected} lines belong to it, ${lines.length} are here`)
  const rows: CheckedRow[] = []
  let previous: string | null = null
  let verdicts = 0
  for (const [index, { statement, problem, payloadDigest }] of opened.entries()) {
    const found = problem === undefined ? [] : [problem]
    let what = 'manifest'
    if (index > manifest.rows.length) {
      what = statement?.predicateType.split('/').slice(-2).join(' ') ?? 'attestation'
      if (manifest.attestations[index - 1 - manifest.rows.length]?.predicateType !== statement?.predicateType) found.push('rows_swapped: another attestation belongs here')
    } else if (index > 0) {
      const row = rowIn(statement)
      const named = manifest.rows[index - 1]
      if (row === undefined || named === undefined) found.push('row_changed: this is no row of a ledger')
      else {
        what = describe(row)
        found.push(...(await rowProblems(row, named, manifest.run.runId, checkpoint)))
        if (row.kind === 'verdict') {
          const verdict = JSON.parse(row.body) as { readonly previous: string | null; readonly sequence: number }
          if (verdict.previous !== previous || verdict.sequence !== verdicts) found.push('chain_broken: it does not continue the verdict before it')
          previous = row.digest
          verdicts += 1
        }
      }
    }
    rows.push({ line: index + 1, what, digest: payloadDigest, problems: found })
  }
  if (verdicts === 0) problems.push('evidence_missing: no verdict is in it')
  return { runId: manifest.run.runId, state: manifest.run.state, rows, problems, verdicts, files: manifest.files, holds: problems.length === 0 && rows.every((row) => row.problems.length === 0) }
}

function manifestIn(first: Opened | undefined): Manifest | undefined {
  const predicate = first?.statement?.predicate as Partial<Manifest> | undefined
  return predicate?.run === undefined || predicate.checkpoint === undefined || !Array.isArray(predicate.rows) || !Array.isArray(predicate.attestations) || !Array.isArray(predicate.files) ? undefined : (predicate as Manifest)
}

function rowIn(statement: Statement | undefined): Row | undefined {
  const predicate = statement?.predicate as Partial<Row> | undefined
  return typeof predicate?.body === 'string' && typeof predicate.digest === 'string' && typeof predicate.position === 'number' && typeof predicate.kind === 'string' && Array.isArray(predicate.inclusion) ? (predicate as Row) : undefined
}

interface Body { readonly gate?: string; readonly outcome?: string; readonly sequence?: number; readonly type?: string; readonly predicateType?: string }

function describe({ kind, body }: Row): string {
  const read = JSON.parse(body) as Body
  if (kind === 'verdict') return `verdict ${read.gate ?? '?'}: ${read.outcome ?? '?'}`
  return kind === 'event' ? `event ${read.type ?? '?'}` : `evidence ${read.predicateType?.split('/').slice(-2).join(' ') ?? '?'}`
}

interface Tree { readonly size: number; readonly root: Uint8Array }

async function rowProblems(row: Row, named: Manifest['rows'][number], runId: string, tree: Tree | undefined): Promise<string[]> {
  const problems: string[] = []
  if ((await sha256Hex(encoder.encode(row.body))) !== row.digest) problems.push('row_changed: its content does not have its digest')
  if (row.position !== named.position) problems.push('rows_swapped: another row belongs here')
  const read = row.kind === 'verdict' ? (JSON.parse(row.body) as Body) : {}
  const leaf = await sha256(encoder.encode(`\u0000${row.position}\n${runId}\n${row.kind}\n${read.sequence ?? ''}\n${read.gate ?? ''}\n${read.outcome ?? ''}\n${row.digest}\n${row.body}`))
  if (!same(leaf, bytesOf(named.leaf))) problems.push('row_changed: it is not the row that the manifest names')
  if (tree !== undefined && !(await included(leaf, row.position - 1, tree, row.inclusion.map(bytesOf)))) problems.push('row_not_in_tree: nothing shows it to be in the signed ledger')
  return problems
}

/** RFC 9162, 2.1.3.2. */
async function included(leaf: Bytes, index: number, { size, root }: Tree, proof: readonly Uint8Array[]): Promise<boolean> {
  if (index >= size) return false
  let [node, last, hash] = [index, size - 1, leaf]
  for (const beside of proof) {
    if (last === 0) return false
    if (node % 2 === 1 || node === last) {
      hash = await sha256(join(Uint8Array.of(1), beside, hash))
      while (node % 2 === 0 && node !== 0) [node, last] = [Math.floor(node / 2), Math.floor(last / 2)]
    } else hash = await sha256(join(Uint8Array.of(1), hash, beside))
    ;[node, last] = [Math.floor(node / 2), Math.floor(last / 2)]
  }
  return last === 0 && same(hash, root)
}

async function checkNote({ keyId, note }: Manifest['checkpoint'], checks: ReadonlyMap<string, Check>): Promise<Tree | undefined> {
  const [, size, root] = note.split('\n')
  const end = note.indexOf('\n\n')
  const signature = /^\u2014 \S+ ([A-Za-z0-9+/=]+)\n$/.exec(note.slice(end + 2))?.[1]
  const check = checks.get(keyId)
  if (check === undefined || signature === undefined || size === undefined || root === undefined) return undefined
  return (await check(encoder.encode(note.slice(0, end + 1)), bytesOf(signature).slice(4))) ? { size: Number(size), root: bytesOf(root) } : undefined
}
