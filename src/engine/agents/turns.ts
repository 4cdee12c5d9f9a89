/** Acts with one name happen one after the other; those with different names do not wait for each other. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>()

  /** Does it when everything that was asked for under this name before is done, whatever became of that. */
  async take<Value>(name: string, act: () => Promise<Value>): Promise<Value> {
    const before = this.#last.get(name) ?? Promise.resolve()
    const turn = before.then(act, act)
    const settled = turn.then(() => undefined, () => undefined)
    this.#last.set(name, settled)
    try {
      return await turn
    } finally {
      if (this.#last.get(name) === settled) this.#last.delete(name)
    }
  }

  /** True while something under this name is done, or waits for it. */
  taken(name: string): boolean {
    return this.#last.has(name)
  }
}
