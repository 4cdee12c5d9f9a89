import { digestOf, sha256 } from '../../contract/canonical.ts'
import type { Refusal } from '../../contract/gate.ts'
import { boundsOf, INHERITABLE_NAMES, liesInside, type LaunchPlan, type Planned, type PlannedFile, type PlanRequest } from '../../gates/launch/index.ts'
import { executableIdentity } from './digests.ts'
import type { ResolvedCommand } from './programs.ts'

/** What differs from one agent to the next; the rest of a plan follows from the request. */
export interface LaunchParts extends Pick<LaunchPlan, 'program' | 'programFolder' | 'programFiles'> {
  readonly versionFound: string
  readonly command: ResolvedCommand
  /** Variables that hold the run token or an address: their values stay out of the plan. */
  readonly environment: Readonly<Record<string, string>>
  /** Variables whose values may be shown. */
  readonly settings: Readonly<Record<string, string>>
  readonly files: readonly PlannedFile[]
  /** What holds the agent to the permission mode of its profile; null if nothing does. */
  readonly enforcedBy: string | null
  /** Folders of code beside the files above that the agent loads; packages in a node_modules need not be named. */
  readonly readable: readonly string[]
}

/** Composes a planned launch. The environment is built from nothing: what is not named here does not exist for the agent. */
export async function plannedLaunch(request: PlanRequest, parts: LaunchParts): Promise<Planned> {
  const environment = { ...inheritedEnvironment(request), HOME: request.home, TMPDIR: request.temporary, ...parts.settings, ...parts.environment }
  const { argv, executable } = parts.command
  const bounds = boundsOf(request.profile)
  const plan: LaunchPlan = {
    agent: request.profile.agent,
    version: { required: request.profile.agentVersion ?? null, found: parts.versionFound },
    program: parts.program,
    programFolder: parts.programFolder,
    programFiles: parts.programFiles,
    executable: { path: executable, identity: await executableIdentity(executable) },
    argv: [...argv],
    environmentNames: Object.keys(environment).sort(),
    environmentSettings: parts.settings,
    environmentDigest: digestOf(environment),
    home: request.home,
    configuration: request.configuration,
    workspace: request.workspace,
    temporary: request.temporary,
    readable: readableOf(request, parts),
    files: parts.files.map(({ path, content }) => ({ path, sha256: sha256(content) })),
    permissions: { mode: request.profile.permissions, enforcedBy: parts.enforcedBy },
    dialect: request.dialect,
    model: request.pair,
    effort: request.profile.effort ?? null,
    context: request.profile.context ?? null,
    ...(bounds === undefined ? {} : { bounds }),
  }
  return { ok: true, launch: { plan, argv, environment, files: parts.files } }
}

/** A program finds its packages beside itself: the outermost node_modules that holds a file of it is a part of it. */
function readableOf({ profile, workspace }: PlanRequest, { program, programFolder, programFiles, command, readable }: LaunchParts): string[] {
  const files = [command.executable, command.argv[0], program.path, ...programFiles.map(({ path }) => path)]
  const packages = files.flatMap((path) => /^.*?\/node_modules(?=\/)/.exec(path)?.[0] ?? [])
  const all = [...(programFolder === null ? [] : [programFolder]), ...packages, ...readable, ...(profile.readable ?? [])]
  // What lies in the workspace is there for the agent anyway.
  return [...new Set(all)].filter((path) => !liesInside(workspace, path))
}

function inheritedEnvironment({ inherited }: PlanRequest): Record<string, string> {
  return Object.fromEntries(INHERITABLE_NAMES.flatMap((name) => {
    const value = inherited[name]
    return value === undefined ? [] : [[name, value]]
  }))
}

export const refusePlan = (refusal: Refusal): Planned => ({ ok: false, refusal })
