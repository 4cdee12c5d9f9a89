import { execFile } from 'node:child_process'
import type { Configuration } from '../../engine/index.ts'
import { systemCode } from '../../contract/errors.ts'
import { findProgram } from '../runtime-process/index.ts'
import type { DoctorRow } from './row.ts'

/** A program that is there and does not say its version in this time is broken. */
const VERSION_LIMIT_MS = 5_000
const CONFINING = ['fs', 'network']

interface Tool {
  readonly name: string
  readonly arguments: readonly string[]
  readonly neededFor: string
  readonly needed: boolean
  readonly remedy: string
}

/** The programs beside the agents, each with what it is needed for. `searchPath` is where they are looked for; nothing but their version is asked. */
export async function programRows(configuration: Configuration | undefined, searchPath: string): Promise<DoctorRow[]> {
  const node: DoctorRow = { area: 'installed', name: 'node', status: 'ok', found: `${process.versions.node} at ${process.execPath}`, needed_for: 'Portcullis itself', remedy: null }
  return [node, ...(await Promise.all(toolsFor(configuration).map((tool) => toolRow(tool, searchPath))))]
}

function toolsFor(configuration: Configuration | undefined): Tool[] {
  const confined = Object.entries(configuration?.profiles ?? {}).flatMap(([name, { isolation }]) => (CONFINING.includes(isolation) ? [name] : []))
  return [
    { name: 'git', arguments: ['--version'], neededFor: 'the copy of the repository that every run works on', needed: true, remedy: 'Install git, and have it on PATH.' },
    {
      name: 'bwrap',
      arguments: ['--version'],
      neededFor: confined.length === 0 ? 'isolation fs and network; no profile requires them' : `isolation of ${confined.join(', ')}`,
      needed: confined.length > 0,
      remedy: 'Install bubblewrap, and have bwrap on PATH.',
    },
    { name: 'tmux', arguments: ['-V'], neededFor: 'agents that stay attached to a terminal; no profile runs one', needed: false, remedy: 'Nothing has to be done.' },
  ]
}

async function toolRow({ name, arguments: args, neededFor, needed, remedy }: Tool, searchPath: string): Promise<DoctorRow> {
  const common = { area: 'installed' as const, name, needed_for: neededFor }
  const program = await findProgram(name, searchPath, '/')
  const absent = { ...common, status: needed ? ('missing' as const) : ('unneeded' as const), remedy: needed ? remedy : null }
  if (program === undefined) return { ...absent, found: 'not on PATH' }
  const said = await versionOf(program, args, searchPath)
  return said.ok ? { ...common, status: 'ok', found: `${said.text} at ${program}`, remedy: null } : { ...absent, found: `${program} ${said.text}` }
}

function versionOf(program: string, args: readonly string[], searchPath: string): Promise<{ readonly ok: boolean; readonly text: string }> {
  return new Promise((resolve) => {
    execFile(program, [...args], { timeout: VERSION_LIMIT_MS, killSignal: 'SIGKILL', env: { PATH: searchPath, LC_ALL: 'C' }, encoding: 'utf8' }, (error, stdout) => {
      if (error === null) return resolve({ ok: true, text: (stdout.split('\n')[0] ?? '').slice(0, 100) })
      resolve({ ok: false, text: `does not run (${error.killed === true ? 'it did not end in time' : (systemCode(error) ?? `exit ${error.code ?? 'unknown'}`)})` })
    })
  })
}
