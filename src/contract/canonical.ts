import { hash } from 'node:crypto'

/**
 * RFC 8785 (JCS) for the JSON we write: keys sorted by UTF-16 code unit, numbers as ECMAScript prints them.
 * Throws TypeError on what JSON cannot say (NaN, a function, a lone surrogate): a digest of a guess is worse than none.
 */
export function canonicalJson(value: unknown): string {
  if (typeof value === 'string') {
    if (!value.isWellFormed()) throw new TypeError('Cannot canonicalise a string with a lone surrogate')
    return JSON.stringify(value)
  }
  if (value === null || typeof value === 'boolean') return String(value)
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError(`Cannot canonicalise ${value}`)
    return JSON.stringify(value)
  }
  if (typeof value !== 'object') throw new TypeError(`Cannot canonicalise a ${typeof value}`)
  // Array.from visits holes, which map would skip and print as invalid JSON.
  if (Array.isArray(value)) return `[${Array.from(value, (member) => canonicalJson(member)).join(',')}]`
  if (!isPlainObject(value)) throw new TypeError('Cannot canonicalise an instance; give plain JSON')
  return canonicalObject(value)
}

/** Written as a loop: every call of a model and every verdict passes here several times. `sort` without a comparison goes by UTF-16 code unit. */
function canonicalObject(value: object): string {
  let text = ''
  for (const key of Object.keys(value).sort()) {
    const member: unknown = Reflect.get(value, key)
    if (member !== undefined) text += `${text === '' ? '' : ','}${canonicalKey(key)}:${canonicalJson(member)}`
  }
  return `{${text}}`
}

const MOST_KEYS = 1_000
const keys = new Map<string, string>()

/** A key as it is written. The same few name the members of every record, so they are kept; those of strangers' documents only up to a limit. */
function canonicalKey(key: string): string {
  const written = keys.get(key) ?? canonicalJson(key)
  if (keys.size < MOST_KEYS) keys.set(key, written)
  return written
}

// An instance (Date, Map, Error, Buffer) keeps what it means outside its own properties: two different ones would share a digest.
function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** Freezes plain JSON all the way down and returns it: what was judged must not change afterwards. */
export function deepFreeze<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null) return value
  if (!Array.isArray(value) && !isPlainObject(value)) return value
  Object.freeze(value)
  for (const member of Object.values(value)) deepFreeze(member)
  return value
}

/** SHA-256 of bytes or UTF-8 text, lower-case hex. */
export const sha256 = (bytes: string | Uint8Array): string => hash('sha256', bytes)

/** SHA-256 over the canonical JSON of a document, lower-case hex. */
export const digestOf = (value: unknown): string => sha256(canonicalJson(value))

/** How a digest is printed for people and in reports: `sha256:<hex>`. */
export const printDigest = (digest: string): string => `sha256:${digest}`
