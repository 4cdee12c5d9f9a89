import { isUuid, looksRandom } from './plausible.ts'

/** Words of a name that say that a secret stands under it. */
const SECRET_WORDS = new Set(['token', 'secret', 'secrets', 'password', 'passwd', 'passphrase', 'pwd', 'pass', 'credential', 'credentials', 'cred', 'creds', 'auth', 'authtoken', 'authkey', 'apikey', 'apitoken', 'apisecret', 'secretkey', 'accesskey', 'accesstoken', 'privatekey', 'clientsecret', 'signingkey', 'bearer', 'authorization', 'pat'])
/** With one of these, `key` does as well. */
const KEY_WORDS = new Set(['api', 'access', 'private', 'client', 'service', 'account', 'master', 'admin', 'app', 'application', 'license', 'licence', 'consumer', 'server', 'subscription', 'storage', 'webhook', 'jwt', 'session', 'encryption', 'signing', 'signature', 'shared', 'host', 'function', 'ingest', 'write', 'read', 'global', 'team', 'project', 'user', 'org', 'security'])
/** With one of these, it is what may be known: a digest, an address, a name, a number of things. */
const HARMLESS_WORDS = new Set(['hash', 'hashes', 'hashed', 'sha', 'sha1', 'sha256', 'sha384', 'sha512', 'md5', 'digest', 'checksum', 'fingerprint', 'integrity', 'etag', 'commit', 'revision', 'public', 'pub', 'publishable', 'publickey', 'cache', 'primary', 'foreign', 'sort', 'partition', 'idempotency', 'count', 'limit', 'max', 'min', 'total', 'usage', 'input', 'output', 'prompt', 'completion', 'tokenizer', 'csrf', 'xsrf', 'nonce', 'sitekey', 'site', 'page', 'cursor', 'continuation', 'next', 'map', 'react', 'translation', 'i18n', 'object', 'row', 'image', 'registry', 'lock', 'redis'])
const HARMLESS_ENDINGS = new Set(['id', 'ids', 'name', 'names', 'path', 'file', 'url', 'uri', 'type', 'types', 'length', 'size', 'index', 'class', 'version', 'label', 'title', 'ref', 'env', 'field', 'prefix', 'suffix', 'format', 'header', 'issuer', 'endpoint', 'arn', 'date', 'at', 'time'])
/** Names under which even a UUID is a key: such as services give out whose keys are nothing else. */
const UUID_NAMES = /api[_-]?(?:key|token)|access[_-]?token|auth[_-]?token|server[_-]?token|secret|heroku|snyk|codecov|postmark/i

/** Parts of a name, in lower case: `OPENAI_API_KEY`, `openaiApiKey` and `openai-api-key` have the same. */
const wordsOf = (name: string): string[] => name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase().split(/[^a-z0-9]+/).filter((word) => word !== '')

/** True if secrets are kept under such a name. */
export function isSecretName(name: string): boolean {
  const words = wordsOf(name)
  const last = words.at(-1)
  if (last === undefined || HARMLESS_ENDINGS.has(last) || words.some((word) => HARMLESS_WORDS.has(word))) return false
  if (words.some((word) => SECRET_WORDS.has(word))) return true
  if (!words.includes('key')) return false
  // An environment variable that ends in _KEY holds one, whatever its service is called.
  return words.some((word) => KEY_WORDS.has(word)) || /^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*_KEY$/.test(name)
}

/** What every such name has in it, in lower case. */
export const NAME_MARKS: readonly string[] = ['key', 'token', 'secret', 'passw', 'passphrase', 'pwd', '_pass', 'cred', 'auth']

export interface NamedValue {
  readonly name: string
  readonly value: string
  readonly start: number
  readonly end: number
}

const BACKSLASH = 0x5c
const LINE_LETTERS = Buffer.from('nrt')
const LONGEST_NAME = 64
const SHORTEST_VALUE = 16
const LONGEST_VALUE = 512
const [COLON, EQUALS, GREATER, COMMA, SPACE] = [0x3a, 0x3d, 0x3e, 0x2c, 0x20]
const SCHEME = /^(?:bearer|basic|token) {1,4}/i
const isNameByte = tableOf(/[A-Za-z0-9_.-]/)
const isValueByte = tableOf(/[A-Za-z0-9_.+/~-]/)
const isPadding = tableOf(/=/)
const isClosing = tableOf(/[\\"'`\]]/)
const isOpening = tableOf(/[\\"'`[(]/)
const isBlank = tableOf(/[ \t]/)
const isLetter = tableOf(/[A-Za-z]/)

function tableOf(expression: RegExp): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_none, byte) => (expression.test(String.fromCharCode(byte)) ? 1 : 0))
}

/**
 * The value beside the name that a mark stands in: `name = "value"`, `"name": "value"`, `name: string = 'value'`,
 * `<name>value`, `"--name","value"`. Reads forward once, over what may stand between the two.
 */
export function namedValueAt(bytes: Buffer, mark: number): NamedValue | undefined {
  const nameEnd = past(bytes, mark, isNameByte, LONGEST_NAME)
  let at = past(bytes, past(bytes, nameEnd, isClosing, 5), isBlank, 8)
  const operator = operatorAt(bytes, at)
  if (operator === 0) return undefined
  at = past(bytes, past(bytes, at + operator, isBlank, 8), isOpening, 5)
  if (bytes[past(bytes, at, isLetter, 8)] === SPACE) at += SCHEME.exec(bytes.toString('latin1', at, at + 12))?.[0].length ?? 0
  const unpadded = past(bytes, at, isValueByte, LONGEST_VALUE)
  if (unpadded - at < SHORTEST_VALUE) return undefined
  const end = past(bytes, unpadded, isPadding, 2)
  let start = mark
  while (start > 0 && mark - start < LONGEST_NAME && isNameByte[bytes[start - 1] ?? 0] === 1) start -= 1
  // Behind a backslash, a letter is the end of a line.
  if (bytes[start - 1] === BACKSLASH && LINE_LETTERS.includes(bytes[start] ?? 0)) start += 1
  return { name: bytes.toString('latin1', start, nameEnd), value: bytes.toString('latin1', at, end), start: at, end }
}

/** How long the sign is that puts a value beside a name: `=`, `:`, `=>`, `:=`, `===`, `>`, `,` or a type and `=`; 0 for none. */
function operatorAt(bytes: Buffer, at: number): number {
  const byte = bytes[at]
  if (byte === COMMA || byte === GREATER) return 1
  if (byte === EQUALS) return bytes[at + 1] === GREATER ? 2 : past(bytes, at, isPadding, 3) - at
  if (byte !== COLON) return 0
  if (bytes[at + 1] === EQUALS) return 2
  const type = past(bytes, at + 1, isBlank, 2)
  const equals = past(bytes, past(bytes, type, isLetter, 12), isBlank, 4)
  return equals > type && bytes[equals] === EQUALS && bytes[equals + 1] !== EQUALS ? equals + 1 - at : 1
}

/** Where the first byte stands that is none of these. */
function past(bytes: Buffer, from: number, which: Uint8Array, most: number): number {
  let at = from
  while (at < bytes.length && at - from < most && which[bytes[at] ?? 0] === 1) at += 1
  return at
}

/** True if the value is one that could be a secret under that name. */
export function isSecretValue(name: string, value: string): boolean {
  return isUuid(value) ? UUID_NAMES.test(name) : looksRandom(value.slice(0, 128))
}
