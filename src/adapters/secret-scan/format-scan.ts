import { RE2JS } from 're2js'
import { FORMAT_RULES, type FormatRule, FURTHEST_AHEAD } from './format-rules.ts'
import { ScanIncomplete } from './incomplete.ts'
import { isSecretName, isSecretValue, NAME_MARKS, namedValueAt } from './named-values.ts'

/** What looks like a credential by its form: the secret itself stands from the byte `start` to before the byte `end`. */
export interface FormatHit {
  readonly rule: string
  readonly secret: string
  /** Behind it, what belongs to it goes on to here. */
  readonly until: string | undefined
  readonly start: number
  readonly end: number
}

/** What is looked at before it: the longest name, and the longest part of a credential that stands before what it is known by. */
const BEHIND = 64
/** Pieces are gathered up to this size, so that small ones cost no more than large ones. */
const BLOCK_BYTES = 65_536
/** How many expressions may be tried: at first, and for each thousand bytes. An ordinary text takes two or three. */
const TRIES_AT_FIRST = 2_500
const TRIES_PER_THOUSAND = 30
/** The rule that looks at names, and not at forms. */
const NAMED = 'named-secret'
const MOST_HITS = 2_000

interface Beginning {
  /** Undefined for what marks a name under which secrets are kept. */
  readonly rule: FormatRule | undefined
  readonly bytes: Buffer
  /** Made when it is first needed: most never are. */
  compiled: RE2JS | undefined
}

const beginningOf = (rule: FormatRule | undefined, text: string): Beginning => ({ rule, bytes: Buffer.from(text, 'latin1'), compiled: undefined })
const beginnings = [...FORMAT_RULES.flatMap((rule) => rule.beginnings.map((text) => beginningOf(rule, text))), ...NAME_MARKS.map((text) => beginningOf(undefined, text))]

const LOWER = Uint8Array.from({ length: 256 }, (_none, byte) => (byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte))

/** The last three bytes that were read, mixed: what came before them is shifted out. */
const GRAMS = 32_768
const gramAfter = (gram: number, byte: number): number => ((gram << 5) ^ (LOWER[byte] ?? 0)) & (GRAMS - 1)

/** Beginnings whose first three bytes mix to the same. In an ordinary text ninety-eight places of a hundred begin none, and are passed over by one look. */
const groups: Beginning[][] = [[]]
/** For each mix of three bytes, the number of its group; 0 for none. */
const GROUP_OF = new Uint16Array(GRAMS)
for (const beginning of beginnings) {
  const [first, second, third] = beginning.bytes
  // One byte would be looked for under the wrong mix, and never found.
  if (first === undefined || second === undefined) throw new TypeError('a beginning of less than two bytes')
  // Behind one of two bytes, anything may stand; behind the end of the text, that counts as a zero.
  const grams = (third === undefined ? Array.from({ length: 256 }, (_none, byte) => byte) : [third]).map((byte) => gramAfter(gramAfter(gramAfter(0, first), second), byte))
  for (const gram of new Set(grams)) {
    const group = GROUP_OF[gram] ?? 0
    if (group > 0) groups[group]?.push(beginning)
    else GROUP_OF[gram] = groups.push([beginning]) - 1
  }
}

/** True if the text stands at `at`, whatever the case of either. */
function standsAt(block: Uint8Array, at: number, text: Uint8Array): boolean {
  if (at + text.length > block.length) return false
  for (let index = 0; index < text.length; index += 1) if (LOWER[block[at + index] ?? 0] !== LOWER[text[index] ?? 0]) return false
  return true
}

/**
 * Searches a text of any length, in pieces of any length, for what has the form of a credential. An expression is tried
 * only where the beginning of its format stands, on a bounded piece, by an engine that takes linear time: so does the whole.
 */
export class FormatScan {
  readonly #hits = new Map<string, FormatHit>()
  #block: Buffer = Buffer.alloc(0)
  /** Where the block begins in the text, and from where in it beginnings have not been looked for. */
  #base = 0
  #from = 0
  #pieces: Buffer[] = []
  #waiting = 0
  #tries = TRIES_AT_FIRST

  /** Throws `ScanIncomplete` for a text that is made of beginnings: to try them all would take too long. */
  write(chunk: Uint8Array): void {
    // A copy: the caller may use its chunk again.
    this.#pieces.push(Buffer.from(chunk))
    this.#waiting += chunk.length
    if (this.#waiting >= BLOCK_BYTES) this.#next(false)
  }

  /** All that was found, in the order in which it begins. */
  end(): readonly FormatHit[] {
    this.#next(true)
    const hits = [...this.#hits.values()]
    const formats = hits.filter(({ rule }) => rule !== NAMED)
    // What a provider's format says comes before what a name says.
    return hits.filter((hit) => hit.rule !== NAMED || !formats.some((other) => other.start < hit.end && hit.start < other.end)).toSorted((a, b) => a.start - b.start || b.end - a.end)
  }

  #next(last: boolean): void {
    const [only] = this.#pieces
    this.#block = this.#block.length === 0 && only !== undefined && this.#pieces.length === 1 ? only : Buffer.concat([this.#block, ...this.#pieces])
    this.#tries += (this.#waiting * TRIES_PER_THOUSAND) / 1_000
    this.#pieces = []
    this.#waiting = 0
    // A beginning too near to the end waits for what follows it.
    const to = last ? this.#block.length : Math.max(this.#from, this.#block.length - FURTHEST_AHEAD)
    this.#search(to)
    const keep = Math.max(0, to - BEHIND)
    this.#base += keep
    this.#block = this.#block.subarray(keep)
    this.#from = to - keep
  }

  /** Tries every beginning that stands before `to`. */
  #search(to: number): void {
    const block = this.#block
    let gram = gramAfter(gramAfter(0, block[this.#from] ?? 0), block[this.#from + 1] ?? 0)
    for (let at = this.#from; at < to; at += 1) {
      gram = gramAfter(gram, block[at + 2] ?? 0)
      const group = GROUP_OF[gram] ?? 0
      if (group > 0) this.#tryAt(at, group)
    }
  }

  #tryAt(start: number, group: number): void {
    for (const beginning of groups[group] ?? []) {
      if (!standsAt(this.#block, start, beginning.bytes)) continue
      const end = start + beginning.bytes.length
      if (beginning.rule === undefined) this.#tryName(end)
      else this.#tryRule(beginning, beginning.rule, start, end)
    }
  }

  #spend(): void {
    this.#tries -= 1
    if (this.#tries < 0) throw new ScanIncomplete('it is made of beginnings of credentials')
  }

  #tryName(end: number): void {
    const named = namedValueAt(this.#block, end)
    if (named === undefined) return
    this.#spend()
    if (isSecretName(named.name) && isSecretValue(named.name, named.value)) this.#add(NAMED, named.value, undefined, named.start, named.end)
  }

  #tryRule(beginning: Beginning, rule: FormatRule, start: number, end: number): void {
    const block = this.#block
    if (rule.exact && !beginning.bytes.equals(block.subarray(start, end))) return
    if ((rule.wordStart && rule.back === 0 && !startsWord(block, start)) || !rule.possible(block, end)) return
    this.#spend()
    const from = Math.max(0, start - rule.back)
    beginning.compiled ??= RE2JS.compile(rule.expression)
    const matcher = beginning.compiled.matcher(block.toString('latin1', from, end + rule.ahead))
    if (!(rule.back === 0 ? matcher.lookingAt() : matcher.find())) return
    const secret = matcher.group(1)
    const first = from + matcher.start(1)
    const last = from + matcher.end(1)
    if (secret === null || (rule.wordStart && ((rule.back > 0 && !startsWord(block, first)) || isWord(block[last])))) return
    if (rule.plausible(secret)) this.#add(rule.rule, secret, rule.until, first, last)
  }

  #add(rule: string, secret: string, until: string | undefined, start: number, end: number): void {
    if (this.#hits.size >= MOST_HITS) throw new ScanIncomplete('it holds more credentials than can be told')
    const hit = { rule, secret, until, start: this.#base + start, end: this.#base + end }
    this.#hits.set(`${rule} ${hit.start}`, hit)
  }
}

const isWord = (byte: number | undefined): boolean => byte !== undefined && /[A-Za-z0-9_]/.test(String.fromCharCode(byte))

/** Behind a letter it would be another word, unless the letter belongs to an escape: `\n` in a text, `%3D` in an address. */
function startsWord(bytes: Buffer, at: number): boolean {
  if (!isWord(bytes[at - 1])) return true
  const before = bytes.toString('latin1', Math.max(0, at - 6), at)
  return /\\[nrt]$|%[0-9A-Fa-f]{2}$|\\u[0-9A-Fa-f]{4}$|\\x[0-9A-Fa-f]{2}$/.test(before)
}
