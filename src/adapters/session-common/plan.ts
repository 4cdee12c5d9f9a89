import { readFile } from 'node:fs/promises'
import { dirname, extname, join, parse, resolve } from 'node:path'
import * as z from 'zod'
import type { Refusal } from '../../contract/gate.ts'
import type { Profile } from '../../gates/catalog/index.ts'
import type { Planned, PlannedFile } from '../../gates/launch/index.ts'
import type { SessionRequest } from '../../engine/sessions/runtime.ts'
import type { Dialect } from '../../contract/model.ts'
import { type CliDescription, findPackage, workspaceRefusal } from '../agent-cli/index.ts'
import { fileDigest, isAbsent, plannedLaunch, refusePlan, resolvedPath } from '../runtime-process/index.ts'
import { parseJson } from './lines.ts'

export interface HeldMode {
  readonly argv: readonly string[]
  readonly enforcedBy: string
}

/** What differs from one runtime's launch to the next. */
export interface LiveLaunch {
  readonly title: string
  readonly dialects: readonly Dialect[]
  readonly efforts: readonly string[]
  /** The context variants it can be asked for; left out, none. */
  readonly contexts?: readonly string[]
  /** Undefined for a permission mode that nothing can hold the runtime to. */
  readonly modes: Readonly<Record<Profile['permissions'], HeldMode | undefined>>
  /** True for a name of a model that the runtime would send as another one. */
  rewrites(model: string): boolean
  /** Arguments, environment and files. `environment` may hold tokens and addresses; `settings` only what may be shown. */
  launch(request: SessionRequest, mode: HeldMode): { readonly argv: readonly string[]; readonly environment: Readonly<Record<string, string>>; readonly settings: Readonly<Record<string, string>>; readonly files: readonly PlannedFile[] }
  /** What stands around the program, as a terminal; it is started in its place and starts it. */
  readonly around?: ((request: SessionRequest, command: readonly string[]) => Promise<Surrounded>) | undefined
}

/** A program that is started in place of the agent's, and the files that say what it starts. */
export type Surrounded = { readonly ok: true; readonly executable: string; readonly argv: readonly [string, ...string[]]; readonly files: readonly PlannedFile[] } | { readonly ok: false; readonly refusal: Refusal }

/** Where the program of a runtime is: exactly at `program`, or, if that is undefined, where the agent of the same name is found from `directory`. */
export interface LiveProgram {
  readonly program: string | undefined
  readonly directory: string
}

/** How an agent is installed: the same for its sessions and for its runs. */
export type Installed = Pick<CliDescription, 'title' | 'command' | 'packageName' | 'version' | 'overriding' | 'locate'>

async function programOf(request: SessionRequest, { program, directory }: LiveProgram, { command, packageName, locate }: Installed): Promise<string | undefined> {
  if (program !== undefined) return program
  const installed = await findPackage(command, packageName, { program, directory, searchPath: request.inherited['PATH'] ?? '' })
  return installed === undefined ? undefined : (await locate(installed.folder))?.path
}

/** Plans a live runtime whose program is a file that the system runs, or a script that our own Node runs. */
export async function planLive(request: SessionRequest, location: LiveProgram, cli: Installed, live: LiveLaunch): Promise<Planned> {
  const mode = live.modes[request.profile.permissions]
  const refusal = refusalOf(request, live, mode) ?? (await repositoriesRefusal(request, cli))
  if (refusal !== undefined || mode === undefined) return refusePlan(refusal ?? modeRefusal(request, live))
  const program = await programOf(request, location, cli)
  const path = program === undefined ? undefined : await resolvedPath(program)
  if (path === undefined) return refusePlan(missing(location, cli, live))
  const isScript = ['.js', '.mjs', '.cjs', '.ts'].includes(extname(path))
  const node = (await resolvedPath(process.execPath)) ?? resolve(process.execPath)
  const { argv: own, environment, settings, files } = live.launch(request, mode)
  const argv = isScript ? ([process.execPath, path, ...own] as const) : ([path, ...own] as const)
  const around = await live.around?.(request, argv)
  if (around?.ok === false) return refusePlan(around.refusal)
  return await plannedLaunch(request, {
    versionFound: await versionOf(path),
    program: { path, sha256: await fileDigest(path) },
    programFolder: null,
    programFiles: [],
    readable: [],
    command: around === undefined ? { executable: isScript ? node : path, argv } : { executable: around.executable, argv: around.argv },
    environment,
    settings,
    files: [...files, ...(around?.files ?? [])],
    enforcedBy: mode.enforcedBy,
  })
}

/** Settings of a repository stand above the plan wherever the agent reads them: in the directory it is started in, and in each repository below. */
async function repositoriesRefusal({ workspace, repositories, profileName }: SessionRequest, cli: Installed): Promise<Refusal | undefined> {
  for (const folder of new Set([workspace, ...repositories])) {
    const refusal = await workspaceRefusal({ workspace: folder, profileName }, cli)
    if (refusal !== undefined) return refusal
  }
  return undefined
}

function refusalOf({ profile, profileName, dialect, pair }: SessionRequest, live: LiveLaunch, mode: HeldMode | undefined): Refusal | undefined {
  const refuse = (asked: string, found: string, remedy: string): Refusal => ({ reason: 'agent_setting_unsupported', message: `${live.title} cannot take a setting of the profile.`, asked: `profile ${profileName}: ${asked}`, found, remedy })
  const ignored = `${live.title} would ignore it, or take another value in its place`
  if (!live.dialects.includes(dialect)) {
    return { reason: 'dialect_mismatch', message: `${live.title} cannot speak ${dialect} through the wire.`, asked: `dialect ${dialect} for profile ${profileName}`, found: `${live.title} speaks ${live.dialects.join(', ')} here`, remedy: 'Choose a provider that speaks one of these.' }
  }
  if (profile.command !== undefined) return refuse('command', ignored, 'Leave `command` out; it belongs to agent: command.')
  if (profile.context !== undefined && live.contexts?.includes(profile.context) !== true) return refuse(`context ${profile.context}`, ignored, live.contexts === undefined ? 'Leave `context` out; this runtime has no setting for it.' : `Choose one of ${live.contexts.join(', ')}, or leave it out.`)
  if (profile.effort !== undefined && !live.efforts.includes(profile.effort)) return refuse(`effort ${profile.effort}`, ignored, live.efforts.length === 0 ? 'Leave `effort` out.' : `Choose one of ${live.efforts.join(', ')}, or leave it out.`)
  if (live.rewrites(pair.model)) return refuse(`model ${pair.model}`, `${live.title} would ask for another model by this name`, 'Name the model by its exact id.')
  return mode === undefined ? modeRefusal({ profile, profileName }, live) : undefined
}

const modeRefusal = ({ profile, profileName }: Pick<SessionRequest, 'profile' | 'profileName'>, { title, modes }: LiveLaunch): Refusal => ({
  reason: 'agent_setting_unsupported',
  message: `${title} cannot be held to a permission mode.`,
  asked: `profile ${profileName}: permissions ${profile.permissions}`,
  found: 'nothing holds a live session of it to that mode',
  remedy: `Choose one of ${Object.entries(modes).flatMap(([name, mode]) => (mode === undefined ? [] : [name])).join(', ')}.`,
})

const missing = ({ program, directory }: LiveProgram, { command, packageName, version }: Installed, { title }: LiveLaunch): Refusal => ({
  reason: 'agent_not_installed',
  message: `${title} was not found.`,
  asked: program ?? `${command} in node_modules/.bin of ${directory} or a folder above it, or on PATH`,
  found: program === undefined ? `no program of the package ${packageName}` : 'no such file',
  remedy: `Install it: npm install --save-dev --save-exact ${packageName}@${version}`,
})

const PackageFile = z.looseObject({ version: z.string().min(1).max(200) })

/** The version that the nearest package.json above the program names; without one it is not known, which no admission record allows. */
async function versionOf(path: string): Promise<string> {
  for (let folder = dirname(path); folder !== parse(folder).root; folder = dirname(folder)) {
    const text = await readFile(join(folder, 'package.json'), 'utf8').catch((error: unknown) => {
      if (isAbsent(error)) return undefined
      throw error
    })
    const read = text === undefined ? undefined : PackageFile.safeParse(parseJson(text))
    if (read?.success === true) return read.data.version
  }
  return 'unknown'
}
