import { randomUUID } from 'node:crypto'
import { relative } from 'node:path'
import { canonicalJson } from '../contract/canonical.ts'
import { type QueuedRun, refuseSecretsIn, RunOrder, type RunQueue } from '../engine/index.ts'
import type { SecretScanner } from '../gates/report/index.ts'
import { loadTask } from '../adapters/configuration/index.ts'
import { type AppOptions, configurationOf, usage } from './places.ts'
import type { RunDesk, RunOrder as AskedRun } from './run-desk.ts'

export interface QueueOrder extends AskedRun {
  /** How many attempts there may be; nobody but the caller says it. */
  readonly attempts: number
  /** The same key twice is one entry; undefined makes a new one. */
  readonly key: string | undefined
}

/** The queue as a server lets others use it: what waits in it is carried by workers, not by the server. */
export class QueueDesk {
  readonly #options: AppOptions
  readonly #queue: RunQueue
  readonly #runs: Pick<RunDesk, 'placed'>
  readonly #scanner: SecretScanner

  constructor(parts: { readonly options: AppOptions; readonly queue: RunQueue; readonly runs: Pick<RunDesk, 'placed'>; readonly scanner: SecretScanner }) {
    this.#options = parts.options
    this.#queue = parts.queue
    this.#runs = parts.runs
    this.#scanner = parts.scanner
  }

  /** Puts a run into the queue. Throws `usage` for a file that may not be named over a server, and what reading the task throws. */
  async add({ attempts, key, ...asked }: QueueOrder, by: string): Promise<QueuedRun> {
    const { task, admissionFile } = this.#runs.placed(asked)
    loadTask(task)
    const { directory } = configurationOf(this.#options)
    const order = RunOrder.parse({
      task: relative(directory, task), profile: asked.profile ?? null, purpose: asked.purpose ?? null, backend: asked.backend ?? null,
      admission: admissionFile === undefined ? null : relative(directory, admissionFile),
    })
    refuseSecretsIn(this.#scanner, Buffer.from(canonicalJson({ order, key: key ?? null })), 'entry of the queue')
    return this.#queue.add({ order, attempts, key: key ?? randomUUID(), by, at: this.#options.clock() })
  }

  /** The newest first; with `before`, those with a smaller number. */
  list(most: number, before: number | undefined): Promise<readonly QueuedRun[]> {
    return this.#queue.list(most, before)
  }

  close(): Promise<void> {
    return this.#queue.close()
  }

  /** Throws `usage` for an entry that is not there. */
  async find(id: string): Promise<QueuedRun> {
    const found = await this.#queue.find(id)
    if (found === undefined) throw noEntry(id)
    return found
  }
}

export const noEntry = (id: string) => usage(`entry ${id} of the queue`, 'none', 'List them: npx portcullis queue')
