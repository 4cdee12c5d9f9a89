import { writeFileSync } from 'node:fs'
import { digestOf, sha256 } from '../../src/contract/canonical.ts'
import type { Refusal } from '../../src/contract/gate.ts'
import type { AgentAdapter, AgentExit, AgentOutcome, AgentOutput, AgentProcess, AgentReadiness, AgentSession, DeliveryResult } from '../../src/engine/agent.ts'
import type { Objection } from '../../src/gates/acceptance/index.ts'
import { type SessionState, spendTurn } from '../../src/gates/dispatch/index.ts'
import { type LaunchPlan, launchProof, planDigest, type PlannedLaunch, type PlanRequest } from '../../src/gates/launch/index.ts'
import { expectationOf, type ReadinessFacts } from '../../src/gates/readiness/index.ts'
import type { Launcher } from '../../src/engine/index.ts'

export const PID = 4242
const digest = 'e'.repeat(64)
const silence: AgentOutput = { head: Buffer.alloc(0), tail: Buffer.alloc(0), bytes: 0, sha256: sha256(''), truncated: false }
const CLEAN_END: AgentExit = { code: 0, signal: null, stdout: silence, stderr: silence, leaked: false, durationMs: 40, readFailure: null }

/** What a fake agent does. Each part is what a test may change about an agent that does its work. */
export interface AgentScript {
  plan(launch: PlannedLaunch): PlannedLaunch
  preflight(): Promise<Refusal | null>
  /** What it does once it has its prompt. The session ends when it resolves; never, if it never does. */
  work(): Promise<Partial<AgentOutcome> & { readonly exitCode?: number; readonly signal?: NodeJS.Signals }>
  state(): SessionState
  /** What it answers about itself. */
  ready(signal: AbortSignal): Promise<AgentReadiness>
  delivery(signal: AbortSignal): DeliveryResult | Promise<DeliveryResult>
  /** What its result protocol says against it, by its last words on the wire. */
  objection(words: string | null): Objection | null
  readiness(facts: ReadinessFacts): ReadinessFacts
  /** Rejects instead of starting. */
  start(): Promise<void>
  /** Called when the session is first stopped, before it has ended. */
  stopping(): Promise<void>
}

export function planOf(request: PlanRequest): PlannedLaunch {
  const plan: LaunchPlan = {
    agent: 'command', version: { required: null, found: '' }, program: { path: '/opt/agent', sha256: digest }, programFolder: null, programFiles: [],
    executable: { path: '/opt/agent', identity: `sha256:${digest}` }, argv: ['/opt/agent'], environmentNames: ['OPENAI_API_KEY'], environmentSettings: {}, environmentDigest: digest,
    home: request.home, configuration: request.configuration, workspace: request.workspace, temporary: request.temporary, files: [], readable: [],
    permissions: { mode: request.profile.permissions, enforcedBy: 'nothing is asked' }, dialect: request.dialect, model: request.pair, effort: null, context: null,
  }
  return { plan, argv: ['/opt/agent'], environment: { OPENAI_API_KEY: request.runToken }, files: [] }
}

/** An adapter without a program behind it. It spends its turn at the door as the real ones do. */
export function fakeAgent(script: AgentScript, log: (act: string) => void): AgentAdapter {
  const manifest = { busy_signal: 'none', delivery_receipt: 'none', turn_identity: 'none', terminal_signal: 'none', served_model_visible: 'none', interrupt: 'none', resume: 'none', permission_callback: 'none', structured_result: 'none', strict_config: 'none', wire_binding: 'none' } as const
  return {
    name: 'command',
    manifest,
    preflight: () => script.preflight(),
    plan: async (request) => ({ ok: true, launch: script.plan(planOf(request)) }),
    async open(_launch, start, now) {
      const process = await start(() => undefined)
      let end: (outcome: AgentOutcome) => void = () => undefined
      let stopped = false
      const finished = new Promise<AgentOutcome>((resolve) => {
        end = resolve
      })
      const session: AgentSession<typeof process> = {
        process,
        state: () => script.state(),
        ready: (signal) => script.ready(signal),
        async deliver(turn, prompt, signal) {
          log('deliver')
          spendTurn(turn, { prompt, pid: process.pid }, now())
          const result = await script.delivery(signal)
          if (result.ok) void script.work().then(({ exitCode = 0, signal, ...outcome }) => end({ exit: { ...CLEAN_END, code: signal === undefined ? exitCode : null, signal: signal ?? null }, claimedStatus: null, claim: '', runtimeFailure: null, artefacts: [], ...outcome }))
          return result
        },
        finished,
        objection: (_outcome, words) => script.objection(words),
        async stop() {
          if (!stopped) {
            stopped = true
            log('stop')
            await script.stopping()
          }
          end({ exit: { ...CLEAN_END, code: null, signal: 'SIGTERM' }, claimedStatus: null, claim: '', runtimeFailure: null, artefacts: [] })
        },
      }
      return session
    },
  }
}

/** The one door of processes, with nothing behind it: it checks its permit as the real one does. */
export function fakeLauncher(script: AgentScript, log: (act: string) => void, now: () => Date): Launcher {
  return {
    async start(permit, launch, { logs }) {
      launchProof.check(permit, now())
      if (permit.planDigest !== planDigest(launch.plan)) throw new Error('a permit for another launch')
      log('start')
      await script.start()
      // It prints nothing, and its logs say so.
      for (const path of [logs.stdout, logs.stderr]) writeFileSync(path, '')
      const process: AgentProcess = { pid: PID, write: async () => undefined, closeStdin: () => undefined, exited: new Promise(() => undefined), stop: async () => undefined }
      return process
    },
    async observe(plan, _agent, readiness, { observedAt, validForMs }) {
      const planned = expectationOf(plan)
      return script.readiness({
        observedAt: observedAt.toISOString(),
        validForMs,
        planned,
        observed: { pid: PID, startTicks: 1, alive: true, executable: planned.executable, program: planned.program, programFiles: [], argvDigest: digestOf(plan.argv), workspace: plan.workspace, files: [], responded: readiness.responded, claims: readiness.claims },
      })
    },
  }
}
