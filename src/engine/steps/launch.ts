import { digestOf } from '../../contract/canonical.ts'
import type { Refusal } from '../../contract/gate.ts'
import type { Subject } from '../../contract/verdict.ts'
import type { Resolution } from '../../gates/catalog/index.ts'
import { type Exceeded, composeLaunchFacts, type LaunchFacts, launchGate, type LaunchPermit, type LaunchPermitContent, launchProof, type Planned, type PlannedLaunch, type PlanRequest } from '../../gates/launch/index.ts'
import { type ReadyContent, readinessGate, readinessProof } from '../../gates/readiness/index.ts'
import type { Grant } from '../../gates/wire/index.ts'
import { withinLimit } from '../../contract/time-limit.ts'
import { milliseconds } from '../../contract/units.ts'
import type { AgentProcess, AgentSession } from '../agent.ts'
import type { Course, Decided } from '../course.ts'
import { LOCAL_WORK_MS, MARGIN_MS, unenforceableLimits } from '../limits.ts'
import type { RunDirectory } from '../run-directory.ts'
import { scanLaunch } from '../scan.ts'
import type { World } from '../world.ts'

/** What launch, readiness and dispatch judge: the one session of this run, with this pair, by this profile. */
export const sessionSubject = (course: Course, resolution: Resolution): Subject => ({
  name: `session ${course.run.runId}`,
  digest: { sha256: digestOf({ run: course.run.runId, profile: resolution.profileName, pair: resolution.pair }) },
})

export type DecidedLaunch = { readonly decided: Decided<'launch', LaunchPermitContent>; readonly launch: PlannedLaunch | undefined }

/** How a launch is planned, and what only a start can show of it. Starts nothing that has a token or a prompt. */
export interface LaunchPlanner {
  plan(request: PlanRequest): Promise<Planned>
  preflight(launch: PlannedLaunch, request: PlanRequest): Promise<Refusal | null>
}

/** Gate 4 for the agent of a profile. */
export const decideLaunch = (world: World, course: Course, grant: Grant, resolution: Resolution, directory: RunDirectory): Promise<DecidedLaunch> =>
  decidePlanned(world, course, grant, resolution, directory, {
    plan: (request) => plan(world, request),
    preflight: async (launch, request) => (await world.agents.get(request.profile.agent)?.preflight(launch, request)) ?? null,
  })

/** Gate 4: what would be started is planned, judged and made durable, together with the state that allows a process. Starts nothing. */
export async function decidePlanned(world: World, course: Course, grant: Grant, resolution: Resolution, directory: RunDirectory, planner: LaunchPlanner): Promise<DecidedLaunch> {
  const { profile, provider, pair } = resolution
  const request: PlanRequest = {
    runId: course.run.runId,
    profileName: resolution.profileName,
    profile,
    pair,
    dialect: provider.dialect,
    endpoint: provider.baseUrl,
    baseUrl: grant.baseUrl[provider.dialect],
    runToken: grant.token,
    workspace: directory.workspace,
    home: directory.home,
    configuration: directory.configuration,
    temporary: directory.temporary,
    inherited: world.inherited,
  }
  let planned: Planned | undefined
  const decided = await course.decide({
    definition: launchGate,
    mint: launchProof,
    subject: sessionSubject(course, resolution),
    timeoutMs: LOCAL_WORK_MS,
    observe: async () => {
      const [found, { reached, obstacle }] = await Promise.all([planner.plan(request), world.isolation.reach(profile.isolation)])
      planned = found
      const factsOf = (what: Planned): LaunchFacts => {
        const facts = composeLaunchFacts(what, request, {
          observedAt: world.clock(),
          validForMs: milliseconds(profile.limits.total),
          runDirectory: directory.path,
          isolation: { required: profile.isolation, reached, obstacle },
          secrets: world.knownSecrets(),
          unenforceableLimits: unenforceableLimits(profile, world.configuration, provider, pair.model),
        })
        return what.ok ? { ...facts, secretsFound: [...new Set([...facts.secretsFound, ...scanLaunch(world.scanner, what.launch)])] } : facts
      }
      const refusal = await preflight(planner, planned, factsOf(planned), request)
      if (refusal !== null) planned = { ok: false, refusal }
      return { facts: factsOf(planned) }
    },
    together: (verdict) => (verdict.outcome === 'pass' ? { state: { to: 'started', reason: null, at: world.clock() } } : {}),
  })
  return { decided, launch: planned?.ok === true ? planned.launch : undefined }
}

async function plan(world: World, request: PlanRequest): Promise<Planned> {
  const adapter = world.agents.get(request.profile.agent)
  if (adapter !== undefined) return adapter.plan(request)
  return {
    ok: false,
    refusal: {
      reason: 'agent_unknown',
      message: `Nothing here can drive ${request.profile.agent}.`,
      asked: `agent ${request.profile.agent} of profile ${request.profileName}`,
      found: `adapters for ${[...world.agents.keys()].join(', ')}`,
      remedy: 'Name one of them in the profile; `command` drives any program that takes its base URL and token from the environment.',
    },
  }
}

/** Nothing of a program is started, not even to see whether it starts, where the plan itself would be refused. */
async function preflight(planner: LaunchPlanner, planned: Planned, facts: LaunchFacts, request: PlanRequest): Promise<Refusal | null> {
  const wouldPass = launchGate.decide(facts, ['0'.repeat(64)]).outcome === 'pass'
  return planned.ok && wouldPass ? planner.preflight(planned.launch, request) : null
}

/** Starts the agent through the one door. Whatever it prints from the first byte on is heard. */
export async function startSession(world: World, permit: LaunchPermit, launch: PlannedLaunch, { directory, grant, heard, exceeded }: { readonly directory: RunDirectory; readonly grant: Grant; heard(): void; exceeded(what: Exceeded): void }): Promise<AgentSession> {
  const adapter = world.agents.get(launch.plan.agent)
  if (adapter === undefined) throw new TypeError(`no adapter for ${launch.plan.agent}`)
  const logs = { stdout: `${directory.staging}/agent.stdout.log`, stderr: `${directory.staging}/agent.stderr.log`, maxBytes: world.logBytes }
  return adapter.open<AgentProcess>(
    launch,
    (onStdout) =>
      world.launcher.start(permit, launch, {
        logs,
        wire: grant,
        onExceeded: exceeded,
        onStdout: (chunk) => {
          heard()
          onStdout(chunk)
        },
      }),
    world.clock,
  )
}

/** Gate 5: is what runs now what was planned? Looked at through the kernel and on disk; the agent's own words can only contradict. */
export function decideReadiness(world: World, course: Course, resolution: Resolution, permit: LaunchPermit, session: AgentSession, cancelled: AbortSignal): Promise<Decided<'readiness', ReadyContent>> {
  launchProof.check(permit, world.clock())
  const idleMs = milliseconds(resolution.profile.limits.idle)
  return course.decide({
    definition: readinessGate,
    mint: readinessProof,
    subject: sessionSubject(course, resolution),
    timeoutMs: idleMs + MARGIN_MS,
    observe: async (signal) => {
      const readiness = await session.ready(withinLimit(idleMs, signal, cancelled))
      // Its files may take longer to look at than a person waits for the end of what they cancelled.
      if (cancelled.aborted) await session.stop(0)
      const validForMs = milliseconds(resolution.profile.limits.total)
      return { facts: await world.launcher.observe(permit.plan, session.process, readiness, { observedAt: world.clock(), validForMs }) }
    },
  })
}
