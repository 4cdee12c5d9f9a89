import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { TestContext } from 'node:test'
import { openRunQueue } from '../../src/adapters/store-sqlite/index.ts'
import type { QueuedRun, RunQueue } from '../../src/engine/index.ts'
import { CONFIGURATION, type Scenario, scenario } from '../e2e/scenario.ts'
import { PORTCULLIS } from './run-cli.ts'

export interface WorkerProcess {
  readonly child: ChildProcess
  readonly ended: Promise<number | null>
  /** The lines of its log, as objects. */
  log(): readonly Readonly<Record<string, unknown>>[]
}

export interface QueueForTest {
  readonly made: Scenario
  readonly queue: RunQueue
  /** Another connection, as anybody who can reach the file has one. */
  readonly database: DatabaseSync
  add(count: number, attempts?: number): Promise<readonly QueuedRun[]>
  worker(name: string, lease: string, more?: readonly string[]): WorkerProcess
}

/** A queue over a real store, with a task whose proof takes no time, and workers that are processes. */
export async function queueForTest(context: TestContext, options: Parameters<typeof scenario>[1] = {}): Promise<QueueForTest> {
  const made = await scenario(context, options)
  made.set(CONFIGURATION, ['probes', 'repository-tests', 'command'], ['grep', '-q', 'normalize', 'src/slugify.js'])
  const path = join(made.directory, '.portcullis/ledger.db')
  const queue = await openRunQueue(path)
  const database = new DatabaseSync(path, { timeout: 5_000, enableForeignKeyConstraints: true })
  context.after(async () => {
    database.close()
    await queue.close()
  })
  let added = 0
  return {
    made, queue, database,
    add: async (count, attempts = 3) => {
      const entries: QueuedRun[] = []
      for (let each = 0; each < count; each += 1) entries.push(await queue.add({ order: { task: 'task.yaml', profile: null, purpose: null, backend: null, admission: null }, attempts, key: `key ${(added += 1)}`, by: 'test', at: new Date() }))
      return entries
    },
    worker: (name, lease, more = []) => workerOf(context, made, ['worker', '--name', name, '--lease', lease, ...more]),
  }
}

function workerOf(context: TestContext, made: Scenario, args: readonly string[]): WorkerProcess {
  const child = spawn(process.execPath, [PORTCULLIS, ...args], { cwd: made.directory, env: { PATH: process.env['PATH'], HOME: join(made.directory, 'no-home'), NO_COLOR: '1', ...made.env }, stdio: ['ignore', 'inherit', 'pipe'] })
  context.after(() => {
    // One that is stopped takes no other signal.
    child.kill('SIGCONT')
    child.kill('SIGKILL')
  })
  let printed = ''
  child.stderr.on('data', (bytes: Buffer) => (printed += bytes.toString('utf8')))
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
  return { child, ended, log: () => printed.split('\n').slice(0, -1).map((line): Record<string, unknown> => parsed(line)) }
}

function parsed(line: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? { ...value } : { line }
  } catch {
    return { line }
  }
}
