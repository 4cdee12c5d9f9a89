import * as z from 'zod'
import { sha256 } from '../../contract/canonical.ts'
import { milliseconds } from '../../contract/units.ts'
import { Digest } from '../../contract/verdict.ts'
import { withinLimit } from '../../contract/time-limit.ts'
import { TicketId } from '../../gates/dispatch/index.ts'
import type { LaunchPermit, PlannedLaunch, PlanRequest } from '../../gates/launch/index.ts'
import { type Ready, readinessGate, readinessProof } from '../../gates/readiness/index.ts'
import type { Grant, Wire, Withdrawal } from '../../gates/wire/index.ts'
import type { AgentProcess } from '../agent.ts'
import type { AdmissionWatches } from '../agents/watches.ts'
import type { Course } from '../course.ts'
import { LOCAL_WORK_MS, MARGIN_MS } from '../limits.ts'
import type { RunDirectory } from '../run-directory.ts'
import { choosePair, NotBegun, required } from '../steps/choose-pair.ts'
import { decidePlanned, sessionSubject } from '../steps/launch.ts'
import { type ChosenPair, licenceRequest } from '../steps/wire.ts'
import type { ChannelRequest } from '../tickets/channel.ts'
import type { CompletionEndpoint, LiveSession, SessionRequest, SessionRuntime } from './runtime.ts'
import type { WatchedEvents } from './watched-events.ts'
import { type PlantedRepository, plantRepositories, repositoriesOf } from './workspace.ts'
import type { SessionPlace, SessionWorld } from './world.ts'

/** The event by which a session is given the token of its own connection. Only the hash of it is ever stored. */
export const LicensedSession = z.strictObject({ ticket: TicketId, session: z.string(), profile: z.string(), token_sha256: Digest, expires_at: z.iso.datetime() })

/** A session that has passed gates 1 to 5: what its turns and its end need. */
export interface BegunSession {
  readonly runtime: SessionRuntime
  readonly live: LiveSession
  /** What it works on; all of it lies in the directory that it was started in. */
  readonly repositories: readonly PlantedRepository[]
  readonly chosen: ChosenPair
  readonly grant: Grant
  readonly ready: Ready
  /** Until when anything may enter it: no proof of it holds longer. */
  readonly until: Date
  /** Set once what admitted its model has ended. */
  withdrawal(): Withdrawal | undefined
  endWatch(): void
}

export interface BeginParts {
  readonly world: SessionWorld
  readonly wire: Wire
  readonly watches: AdmissionWatches
  readonly course: Course
  readonly directory: RunDirectory
  readonly place: SessionPlace
  readonly completionUrl: string | undefined
  readonly events: WatchedEvents
  /** Called once a process may be alive. */
  started(): void
}

/** Takes a session through gates 1 to 5. What they refuse is thrown as `NotBegun`, with the verdict durable; nothing of it is left running then. */
export async function beginSession(parts: BeginParts, request: ChannelRequest): Promise<BegunSession> {
  const { world, wire, watches, course, directory, place } = parts
  const chosen = await choosePair(world, course, wire, { profile: request.profile, purpose: place.purpose, cancelled: request.ended }).finally(() => throwIfEnded(request))
  const runtime = runtimeFor(world, chosen, request, place)
  const repositories = repositoriesOf(place, request.repositories, directory)
  // The epoch of the ticket: whoever looks at a call sees in which attempt it was made.
  const grant = wire.grant({ ...licenceRequest(world, course, chosen), epoch: request.epoch })
  world.scanner.know(grant.token)
  world.scanner.know(request.token)
  let withdrawal: Withdrawal | undefined
  const endWatch = watches.add(world, chosen.resolution, (ended) => {
    withdrawal ??= ended
    grant.withdraw(ended)
  })
  let live: LiveSession | undefined
  try {
    const until = new Date(world.clock().getTime() + milliseconds(chosen.resolution.profile.limits.total))
    await plantRepositories(world.workspaces, repositories)
    throwIfEnded(request)
    const planned = await decideStart(parts, request, { chosen, grant, runtime, repositories })
    await course.append({ events: [course.event('session_licensed', LicensedSession.parse({ ticket: request.ticket, session: request.session, profile: request.profile, token_sha256: sha256(request.token), expires_at: until.toISOString() }))] })
    throwIfEnded(request)
    live = await startLive(parts, planned, { grant, runtime })
    await noteStart(parts, planned, { live, repositories })
    const ready = await decideReady(parts, planned, { chosen, live, ended: request.ended }).finally(() => throwIfEnded(request))
    return { runtime, live, repositories, chosen, grant, ready, until, withdrawal: () => withdrawal, endWatch }
  } catch (error) {
    endWatch()
    await grant.revoke()
    await live?.close(0)
    throw error
  }
}

/** Whoever breaks a start off is no fault of the session, and no gate has to say so. */
function throwIfEnded({ ended, ticket }: ChannelRequest): void {
  if (!ended.aborted) return
  const found = 'it was told to end while it started'
  throw new NotBegun('interrupted', found, { reason: 'interrupted', message: 'The session was told to end while it started.', asked: `a session for ${ticket}`, found, remedy: 'Start another one.' })
}

/** By the agent of the profile and the mode that was asked for: nothing else is taken in its place. */
function runtimeFor(world: SessionWorld, { resolution }: ChosenPair, { mode }: ChannelRequest, { bySchema }: SessionPlace): SessionRuntime {
  const { agent } = resolution.profile
  const runtime = world.runtimes.find((each) => each.name === agent && each.mode === mode)
  if (runtime !== undefined && bySchema && runtime.manifest.structured_result === 'none') {
    const found = `${agent} cannot be held to a schema`
    throw new NotBegun('agent_setting_unsupported', found, { reason: 'agent_setting_unsupported', message: 'The session could not complete its turns as its project says.', asked: `completion: schema for profile ${resolution.profileName}`, found, remedy: 'Take completion: tool for the project, or a profile with an agent that can.' })
  }
  if (runtime !== undefined) return runtime
  const found = world.runtimes.map((each) => `${each.name} (${each.mode})`).join(', ')
  throw new NotBegun('agent_unknown', found, { reason: 'agent_unknown', message: `No session of ${agent} can be held here.`, asked: `a session of ${agent} (${mode}) for profile ${resolution.profileName}`, found: found === '' ? 'no runtime' : found, remedy: 'Take a profile with one of these agents; the others do one task a run.' })
}

interface PlannedSession {
  readonly permit: LaunchPermit
  readonly launch: PlannedLaunch
  readonly request: SessionRequest
}

/** Gate 4. */
async function decideStart({ world, course, directory, completionUrl }: BeginParts, asked: ChannelRequest, { chosen, grant, runtime, repositories }: Pick<BegunSession, 'chosen' | 'grant' | 'runtime' | 'repositories'>): Promise<PlannedSession> {
  const sessionId = crypto.randomUUID()
  // Who is sealed off reaches the wire and nothing else; its turns end by its own protocol.
  const sealed = chosen.resolution.profile.isolation === 'network'
  const completion: CompletionEndpoint | undefined = sealed || completionUrl === undefined ? undefined : { url: completionUrl, token: asked.token }
  const requestOf = (request: PlanRequest): SessionRequest => ({ ...request, sessionId, completion, repositories: repositories.map(({ path }) => path) })
  let request: SessionRequest | undefined
  const { decided, launch } = await decidePlanned(world, course, grant, chosen.resolution, directory, {
    plan: (plan) => {
      request = requestOf(plan)
      return runtime.plan(request)
    },
    // What only a start can show of a session is asked of the session itself, by the next gate.
    preflight: () => Promise.resolve(null),
  })
  const permit = required(decided)
  if (launch === undefined || request === undefined) throw new NotBegun('gate_output_invalid', 'a permit without a launch')
  return { permit, launch, request }
}

/** The one door. Whatever it prints from the first byte on is heard. */
async function startLive({ world, directory, events, started }: BeginParts, { permit, launch, request }: PlannedSession, { grant, runtime }: Pick<BegunSession, 'grant' | 'runtime'>): Promise<LiveSession> {
  const logs = { stdout: `${directory.staging}/agent.stdout.log`, stderr: `${directory.staging}/agent.stderr.log`, maxBytes: world.logBytes }
  started()
  try {
    return await runtime.open<AgentProcess>(
      launch,
      (onStdout) =>
        world.launcher.start(permit, launch, {
          logs,
          wire: grant,
          // It is ended for it there; the session then says that its process has ended.
          onExceeded: () => undefined,
          onStdout: (chunk) => {
            events.heard()
            onStdout(chunk)
          },
        }),
      { request, now: world.clock, onEvent: events.take },
    )
  } catch (error) {
    const found = error instanceof Error ? error.name : typeof error
    throw new NotBegun('agent_not_started', found, { reason: 'agent_not_started', message: 'The process of the session did not start.', asked: `a session of ${runtime.name}`, found, remedy: 'See portcullis doctor.' })
  }
}

/** Which process it is, where it works and on which repositories (MC-132), so that a later server can end it should this one be killed. */
async function noteStart({ world, course }: BeginParts, { permit, launch }: PlannedSession, { live, repositories }: Pick<BegunSession, 'live' | 'repositories'>): Promise<void> {
  const seen = await world.launcher.observe(permit.plan, live.process, { responded: null, claims: NO_CLAIMS }, { observedAt: world.clock(), validForMs: 1 })
  await course.append({ events: [course.event('process_started', { pid: live.process.pid, start_ticks: seen.observed.startTicks, agent: launch.plan.agent, version: launch.plan.version.found, cwd: permit.plan.workspace, repositories: repositories.map(({ name }) => name).join(' ') })] })
}

const NO_CLAIMS = { model: null, provider: null, version: null, effort: null } as const

/** Gate 5: is what runs now what was planned, and does it answer? */
async function decideReady({ world, course }: BeginParts, { permit }: PlannedSession, { chosen, live, ended }: Pick<BegunSession, 'chosen' | 'live'> & Pick<ChannelRequest, 'ended'>): Promise<Ready> {
  const { resolution } = chosen
  const idleMs = milliseconds(resolution.profile.limits.idle)
  return required(
    await course.decide({
      definition: readinessGate,
      mint: readinessProof,
      subject: sessionSubject(course, resolution),
      timeoutMs: idleMs + MARGIN_MS + LOCAL_WORK_MS,
      observe: async (signal) => {
        const { ok } = await live.ready(withinLimit(idleMs, signal, ended))
        return { facts: await world.launcher.observe(permit.plan, live.process, { responded: ok, claims: NO_CLAIMS }, { observedAt: world.clock(), validForMs: milliseconds(resolution.profile.limits.total) }) }
      },
    }),
  )
}
