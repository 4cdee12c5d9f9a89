import * as z from 'zod'
import { digestOf, sha256 } from '../../contract/canonical.ts'
import { Name } from '../../contract/ids.ts'
import { milliseconds } from '../../contract/units.ts'
import { Digest, Verdict } from '../../contract/verdict.ts'
import type { LaunchPermit } from '../../gates/launch/index.ts'
import type { AgentPath } from '../../gates/readiness/index.ts'
import type { Grant, Wire, Withdrawal } from '../../gates/wire/index.ts'
import type { AgentSession } from '../agent.ts'
import { Course, type CourseWatcher } from '../course.ts'
import type { RunSummary } from '../ledger.ts'
import type { RunDirectory } from '../run-directory.ts'
import { choosePair, NotBegun, required } from '../steps/choose-pair.ts'
import { decideLaunch, startSession } from '../steps/launch.ts'
import { type ChosenPair, grantToAgent, licenceRequest } from '../steps/wire.ts'
import type { AgentDefinition } from './configuration.ts'
import type { AgentIdentity } from './transition.ts'
import type { AdmissionWatches } from './watches.ts'
import type { AgentWorld } from './world.ts'

const SILENT: CourseWatcher = { gateBegan: () => undefined, gateDecided: () => undefined }

/** The process of a generation that Portcullis started. */
export interface OwnProcess {
  readonly session: AgentSession
  readonly permit: LaunchPermit
  readonly directory: RunDirectory
}

/** One generation of an agent, from its first gate to its end. */
export interface Generation {
  readonly identity: AgentIdentity
  readonly definition: AgentDefinition
  readonly path: AgentPath
  readonly course: Course
  readonly chosen: ChosenPair
  readonly grant: Pick<Grant, 'calls' | 'withdraw' | 'revoke'>
  readonly own: OwnProcess | null
  /** Digest of everything it is started with: the same for every start, or it is not started (RDY-41). */
  readonly seed: string
  /** Set once what admitted its model has ended. */
  withdrawal(): Withdrawal | undefined
  endWatch(): void
}

/** What an agent that somebody else starts needs to reach its model. The token is shown once. */
export interface AgentAccess {
  readonly token: string
  readonly baseUrl: string
  readonly expiresAt: string
}

/** The event by which an external agent is given its token. Only the hash of it is ever stored. */
export const LicensedAgent = z.strictObject({ agent: Name, generation: z.int().positive(), token_sha256: Digest, expires_at: z.iso.datetime() })

const courseOf = (world: AgentWorld, run: RunSummary, after?: Verdict): Course =>
  new Course({ run, ledger: world.ledger, scanner: world.scanner, clock: world.clock, policyDigest: world.configurationDigest, watcher: SILENT, after })

/** Opens the next generation of an agent: it is provisioning from now on, whatever it was before. */
export async function openGeneration(world: AgentWorld, name: string, definition: AgentDefinition, path: AgentPath): Promise<{ readonly course: Course; readonly identity: AgentIdentity }> {
  const at = world.clock()
  const run = await world.ledger.begin({ kind: 'agent', taskId: name, startedAt: at })
  const course = courseOf(world, run)
  await course.append({
    birth: { name, deployment: definition.deployment, path, message: `${path}: nothing is proven yet`, at },
    events: [course.event('run_opened', { agent: name, path, profile: definition.profile, purpose: definition.purpose, definition: digestOf(definition), head_commit: await world.headCommit() })],
  })
  const record = await world.store.find(name)
  if (record?.runId !== run.runId) throw new NotBegun('interrupted', 'another generation was opened at the same time')
  return { course, identity: { name, runId: run.runId, generation: record.generation } }
}

export interface Beginning {
  readonly definition: AgentDefinition
  readonly path: AgentPath
  /** Aborted when nobody wants it any more while it starts. */
  readonly ended: AbortSignal
}

/** Whoever breaks a start off is no fault of the agent, and no gate has to say so. */
function throwIfEnded(ended: AbortSignal): void {
  if (ended.aborted) throw new NotBegun('agent_stopped', 'it was told to end while it started')
}

/** Gates 1 to 3 and, for a process, 4: what they refuse is thrown as `NotBegun`, with the verdict durable. */
export async function beginGeneration(world: AgentWorld, wire: Wire, watches: AdmissionWatches, opened: { readonly course: Course; readonly identity: AgentIdentity }, { definition, path, ended }: Beginning): Promise<{ readonly generation: Generation; readonly access: AgentAccess | null }> {
  const { course, identity } = opened
  const chosen = await choosePair(world, course, wire, { ...definition, cancelled: ended }).finally(() => throwIfEnded(ended))
  const grant = grantToAgent(world, course, wire, chosen)
  const watch = watched(world, watches, chosen, grant)
  try {
    const { own, files } = definition.provisioner.kind === 'process' ? await startOwn(world, course, chosen, grant, definition.provisioner.seed) : { own: null, files: null }
    const generation: Generation = { identity, definition, path, course, chosen, grant, own, seed: await seedDigest(world, definition, chosen, files), ...watch }
    if (own !== null) return { generation, access: null }
    const expiresAt = new Date(world.clock().getTime() + milliseconds(chosen.resolution.profile.limits.total)).toISOString()
    await course.append({ events: [course.event('agent_licensed', LicensedAgent.parse({ agent: identity.name, generation: identity.generation, token_sha256: sha256(grant.token), expires_at: expiresAt }))] })
    return { generation, access: { token: grant.token, baseUrl: grant.baseUrl[chosen.resolution.provider.dialect], expiresAt } }
  } catch (error) {
    watch.endWatch()
    await grant.revoke()
    throw error
  }
}

/** Takes up the generation of an external agent that an earlier server opened. Its pair passes its gates again; nothing of it is proven. */
export async function adoptGeneration(world: AgentWorld, wire: Wire, watches: AdmissionWatches, identity: AgentIdentity, definition: AgentDefinition): Promise<Generation> {
  const history = await world.ledger.history(identity.runId)
  if (history === undefined) throw new NotBegun('evidence_invalid', 'the run of the agent is not in the ledger')
  const { token, lastNumber, last } = storedOf(history.entries)
  if (token === undefined) throw new NotBegun('run_unknown', 'its licence was never granted')
  const course = courseOf(world, history.run, last)
  const chosen = await choosePair(world, course, wire, definition)
  // What was used before is not known here any more: it starts at nothing, within the budgets of the profile that the store counts.
  const grant = wire.adopt(licenceRequest(world, course, chosen), { tokenSha256: token, lastNumber, spent: { calls: 0, tokens: 0, costUsd: 0, unpriced: 0 } })
  const seed = await seedDigest(world, definition, chosen, null)
  return { identity, definition, path: 'adoption', course, chosen, grant, own: null, seed, ...watched(world, watches, chosen, grant) }
}

/** Reads the record of the pair again and again; its end ends the licence, and the agent at the next look. */
function watched(world: AgentWorld, watches: AdmissionWatches, chosen: ChosenPair, grant: Pick<Grant, 'withdraw'>): Pick<Generation, 'withdrawal' | 'endWatch'> {
  let withdrawal: Withdrawal | undefined
  const withdraw = (ended: Withdrawal): void => {
    withdrawal ??= ended
    grant.withdraw(ended)
  }
  return { endWatch: watches.add(world, chosen.resolution, withdraw), withdrawal: () => withdrawal }
}

function storedOf(entries: readonly { readonly kind: string; readonly body: string }[]): { readonly token: string | undefined; readonly lastNumber: number; readonly last: Verdict | undefined } {
  let token: string | undefined
  let lastNumber = 0
  let last: Verdict | undefined
  for (const { kind, body } of entries) {
    const document = JSON.parse(body) as { readonly type?: unknown; readonly data?: { readonly token_sha256?: unknown }; readonly predicate?: { readonly number?: unknown } }
    if (kind === 'verdict') last = Verdict.parse(document)
    else if (kind === 'event' && document.type === 'agent_licensed' && typeof document.data?.token_sha256 === 'string') token = document.data.token_sha256
    else if (kind === 'evidence' && typeof document.predicate?.number === 'number') lastNumber = Math.max(lastNumber, document.predicate.number)
  }
  return { token, lastNumber, last }
}

/** Starts the process in a fresh copy of its seed, through the launch gate and the one door. */
async function startOwn(world: AgentWorld, course: Course, chosen: ChosenPair, grant: Grant, seed: string | undefined): Promise<{ readonly own: OwnProcess; readonly files: string }> {
  const directory = world.createDirectory(course.run.runId)
  try {
    return await startIn(world, course, chosen, grant, seed, directory)
  } catch (error) {
    directory.dropScratch()
    throw error
  }
}

/** An agent that goes beyond a bound is ended, and the next look finds it gone, which is what is told of it. */
const ENDED_FOR_IT = (): void => undefined

async function startIn(world: AgentWorld, course: Course, chosen: ChosenPair, grant: Grant, seed: string | undefined, directory: RunDirectory): Promise<{ readonly own: OwnProcess; readonly files: string }> {
  const files = await plantSeed(world, directory, seed)
  const { decided, launch } = await decideLaunch(world, course, grant, chosen.resolution, directory)
  const permit = required(decided)
  if (launch === undefined) throw new NotBegun('gate_output_invalid', 'a permit without a launch')
  const session = await startSession(world, permit, launch, { directory, grant, heard: () => undefined, exceeded: ENDED_FOR_IT }).catch((error: unknown) => {
    throw new NotBegun('agent_not_started', error instanceof Error ? error.name : typeof error)
  })
  const seen = await world.launcher.observe(launch.plan, session.process, { responded: null, claims: { model: null, provider: null, version: null, effort: null } }, { observedAt: world.clock(), validForMs: 1 })
  await course.append({ events: [course.event('process_started', { pid: session.process.pid, start_ticks: seen.observed.startTicks, agent: launch.plan.agent, version: launch.plan.version.found })] })
  return { own: { session, permit, directory }, files }
}

async function plantSeed(world: AgentWorld, directory: RunDirectory, seed: string | undefined): Promise<string> {
  if (seed === undefined) return digestOf('no seed')
  try {
    await world.workspaces.prepare({ source: world.seedDirectory(seed), branch: 'main', into: directory.workspace })
    return await world.workspaces.digest(directory.workspace)
  } catch (error) {
    throw new NotBegun('workspace_unusable', `the seed ${seed} cannot be copied (${error instanceof Error ? error.name : typeof error})`)
  }
}

/** Model, persona, tools, build and the files of the seed: what must be the same at every start. */
async function seedDigest(world: AgentWorld, { expects }: AgentDefinition, { resolution }: ChosenPair, files: string | null): Promise<string> {
  const [persona, build] = await Promise.all([world.readMaterial(expects.persona, ''), world.readMaterial(expects.build, '')])
  return digestOf({ pair: resolution.pair, persona: persona.sha256, build: build.sha256, mcpServers: expects.mcpServers, name: expects.name, version: expects.version, files })
}
