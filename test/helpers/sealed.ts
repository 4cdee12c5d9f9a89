import { mkdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { commandAgent } from '../../src/adapters/agent-command/index.ts'
import { createIsolation, type Isolation } from '../../src/adapters/isolation/index.ts'
import type { RunningProcess } from '../../src/adapters/process/index.ts'
import { startAgent } from '../../src/adapters/runtime-process/index.ts'
import { digestOf } from '../../src/contract/canonical.ts'
import { type Exceeded, type LaunchFacts, launchGate, type LaunchPermit, launchProof, type PlannedLaunch, type PlanRequest } from '../../src/gates/launch/index.ts'
import type { Grant } from '../../src/gates/wire/index.ts'
import { factsOf, launchOf, profile, requestFor } from './agents.ts'
import { proofOf } from './proofs.ts'

export type SealedLevel = 'fs' | 'network'
export const SEALED_LEVELS: readonly SealedLevel[] = ['fs', 'network']

export const isolation: Isolation = createIsolation({ searchPath: process.env['PATH'] ?? '', node: process.execPath, temporaryDirectory: tmpdir() })

/** Why a test of this level cannot run here, as node:test counts a test that is skipped; false where it can. */
export async function notHere(level: SealedLevel): Promise<string | false> {
  const { obstacle } = await isolation.reach(level)
  return obstacle === null ? false : `isolation ${level} is not reached here: ${obstacle}`
}

/** A wire that nobody can reach, for an agent that does not call it. */
export const NO_WIRE: Pick<Grant, 'baseUrl' | 'listen'> = {
  baseUrl: { 'openai-chat': 'http://127.0.0.1:4010/v1', 'openai-responses': 'http://127.0.0.1:4010/v1', 'anthropic-messages': 'http://127.0.0.1:4010', gemini: 'http://127.0.0.1:4010' },
  listen: () => Promise.resolve(),
}

export interface SealedStart {
  readonly agent: RunningProcess
  readonly launch: PlannedLaunch
  readonly permit: LaunchPermit
  readonly request: ReturnType<typeof requestFor>
}

/** Starts a command through the one door at a level. `files` are written into its workspace first. The process is ended after the test. */
export async function startSealed(
  context: Pick<TestContext, 'after'>,
  level: LaunchFacts['isolation']['reached'],
  command: readonly string[],
  options: { readonly wire?: Pick<Grant, 'baseUrl' | 'listen'>; readonly files?: Readonly<Record<string, string>>; readonly request?: Partial<PlanRequest>; readonly readable?: string[]; readonly environment?: Readonly<Record<string, string>>; onStdout?(chunk: Buffer): void; onExceeded?(exceeded: Exceeded): void } = {},
): Promise<SealedStart> {
  const wire = options.wire ?? NO_WIRE
  const request = requestFor(context, { profile: { ...profile, agent: 'command', command: [...command], isolation: level, ...(options.readable === undefined ? {} : { readable: options.readable }) }, baseUrl: wire.baseUrl['openai-chat'], ...options.request })
  for (const [name, content] of Object.entries(options.files ?? {})) {
    mkdirSync(join(request.workspace, name, '..'), { recursive: true })
    writeFileSync(join(request.workspace, name), content, { mode: 0o755 })
  }
  const planned = launchOf(await commandAgent.plan(request))
  const environment = { ...planned.environment, ...options.environment }
  const launch = { ...planned, environment, plan: { ...planned.plan, environmentNames: Object.keys(environment).sort(), environmentDigest: digestOf(environment) } }
  const facts = { ...factsOf(launch, request), isolation: { required: level, reached: level, obstacle: null } }
  const permit = await proofOf(launchGate, launchProof, facts, new Date())
  const agent = await startAgent(permit, launch, {
    now: () => new Date(),
    logs: { stdout: join(request.runDirectory, 'stdout.log'), stderr: join(request.runDirectory, 'stderr.log'), maxBytes: 1_048_576 },
    keep: { headBytes: 65_536, tailBytes: 65_536 },
    ...(options.onStdout === undefined ? {} : { onStdout: options.onStdout }),
    onExceeded: (exceeded) => options.onExceeded?.(exceeded),
    seal: () => isolation.seal(permit.isolation, launch, wire),
  })
  context.after(() => agent.stop(0))
  return { agent, launch, permit, request }
}

/** What it printed until it ended. */
export async function printed({ agent }: Pick<SealedStart, 'agent'>): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
  agent.closeStdin()
  const { code, stdout, stderr } = await agent.exited
  return { code, stdout: stdout.head.toString('utf8'), stderr: stderr.head.toString('utf8') }
}
