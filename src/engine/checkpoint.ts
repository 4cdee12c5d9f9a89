import { hash } from 'node:crypto'
import type { TreeHead } from './merkle.ts'
import { signatureHolds, type Signer, type VerificationKey } from './verification-key.ts'

/**
 * What the ledger was at one moment, signed: its name, how many rows, their RFC 6962 root, the time. Written as a signed
 * note (C2SP tlog-checkpoint), so that other tools for transparency logs read it too.
 */
export interface Checkpoint extends TreeHead {
  /** Which ledger: `portcullis/<id>`, made at random with it. */
  readonly origin: string
  readonly at: string
}

const SIGNATURE = /^\u2014 (\S+) ([A-Za-z0-9+/]+={0,2})$/

/** What the signature of a checkpoint is made over. */
const textOf = ({ origin, size, root, at }: Checkpoint): string => `${origin}\n${size}\n${root.toString('base64')}\ntime ${at}\n`

/** Four bytes by which a note names its key: of the key and its kind, as the format has it for each. */
function keyHint(name: string, { algorithm, key }: VerificationKey): Buffer {
  const der = key.export({ type: 'spki', format: 'der' })
  const hashed = algorithm === 'ed25519' ? Buffer.concat([Buffer.from(`${name}\n`), Buffer.from([1]), der.subarray(-32)]) : der
  return hash('sha256', hashed, 'buffer').subarray(0, 4)
}

const hints = new WeakMap<VerificationKey, { name: string; hint: Buffer }>()

/** The same key signs every commit. */
function rememberedHint(name: string, key: VerificationKey): Buffer {
  const known = hints.get(key)
  if (known?.name === name) return known.hint
  const hint = keyHint(name, key)
  hints.set(key, { name, hint })
  return hint
}

/** Signs a checkpoint; returns the note. */
export function signCheckpoint(checkpoint: Checkpoint, signer: Signer): string {
  const text = textOf(checkpoint)
  const signature = Buffer.concat([rememberedHint(checkpoint.origin, signer.key), signer.sign(Buffer.from(text))])
  return `${text}\n\u2014 ${checkpoint.origin} ${signature.toString('base64')}\n`
}

export interface ParsedNote {
  readonly checkpoint: Checkpoint
  readonly text: string
  readonly hint: Buffer
  readonly signature: Buffer
}

/** Reads a note without believing it. Undefined for what is none of ours: nothing in it may go unread. */
export function parseNote(note: string): ParsedNote | undefined {
  const [origin, size, root, time, blank, signed, end, ...more] = note.split('\n')
  const match = SIGNATURE.exec(signed ?? '')
  if (origin === undefined || size === undefined || root === undefined || time === undefined || blank !== '' || end !== '' || more.length > 0 || match?.[2] === undefined) return undefined
  const bytes = Buffer.from(match[2], 'base64')
  const checkpoint: Checkpoint = { origin, size: Number(size), root: Buffer.from(root, 'base64'), at: time.replace(/^time /, '') }
  const text = note.slice(0, note.indexOf('\n\n') + 1)
  // Written again it must be the same bytes, so that one checkpoint has one form and no byte of it is free.
  const exact = textOf(checkpoint) === text && bytes.toString('base64') === match[2] && match[1] === origin
  if (!exact || !/^portcullis\/[0-9a-f]{32}$/.test(origin) || !Number.isSafeInteger(checkpoint.size) || checkpoint.size < 0 || checkpoint.root.length !== 32) return undefined
  return { checkpoint, text, hint: bytes.subarray(0, 4), signature: bytes.subarray(4) }
}

/** Why a note is not believed. */
export type NoteFault = 'checkpoint_malformed' | 'wrong_key' | 'signature_invalid'

export type OpenedNote = { readonly ok: true; readonly checkpoint: Checkpoint; readonly key: VerificationKey } | { readonly ok: false; readonly fault: NoteFault; readonly found: string }

/** Believes a note only if one of these keys signed it. */
export function openNote(note: string, keys: readonly VerificationKey[]): OpenedNote {
  const parsed = parseNote(note)
  if (parsed === undefined) return { ok: false, fault: 'checkpoint_malformed', found: 'no checkpoint as this version writes it' }
  const { checkpoint, text, hint, signature } = parsed
  const named = keys.filter((key) => rememberedHint(checkpoint.origin, key).equals(hint))
  if (named.length === 0) return { ok: false, fault: 'wrong_key', found: `a checkpoint signed with a key (${hint.toString('hex')}) that is none of the ${keys.length} given` }
  const key = named.find((each) => signatureHolds(each, Buffer.from(text), signature))
  return key === undefined ? { ok: false, fault: 'signature_invalid', found: 'a checkpoint whose signature does not hold' } : { ok: true, checkpoint, key }
}

/** The notes in a text that people keep: one after the other, with anything in between. */
export function notesIn(text: string): string[] {
  return [...text.matchAll(/^portcullis\/[0-9a-f]{32}\n\d+\n\S+\ntime \S+\n\n\u2014 \S+ \S+\n/gm)].map(([note]) => note)
}
