/** What is on its way up, each by its name and with what breaks its start off. */
export class Starts {
  readonly #held = new Map<string, { readonly controller: AbortController; readonly over: Promise<unknown> }>()

  get names(): readonly string[] {
    return [...this.#held.keys()]
  }

  /** Runs a start. Settles as it does. */
  async begin<Value>(name: string, start: (ended: AbortSignal) => Promise<Value>): Promise<Value> {
    const controller = new AbortController()
    const started = start(controller.signal)
    this.#held.set(name, { controller, over: Promise.allSettled([started]) })
    try {
      return await started
    } finally {
      this.#held.delete(name)
    }
  }

  /** Breaks off a start and waits for its end. False if there is none; what came up at the last moment has come up. */
  async end(name: string): Promise<boolean> {
    const held = this.#held.get(name)
    if (held === undefined) return false
    held.controller.abort()
    await held.over
    return true
  }
}
