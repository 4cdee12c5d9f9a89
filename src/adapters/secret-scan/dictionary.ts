import { foldedNeedlesOf, type Needle, needlesOf } from './needles.ts'
import { Needles } from './search.ts'

/** So much of a form is searched for. The rest of a longer one is compared where it was found, so that it is cut out whole. */
export const LONGEST_NEEDLE = 512

/** One form of one value, as it is searched for. */
export interface Entry {
  readonly value: string
  readonly rule: string
  /** Its whole form. */
  readonly bytes: Buffer
  /** How much of it is searched for. */
  readonly length: number
}

/** All forms of all known values, ready to be searched for in one pass. */
export interface Dictionary {
  readonly plain: { readonly needles: Needles; readonly entries: readonly Entry[] }
  /** For the text without its separators. */
  readonly folded: { readonly needles: Needles; readonly entries: readonly Entry[] }
  /** How long the longest of them is, as it is searched for. */
  readonly longest: number
}

/** `values` without empty ones: those would be found everywhere. */
export function dictionaryOf(values: readonly string[]): Dictionary {
  const plain: Entry[] = []
  const folded: Entry[] = []
  for (const value of values) {
    const needles = needlesOf(value)
    const entry = ({ rule, bytes }: Needle): Entry => ({ value, rule, bytes, length: Math.min(bytes.length, LONGEST_NEEDLE) })
    plain.push(...needles.map(entry))
    folded.push(...foldedNeedlesOf(needles).map(entry))
  }
  return { plain: searching(plain), folded: searching(folded), longest: plain.reduce((most, { length }) => Math.max(most, length), 0) }
}

const searching = (entries: readonly Entry[]): Dictionary['plain'] => ({ entries, needles: new Needles(entries.map(({ bytes, length }) => bytes.subarray(0, length))) })
