import { realpathSync } from 'node:fs'
import { dirname, isAbsolute, relative, resolve as resolvePath, sep } from 'node:path'
import type { App, RunAnswer, RunWatcher } from '../app.ts'
import { PortcullisError } from '../contract/errors.ts'
import { ADMISSIONS_DIRECTORY } from '../adapters/admission-files/index.ts'
import { type AppOptions, configurationPathOf, stateDirectoryOf, usage } from './places.ts'

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
const SILENT: RunWatcher = { opened: () => undefined, gateBegan: () => undefined, gateDecided: () => undefined, note: () => undefined }

const draining = (asked: string): PortcullisError => new PortcullisError('server_draining', { asked, found: 'a server that was told to end', remedy: 'Ask again when the server is back.' })

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
    if (this.#draining) throw draining('a run')
    const { task, admissionFile } = this.placed(order)
    return this.#carry((cancelled, began) => this.#app.run({ ...order, task, admissionFile, cancelled }, { ...SILENT, opened: (run) => began(run.runId) }))
  }

  /** The files of an order as whole paths. Throws `usage` for one that may not be named over a server. */
  placed(order: RunOrder): { readonly task: string; readonly admissionFile: string | undefined } {
    return { task: this.#inProject(order.task, 'the task'), admissionFile: order.admissionFile === undefined ? undefined : this.#amongAdmissions(order.admissionFile) }
  }

  /** Resolves once the run is taken up, or with false once it was told again because it had ended. Rejects with what stands against taking it up. */
  async resume(runId: string): Promise<boolean> {
    if (this.#draining) throw draining('a run taken up')
    if (this.#running.has(runId)) throw usage(`to resume run ${runId}`, 'this server carries it', `Wait for its end, or cancel it: POST /runs/${runId}/cancel.`)
    let resumed = true
    await this.#carry(async (cancelled, began) => {
      const answer = await this.#app.resume(runId, { cancelled }, { ...SILENT, note: () => began(runId) })
      resumed = answer.resumed
      began(runId)
      return answer
    })
    return resumed
  }

  /** Resolves when `act` says which run it began, and keeps how that ends. Rejects if it ends in a fault before. */
  #carry(act: (cancelled: AbortSignal, began: (runId: string) => void) => Promise<RunAnswer>): Promise<string> {
    const cancel = new AbortController()
    return new Promise((resolve, reject) => {
      let runId: string | undefined
      const done = act(cancel.signal, (begun) => {
        if (runId !== undefined) return
        runId = begun
        this.#running.set(begun, { cancel, ended })
        resolve(begun)
      })
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

  /**
   * A token may start work of this project; it may not have the server read whatever lies on its machine. What runs left in the
   * state directory was written by agents: a task of theirs is nobody's order.
   */
  #inProject(file: string, what: string): string {
    const project = realpathSync(dirname(configurationPathOf(this.#options)))
    const path = resolvePath(project, file)
    const real = realOf(path) ?? path
    if (isBelow(project, real) && !isBelow(realOf(stateDirectoryOf(this.#options)) ?? stateDirectoryOf(this.#options), real)) return path
    throw usage(`${what} below the directory of portcullis.yaml, and outside the state directory`, JSON.stringify(file), 'Put the file beside the configuration, and name it relative to that.')
  }

  /** Over a server a record counts only where people keep the records that admit: any other file of the project may be an agent's own. */
  #amongAdmissions(file: string): string {
    const path = this.#inProject(file, 'the admission record')
    const kept = resolvePath(dirname(configurationPathOf(this.#options)), ADMISSIONS_DIRECTORY)
    if (dirname(realOf(path) ?? path) === (realOf(kept) ?? kept)) return path
    throw usage(`an admission record of ${ADMISSIONS_DIRECTORY}/ beside portcullis.yaml`, JSON.stringify(file), `Put the record into ${ADMISSIONS_DIRECTORY}/: over a server no other file admits anything.`)
  }
}

function isBelow(directory: string, path: string): boolean {
  const inside = relative(directory, path)
  return inside !== '' && inside !== '..' && !inside.startsWith(`..${sep}`) && !isAbsolute(inside)
}

function realOf(path: string): string | undefined {
  try {
    return realpathSync(path)
  } catch {
    // What is not there leads nowhere; whoever reads it says so.
    return undefined
  }
}
