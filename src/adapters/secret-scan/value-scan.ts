import type { Dictionary, Entry } from './dictionary.ts'
import { EncodedRuns } from './encoded-runs.ts'
import { Escapes } from './escapes.ts'
import { Folding } from './folding.ts'
import { GzipMembers } from './gzip-members.ts'
import { ScanIncomplete, type UnpackingBudget } from './incomplete.ts'
import type { PackedText } from './packed-text.ts'
import { Search } from './search.ts'

/** Where a form of a known value stands: from the byte `start` to before the byte `end`. */
export interface ValueHit {
  readonly rule: string
  readonly value: string
  readonly start: number
  readonly end: number
  /** What was found there, if it stands there as it is; undefined where it is split or packed. */
  readonly entry: Entry | undefined
}

/** How it is called where a value was found by reading escapes. */
const ESCAPES = 'escapes'
/** Packed in packed: base64 in base64, gzip in base64, and those in one more. Deeper is not looked into. */
const DEEPEST = 3
const UNPACKED_AT_LEAST = 16 * 1_048_576
/** What is unpacked for each byte that was read. */
const UNPACKED_RATIO = 4
/** More hits than any text has by accident. Beyond it the text is one that nobody may have, whatever else it holds. */
const MOST_HITS = 2_000

/**
 * Searches a text of any length, in pieces of any length, for every form of the known values: as it is, without its
 * separators, and in what is packed in it as base64 or gzip. Memory does not grow with the text.
 */
export class ValueScan {
  readonly #dictionary: Dictionary
  readonly #depth: number
  readonly #budget: UnpackingBudget
  readonly #hits: ValueHit[] = []
  readonly #runs: EncodedRuns | undefined
  readonly #members: GzipMembers | undefined
  readonly #escapes: Escapes | undefined
  readonly #plain: Search
  readonly #folded: Search
  readonly #folding = new Folding()
  /** Where those bytes stand in the text with which a needle may have begun in the pieces before. */
  #before: readonly number[] = []
  #read = 0

  constructor(dictionary: Dictionary, depth = 0, budget: UnpackingBudget = { left: UNPACKED_AT_LEAST }) {
    this.#dictionary = dictionary
    this.#depth = depth
    this.#budget = budget
    this.#plain = new Search(dictionary.plain.needles)
    this.#folded = new Search(dictionary.folded.needles)
    if (depth >= DEEPEST) return
    const unpacked = (how: string) => new Unpacked(new ValueScan(dictionary, depth + 1, budget), how, budget, (hit) => this.#add(hit))
    this.#runs = new EncodedRuns(() => unpacked('base64'))
    this.#members = new GzipMembers(() => unpacked('gzip'), () => budget.left)
    this.#escapes = new Escapes(() => unpacked(ESCAPES), dictionary.plain.needles, dictionary.longest)
  }

  /** Throws `ScanIncomplete` if more is packed in the text than may be unpacked. */
  write(chunk: Uint8Array): void {
    if (this.#dictionary.plain.entries.length === 0) return
    if (this.#depth === 0) this.#budget.left += chunk.length * UNPACKED_RATIO
    this.#search(chunk)
    this.#searchFolded(chunk)
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    this.#runs?.write(bytes, this.#read)
    this.#members?.write(bytes, this.#read)
    this.#escapes?.write(bytes)
    this.#read += chunk.length
  }

  /** All that was found, in the order in which it begins. What lies within a longer hit of the same value is not told again. */
  end(): readonly ValueHit[] {
    this.#runs?.end()
    this.#members?.end()
    this.#escapes?.end()
    return outermost(this.#hits)
  }

  #search(chunk: Uint8Array): void {
    this.#plain.write(chunk, chunk.length, (needle, at) => {
      const entry = this.#dictionary.plain.entries[needle]
      const end = this.#read + at
      if (entry !== undefined) this.#add({ rule: entry.rule, value: entry.value, start: end - entry.length, end, entry })
    })
  }

  #searchFolded(chunk: Uint8Array): void {
    this.#folding.write(chunk)
    const { kept, length } = this.#folding
    const before = this.#before
    let places: Int32Array | undefined
    const placeOf = (index: number): number => {
      places ??= this.#folding.places(chunk)
      return index >= 0 ? this.#read + (places[index] ?? 0) : (before[before.length + index] ?? 0)
    }
    this.#folded.write(kept, length, (needle, at) => {
      const entry = this.#dictionary.folded.entries[needle]
      if (entry !== undefined) this.#add({ rule: entry.rule, value: entry.value, start: placeOf(at - entry.length), end: placeOf(at - 1) + 1, entry: undefined })
    })
    // Of a needle that may be under way, the next piece must know where it began.
    const last = this.#folding.lastPlaces(chunk, this.#folded.depth).map((place) => this.#read + place)
    const missing = this.#folded.depth - last.length
    this.#before = missing > 0 ? [...before.slice(-missing), ...last] : last
  }

  #add(hit: ValueHit): void {
    if (this.#hits.length >= MOST_HITS) throw new ScanIncomplete('it holds more credentials than can be told')
    this.#hits.push(hit)
  }
}

/** A text that was packed in another, and is scanned as it comes out. */
class Unpacked implements PackedText {
  readonly #scan: ValueScan
  readonly #how: string
  readonly #budget: UnpackingBudget
  readonly #found: (hit: ValueHit) => void

  constructor(scan: ValueScan, how: string, budget: UnpackingBudget, found: (hit: ValueHit) => void) {
    this.#scan = scan
    this.#how = how
    this.#budget = budget
    this.#found = found
  }

  write(bytes: Uint8Array): void {
    // Enforced where gzip is unpacked: what base64 unpacks to is shorter than the text that it stands in.
    this.#budget.left -= bytes.length
    this.#scan.write(bytes)
  }

  /** What was found in it stands, for the text around it, where it is packed. */
  end(start: number, end: number): void {
    for (const { rule, value } of this.#scan.end()) this.#found({ rule: `${rule} in ${this.#how}`, value, start, end, entry: undefined })
  }
}

function outermost(hits: readonly ValueHit[]): readonly ValueHit[] {
  const plain = hits.filter(({ entry }) => entry !== undefined)
  // A form that is found as it is tells more than the same bytes found in another way, which may reach further than they do.
  const told = hits.filter((hit) => hit.entry !== undefined || !plain.some((other) => other.value === hit.value && other.start < hit.end && other.end > hit.start))
  const read = told.filter(({ rule }) => !rule.endsWith(` in ${ESCAPES}`))
  const furthest = new Map<string, number>()
  // Around an escape there may be what was found without reading it.
  const needed = told.filter((hit) => read.includes(hit) || !read.some((other) => other.value === hit.value && other.start < hit.end && other.end > hit.start))
  return needed.toSorted((a, b) => a.start - b.start || b.end - a.end).filter(({ value, end }) => {
    if (end <= (furthest.get(value) ?? -1)) return false
    furthest.set(value, end)
    return true
  })
}
