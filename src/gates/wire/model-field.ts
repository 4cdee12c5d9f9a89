import { isUtf8 } from 'node:buffer'
import { scanObject, type Member } from './json-scan.ts'

/** The longest model name the wire reads. Names stand in evidence and in error texts, so they are bounded. */
export const MAX_MODEL_NAME_LENGTH = 256

/** Where the one top-level `model` of a body stands; `start` and `end` enclose its JSON string, quotes included. */
export interface ModelField {
  readonly found: true
  readonly model: string
  readonly start: number
  readonly end: number
  /** True if the body also says `"stream": true`. */
  readonly stream: boolean
  /** Every member of the body, so that nobody has to walk it again. */
  readonly members: readonly Member[]
}

/** `missing`: an object that names no model. `nameless`: a `model` that is null or empty. `unreadable`: anything else that cannot be read without a guess. */
export interface NoModelField {
  readonly found: false
  readonly problem: 'missing' | 'nameless' | 'unreadable'
  readonly detail: string
}

/** Under which key a body names a model: an answer of Gemini says `modelVersion`, everything else `model`. */
export type ModelKey = 'model' | 'modelVersion'

/**
 * Locates the one top-level `"model"` string of a JSON object, by bytes. Two of them, one spelt with an escape or in another
 * case (Go's parser would take it), one that is no string: all are refusals, because two parsers may read them differently.
 */
export function locateModel(body: Uint8Array, name: ModelKey = 'model'): ModelField | NoModelField {
  if (!isUtf8(body)) return unreadable('a body that is not valid UTF-8')
  const scanned = scanObject(body)
  if (!scanned.ok) return unreadable(scanned.found)
  let model: Member | undefined
  let stream = false
  for (const member of scanned.members) {
    const key = keyText(body, member, name)
    if (key === '"stream"') stream = text(body, member.valueStart, member.valueEnd) === 'true'
    if (key === undefined || key.toLowerCase() !== `"${name.toLowerCase()}"`) continue
    if (key !== `"${name}"`) return unreadable(`a top-level key that another parser may read as "${name}"`)
    if (model !== undefined) return unreadable(`two top-level "${name}" keys`)
    model = member
  }
  if (model === undefined) return { found: false, problem: 'missing', detail: `a body without a top-level "${name}"` }
  return readModel(body, model, stream, scanned.members)
}

function readModel(body: Uint8Array, member: Member, stream: boolean, members: readonly Member[]): ModelField | NoModelField {
  const length = member.valueEnd - member.valueStart
  if (length <= 4 && ['""', 'null'].includes(text(body, member.valueStart, member.valueEnd))) return { found: false, problem: 'nameless', detail: 'a "model" that names nothing' }
  if (body[member.valueStart] !== 0x22) return unreadable('a "model" that is not a string')
  // An escaped name is longer than what it spells, at most six times.
  if (length > MAX_MODEL_NAME_LENGTH * 6) return unreadable(`a "model" longer than ${MAX_MODEL_NAME_LENGTH} characters`)
  const model: unknown = JSON.parse(text(body, member.valueStart, member.valueEnd))
  if (typeof model !== 'string' || !isModelName(model)) return unreadable(`a "model" that is empty, longer than ${MAX_MODEL_NAME_LENGTH} characters or not printable`)
  return { found: true, model, start: member.valueStart, end: member.valueEnd, stream, members }
}

/** True for a text that may stand in evidence as the name of a model: not empty, bounded, printable, well-formed, and no run token. */
export const isModelName = (name: string): boolean =>
  name.length > 0 && name.length <= MAX_MODEL_NAME_LENGTH && name.isWellFormed() && !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(name) && !name.includes('pcr_')

/** The key with its quotes. A key with a backslash is decoded and marked, so that `"mod\u0065l"` is seen and never taken for plain. */
function keyText(body: Uint8Array, member: Member, name: ModelKey): string | undefined {
  // Only keys that can spell the name or "stream" matter; with every character escaped one takes six bytes for each.
  if (member.keyEnd - member.keyStart > 2 + 6 * Math.max(name.length, 'stream'.length)) return undefined
  const raw = text(body, member.keyStart, member.keyEnd)
  if (!raw.includes('\\')) return raw
  const decoded: unknown = JSON.parse(raw)
  return typeof decoded === 'string' && decoded.toLowerCase() === name.toLowerCase() ? `"${name.toUpperCase()}"` : undefined
}

const text = (body: Uint8Array, start: number, end: number): string => Buffer.from(body.buffer, body.byteOffset + start, end - start).toString()

const unreadable = (detail: string): NoModelField => ({ found: false, problem: 'unreadable', detail })

/** The same bytes with another model: nothing else is touched, so that prompt caches and signatures over the rest survive (WIR-11). */
export function replaceModel(body: Uint8Array, field: ModelField, model: string): Uint8Array {
  return Buffer.concat([body.subarray(0, field.start), Buffer.from(JSON.stringify(model)), body.subarray(field.end)])
}
