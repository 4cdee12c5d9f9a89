import { randomUUID } from 'node:crypto'
import { relative, resolve as resolvePath } from 'node:path'
import { type QueuedRun, RunOrder, type RunQueue } from '../engine/index.ts'
import { type AppOptions, configurationOf, stateDirectoryOf } from './places.ts'
import { noEntry } from './queue-desk.ts'
import { loadTask } from '../adapters/configuration/index.ts'
import { queueIn } from './store.ts'
import { localActor } from './tickets.ts'

export interface QueueRequest {
  readonly task: string
  readonly profile: string | undefined
  readonly purpose: string | undefined
  readonly backend: string | undefined
  readonly admissionFile: string | undefined
  /** How many attempts there may be; nobody but the caller says it. */
  readonly attempts: number
  /** The same key twice is one entry; undefined makes a new one. */
  readonly key: string | undefined
}

export type { QueuedRun }

/** Opens the queue of this machine for as long as `use` takes. */
async function withQueue<Value>(options: AppOptions, use: (queue: RunQueue) => Promise<Value>): Promise<Value> {
  const queue = await queueIn(options, stateDirectoryOf(options))
  try {
    return await use(queue)
  } finally {
    await queue.close()
  }
}

/** Puts a run into the queue, for the next worker that is free. A task that cannot be read is refused now and not by the worker. */
export async function queueRun(options: AppOptions, request: QueueRequest): Promise<QueuedRun> {
  const { directory } = configurationOf(options)
  const path = resolvePath(options.cwd, request.task)
  loadTask(path)
  const order = RunOrder.parse({
    task: relative(directory, path),
    profile: request.profile ?? null,
    purpose: request.purpose ?? null,
    backend: request.backend ?? null,
    admission: request.admissionFile === undefined ? null : relative(directory, resolvePath(options.cwd, request.admissionFile)),
  })
  return withQueue(options, (queue) => queue.add({ order, attempts: request.attempts, key: request.key ?? randomUUID(), by: localActor().id, at: options.clock() }))
}

/** Every entry with all its attempts, the newest first. */
export const queuedRuns = (options: AppOptions, most: number): Promise<readonly QueuedRun[]> => withQueue(options, (queue) => queue.list(most))

export async function queuedRun(options: AppOptions, id: string): Promise<QueuedRun> {
  const found = await withQueue(options, (queue) => queue.find(id))
  if (found === undefined) throw noEntry(id)
  return found
}

/** What the command does with a queue, here or at a server. */
export interface QueueCommands {
  add(request: QueueRequest): Promise<QueuedRun>
  list(most: number): Promise<readonly QueuedRun[]>
  find(id: string): Promise<QueuedRun>
}

export const localQueue = (options: AppOptions): QueueCommands => ({
  add: (request) => queueRun(options, request),
  list: (most) => queuedRuns(options, most),
  find: (id) => queuedRun(options, id),
})
