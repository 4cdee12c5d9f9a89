/** Sessions that are on their way up, each with what breaks its start off. */
export class StartingSessions {
  readonly #held = new Map<string, { readonly controller: AbortController; readonly over: Promise<unknown> }>()

  get ids(): readonly string[] {
    return [...this.#held.keys()]
  }

  /** Runs a start. Settles as it does. */
  async begin<Value>(session: string, start: (ended: AbortSignal) => Promise<Value>): Promise<Value> {
    const controller = new AbortController()
    const started = start(controller.signal)
    this.#held.set(session, { controller, over: Promise.allSettled([started]) })
    try {
      return await started
    } finally {
      this.#held.delete(session)
    }
  }

  /** Breaks off a start and waits for its end. False if there is none; what came up at the last moment has come up. */
  async end(session: string): Promise<boolean> {
    const held = this.#held.get(session)
    if (held === undefined) return false
    held.controller.abort()
    await held.over
    return true
  }
}
