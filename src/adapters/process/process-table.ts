import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { systemCode } from '../../contract/errors.ts'

/** One row of the system's process table. `startTicks` tells a process from a later one with the same pid. */
export interface ProcessRow {
  readonly pid: number
  readonly parent: number
  readonly group: number
  readonly session: number
  /** False for a zombie: it runs no code, and only its parent can remove it. */
  readonly alive: boolean
  readonly startTicks: number
}

/** Every process of this machine that can be seen. */
export function processTable(): ProcessRow[] {
  if (process.platform !== 'linux') return parseProcessStatus(execFileSync('ps', PROCESS_STATUS_ARGUMENTS, { encoding: 'utf8', maxBuffer: 64 * 1_048_576 }))
  const rows: ProcessRow[] = []
  for (const name of readdirSync('/proc')) {
    const row = /^\d+$/.test(name) ? processRow(Number(name)) : undefined
    if (row !== undefined) rows.push(row)
  }
  return rows
}

/** The children of one process. Asked of the kernel itself, where it keeps a list of them: reading every process takes milliseconds. */
export function childrenOf(pid: number): ProcessRow[] {
  const list = process.platform === 'linux' ? readGone(`/proc/${pid}/task/${pid}/children`) : undefined
  if (list === undefined) return processTable().filter(({ parent }) => parent === pid)
  return list.toString('latin1').split(' ').flatMap((child) => (child === '' ? [] : (processRow(Number(child)) ?? [])))
}

/** The row of one process, or undefined if there is none. */
export function processRow(pid: number): ProcessRow | undefined {
  if (process.platform !== 'linux') return processTable().find((row) => row.pid === pid)
  const stat = readGone(`/proc/${pid}/stat`)
  return stat === undefined ? undefined : parseStat(stat.toString('latin1'))
}

/** Reads /proc/<pid>/stat. The name in parentheses may hold anything, parentheses too: fields are counted from the last one. */
export function parseStat(text: string): ProcessRow | undefined {
  const end = text.lastIndexOf(')')
  const pid = Number.parseInt(text, 10)
  const fields = text.slice(end + 2).split(' ')
  const [state, parent, group, session] = fields
  const startTicks = Number(fields[19])
  if (end < 0 || !Number.isInteger(pid) || state === undefined || !Number.isInteger(startTicks)) return undefined
  return { pid, parent: Number(parent), group: Number(group), session: Number(session), alive: state !== 'Z' && state !== 'X', startTicks }
}

export const PROCESS_STATUS_ARGUMENTS = ['-A', '-o', 'pid=', '-o', 'ppid=', '-o', 'pgid=', '-o', 'sess=', '-o', 'stat=', '-o', 'lstart=']

/** Reads what `ps` prints, where there is no /proc. The start is known to the second there. */
export function parseProcessStatus(text: string): ProcessRow[] {
  const rows: ProcessRow[] = []
  for (const line of text.split('\n')) {
    const match = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(\S+)\s+(.+?)\s*$/.exec(line)
    if (match === null) continue
    const [, pid, parent, group, session, state, started] = match
    const startTicks = Date.parse(started ?? '')
    if (!Number.isFinite(startTicks)) continue
    rows.push({ pid: Number(pid), parent: Number(parent), group: Number(group), session: Number(session), alive: !/^[ZX]/.test(state ?? 'Z'), startTicks })
  }
  return rows
}

/** True if the process was started with this text in its environment. A process of another user cannot be asked: false. */
export function environmentHolds(pid: number, text: string): boolean {
  return process.platform === 'linux' && (readGone(`/proc/${pid}/environ`)?.includes(text) ?? false)
}

/** The arguments of a process as the kernel has them, undivided; undefined if there is none. */
export const commandLineOf = (pid: number): string | undefined => readGone(`/proc/${pid}/cmdline`)?.toString('latin1')

export interface ProcessIdentity {
  /** The file that runs, with every link resolved; ends in ` (deleted)` if it was replaced since. */
  readonly executable: string
  readonly argv: readonly string[]
  readonly startTicks: number
}

/** What really runs under a pid, as the kernel says. Undefined if nothing does, or where there is no /proc: unknown is not proven. */
export function processIdentity(pid: number): ProcessIdentity | undefined {
  const row = process.platform === 'linux' ? processRow(pid) : undefined
  if (row === undefined || !row.alive) return undefined
  const commandLine = readGone(`/proc/${pid}/cmdline`)
  const executable = unlessGone(() => readlinkSync(`/proc/${pid}/exe`))
  // Read again: between the first read and these the pid may have gone to another process.
  if (commandLine === undefined || executable === undefined || processRow(pid)?.startTicks !== row.startTicks) return undefined
  return { executable, argv: commandLine.toString('utf8').replace(/\0$/, '').split('\0'), startTicks: row.startTicks }
}

const readGone = (path: string): Buffer | undefined => unlessGone(() => readFileSync(path))

/** A process may end between two reads, and some belong to other users; both are no news. */
function unlessGone<Value>(read: () => Value): Value | undefined {
  try {
    return read()
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM', 'ENOTDIR'].includes(systemCode(error) ?? '')) return undefined
    throw error
  }
}
