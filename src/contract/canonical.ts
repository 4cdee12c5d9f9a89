import { hash } from 'node:crypto'

/**
 * RFC 8785 (JCS) for the JSON we write: keys sorted by UTF-16 code unit, numbers as ECMAScript prints them.
 * Throws TypeError on what JSON cannot say (NaN, a function, a lone surrogate): a digest of a guess is worse than none.
 */
export function canonicalJson(value: unknown): string {
  if (typeof value === 'string') {
    if (PLAIN.test(value)) return `"${value}"`
    if (!value.isWellFormed()) throw new TypeError('Cannot canonicalise a string with a lone surrogate')
    return JSON.stringify(value)
  }
  if (value === null || typeof value === 'boolean') return String(value)
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError(`Cannot canonicalise ${value}`)
    return String(value)
  }
  if (typeof value !== 'object') throw new TypeError(`Cannot canonicalise a ${typeof value}`)
  // Array.from visits holes, which map would skip and print as invalid JSON.
  if (Array.isArray(value)) return `[${Array.from(value, (member) => canonicalJson(member)).join(',')}]`
  if (!isPlainObject(value)) throw new TypeError('Cannot canonicalise an instance; give plain JSON')
  return canonicalObject(value)
}

/** What JSON writes as it stands: nearly every name, digest and time. */
const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/

/** Written as a loop: every call of a model and every verdict passes here several times. */
function canonicalObject(value: object): string {
  const members: readonly unknown[] = Object.values(value)
  const { written, places } = orderOf(Object.keys(value))
  let text = ''
  for (let index = 0; index < places.length; index += 1) {
    const member = members[places[index] ?? 0]
    if (member !== undefined) text += `${text === '' ? '' : ','}${written[index] ?? ''}${canonicalJson(member)}`
  }
  return `{${text}}`
}

/** In which order the keys of an object are written: `places` says where each stood, `written` how it looks with its colon. */
interface Order {
  readonly keys: readonly string[]
  readonly places: readonly number[]
  readonly written: readonly string[]
}

/** Records of the same kind have the same keys in the same order, so a few orders serve nearly all of them; one is put out by the next that falls on its place. */
const ORDERS: (Order | undefined)[] = Array.from({ length: 256 })
/** Of strangers' documents, long ones are not kept. */
const MOST_KEYS = 64
const LONGEST_KEY = 64

function orderOf(keys: readonly string[]): Order {
  const place = (keys.length * 31 + (keys[0]?.length ?? 0) * 7 + (keys.at(-1)?.length ?? 0)) % ORDERS.length
  const known = ORDERS[place]
  if (known !== undefined && isSame(known.keys, keys)) return known
  // Strings compare by UTF-16 code unit. Places are sorted and not looked up: a stranger's object may have a hundred thousand keys.
  const places = keys.map((_key, index) => index).sort((a, b) => ((keys[a] ?? '') < (keys[b] ?? '') ? -1 : 1))
  const order = { keys, places, written: places.map((at) => `${canonicalJson(keys[at])}:`) }
  if (keys.length <= MOST_KEYS && keys.every((key) => key.length <= LONGEST_KEY)) ORDERS[place] = order
  return order
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false
  for (let index = 0; index < a.length; index += 1) if (a[index] !== b[index]) return false
  return true
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
