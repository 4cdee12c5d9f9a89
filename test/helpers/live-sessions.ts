import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { AgentProcess } from '../../src/engine/agent.ts'
import type { CompletionEndpoint, Delivered, LiveSession, SessionEvent, SessionRequest, SessionRuntime, TurnMessage } from '../../src/engine/sessions/runtime.ts'
import type { Profile } from '../../src/gates/catalog/index.ts'
import type { Dialect } from '../../src/contract/model.ts'
import { startAgent } from '../../src/adapters/runtime-process/index.ts'
import { type ProviderScript, type ScriptedProvider, startScriptedProvider } from '../../src/adapters/scripted-provider/index.ts'
import { launchOf, permitOf, profile, requestFor, turnFor } from './agents.ts'

/** The events of a session so far, and a wait for one that is to come. */
export class Events {
  readonly all: SessionEvent[] = []
  #wake = Promise.withResolvers<void>()

  readonly add = (event: SessionEvent): void => {
    this.all.push(event)
    this.#wake.resolve()
    this.#wake = Promise.withResolvers()
  }

  of<Kind extends SessionEvent['kind']>(kind: Kind): Extract<SessionEvent, { kind: Kind }>[] {
    return this.all.filter((event): event is Extract<SessionEvent, { kind: Kind }> => event.kind === kind)
  }

  /** The first event of the kind at or after the place `from`. A test that waits in vain is ended by the runner. */
  async next<Kind extends SessionEvent['kind']>(kind: Kind, from = 0, fits: (event: Extract<SessionEvent, { kind: Kind }>) => boolean = () => true): Promise<Extract<SessionEvent, { kind: Kind }>> {
    for (;;) {
      const found = this.all.slice(from).find((event): event is Extract<SessionEvent, { kind: Kind }> => event.kind === kind && fits(event as Extract<SessionEvent, { kind: Kind }>))
      if (found !== undefined) return found
      await this.#wake.promise
    }
  }
}

export interface Opened {
  readonly session: LiveSession
  readonly events: Events
  readonly request: SessionRequest
  send(text: string, change?: Partial<TurnMessage> & { readonly limitMs?: number }): Promise<Delivered>
}

export interface OpenOptions {
  readonly runtime: SessionRuntime
  readonly dialect: Dialect
  /** The address of the model server, as this runtime's clients want it. */
  readonly baseUrl: string
  readonly runToken?: string
  readonly profile?: Partial<Profile>
  readonly completion?: CompletionEndpoint
  /** Puts into the workspace what a repository would bring, before anything is planned. */
  readonly repository?: (workspace: string) => void
}

/** Opens a live session through the launch gate and the one door. It is closed after the test, whatever happened to it. */
export async function openLive(context: Pick<TestContext, 'after'>, { runtime, dialect, baseUrl, profile: change, completion, runToken, repository }: OpenOptions): Promise<Opened> {
  const request = { ...requestFor(context, { profile: { ...profile, agent: runtime.name, ...change }, dialect, baseUrl, ...(runToken === undefined ? {} : { runToken }) }), sessionId: randomUUID(), completion, repositories: [] }
  repository?.(request.workspace)
  const launch = launchOf(await runtime.plan(request))
  const permit = await permitOf(launch, request)
  const events = new Events()
  const logs = { stdout: join(request.runDirectory, 'stdout.log'), stderr: join(request.runDirectory, 'stderr.log'), maxBytes: 1_048_576 }
  const start = (onStdout: (chunk: Buffer) => void): Promise<AgentProcess> =>
    startAgent(permit, launch, { now: () => new Date(), logs, keep: { headBytes: 65_536, tailBytes: 65_536 }, onStdout, onExceeded: () => undefined, seal: () => Promise.resolve(undefined) })
  const session = await runtime.open(launch, start, { request, now: () => new Date(), onEvent: events.add })
  context.after(() => session.close(0))
  const send = async (text: string, { limitMs = 15_000, ...message }: Partial<TurnMessage> & { readonly limitMs?: number } = {}): Promise<Delivered> =>
    session.deliver(await turnFor(text, session.process.pid), { turnId: 'T-1.1', text, schema: undefined, ...message }, AbortSignal.timeout(limitMs))
  return { session, events, request, send }
}

export async function providerFor(context: Pick<TestContext, 'after'>, script: Omit<ProviderScript, 'version' | 'models'>): Promise<ScriptedProvider> {
  const provider = await startScriptedProvider({ script: { version: 1, models: ['coder-1'], ...script }, port: 0 })
  context.after(() => provider.close())
  return provider
}
