import { spawn } from 'node:child_process'
import { join } from 'node:path'

/** Names the package that test/helpers/built-package.ts laid out for all files of a test run. */
export const BUILT_PACKAGE = 'PORTCULLIS_TEST_PACKAGE'

/** The command as a user starts it: as it is packed, if this test run has built it, and from the source otherwise. */
export const PORTCULLIS = join(process.env[BUILT_PACKAGE] ?? join(import.meta.dirname, '../..'), 'bin/portcullis.js')

export interface CommandResult {
  /** Null when a signal ended it. */
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface CommandOptions {
  readonly cwd: string
  /** The whole environment beside PATH and a HOME that does not exist: nothing of the tester's own reaches the command. */
  readonly env?: Readonly<Record<string, string>>
  /** Kills the command, and fails, when it takes longer. */
  readonly timeoutMs?: number
}

/** Runs a program to its end and returns what it printed. Rejects only if it could not be started or took too long. */
export function runProgram(program: string, args: readonly string[], { cwd, env = {}, timeoutMs = 60_000 }: CommandOptions): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env: { PATH: process.env['PATH'], HOME: join(cwd, 'no-home'), NO_COLOR: '1', ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
    const stdout: Buffer[] = []
    const stderr: Buffer[] = []
    const read = (chunks: Buffer[]): string => Buffer.concat(chunks).toString('utf8')
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      reject(new Error(`Expected ${program} ${args.join(' ')} to end within ${timeoutMs} ms.\nstdout: ${read(stdout)}\nstderr: ${read(stderr)}`))
    }, timeoutMs)
    child.on('error', (error) => {
      clearTimeout(timer)
      reject(error)
    })
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      resolve({ code, signal, stdout: read(stdout), stderr: read(stderr) })
    })
  })
}

/** Runs `portcullis` as a process of its own, with the Node that runs the tests. */
export const runCli = (args: readonly string[], options: CommandOptions): Promise<CommandResult> => runProgram(process.execPath, [PORTCULLIS, ...args], options)
