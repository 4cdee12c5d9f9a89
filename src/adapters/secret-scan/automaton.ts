interface Trie {
  readonly width: number
  readonly next: Int32Array
  readonly ending: number[][]
  readonly states: number
}

/**
 * Finds every one of many byte strings in one pass over a text, one step a byte, whatever the text (Aho and Corasick,
 * 1975). The state is one number, so that a text can come in pieces. Memory: states times distinct bytes times four.
 */
export class Automaton {
  /** The class of each byte; the state after it is `next[state + classOf[byte]]`. */
  readonly classOf: Uint16Array
  readonly next: Int32Array
  /** `next[state + depthAt]` is how many bytes of a needle have been read in that state. */
  readonly depthAt: number
  /** From this state on, a needle ends: states are numbered so that one comparison tells it. */
  readonly firstEnding: number
  readonly #width: number
  readonly #endings: readonly (readonly number[])[]

  /** An empty needle ends nowhere. */
  constructor(needles: readonly Uint8Array[]) {
    this.classOf = classesOf(needles)
    const trie = plant(needles, this.classOf)
    const { failure, depth, order } = link(trie)
    const endings = Array.from({ length: trie.states }, (_none, state) => trie.ending[state] ?? [])
    // In the order of depth, so that what ends at the shorter suffix is known already.
    for (const state of order) endings[state] = [...(endings[state] ?? []), ...(endings[failure[state] ?? 0] ?? [])]
    const silent = order.filter((state) => endings[state]?.length === 0)
    const loud = order.filter((state) => endings[state]?.length !== 0)
    const number = new Int32Array(trie.states)
    this.depthAt = trie.width
    this.#width = trie.width + 1
    for (const [index, state] of [0, ...silent, ...loud].entries()) number[state] = index * this.#width
    this.next = new Int32Array(trie.states * this.#width)
    for (let state = 0; state < trie.states; state += 1) {
      const at = number[state] ?? 0
      for (let each = 0; each < trie.width; each += 1) this.next[at + each] = number[trie.next[state * trie.width + each] ?? 0] ?? 0
      this.next[at + this.depthAt] = depth[state] ?? 0
    }
    this.firstEnding = (1 + silent.length) * this.#width
    this.#endings = loud.map((state) => endings[state] ?? [])
  }

  /** Which needles end at a state, by their place in the list that the automaton was made of; the longest first. */
  endingAt(state: number): readonly number[] {
    return this.#endings[(state - this.firstEnding) / this.#width] ?? []
  }
}

/** Class 0 is every byte that no needle has. */
function classesOf(needles: readonly Uint8Array[]): Uint16Array {
  const classOf = new Uint16Array(256)
  let classes = 0
  for (const needle of needles) {
    for (const byte of needle) {
      if (classOf[byte] !== 0) continue
      classes += 1
      classOf[byte] = classes
    }
  }
  return classOf
}

function plant(needles: readonly Uint8Array[], classOf: Uint16Array): Trie {
  const width = 1 + classOf.reduce((most, each) => Math.max(most, each), 0)
  const next = new Int32Array(needles.reduce((sum, needle) => sum + needle.length, 1) * width)
  const ending: number[][] = []
  let states = 1
  for (const [index, needle] of needles.entries()) {
    if (needle.length === 0) continue
    let state = 0
    for (const byte of needle) {
      const at = state * width + (classOf[byte] ?? 0)
      if (next[at] === 0) {
        next[at] = states
        states += 1
      }
      state = next[at] ?? 0
    }
    ending[state] = [...(ending[state] ?? []), index]
  }
  return { width, next: next.slice(0, states * width), ending, states }
}

/** Fills in where each state goes on a byte that does not continue it: to the longest suffix that does. Returns all states but the first, by depth. */
function link({ width, next, states }: Trie): { readonly failure: Int32Array; readonly depth: Int32Array; readonly order: readonly number[] } {
  const failure = new Int32Array(states)
  const depth = new Int32Array(states)
  const order: number[] = []
  for (let each = 0; each < width; each += 1) {
    const child = next[each] ?? 0
    if (child === 0) continue
    depth[child] = 1
    order.push(child)
  }
  for (let done = 0; done < order.length; done += 1) {
    const state = order[done] ?? 0
    const shorter = (failure[state] ?? 0) * width
    for (let each = 0; each < width; each += 1) {
      const child = next[state * width + each] ?? 0
      const otherwise = next[shorter + each] ?? 0
      if (child === 0) {
        next[state * width + each] = otherwise
        continue
      }
      failure[child] = otherwise
      depth[child] = (depth[state] ?? 0) + 1
      order.push(child)
    }
  }
  return { failure, depth, order }
}
