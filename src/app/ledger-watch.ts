/** How often the ledger is looked at while somebody follows it: other processes write into it as well, and tell nobody. */
const LOOK_MS = 25

interface Waiting { readonly behind: number; done(last: number): void; failed(error: unknown): void }

/** One look for all who follow the ledger, however many: its last position is one row of an index. Nobody follows, nothing looks. */
export class LedgerWatch {
  readonly #lastPosition: () => Promise<number>
  readonly #waiting = new Set<Waiting>()
  #looking = false

  constructor(lastPosition: () => Promise<number>) {
    this.#lastPosition = lastPosition
  }

  /** Resolves with the last position once it is behind the given one, or with the given one when `ended` aborts. Rejects if the store cannot be asked. */
  grown(behind: number, ended: AbortSignal): Promise<number> {
    if (ended.aborted) return Promise.resolve(behind)
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#waiting.delete(waiting)
        ended.removeEventListener('abort', over)
      }
      const done = (last: number): void => {
        leave()
        resolve(last)
      }
      const over = (): void => done(behind)
      const waiting: Waiting = {
        behind, done,
        failed: (error) => {
          leave()
          reject(error instanceof Error ? error : new Error('the ledger could not be asked'))
        },
      }
      this.#waiting.add(waiting)
      ended.addEventListener('abort', over, { once: true })
      if (!this.#looking) this.#lookLater()
    })
  }

  #lookLater(): void {
    this.#looking = true
    setTimeout(() => void this.#look(), LOOK_MS)
  }

  async #look(): Promise<void> {
    try {
      if (this.#waiting.size > 0) {
        const last = await this.#lastPosition()
        for (const waiting of this.#waiting) if (last > waiting.behind) waiting.done(last)
      }
    } catch (error) {
      for (const waiting of this.#waiting) waiting.failed(error)
      return
    } finally {
      this.#looking = false
      if (this.#waiting.size > 0) this.#lookLater()
    }
  }
}
