import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import { systemCode } from '../../contract/errors.ts'
import { BoundedLog, Capture, OutputReader } from './capture.ts'
import { Descendants, MARKER_NAME } from './descendants.ts'
import { Watchdog } from './watchdog.ts'
import type { ProcessExit, ProcessSpec, RunningProcess } from './ports.ts'

/** How long descendants may outlive the leader before that is a leak: helpers that are just ending are not one. */
const LEAK_GRACE_MS = 250

/** How long, when nothing of ours is alive, output may stay open before it is cut: somebody else was handed the pipe. */
const DRAIN_LIMIT_MS = 2_000

/** A process did not start, or its pipe is closed. Carries the system's code (`ENOENT`) and nothing of the argv or environment. */
export class ProcessError extends Error {
  override readonly name = 'ProcessError'
  readonly code: string

  constructor(what: string, code: string) {
    // Deliberately without `cause`: Node puts the whole argv into the error of a failed spawn.
    super(`${what}: ${code}`)
    this.code = code
  }
}

const codeOf = (error: unknown): string => systemCode(error) ?? 'UNKNOWN'

/** Starts a program in a session of its own. Rejects with ProcessError if it does not start; nothing is left behind then. */
export async function startProcess(spec: ProcessSpec): Promise<RunningProcess> {
  const marker = randomBytes(16).toString('hex')
  const startedAt = performance.now()
  const { stdout, stderr } = openReaders(spec)
  let watchdog: Watchdog | undefined
  try {
    watchdog = spec.endsWithUs === true ? await Watchdog.start(marker) : undefined
    const child = spawnLeader(spec, marker)
    // Before anything is awaited: a leader that has ended already is in the table only until it is reaped.
    const descendants = child.pid === undefined ? undefined : new Descendants(child.pid, marker, spec.sealed === true)
    child.stdout?.on('data', (chunk: Buffer) => stdout.add(chunk))
    child.stderr?.on('data', (chunk: Buffer) => stderr.add(chunk))
    const leaderExit = new Promise<[number | null, NodeJS.Signals | null]>((resolve) => child.once('exit', (code, signal) => resolve([code, signal])))
    const closed = new Promise<true>((resolve) => child.once('close', () => resolve(true)))
    await once(child, 'spawn')
    if (child.pid === undefined || descendants === undefined) throw new Error('a process without a pid')
    watchdog?.guard(child.pid)
    child.on('error', () => undefined) // A signal that could not be sent; `stop` looks at the table instead.
    const stop: Stop = { killAt: undefined, outlived: false }
    const exited = exitOf(child, { leaderExit, closed, descendants, stdout, stderr, startedAt, stop }).finally(() => watchdog?.dismiss())
    return runningProcess(child, child.pid, descendants, exited, stop)
  } catch (error) {
    watchdog?.dismiss()
    stdout.end()
    stderr.end()
    throw new ProcessError('The process did not start', codeOf(error))
  }
}

function openReaders(spec: ProcessSpec): { stdout: OutputReader; stderr: OutputReader } {
  const { logs } = spec
  let stdoutLog: BoundedLog | undefined
  try {
    stdoutLog = logs && new BoundedLog(logs.stdout, logs.maxBytes)
    const stderrLog = logs && new BoundedLog(logs.stderr, logs.maxBytes)
    return {
      stdout: new OutputReader(new Capture(spec.keep), stdoutLog, spec.onStdout?.bind(spec)),
      stderr: new OutputReader(new Capture(spec.keep), stderrLog, undefined),
    }
  } catch (error) {
    stdoutLog?.close()
    throw new ProcessError('A log of the process could not be opened', codeOf(error))
  }
}

function spawnLeader(spec: ProcessSpec, marker: string): ChildProcess {
  const [program, ...rest] = spec.argv
  return spawn(program, rest, {
    cwd: spec.cwd,
    env: { ...spec.env, [MARKER_NAME]: marker },
    detached: true,
    shell: false,
    stdio: [spec.stdin, 'pipe', 'pipe'],
  })
}

interface Stop {
  /** When the grace of a requested stop ends (a performance.now() value); undefined while none is requested. */
  killAt: number | undefined
  /** The stop found descendants alive after the leader had ended and its grace was over, and killed them. */
  outlived: boolean
}

interface Leader {
  readonly leaderExit: Promise<[number | null, NodeJS.Signals | null]>
  readonly closed: Promise<true>
  readonly descendants: Descendants
  readonly stdout: OutputReader
  readonly stderr: OutputReader
  readonly startedAt: number
  readonly stop: Stop
}

/** Judged by the leader: once it has exited, what it left behind is ended and reported, and never waited for (ACC-45). */
async function exitOf(child: ChildProcess, leader: Leader): Promise<ProcessExit> {
  const [code, signal] = await leader.leaderExit
  const durationMs = performance.now() - leader.startedAt
  const leakedAt = performance.now() + LEAK_GRACE_MS
  // A table that cannot be read proves nothing: then there is a leak. In a requested stop they have that stop's grace.
  const endedAlone = await leader.descendants.gone(() => leader.stop.killAt ?? leakedAt).catch(() => false)
  if (!endedAlone) await leader.descendants.kill().catch(() => false)
  const drained = await Promise.race([leader.closed, wait(DRAIN_LIMIT_MS, false, { ref: false })])
  if (!drained) {
    child.stdout?.destroy()
    child.stderr?.destroy()
  }
  const stdout = leader.stdout.end()
  const stderr = leader.stderr.end()
  return { code, signal, stdout, stderr, leaked: !endedAlone || !drained || leader.stop.outlived, durationMs, readFailure: leader.stdout.failure ?? leader.stderr.failure }
}

function runningProcess(child: ChildProcess, pid: number, descendants: Descendants, exited: Promise<ProcessExit>, stop: Stop): RunningProcess {
  let settled = false
  let stopping: Promise<void> | undefined
  void exited.then(() => (settled = true))
  child.stdin?.on('error', () => undefined) // Every write reports its own failure; an unheard event would end us.

  const stopAll = async (): Promise<void> => {
    descendants.signal('SIGTERM')
    const endedAlone = await descendants.gone(() => stop.killAt ?? 0)
    // Asked before they are killed: whoever waits for the leader's end would find none of them alive any more.
    const left = endedAlone ? [] : descendants.alive()
    stop.outlived = left.length > 0 && !left.some((row) => row.pid === pid)
    const gone = endedAlone || (await descendants.kill())
    if (!gone) throw new ProcessError('Some descendants of the process survived SIGKILL', 'EPERM')
    await exited
  }
  return {
    pid,
    exited,
    write: (text) =>
      new Promise((resolve, reject) => {
        if (child.stdin === null || !child.stdin.writable) return reject(new ProcessError('The input of the process is closed', 'EPIPE'))
        child.stdin.write(text, (error) => (error == null ? resolve() : reject(new ProcessError('The input of the process is closed', codeOf(error)))))
      }),
    closeStdin: () => void child.stdin?.end(),
    async stop(graceMs) {
      // After the end its pid may belong to somebody else: nothing is signalled any more.
      if (settled) return
      stop.killAt = Math.min(stop.killAt ?? Number.POSITIVE_INFINITY, performance.now() + graceMs)
      stopping ??= stopAll()
      await stopping
    },
  }
}
