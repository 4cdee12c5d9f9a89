import { Automaton } from './automaton.ts'

/** How many bytes are looked at together to see whether any needle can be here. */
const GRAM = 3
const GRAMS = 65_536
/** Longer windows skip further and hold more grams, so that fewer places can be skipped. */
const WIDEST_WINDOW = 24

/**
 * Many byte strings to search for. Where three bytes stand together in the beginning of none of them, none of them begins
 * before these three: most of a text is skipped and not read.
 */
export class Needles {
  readonly automaton: Automaton
  /** How many bytes of each needle the grams were taken from; 0 if one is too short to skip anything. */
  readonly window: number
  readonly grams: Uint8Array

  constructor(needles: readonly Uint8Array[]) {
    this.automaton = new Automaton(needles)
    const shortest = needles.reduce((least, { length }) => Math.min(least, length), WIDEST_WINDOW)
    this.window = shortest > GRAM ? shortest : 0
    this.grams = new Uint8Array(GRAMS)
    for (const needle of needles) for (let at = 0; at + GRAM <= this.window; at += 1) this.grams[gram(needle, at)] = 1
  }
}

/** Its three bytes, mixed. */
const gram = (bytes: Uint8Array, at: number): number => (((bytes[at] ?? 0) << 9) ^ ((bytes[at + 1] ?? 0) << 5) ^ (bytes[at + 2] ?? 0)) & (GRAMS - 1)

/** A search through one text, which comes in pieces. */
export class Search {
  readonly #needles: Needles
  #state = 0

  constructor(needles: Needles) {
    this.#needles = needles
  }

  /** How many of the last bytes may be the beginning of a needle. */
  get depth(): number {
    const { next, depthAt } = this.#needles.automaton
    return next[this.#state + depthAt] ?? 0
  }

  /** Calls `found` with the number of each needle and the place behind it, in the order in which they end. */
  write(chunk: Uint8Array, length: number, found: (needle: number, end: number) => void): void {
    const { window } = this.#needles
    let at = 0
    while (at < length) {
      const depth = this.depth
      // The last byte of the window of the earliest needle that may be under way.
      let last = at - depth + window - 1
      if (window > 0 && last >= GRAM - 1 && last - GRAM + 2 > at - Number(depth === 0)) {
        const skipped = this.#skip(chunk, length, last)
        if (skipped > last) {
          this.#state = 0
          last = skipped
          at = last - window + 1
        }
      }
      if (window === 0 || last >= length) break
      const until = Math.max(last, at) + 1
      this.#read(chunk, at, until, found)
      at = until
    }
    this.#read(chunk, at, length, found)
  }

  /** The end of the first window from `last` on in which a needle may begin; beyond the text if there is none. */
  #skip(chunk: Uint8Array, length: number, last: number): number {
    const { window, grams } = this.#needles
    const step = window - GRAM + 1
    let end = last
    while (end < length && grams[gram(chunk, end - GRAM + 1)] === 0) end += step
    return end
  }

  #read(chunk: Uint8Array, from: number, to: number, found: (needle: number, end: number) => void): void {
    const { automaton } = this.#needles
    const { next, classOf, firstEnding } = automaton
    let state = this.#state
    for (let at = from; at < to; at += 1) {
      state = next[state + (classOf[chunk[at] ?? 0] ?? 0)] ?? 0
      if (state >= firstEnding) for (const needle of automaton.endingAt(state)) found(needle, at + 1)
    }
    this.#state = state
  }
}
