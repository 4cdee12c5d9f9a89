/** Reads DSSE envelopes and signed notes with WebCrypto alone. One statement has one form here, as everywhere: no byte of it is free. */
export interface PublicKey { readonly key_id: string; readonly algorithm: string; readonly pem: string }
interface Subject { readonly name: string; readonly digest: { readonly sha256: string } }
export interface Statement { readonly predicateType: string; readonly predicate: unknown; readonly subject: readonly Subject[] }
export interface OpenedLine { readonly statement: Statement | undefined; readonly problem: string | undefined; readonly payloadDigest: string }

export const encoder = new TextEncoder()
export type Bytes = Uint8Array<ArrayBuffer>
const base64Of = (bytes: Uint8Array): string => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))
const hex = (bytes: Uint8Array): string => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
export const sha256 = async (bytes: Bytes): Promise<Bytes> => new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
export const sha256Hex = async (bytes: Bytes): Promise<string> => hex(await sha256(bytes))
export const same = (one: Uint8Array, other: Uint8Array): boolean => one.length === other.length && one.every((byte, index) => byte === other[index])
export const join = (...parts: readonly Uint8Array[]): Bytes => {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) { all.set(part, at); at += part.length }
  return all
}

/** No bytes for what is no base64: nothing is equal to them, and no signature holds for them. */
export function bytesOf(base64: string): Bytes {
  try {
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
  } catch {
    return new Uint8Array(0)
  }
}

/** RFC 8785, as the statements are written: what is read must be these very bytes. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  return `{${Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1)).map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`).join(',')}}`
}

export const digestOf = (value: unknown): Promise<string> => sha256Hex(encoder.encode(canonicalJson(value)))

export type Check = (signed: Bytes, signature: Bytes) => Promise<boolean>

/** The checks of keys, each under the digest of its own file: a key under another's id would speak for it. */
export async function checksOf(keys: readonly PublicKey[]): Promise<ReadonlyMap<string, Check>> {
  const checks = new Map<string, Check>()
  for (const key of keys) checks.set(await sha256Hex(encoder.encode(key.pem)), await checkOf(key))
  return checks
}

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

const PAYLOAD_TYPE = 'application/vnd.in-toto+json'
const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1'
const signedBytes = (payload: Uint8Array): Bytes => join(encoder.encode(`DSSEv1 ${PAYLOAD_TYPE.length} ${PAYLOAD_TYPE} ${payload.length} `), payload)

interface Envelope { readonly payload: string; readonly payloadType: string; readonly signatures: readonly { readonly keyid: string; readonly sig: string }[] }

/** One line of a bundle. The statement is given even where its signature does not hold, so that it can be shown; `problem` says that it does not. */
export async function openLine(line: string, checks: ReadonlyMap<string, Check>): Promise<OpenedLine> {
  try {
    const { payload, signatures } = JSON.parse(line) as Envelope
    const [signature] = signatures
    if (signature === undefined || JSON.stringify({ payload, payloadType: PAYLOAD_TYPE, signatures: [{ keyid: signature.keyid, sig: signature.sig }] }) !== line) throw new TypeError('another envelope than is written')
    const body = bytesOf(payload)
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body)
    const statement = JSON.parse(text) as Statement & { readonly _type: unknown }
    if (base64Of(body) !== payload || canonicalJson(statement) !== text || statement._type !== STATEMENT_TYPE || Object.keys(statement).length !== 4) throw new TypeError('another statement than is written')
    const check = checks.get(signature.keyid)
    const payloadDigest = await sha256Hex(body)
    if (check === undefined) return { statement, payloadDigest, problem: 'wrong_key: signed with a key that is none of those given' }
    return { statement, payloadDigest, problem: (await check(signedBytes(body), bytesOf(signature.sig))) ? undefined : 'signature_invalid: the signature does not hold for these bytes' }
  } catch {
    return { statement: undefined, payloadDigest: '', problem: 'row_changed: no signed statement can be read here' }
  }
}

/** A head of the ledger's tree. */
export interface Tree { readonly origin: string; readonly size: number; readonly root: Uint8Array }

/** The head that a signed note holds; undefined if it is none of ours, or not signed by the key that is named. */
export async function openNote({ keyId, note }: { readonly keyId: string; readonly note: string }, checks: ReadonlyMap<string, Check>): Promise<Tree | undefined> {
  const [, origin = '', size = '', root = '', signer, signature = ''] = /^(portcullis\/[0-9a-f]{32})\n(\d{1,16})\n([A-Za-z0-9+/]{43}=)\ntime [^\n]+\n\n\u2014 (\S+) ([A-Za-z0-9+/]+={0,2})\n$/.exec(note) ?? []
  const check = checks.get(keyId)
  if (check === undefined || origin === '' || signer !== origin || !Number.isSafeInteger(Number(size)) || String(Number(size)) !== size) return undefined
  const holds = await check(encoder.encode(note.slice(0, note.indexOf('\n\n') + 1)), bytesOf(signature).slice(4))
  return holds ? { origin, size: Number(size), root: bytesOf(root) } : undefined
}
