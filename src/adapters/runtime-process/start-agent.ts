import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { canonicalJson, digestOf, sha256 } from '../../contract/canonical.ts'
import type { Clock } from '../../contract/clock.ts'
import { PortcullisError } from '../../contract/errors.ts'
import { type Exceeded, type LaunchPermit, type LaunchPlan, launchProof, type PlannedLaunch, planDigest } from '../../gates/launch/index.ts'
import type { Seal } from '../isolation/index.ts'
import { BoundsWatch, fileExceeded, filesFrom } from './bounds-watch.ts'
import { type ProcessIdentity, processIdentity, type ProcessSpec, type RunningProcess, startProcess } from '../process/index.ts'

export interface StartAgentOptions {
  readonly now: Clock
  readonly logs: NonNullable<ProcessSpec['logs']>
  readonly keep: ProcessSpec['keep']
  onStdout?(chunk: Buffer): void
  /** Called once if the agent goes beyond a bound of its plan: for memory and processes before it is ended, for files before its end is known. */
  onExceeded(exceeded: Exceeded): void
  /** What stands around the agent at the level that was permitted; undefined where that level needs nothing. */
  seal(permit: LaunchPermit, launch: PlannedLaunch): Promise<Seal | undefined>
}

const identities = new WeakMap<object, ProcessIdentity>()

/** What the kernel said of an agent when it started: programs rewrite their own argv later. Undefined for one that did not come through the door. */
export const identityAtStart = (agent: object): ProcessIdentity | undefined => identities.get(agent)

/**
 * The one door through which an agent is started. Writes the planned files, then starts the planned program in the
 * planned workspace, with the planned environment and nothing of ours.
 * At a level that needs a seal the process that is returned is the agent inside it; the seal is ended with it.
 * Throws `proof_forged`, with nothing written and nothing started, for a permit that the launch gate did not make, that has
 * expired, or that was given for another launch. Rejects with the system's error if the files or the process fail.
 */
export async function startAgent(permit: LaunchPermit, launch: PlannedLaunch, options: StartAgentOptions): Promise<RunningProcess> {
  launchProof.check(permit, options.now())
  const differences = differencesFrom(permit, launch)
  if (differences.length > 0) {
    throw new PortcullisError('proof_forged', {
      asked: `the launch that was permitted for ${permit.plan.agent}`,
      found: `a launch with other ${differences.join(', ')}`,
      remedy: 'Pass the launch gate with the launch that is to be started; a permit holds for that one only.',
    })
  }
  for (const file of launch.files) await writePlanned(file.path, file.content)
  for (const directory of [permit.plan.home, permit.plan.configuration, permit.plan.temporary]) await makePrivate(directory)
  const seal = await options.seal(permit, launch)
  const spec = {
    argv: launch.argv,
    cwd: permit.plan.workspace,
    env: launch.environment,
    stdin: 'pipe' as const,
    endsWithUs: true as const,
    keep: options.keep,
    logs: options.logs,
    ...(options.onStdout === undefined ? {} : { onStdout: options.onStdout.bind(options) }),
  }
  const { started, pid } = seal === undefined ? await startBare(spec) : await startSealed(spec, seal, permit.plan, (exceeded) => options.onExceeded(exceeded))
  // An agent that was not found in its seal has no identity: the seal must not be taken for it.
  const identity = pid === undefined ? undefined : await identityOfNew(pid)
  if (identity !== undefined) identities.set(started, identity)
  return started
}

interface Started {
  readonly started: RunningProcess
  /** Of the agent itself; undefined if it ended before it could be found. */
  readonly pid: number | undefined
}

async function startBare(spec: ProcessSpec): Promise<Started> {
  const started = await startProcess(spec)
  return { started, pid: started.pid }
}

/** Starts the seal. What is returned goes by the agent inside: it is the agent that is looked at, and that a turn is for. */
async function startSealed(spec: ProcessSpec, seal: Seal, plan: LaunchPlan, onExceeded: (exceeded: Exceeded) => void): Promise<Started> {
  const { bounds } = plan
  const folders = [plan.workspace, plan.home, plan.configuration, plan.temporary]
  const fileBytes = bounds?.fileBytes ?? null
  const before = fileBytes === null ? new Set<string>() : await filesFrom(folders, fileBytes)
  let watch: BoundsWatch | undefined
  const outer = await startProcess({ ...spec, argv: seal.argv, sealed: true }).catch(async (error: unknown) => {
    await seal.release()
    throw error
  })
  const exited = outer.exited.then(async (exit) => {
    watch?.dismiss()
    const grown = fileBytes === null ? undefined : fileExceeded(before, await filesFrom(folders, fileBytes), fileBytes)
    if (grown !== undefined) onExceeded(grown)
    // Leaving a folder behind is the lesser error, and is no news of the agent.
    await seal.release().catch(() => undefined)
    return exit
  })
  const pid = await seal.agentIn(outer)
  if (bounds !== undefined && pid !== undefined) {
    watch = new BoundsWatch(bounds, { seal: outer.pid, agent: pid }, (exceeded) => {
      onExceeded(exceeded)
      // The stop at the end of every run asks again, and reports what cannot be ended.
      void outer.stop(0).catch(() => undefined)
    })
    void outer.exited.then(() => watch?.dismiss())
  }
  return { started: { ...outer, exited, pid: pid ?? outer.pid }, pid }
}

/** Far more than the kernel ever takes for the rest of an exec, on a machine that is overloaded too. */
const EXEC_LIMIT_MS = 2_000

/**
 * What the kernel says of a process that has just been started. It counts as started when its descriptors are closed, and gets
 * its arguments a moment later: until then they are empty, which is no difference from the plan. A process that has
 * none after the limit is given as it is, and is not as planned.
 */
async function identityOfNew(pid: number): Promise<ProcessIdentity | undefined> {
  const limit = performance.now() + EXEC_LIMIT_MS
  for (;;) {
    const identity = processIdentity(pid)
    if (identity === undefined || identity.argv.some((argument) => argument !== '') || performance.now() > limit) return identity
    await wait(1)
  }
}

/** What a launch has that its permit was not given for, by name. */
function differencesFrom(permit: LaunchPermit, launch: PlannedLaunch): string[] {
  const { plan } = permit
  const files = launch.files.map(({ path, content }) => ({ path, sha256: sha256(content) }))
  const same = (one: unknown, other: unknown): boolean => canonicalJson(one) === canonicalJson(other)
  return [
    ['plan', permit.planDigest === planDigest(launch.plan) && permit.planDigest === planDigest(plan)],
    ['arguments', same(launch.argv, plan.argv)],
    ['environment', same(Object.keys(launch.environment).sort(), plan.environmentNames) && digestOf(launch.environment) === plan.environmentDigest],
    ['files', same(files, plan.files)],
  ].flatMap(([name, equal]) => (equal === true ? [] : [String(name)]))
}

/** `mkdir` leaves the mode of a directory that is there as it is. */
async function makePrivate(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  await chmod(directory, 0o700)
}

/** Exclusive: a file that somebody put there before us is not ours, and would be read in place of ours. */
async function writePlanned(path: string, content: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  await writeFile(path, content, { mode: 0o600, flag: 'wx' })
}
