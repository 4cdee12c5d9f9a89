import { lstat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { systemCode } from '../../contract/errors.ts'
import type { Refusal } from '../../contract/gate.ts'
import type { Dialect } from '../../contract/model.ts'
import type { Profile } from '../../gates/catalog/index.ts'
import type { Planned, PlannedFile, PlanRequest } from '../../gates/launch/index.ts'
import { fileDigest, plannedLaunch, refusePlan, resolvedPath, treeDigest } from '../runtime-process/index.ts'
import { type CliLocation, findPackage } from './installation.ts'

/** The program of a command line agent: a file that the system runs, or a script that Portcullis's own Node runs. */
export interface CliProgram {
  readonly path: string
  /** The folder of code that a script only loads; null for a native program, which is one file. */
  readonly folder: string | null
}

/** What holds the agent to a permission mode, and with which arguments. */
export interface HeldMode {
  readonly argv: readonly string[]
  readonly enforcedBy: string
}

/** What differs from one command line agent to the next. */
export interface CliDescription {
  /** By this name profiles and admission records call it. */
  readonly agent: string
  readonly title: string
  /** The npm package, its command and the version whose behaviour the adapter was built to. */
  readonly packageName: string
  readonly command: string
  readonly version: string
  readonly dialects: readonly Dialect[]
  /** The efforts it can be asked for; none, if it has no such setting. */
  readonly efforts: readonly string[]
  /** The context variants it can be asked for; left out, none. */
  readonly contexts?: readonly string[]
  /** Undefined if nothing can hold the agent to the mode. */
  readonly modes: Readonly<Record<Profile['permissions'], HeldMode | undefined>>
  /** Why the program cannot work as its profile asks where it would run; undefined if nothing is known against it. What only a start could show is found here, before one. */
  unworkable(profile: Profile): Unworkable | undefined
  /** Files of a workspace, by their path in it, that would stand above the configuration that is planned. */
  readonly overriding: readonly string[]
  /** True for a name that the program would send as another one. */
  rewrites(model: string): boolean
  /** The program in the folder of the package; undefined if it is not there. */
  locate(folder: string): Promise<CliProgram | undefined>
  /** Arguments, environment and files of a launch. `environment` may hold the run token and addresses, `settings` only what may be shown. */
  launch(request: PlanRequest, mode: HeldMode | undefined): CliLaunch
}

/** Settings of a profile that do not go together for a program, each as words for people. */
export interface Unworkable {
  readonly asked: string
  readonly found: string
  readonly remedy: string
}

/** For a program against which nothing is known. */
export const WORKS = (): undefined => undefined

export interface CliLaunch {
  readonly argv: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  readonly settings: Readonly<Record<string, string>>
  readonly files: readonly PlannedFile[]
}

/** Plans a command line agent. What is wrong with the profile is found before the disk is looked at. */
export async function planCli(request: PlanRequest, location: Omit<CliLocation, 'searchPath'>, cli: CliDescription): Promise<Planned> {
  const refusal = profileRefusal(request, cli) ?? (await workspaceRefusal(request, cli))
  if (refusal !== undefined) return refusePlan(refusal)
  const installed = await findPackage(cli.command, cli.packageName, { ...location, searchPath: request.inherited['PATH'] ?? '' })
  const program = installed === undefined ? undefined : await cli.locate(installed.folder)
  if (installed === undefined || program === undefined) return refusePlan(missing(location, cli))
  const mode = cli.modes[request.profile.permissions]
  const launch = cli.launch(request, mode)
  const isScript = program.folder !== null
  const executable = isScript ? ((await resolvedPath(process.execPath)) ?? resolve(process.execPath)) : program.path
  return await plannedLaunch(request, {
    versionFound: installed.version,
    program: { path: program.path, sha256: isScript ? await treeDigest(program.folder) : await fileDigest(program.path) },
    programFolder: program.folder,
    programFiles: [],
    readable: [],
    command: { executable, argv: isScript ? [process.execPath, program.path, ...launch.argv] : [program.path, ...launch.argv] },
    environment: launch.environment,
    settings: launch.settings,
    files: launch.files,
    enforcedBy: mode?.enforcedBy ?? null,
  })
}

function profileRefusal({ profile, profileName, dialect, pair }: PlanRequest, cli: CliDescription): Refusal | undefined {
  const refuse = (asked: string, found: string, remedy: string): Refusal => ({
    reason: 'agent_setting_unsupported',
    message: `${cli.title} cannot take a setting of the profile.`,
    asked: `profile ${profileName}: ${asked}`,
    found,
    remedy,
  })
  if (!cli.dialects.includes(dialect)) {
    return {
      reason: 'dialect_mismatch',
      message: `${cli.title} cannot speak ${dialect} through the wire.`,
      asked: `dialect ${dialect} for profile ${profileName}`,
      found: `${cli.title} speaks ${cli.dialects.join(', ')} here`,
      remedy: 'Choose a provider that speaks one of these.',
    }
  }
  const ignored = `${cli.title} would ignore it, or take another value in its place`
  if (profile.command !== undefined) return refuse('command', ignored, 'Leave `command` out; it belongs to agent: command.')
  if (profile.context !== undefined && cli.contexts?.includes(profile.context) !== true) return refuse(`context ${profile.context}`, ignored, cli.contexts === undefined ? 'Leave `context` out; this agent has no setting for it.' : `Choose one of ${cli.contexts.join(', ')}, or leave it out.`)
  if (profile.effort !== undefined && !cli.efforts.includes(profile.effort)) {
    return refuse(`effort ${profile.effort}`, ignored, cli.efforts.length === 0 ? 'Leave `effort` out; this agent has no setting for it.' : `Choose one of ${cli.efforts.join(', ')}, or leave it out.`)
  }
  if (cli.rewrites(pair.model)) return refuse(`model ${pair.model}`, `${cli.title} would ask for another model by this name`, 'Name the model by its exact id, as the provider does.')
  const unworkable = cli.unworkable(profile)
  return unworkable === undefined ? undefined : refuse(unworkable.asked, unworkable.found, unworkable.remedy)
}

/** What a repository brings that would stand above the plan, for runs and sessions alike. */
export async function workspaceRefusal({ workspace, profileName }: Pick<PlanRequest, 'workspace' | 'profileName'>, cli: Pick<CliDescription, 'title' | 'overriding'>): Promise<Refusal | undefined> {
  for (const file of cli.overriding) {
    if (!(await isBrought(join(workspace, file)))) continue
    return {
      reason: 'agent_setting_unsupported',
      message: `The repository brings settings for ${cli.title}, which would stand above the planned ones.`,
      asked: `profile ${profileName}: the model, the tools and the address that it names, and no others`,
      found: `${file} in the repository`,
      remedy: `Take ${file} out of the branch that the run works on.`,
    }
  }
  return undefined
}

/** A link counts, wherever it leads: what is there may come later. Rejects where it cannot be seen, which is not the same as nothing. */
async function isBrought(path: string): Promise<boolean> {
  try {
    await lstat(path)
    return true
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return false
    throw error
  }
}

const missing = ({ program, directory }: Omit<CliLocation, 'searchPath'>, { title, command, packageName, version }: CliDescription): Refusal => ({
  reason: 'agent_not_installed',
  message: `${title} was not found.`,
  asked: program ?? `${command} in node_modules/.bin of ${directory} or a folder above it, or on PATH`,
  found: `no program of the package ${packageName}`,
  remedy: `Install it: npm install --save-dev --save-exact ${packageName}@${version}`,
})
