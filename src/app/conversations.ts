/** How many answers of each agent are under way, so that one can be ended after the last of them. */
export class Conversations {
  readonly #under = new Map<string, Set<Promise<void>>>()

  /** Counts one more; the function that is returned ends it, and may be called again. */
  enter(name: string): () => void {
    const { promise, resolve } = Promise.withResolvers<void>()
    const all = this.#under.get(name) ?? new Set()
    this.#under.set(name, all.add(promise))
    return () => {
      all.delete(promise)
      if (all.size === 0 && this.#under.get(name) === all) this.#under.delete(name)
      resolve()
    }
  }

  /** Resolves once those that are under way have ended, or `limit` aborts. */
  async settled(name: string, limit: AbortSignal): Promise<void> {
    await until([...(this.#under.get(name) ?? [])], limit)
  }

  async allSettled(limit: AbortSignal): Promise<void> {
    await until([...this.#under.values()].flatMap((all) => [...all]), limit)
  }
}

async function until(all: readonly Promise<void>[], limit: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const cut = (): void => resolve()
  limit.addEventListener('abort', cut, { once: true })
  if (limit.aborted) cut()
  await Promise.race([Promise.all(all), promise])
  limit.removeEventListener('abort', cut)
}
