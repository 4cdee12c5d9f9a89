import { realpathSync } from 'node:fs'
import { dirname, isAbsolute, relative, resolve as resolvePath, sep } from 'node:path'
import type { App, RunAnswer } from '../app.ts'
import { PortcullisError } from '../contract/errors.ts'
import { type AppOptions, configurationPathOf, usage } from './places.ts'

export interface RunOrder {
  readonly task: string
  readonly profile: string | undefined
  readonly purpose: string | undefined
  readonly backend: string | undefined
  readonly admissionFile: string | undefined
}

interface Running {
  readonly cancel: AbortController
  readonly ended: Promise<void>
}

/** What became of a run that this server carried to its end. */
export type RunEnding = { readonly answer: RunAnswer } | { readonly fault: unknown }

const MOST_ENDINGS = 1_000

/** The runs that this process carries. A run that was begun by another process is in the ledger alone. */
export class RunDesk {
  readonly #app: App
  readonly #options: AppOptions
  readonly #running = new Map<string, Running>()
  readonly #endings = new Map<string, RunEnding>()
  #draining = false

  constructor(app: App, options: AppOptions) {
    this.#app = app
    this.#options = options
  }

  get count(): number {
    return this.#running.size
  }

  /** Resolves with the run's id once it is open in the ledger; the run goes on. Rejects with the fault that kept it from being opened. */
  start(order: RunOrder): Promise<string> {
    if (this.#draining) throw new PortcullisError('server_draining', { asked: 'a run', found: 'a server that was told to end', remedy: 'Start it again when the server is back.' })
    const task = this.#inProject(order.task, 'the task')
    const admissionFile = order.admissionFile === undefined ? undefined : this.#inProject(order.admissionFile, 'the admission record')
    const cancel = new AbortController()
    return new Promise((resolve, reject) => {
      let runId: string | undefined
      const done = this.#app.run(
        { ...order, task, admissionFile, cancelled: cancel.signal },
        {
          opened: (run) => {
            runId = run.runId
            this.#running.set(runId, { cancel, ended })
            resolve(runId)
          },
          gateBegan: () => undefined,
          gateDecided: () => undefined,
          note: () => undefined,
        },
      )
      const end = (ending: RunEnding): void => {
        if (runId === undefined) return reject('fault' in ending && ending.fault instanceof Error ? ending.fault : new Error('a run ended that was never opened'))
        this.#running.delete(runId)
        this.#keep(runId, ending)
      }
      const ended = done.then((answer) => end({ answer }), (fault: unknown) => end({ fault }))
    })
  }

  /** False if this process carries no such run. */
  cancel(runId: string): boolean {
    const running = this.#running.get(runId)
    running?.cancel.abort()
    return running !== undefined
  }

  /** How a run that was started here ended, once it has. */
  async ended(runId: string): Promise<RunEnding> {
    await this.#running.get(runId)?.ended
    const ending = this.#endings.get(runId)
    if (ending === undefined) throw new Error('a run that was not started here')
    return ending
  }

  isRunning(runId: string): boolean {
    return this.#running.has(runId)
  }

  ending(runId: string): RunEnding | undefined {
    return this.#endings.get(runId)
  }

  /** Begins no more runs, waits for those that run until `limit`, then cancels them and waits until each is in the ledger. */
  async drain(limit: AbortSignal): Promise<void> {
    this.#draining = true
    const all = Promise.all([...this.#running.values()].map(({ ended }) => ended))
    const cancelAll = (): void => {
      for (const { cancel } of this.#running.values()) cancel.abort()
    }
    limit.addEventListener('abort', cancelAll, { once: true })
    if (limit.aborted) cancelAll()
    await all
    limit.removeEventListener('abort', cancelAll)
  }

  #keep(runId: string, ending: RunEnding): void {
    const [oldest] = this.#endings.keys()
    if (this.#endings.size >= MOST_ENDINGS && oldest !== undefined) this.#endings.delete(oldest)
    this.#endings.set(runId, ending)
  }

  /** A token may start work of this project; it may not have the server read whatever lies on its machine. */
  #inProject(file: string, what: string): string {
    const project = realpathSync(dirname(configurationPathOf(this.#options)))
    const path = resolvePath(project, file)
    const real = realOf(path)
    const inside = relative(project, real ?? path)
    if (inside !== '' && inside !== '..' && !inside.startsWith(`..${sep}`) && !isAbsolute(inside)) return path
    throw usage(`${what} below the directory of portcullis.yaml`, JSON.stringify(file), 'Put the file beside the configuration, and name it relative to that.')
  }
}

function realOf(path: string): string | undefined {
  try {
    return realpathSync(path)
  } catch {
    // What is not there leads nowhere; whoever reads it says so.
    return undefined
  }
}
