import { PortcullisError } from '../../contract/errors.ts'
import { ProcessError, type ProcessExit, type RunningProcess, startProcess } from '../process/index.ts'

/** How git may be run: where programs are looked for, and how long one call may take. */
export interface GitOptions {
  readonly path: string
  readonly timeoutMs: number
}

export interface GitCall {
  readonly arguments: readonly string[]
  readonly cwd: string
  readonly environment?: Readonly<Record<string, string>>
  readonly input?: string
  /** How much of the output is kept. */
  readonly outputBytes?: number
}

const OUTPUT_BYTES = 64 * 1_048_576

/** No configuration but the one we give: neither the machine's, nor the user's, and no prompt, replacement object, attribute file or other repository. */
const ISOLATED = {
  HOME: '/nonexistent',
  LC_ALL: 'C',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_ATTR_NOSYSTEM: '1',
  GIT_NO_REPLACE_OBJECTS: '1',
  GIT_TERMINAL_PROMPT: '0',
  GIT_OPTIONAL_LOCKS: '0',
  // A repository that says it is a partial clone has git fetch what is missing, by a program that its own configuration names.
  GIT_NO_LAZY_FETCH: '1',
  GIT_ALLOW_PROTOCOL: '',
} as const

/** Settings that no repository may overrule: nothing in it can make git start another program. */
const SETTINGS = ['core.hooksPath=/dev/null', 'core.fsmonitor=false', 'core.excludesFile=/dev/null', 'core.attributesFile=/dev/null', 'core.pager=cat', 'core.untrackedCache=false', 'core.protectNTFS=false', 'commit.gpgSign=false', 'gc.auto=0', 'maintenance.auto=false', 'safe.directory=*']

/** For a call that is to ask another repository, from one that is ours alone: by which protocols it may. Given in its environment. */
export const reaching = (...protocols: readonly string[]): Readonly<Record<string, string>> => ({ GIT_ALLOW_PROTOCOL: protocols.join(':') })

/** Runs git and gives back how it ended, whatever the exit code. Throws a fault if it cannot be started or does not end in time. */
export async function tryGit(options: GitOptions, call: GitCall): Promise<ProcessExit> {
  const running = await start(options, call)
  let late = false
  const timer = setTimeout(() => {
    late = true
    void running.stop(0).catch(() => undefined)
  }, options.timeoutMs)
  try {
    if (call.input !== undefined) {
      // A git that ends early says why in its exit code; the broken pipe adds nothing.
      await running.write(call.input).catch((error: unknown) => error)
      running.closeStdin()
    }
    const exit = await running.exited
    if (late) throw fault(call, `no end within ${options.timeoutMs} ms`)
    return exit
  } finally {
    clearTimeout(timer)
  }
}

/** Runs git and gives back its standard output. Throws a fault if it fails, or prints more than was to be kept. */
export async function git(options: GitOptions, call: GitCall): Promise<Buffer> {
  const exit = await tryGit(options, call)
  if (exit.code !== 0) throw fault(call, `exit ${exit.code ?? exit.signal}: ${lastLine(exit)}`)
  if (exit.stdout.truncated || exit.readFailure !== null) throw fault(call, 'an output that could not be read whole')
  return exit.stdout.head
}

async function start(options: GitOptions, call: GitCall): Promise<RunningProcess> {
  const settings = SETTINGS.flatMap((setting) => ['-c', setting])
  try {
    return await startProcess({
      argv: ['git', ...settings, ...call.arguments],
      cwd: call.cwd,
      env: { PATH: options.path, ...ISOLATED, ...call.environment },
      stdin: call.input === undefined ? 'ignore' : 'pipe',
      keep: { headBytes: call.outputBytes ?? OUTPUT_BYTES, tailBytes: 0 },
    })
  } catch (error) {
    if (!(error instanceof ProcessError)) throw error
    throw new PortcullisError('tool_missing', { asked: 'to run git', found: error.code, remedy: 'Install git and put it on the PATH.' })
  }
}

/** The last line that git printed to stderr, cut short. */
export const lastLine = (exit: ProcessExit): string => exit.stderr.head.subarray(0, 4_096).toString('utf8').trim().split('\n').at(-1)?.slice(0, 200) ?? ''

const fault = (call: GitCall, found: string): PortcullisError =>
  new PortcullisError('unexpected', { asked: `git ${call.arguments.find((argument) => !argument.startsWith('-')) ?? ''} on the workspace`, found, remedy: 'Check that the repository and the workspace can be read, and that the disk has room.' })

/** A path as git reads it in a list: quoted, every byte that is not plain ASCII in octal. `bytes` holds one byte in each character. */
export const quotePath = (bytes: string): string => `"${bytes.replace(/[^\x20-\x7e]|["\\]/g, (byte) => `\\${byte.charCodeAt(0).toString(8).padStart(3, '0')}`)}"`
