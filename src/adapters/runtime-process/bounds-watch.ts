import { readFileSync } from 'node:fs'
import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { systemCode } from '../../contract/errors.ts'
import type { Bounds, Exceeded } from '../../gates/launch/index.ts'
import { processTable, type ProcessRow } from '../process/index.ts'

/** Between two looks an agent can go beyond its bound: this often it is looked at. */
const LOOK_EVERY_MS = 100

/** Everything that lives below the first process of a seal, without the processes of the seal itself. */
export function agentsIn(seal: number, agent: number, table: readonly ProcessRow[]): ProcessRow[] {
  const parents = new Map(table.map((row) => [row.pid, row.parent]))
  const own = new Set([seal])
  for (let pid = parents.get(agent); pid !== undefined && pid !== seal; pid = parents.get(pid)) own.add(pid)
  const inside = new Set([seal])
  for (let before = 0; before !== inside.size; ) {
    before = inside.size
    for (const { pid, parent } of table) if (inside.has(parent)) inside.add(pid)
  }
  return table.filter(({ pid, alive }) => alive && inside.has(pid) && !own.has(pid))
}

/** Looks at the memory and the processes of a sealed agent until it is dismissed, and says once that one of them is beyond its bound. */
export class BoundsWatch {
  readonly #bounds: Bounds
  readonly #seal: number
  readonly #agent: number
  readonly #onExceeded: (exceeded: Exceeded) => void
  readonly #timer: NodeJS.Timeout

  /** `seal` is the pid of the process that seals the agent off. */
  constructor(bounds: Bounds, { seal, agent }: { readonly seal: number; readonly agent: number }, onExceeded: (exceeded: Exceeded) => void) {
    this.#bounds = bounds
    this.#seal = seal
    this.#agent = agent
    this.#onExceeded = onExceeded
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS)
  }

  dismiss(): void {
    clearInterval(this.#timer)
  }

  #look(): void {
    const exceeded = this.#looked()
    if (exceeded === undefined) return
    this.dismiss()
    this.#onExceeded(exceeded)
  }

  /** An agent that cannot be looked at is not held to anything. */
  #looked(): Exceeded | undefined {
    try {
      return this.#exceeded()
    } catch (error) {
      return { limit: this.#bounds.memoryBytes === null ? 'processes' : 'memory', asked: 'an agent whose memory and processes can be looked at', found: `the table of processes could not be read (${systemCode(error) ?? 'unknown'})` }
    }
  }

  #exceeded(): Exceeded | undefined {
    const { memoryBytes, processes } = this.#bounds
    const rows = agentsIn(this.#seal, this.#agent, processTable())
    if (processes !== null && rows.length > processes) return { limit: 'processes', asked: `at most ${processes} processes at one time`, found: `${rows.length} processes` }
    if (memoryBytes === null) return undefined
    // What each has in memory counts shared parts again and again, and is quickly read; only if that is too much it is asked exactly.
    if (sumOf(rows, residentBytes) <= memoryBytes) return undefined
    const used = sumOf(rows, ownBytes)
    return used <= memoryBytes ? undefined : { limit: 'memory', asked: `at most ${mebibytes(memoryBytes)} of memory`, found: `${mebibytes(used)} in ${rows.length} ${rows.length === 1 ? 'process' : 'processes'}` }
  }
}

const sumOf = (rows: readonly ProcessRow[], bytesOf: (pid: number) => number): number => rows.reduce((sum, { pid }) => sum + bytesOf(pid), 0)

const residentBytes = (pid: number): number => kibibytes(read(`/proc/${pid}/status`), 'VmRSS') * 1_024

/** Its part of what it does not only read from files. A kernel that does not tell that apart tells more than that, which is the lesser error. */
function ownBytes(pid: number): number {
  const text = read(`/proc/${pid}/smaps_rollup`)
  if (text === '') return residentBytes(pid)
  return (/^Pss_Anon:/m.test(text) ? kibibytes(text, 'Pss_Anon') + kibibytes(text, 'Pss_Shmem') : kibibytes(text, 'Pss')) * 1_024
}

const kibibytes = (text: string, name: string): number => Number(new RegExp(`^${name}:\\s*(\\d+) kB$`, 'm').exec(text)?.[1] ?? 0)

/** Nothing, for a process that has ended meanwhile. */
function read(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes(systemCode(error) ?? '')) return ''
    throw error
  }
}

const mebibytes = (bytes: number): string => `${(bytes / 1_048_576).toFixed(1)} MiB`

/**
 * Files below these folders that are at least this long, by their paths. Links are not followed; what has gone meanwhile has none. A
 * folder that cannot be read stands for what it may hold.
 */
export async function filesFrom(folders: readonly string[], bytes: number): Promise<Set<string>> {
  const found = new Set<string>()
  const waiting = [...folders]
  for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
    const at = folder
    const entries = await readdir(at, { withFileTypes: true }).catch((error: unknown) => {
      if (systemCode(error) !== 'ENOENT') found.add(at)
      return []
    })
    for (const entry of entries) {
      const path = join(at, entry.name)
      if (entry.isDirectory()) waiting.push(path)
      else if (entry.isFile() && (await lengthOf(path)) >= bytes) found.add(path)
    }
  }
  return found
}

const lengthOf = (path: string): Promise<number> => lstat(path).then(({ size }) => size, (error: unknown) => (systemCode(error) === 'ENOENT' ? 0 : Number.POSITIVE_INFINITY))

/** The file that an agent left at the bound or beyond it and that was not there before: the system lets none grow further. */
export function fileExceeded(before: ReadonlySet<string>, after: ReadonlySet<string>, bytes: number): Exceeded | undefined {
  const grown = [...after].filter((path) => !before.has(path)).length
  if (grown === 0) return undefined
  return { limit: 'fileSize', asked: `files of less than ${mebibytes(bytes)} each`, found: `${grown} ${grown === 1 ? 'file' : 'files'} of that length, or that could not be read` }
}
