import type { Log } from '../adapters/log/index.ts'

interface Scheduled {
  readonly timer: NodeJS.Timeout
  running: Promise<void> | undefined
}

/** Work that comes again and again while the server runs. One piece never runs beside itself, and its fault ends nothing but that one time. */
export class Scheduler {
  readonly #log: Log
  readonly #all = new Set<Scheduled>()

  constructor(log: Log) {
    this.#log = log
  }

  every(name: string, intervalMs: number, work: () => Promise<void>): void {
    const scheduled: Scheduled = {
      running: undefined,
      timer: setInterval(() => {
        scheduled.running ??= work()
          .catch((error: unknown) => this.#log.error({ work: name, fault: error instanceof Error ? error.name : typeof error }, 'scheduled work failed'))
          .finally(() => (scheduled.running = undefined))
      }, intervalMs),
    }
    this.#all.add(scheduled)
  }

  /** Begins nothing more, and waits for what has begun. */
  async stop(): Promise<void> {
    for (const { timer } of this.#all) clearInterval(timer)
    await Promise.all([...this.#all].map(async ({ running }) => running))
  }
}
