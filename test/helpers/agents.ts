import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { sha256 } from '../../src/contract/canonical.ts'
import { createRunToken } from '../../src/contract/ids.ts'
import type { AgentAdapter, AgentProcess, AgentSession } from '../../src/engine/agent.ts'
import { dispatchGate, dispatchProof, type Turn } from '../../src/gates/dispatch/index.ts'
import type { Profile } from '../../src/gates/catalog/index.ts'
import { composeLaunchFacts, type LaunchFacts, launchGate, type LaunchPermit, launchProof, type Planned, type PlannedLaunch, type PlanRequest } from '../../src/gates/launch/index.ts'
import { observeReadiness, startAgent } from '../../src/adapters/runtime-process/index.ts'
import type { ReadinessFacts } from '../../src/gates/readiness/index.ts'
import { proofOf } from './proofs.ts'

export const profile: Profile = {
  agent: 'pi',
  model: 'scripted/coder-1',
  permissions: 'bypass',
  purposes: ['ticket'],
  isolation: 'env',
  backgroundModels: 'refuse',
  limits: { total: '60s', idle: '30s', calls: 10, tokens: 10_000 },
}

/** A run directory of its own and a request for it; everything is gone after the test. */
export function requestFor(context: Pick<TestContext, 'after'>, change: Partial<PlanRequest> & { readonly profile: Profile }): PlanRequest & { readonly runDirectory: string } {
  const runDirectory = realpathSync(mkdtempSync(join(tmpdir(), 'portcullis-agent-')))
  context.after(() => rmSync(runDirectory, { recursive: true, force: true }))
  const directory = (name: string): string => {
    const path = join(runDirectory, name)
    mkdirSync(path, { recursive: true })
    return path
  }
  return {
    runDirectory,
    runId: '20261120T213918Z-test-1',
    profileName: 'test',
    pair: { provider: 'scripted', model: 'coder-1' },
    dialect: 'openai-chat',
    endpoint: 'http://127.0.0.1:8009/v1',
    baseUrl: 'http://127.0.0.1:1/v1',
    runToken: createRunToken(),
    workspace: directory('workspace'),
    home: directory('home'),
    configuration: directory('home/configuration'),
    temporary: directory('temporary'),
    inherited: process.env,
    ...change,
  }
}

export function launchOf(planned: Planned): PlannedLaunch {
  if (!planned.ok) throw new Error(`Not planned: ${JSON.stringify(planned.refusal)}`)
  return planned.launch
}

export function factsOf(launch: PlannedLaunch, request: ReturnType<typeof requestFor>, secrets: readonly string[] = []): LaunchFacts {
  return composeLaunchFacts({ ok: true, launch }, request, {
    observedAt: new Date(),
    validForMs: 60_000,
    runDirectory: request.runDirectory,
    isolation: { required: 'env', reached: 'env', obstacle: null },
    secrets,
    unenforceableLimits: [],
  })
}

export const permitOf = (launch: PlannedLaunch, request: ReturnType<typeof requestFor>): Promise<LaunchPermit> =>
  proofOf(launchGate, launchProof, factsOf(launch, request), new Date())

/** Starts a planned launch through the real door. The process is ended after the test, whatever happened to it. */
export async function opened(context: TestContext, adapter: AgentAdapter, launch: PlannedLaunch, request: ReturnType<typeof requestFor>): Promise<AgentSession> {
  const permit = await permitOf(launch, request)
  const logs = { stdout: join(request.runDirectory, 'stdout.log'), stderr: join(request.runDirectory, 'stderr.log'), maxBytes: 1_048_576 }
  const start = (onStdout: (chunk: Buffer) => void): Promise<AgentProcess> =>
    startAgent(permit, launch, { now: () => new Date(), logs, keep: { headBytes: 65_536, tailBytes: 65_536 }, onStdout, onExceeded: () => undefined, seal: () => Promise.resolve(undefined) })
  const session = await adapter.open(launch, start, () => new Date())
  context.after(() => session.stop(0))
  return session
}

/** What readiness would be judged by, of a session that was just opened. */
export async function readinessOf(session: AgentSession, launch: PlannedLaunch, timeoutMs = 20_000): Promise<ReadinessFacts> {
  return await observeReadiness(launch.plan, session.process, await session.ready(AbortSignal.timeout(timeoutMs)), { observedAt: new Date(), validForMs: 60_000 })
}

export const turnFor = (prompt: string, pid: number): Promise<Turn> =>
  proofOf(
    dispatchGate,
    dispatchProof,
    { observedAt: new Date().toISOString(), validForMs: 60_000, pid, promptDigest: sha256(prompt), promptBytes: Buffer.byteLength(prompt), sessionState: 'idle', deliveriesBefore: 0, phase: 'before', failure: null },
    new Date(),
  )
