import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { systemCode } from '../../contract/errors.ts'
import type { IsolationLevel } from '../../gates/catalog/index.ts'
import type { Bounds, PlannedLaunch } from '../../gates/launch/index.ts'
import type { Grant } from '../../gates/wire/index.ts'
import { findProgram } from '../runtime-process/index.ts'
import { agentInside } from './agent-inside.ts'
import { bubblewrapArguments, type SealedLevel } from './bubblewrap.ts'
import { INSIDE, RELAY, RELAY_NAME, SOCKET_NAME } from './relay.ts'
import { NETWORK_PATHS, SYSTEM_PATHS, visibleOf } from './visible.ts'

export interface IsolationOptions {
  /** Where bubblewrap is looked for: absolute folders, as in PATH. */
  readonly searchPath: string
  /** The interpreter of the relay. */
  readonly node: string
  /** Where the socket of a run may be made. A short path: a socket's has at most 107 bytes. */
  readonly temporaryDirectory: string
}

/** What is reached of what was required; if that is less, `obstacle` says why, in words. */
export interface Reached {
  readonly reached: IsolationLevel
  readonly obstacle: string | null
}

/** How a sealed agent is started: `argv` in place of its own. */
export interface Seal {
  readonly argv: readonly [string, ...string[]]
  /** The pid of the agent itself, once its seal has been started; undefined if it ended before it could be found. */
  agentIn(seal: { readonly pid: number; readonly exited: Promise<unknown> }): Promise<number | undefined>
  /** Takes away what was made for it. */
  release(): Promise<void>
}

export interface Isolation {
  /** What this machine reaches of a level, found by trying it once. Never more than what is required. */
  reach(required: IsolationLevel): Promise<Reached>
  /** Prepares a start at this level; undefined where that needs no seal. Rejects with the system's error if it cannot be prepared. */
  seal(level: IsolationLevel, launch: PlannedLaunch, wire: Pick<Grant, 'baseUrl' | 'listen'>): Promise<Seal | undefined>
}

export function createIsolation(options: IsolationOptions): Isolation {
  const tried = new Map<SealedLevel, Promise<string | null>>()
  const obstacleTo = (level: SealedLevel): Promise<string | null> => {
    const known = tried.get(level) ?? trial(level, options)
    tried.set(level, known)
    return known
  }
  return {
    async reach(required) {
      if (required === 'none' || required === 'env') return { reached: 'env', obstacle: null }
      const obstacle = await obstacleTo(required)
      if (obstacle === null) return { reached: required, obstacle }
      return { reached: required === 'network' && (await obstacleTo('fs')) === null ? 'fs' : 'env', obstacle }
    },
    async seal(level, launch, wire) {
      if (level === 'none' || level === 'env') return undefined
      return await makeSeal(level, launch, wire, options)
    },
  }
}

/** A machine that takes longer to start a shell runs no agent either. */
const TRIAL_LIMIT_MS = 10_000

/** Each line is a property that a seal must have: its number says which one it lacks. $1 is a folder that exists and was not granted. */
const TRIAL = `[ $$ -lt 10 ] || exit 11
[ ! -e "$1" ] || exit 12
[ "$2" = fs ] && exit 0
lines=0; while read -r line; do lines=$((lines + 1)); done < /proc/net/route || exit 13
[ $lines -le 1 ] || exit 13`

const LACKS: Readonly<Record<number, string>> = {
  11: 'a sealed process sees the processes of the machine',
  12: 'a sealed process sees files that were not granted to it',
  13: 'a sealed process has a way into the network',
}

/** Starts a shell under a seal of this level and has it look around. Null if all holds; otherwise what does not. */
async function trial(level: SealedLevel, { searchPath, temporaryDirectory }: IsolationOptions): Promise<string | null> {
  if (process.platform !== 'linux') return `bubblewrap needs Linux; this is ${process.platform}`
  const program = await findProgram('bwrap', searchPath, '/')
  if (program === undefined) return 'bubblewrap (bwrap) is not on PATH'
  const folder = await mkdtemp(join(temporaryDirectory, 'portcullis-trial-'))
  try {
    const visible = await visibleOf(SYSTEM_PATHS)
    const words = bubblewrapArguments({ level, visible, writable: [], shown: [], directory: '/', temporaryBytes: null, argv: ['/bin/sh', '-c', TRIAL, 'sh', folder, level] })
    return await obstacleOf(program, words)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function obstacleOf(program: string, words: readonly string[]): Promise<string | null> {
  return new Promise((resolve) => {
    execFile(program, [...words], { timeout: TRIAL_LIMIT_MS, killSignal: 'SIGKILL', env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' }, encoding: 'utf8' }, (error, _stdout, stderr) => {
      if (error === null) return resolve(null)
      const lacking = typeof error.code === 'number' ? LACKS[error.code] : undefined
      const said = stderr.trim().split('\n')[0]?.slice(0, 300) ?? ''
      const how = error.killed === true ? 'it did not end in time' : said === '' ? (systemCode(error) ?? `exit ${error.code ?? 'unknown'}`) : said
      resolve(lacking ?? `${program} does not start a process here: ${how}`)
    })
  })
}

/** The run's own folder for what only its seal needs, with the socket of the wire in it where the agent has no other way there. */
async function makeSeal(level: SealedLevel, launch: PlannedLaunch, wire: Pick<Grant, 'baseUrl' | 'listen'>, options: IsolationOptions): Promise<Seal> {
  const { plan, argv } = launch
  const program = await findProgram('bwrap', options.searchPath, '/')
  if (program === undefined) throw new TypeError(`isolation ${level} was permitted where there is no bubblewrap`)
  const folder = await mkdtemp(join(options.temporaryDirectory, 'portcullis-'))
  const release = (): Promise<void> => rm(folder, { recursive: true, force: true })
  try {
    const files = etcFiles(level, plan.home)
    await mkdir(join(folder, 'etc'))
    for (const [name, content] of Object.entries(files)) await writeFile(join(folder, 'etc', name), content)
    const shown = Object.keys(files).map((name) => ({ source: join(folder, 'etc', name), path: `/etc/${name}` }))
    const relay = level === 'network' ? await openRelay(folder, new URL(wire.baseUrl[plan.dialect]).port, wire, options.node) : []
    if (relay.length > 0) shown.push({ source: join(folder, 'wire'), path: INSIDE })
    const programs = [argv[0], plan.executable.path, plan.program.path, ...plan.programFiles.map(({ path }) => path), ...plan.readable, ...(relay.length > 0 ? [options.node] : [])]
    const words = bubblewrapArguments({
      level,
      visible: await visibleOf([...SYSTEM_PATHS, ...(level === 'fs' ? NETWORK_PATHS : []), ...programs]),
      writable: [...new Set([plan.home, plan.configuration, plan.temporary, plan.workspace])],
      shown,
      directory: plan.workspace,
      temporaryBytes: plan.bounds?.memoryBytes ?? null,
      argv: [...relay, ...argv],
    })
    return { argv: [...bounding(plan.bounds), program, ...words], agentIn: (seal) => agentInside(seal, relay.length > 0), release }
  } catch (error) {
    await release()
    throw error
  }
}

/**
 * What stands before the seal so that no file inside it grows beyond its bound: the system refuses to write on. Set outside, so that
 * it holds from the first instruction inside, where nothing can raise it; a shell that cannot set it starts nothing.
 */
function bounding(bounds: Bounds | undefined): [] | [string, ...string[]] {
  if (bounds === undefined || bounds.fileBytes === null) return []
  return ['/bin/sh', '-c', 'ulimit -f "$1" || exit 126; shift; exec "$@"', 'sh', String(Math.max(1, Math.floor(bounds.fileBytes / FILE_BLOCK_BYTES)))]
}

/** The unit of `ulimit -f`, by POSIX. */
const FILE_BLOCK_BYTES = 512

/** Opens the socket of the run, and says what has to stand before the agent's argv so that it finds the wire where it looks for it. */
async function openRelay(folder: string, port: string, wire: Pick<Grant, 'listen'>, node: string): Promise<string[]> {
  await mkdir(join(folder, 'wire'))
  await writeFile(join(folder, 'wire', RELAY_NAME), RELAY)
  await wire.listen(join(folder, 'wire', SOCKET_NAME))
  return [node, join(INSIDE, RELAY_NAME), port, join(INSIDE, SOCKET_NAME)]
}

/** What programs ask the system about itself, without the users and hosts of the machine in it. Its network has names only where it has a network. */
function etcFiles(level: SealedLevel, home: string): Record<string, string> {
  const [user, group] = [process.getuid?.() ?? 65_534, process.getgid?.() ?? 65_534]
  return {
    passwd: `agent:x:${user}:${group}::${home.includes(':') ? '/' : home}:/bin/sh\n`,
    group: `agent:x:${group}:\n`,
    'nsswitch.conf': `passwd: files\ngroup: files\nhosts: files${level === 'fs' ? ' dns' : ''}\n`,
    ...(level === 'fs' ? {} : { hosts: '127.0.0.1 localhost\n::1 localhost\n' }),
  }
}
