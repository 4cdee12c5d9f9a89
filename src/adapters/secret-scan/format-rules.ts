import { looksLikeRunToken } from '../../contract/ids.ts'
import { isDrawn, isPlaceholder, looksRandom } from './plausible.ts'
import { TOKEN_FORMATS } from './token-formats.ts'

/** A kind of credential, by its form. */
export interface FormatRule {
  readonly rule: string
  /** One of these stands in every such credential. */
  readonly beginnings: readonly string[]
  /** In the syntax of RE2; its first group is the secret. Matched at the beginning, or up to `back` bytes before it. */
  readonly expression: string
  readonly back: number
  /** How far behind the beginning it can reach at most, where that is not far. */
  readonly ahead: number
  /** False where it may stand within a word, such as a name that ends with it. */
  readonly wordStart: boolean
  /** Whether the case of the beginning counts. */
  readonly exact: boolean
  /** A look at what follows the beginning, where most of what begins so is something else; cheaper than the expression. */
  possible(bytes: Uint8Array, end: number): boolean
  plausible(secret: string): boolean
  /** Behind the match, what belongs to it goes on to here: for what is too long to be matched. */
  readonly until: string | undefined
}

const quoted = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')

/** More than any format is long that is not matched by its first part. */
export const FURTHEST_AHEAD = 768

const anchored = { back: 0, ahead: FURTHEST_AHEAD, wordStart: true, exact: true, until: undefined, possible: () => true } as const

/** True if an address goes on to an `@` before its path, as few do. */
function hasUser(bytes: Uint8Array, end: number): boolean {
  for (let at = end; at < bytes.length && at - end < FURTHEST_AHEAD; at += 1) {
    const byte = bytes[at] ?? 0
    if (byte === AT) return true
    if (byte <= SPACE || byte === SLASH || byte === QUOTE) return false
  }
  return false
}
const [SPACE, QUOTE, SLASH, AT] = [0x20, 0x22, 0x2f, 0x40] as const

/** What is known of a provider by how it begins. */
const tokens: readonly FormatRule[] = TOKEN_FORMATS.map(([rule, beginning, rest]) => ({
  ...anchored,
  rule,
  beginnings: [beginning],
  expression: `(${quoted(beginning)}${rest})`,
  plausible: (secret) => (rule === 'api-key' ? looksRandom : isDrawn)(secret.slice(beginning.length)),
}))

const others: readonly FormatRule[] = [
  {
    rule: 'portcullis-run-token', ...anchored, beginnings: ['pcr_'], expression: '(pcr_[A-Za-z0-9_-]{43}[0-9a-f]{6})',
    plausible: (secret) => looksLikeRunToken(secret),
  },
  {
    rule: 'json-web-token', ...anchored, beginnings: ['eyJ'], expression: '(eyJ[A-Za-z0-9_-]{8,}\\.eyJ[A-Za-z0-9_-]{16,}(?:\\.[A-Za-z0-9_-]*)?)',
    // The one that documents show: subject 1234567890.
    plausible: (secret) => isDrawn(secret) && !secret.includes('eyJzdWIiOiIxMjM0NTY3ODkw'),
  },
  {
    rule: 'private-key', ...anchored, wordStart: false, beginnings: ['-----BEGIN'], until: '-----END',
    expression: '-----BEGIN[ A-Z0-9]{0,40}PRIVATE KEY(?: BLOCK)?-----(?:\\\\+[nr]|[^A-Za-z0-9\\\\]){0,8}(?:[A-Za-z-]{3,20}: [^\\n\\\\]{0,80}(?:\\\\+[nr]|\\s){1,4}){0,3}([A-Za-z0-9+/=]{32,})',
    plausible: (secret) => !isPlaceholder(secret),
  },
  {
    rule: 'telegram', ...anchored, beginnings: [':AA'], back: 10, ahead: 40, expression: '(\\d{8,10}:AA[A-Za-z0-9_-]{33})', plausible: (secret) => isDrawn(secret),
  },
  {
    rule: 'mailchimp', ...anchored, beginnings: ['-us'], back: 32, ahead: 4, expression: '([0-9a-f]{32}-us\\d{1,2})', plausible: (secret) => isDrawn(secret),
  },
  {
    rule: 'terraform', ...anchored, beginnings: ['.atlasv1.'], back: 14, ahead: 80, expression: '([A-Za-z0-9]{14}\\.atlasv1\\.[A-Za-z0-9_=-]{60,70})', plausible: (secret) => isDrawn(secret),
  },
  {
    rule: 'azure-client-secret', ...anchored, beginnings: ['Q~'], back: 4, ahead: 40, expression: '([A-Za-z0-9_~.]{3}\\dQ~[A-Za-z0-9_~.-]{31,34})', plausible: (secret) => isDrawn(secret),
  },
  {
    rule: 'address-with-password', ...anchored, wordStart: false, beginnings: ['://'], possible: hasUser, expression: '://[^\\s/@:"\'<>]{0,100}:([^\\s/@"\'<>]{6,200})@[A-Za-z0-9\\[]',
    plausible: (secret) => !isPlaceholder(secret) && !/^[$%{[(]|^(?:pass(?:word|wd)?|secret|postgres|mysql|root|admin|guest|test|token|key|user(?:name)?)\d{0,4}$/i.test(secret) && /[^a-z]/.test(secret),
  },
  {
    rule: 'authorization-header', ...anchored, exact: false, beginnings: ['bearer ', 'basic '], expression: '(?i:bearer|basic) {1,4}([A-Za-z0-9+/._~=-]{16,})', plausible: (secret) => looksRandom(secret),
  },
]

export const FORMAT_RULES: readonly FormatRule[] = [...tokens, ...others]
/** Changes with what is found: it stands in the report, so that a verdict tells what it rests on. */
export const FORMATS_VERSION = `formats/v1 (${FORMAT_RULES.length + 1})`
