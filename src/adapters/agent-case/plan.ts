import { lstat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Refusal } from '../../contract/gate.ts'
import type { FileDigest, Planned, PlannedLaunch, PlanRequest } from '../../gates/launch/index.ts'
import { fileDigest, isAbsent, plannedLaunch, refusePlan, resolveCommand, treeDigest } from '../runtime-process/index.ts'
import { filesOf, placesBelow, settingsOf, TOKEN_VARIABLE } from './configuration.ts'
import { type CaseInstallation, readCase } from './installation.ts'
import { lookBefore } from './preflight.ts'
import { notInstalled, requestRefusal, settingRefusal, stateRefusal } from './refusals.ts'
import { bridgeAsked } from './requests.ts'
import { authRouteOf, tokenFor } from './routes.ts'

/**
 * Plans Case with a configuration in which the admitted model, through the wire, is all there is. What is wrong with the
 * request is found first, from the environment and a table; then the program is looked for on disk.
 */
export async function plan(request: PlanRequest): Promise<Planned> {
  const refusal = settingRefusal(request) ?? requestRefusal(request) ?? ((await holdsState(request.workspace)) ? stateRefusal(request) : undefined)
  if (refusal !== undefined) return refusePlan(refusal)
  const found = await locate(request)
  if ('reason' in found) return refusePlan(found)
  const { installation, bun } = found
  const route = authRouteOf(request.pair.provider)
  const bridged = bridgeAsked(request.inherited)
  const { bunfig, handOver, bridge, task } = placesBelow(request)
  const preloads = [handOver, ...(bridged ? [bridge] : [])].flatMap((path) => ['--preload', path])
  const tokenVariable = bridged || route.kind !== 'environment' ? TOKEN_VARIABLE : route.variable
  return await plannedLaunch(request, {
    versionFound: installation.version,
    program: { path: installation.program, sha256: await treeDigest(installation.folder) },
    programFolder: installation.folder,
    readable: [installation.packageRoot],
    // What the kernel puts before the program is the program too, if it is a script.
    programFiles: await Promise.all([...new Set([...bun.slice(1), ...installation.files])].map(digested)),
    command: { executable: found.executable, argv: [...bun, `--config=${bunfig}`, ...preloads, installation.program, 'run', '--task', task(request.runId), '--mode', 'unattended'] },
    environment: { [tokenVariable]: tokenFor(route, request.runToken) },
    settings: settingsOf(request, request, installation.packageRoot, bridged),
    files: filesOf(request, request, bridged),
    enforcedBy: request.profile.permissions === 'bypass' ? 'nothing is asked or refused: the roles of Case run commands and edit files, with the rights of their process' : null,
  })
}

/** Starts what was planned, once for its help and once for its catalogue. A refusal says what stands against the launch. */
export async function preflight(launch: PlannedLaunch, request: PlanRequest): Promise<Refusal | null> {
  const found = await locate(request)
  if ('reason' in found) return found
  const { installation, bun } = found
  // Found once more, and it must be the one that was planned: no other is started.
  if (installation.program !== launch.plan.program.path) return notInstalled(request, 'another program than the one that was planned')
  return (await lookBefore({ request, installation, route: authRouteOf(request.pair.provider), bridged: bridgeAsked(request.inherited), bun })) ?? null
}

interface Located {
  readonly installation: CaseInstallation
  readonly bun: readonly [string, ...string[]]
  readonly executable: string
}

async function locate(request: PlanRequest): Promise<Located | Refusal> {
  const [runtime, script, ...more] = request.profile.command ?? []
  if (runtime === undefined || script === undefined || more.length > 0) return notInstalled(request, 'a command that is not exactly Bun and the program of Case')
  const bun = await resolveCommand([runtime], request.inherited['PATH'] ?? '', '/')
  if (bun === undefined) return notInstalled(request, `no program ${runtime}`)
  const installation = script.startsWith('/') ? await readCase(script) : undefined
  if (installation === undefined) return notInstalled(request, `no program of the package case with its Pi at ${script}`)
  return { installation, bun: bun.argv, executable: bun.executable }
}

/** State of an earlier Case in the repository: Case would go on from there, and skip what it thinks is done. */
async function holdsState(workspace: string): Promise<boolean> {
  try {
    await lstat(join(workspace, '.case'))
    return true
  } catch (error) {
    if (isAbsent(error)) return false
    throw error
  }
}

const digested = async (path: string): Promise<FileDigest> => ({ path, sha256: await fileDigest(path) })
