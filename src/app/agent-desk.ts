import { createMessenger } from '../adapters/agent-probe/index.ts'
import type { Log } from '../adapters/log/index.ts'
import type { Principal } from '../contract/access.ts'
import { PortcullisError } from '../contract/errors.ts'
import { milliseconds } from '../contract/units.ts'
import { AgentHost, type AgentStore, type AgentWorld, type Begun, converse, type Conversed } from '../engine/index.ts'
import type { AgentPath } from '../gates/readiness/index.ts'
import { Conversations } from './conversations.ts'
import { type Fleet, fleetOf, type FleetPage, pageOfFleet, shownAgent, type ShownAgent } from './fleet.ts'
import { type AppOptions, configurationOf, usage } from './places.ts'

export type { Begun }

export interface Message {
  readonly mode: 'send' | 'stream'
  /** Of the JSON-RPC request. */
  readonly id: string | number
  readonly params: unknown
  readonly ended: AbortSignal
}

/** How often a server looks over its agents for what is due. */
export const TICK_MS = 100
/** How often it looks whether portcullis.yaml has changed. */
export const REFRESH_MS = 1_000

/** The long-lived agents that this server keeps: whatever is asked of one goes through here. */
export class AgentDesk {
  readonly #options: AppOptions
  readonly #store: AgentStore
  readonly #log: Log
  readonly #host: AgentHost | undefined
  readonly #conversations = new Conversations()
  readonly #messenger = createMessenger()
  readonly #under = new Set<Promise<unknown>>()
  #configuration: Pick<AgentWorld, 'configuration' | 'configurationDigest'>
  #unreadable = false
  #draining = false
  #closed: Promise<void> | undefined

  private constructor(options: AppOptions, world: AgentWorld, log: Log, host: AgentHost | undefined) {
    this.#options = options
    this.#store = world.store
    this.#configuration = world
    this.#log = log
    this.#host = host
  }

  /** Opens the wire of the agents on its port, and takes up what an earlier server left. Without a port it keeps none. Throws `port_taken` or `usage`. */
  static async open(options: AppOptions, world: AgentWorld, port: number | undefined, log: Log): Promise<AgentDesk> {
    if (port === undefined) {
      // An agent that was left out of reach in silence would be found out by whoever asks it.
      if (Object.keys(world.configuration.agents ?? {}).length > 0) throw usage('where agents reach their models', 'agents in portcullis.yaml, and no agentWirePort', 'Give --agent-wire-port, or server.agentWirePort: the same at every start, or agents of others cannot be taken up again.')
      return new AgentDesk(options, world, log, undefined)
    }
    const host = await AgentHost.open(world, (text) => log.info({ part: 'agents' }, text), { port, current: () => true })
    const desk = new AgentDesk(options, world, log, host)
    await host.adopt().catch(async (error: unknown) => {
      await host.close()
      throw error
    })
    return desk
  }

  /** Where the agents reach their models; undefined if none are kept. */
  get wireAddress(): string | undefined {
    return this.#host?.wireAddress
  }

  list(): Promise<Fleet> {
    return fleetOf(this.#options, this.#store)
  }

  page(asked: { readonly cursor: string | undefined; readonly limit: number }): Promise<FleetPage> {
    return pageOfFleet(this.#options, this.#store, asked)
  }

  show(name: string): Promise<ShownAgent> {
    return shownAgent(this.#options, this.#store, name)
  }

  /** Begins a new generation. `undefined` is the first path of the agent: create, or external_create where somebody else starts it. */
  async start(name: string, path: AgentPath | undefined): Promise<Begun> {
    const host = this.#open()
    return host.start(name, path ?? (this.#definitionOf(name).provisioner.kind === 'external' ? 'external_create' : 'create'))
  }

  async register(name: string, cardUrl: string): Promise<Begun> {
    const host = this.#open()
    return host.register(name, cardUrl)
  }

  async heartbeat(name: string, healthy: boolean): Promise<void> {
    const host = this.#open()
    this.#definitionOf(name)
    await host.heartbeat(name, healthy)
  }

  /** Ends an agent at once. False if this server holds none of that name. */
  async stop(name: string): Promise<boolean> {
    return this.#open().stop(name)
  }

  /** Gives an agent no new message, and ends it when the last answer is out, or after `limitMs`. False if this server holds none of that name. */
  async drain(name: string, limitMs: number): Promise<boolean> {
    const host = this.#open()
    const runId = await host.drain(name)
    if (runId === undefined) return false
    this.#keep(this.#conversations.settled(name, AbortSignal.timeout(limitMs)).then(() => host.stop(name, runId)))
    return true
  }

  /** Gives a message to an agent that may be asked now, and its answer back while that still holds. */
  async message(name: string, { mode, id, params, ended }: Message): Promise<Conversed> {
    const host = this.#open()
    const silenceMs = milliseconds(this.#definitionOf(name).answer)
    const leave = this.#conversations.enter(name)
    // A client that leaves before it has read anything ends it as well.
    ended.addEventListener('abort', leave, { once: true })
    const conversed = await converse(host, this.#messenger, { name, mode, id, params, silenceMs, signal: ended }).catch((error: unknown) => {
      leave()
      throw error
    })
    if (!conversed.ok) {
      leave()
      return conversed
    }
    return { ...conversed, body: untilRead(conversed.body, leave) }
  }

  /** Whether somebody may speak for an agent: people and programs of ours for all of them, a worker for the agent of its own name, a run token for the generation that holds it. */
  async mayReportFor(principal: Principal, name: string): Promise<boolean> {
    switch (principal.kind) {
      case 'admin':
      case 'operator':
        return true
      case 'worker':
        return principal.name === name
      case 'run':
        return (await this.#store.find(name))?.runId === principal.id
      case 'reader':
        return false
    }
  }

  /** Begins every look that is due. A slow agent holds up nobody else's. */
  sweep(): void {
    if (this.#host !== undefined) this.#keep(this.#host.tick())
  }

  /** Takes up portcullis.yaml if it has changed. One that cannot be read changes nothing, is logged once, and is not ready at /readyz. */
  async refresh(): Promise<void> {
    if (this.#host === undefined) return
    try {
      const { configuration, digest } = configurationOf(this.#options)
      this.#unreadable = false
      if (digest === this.#configuration.configurationDigest) return
      this.#configuration = { configuration, configurationDigest: digest }
      this.#log.info({ part: 'agents', digest }, 'portcullis.yaml has changed')
      await this.#host.reconfigure(this.#configuration)
    } catch (error) {
      if (!(error instanceof PortcullisError)) throw error
      if (!this.#unreadable) this.#log.error({ part: 'agents', fault: error.code }, 'portcullis.yaml has changed and cannot be taken up')
      this.#unreadable = true
      return
    }
  }

  /** Has agents prove everything again once the credential of their provider has changed. */
  async rotate(): Promise<void> {
    await this.#host?.credentialsChanged()
  }

  /** Takes no more messages, lets answers finish until `limit`, then ends the processes that were started here. */
  close(limit: AbortSignal): Promise<void> {
    this.#closed ??= this.#close(limit)
    return this.#closed
  }

  async #close(limit: AbortSignal): Promise<void> {
    this.#draining = true
    await this.#conversations.allSettled(limit)
    await this.#host?.close()
    await Promise.allSettled(this.#under)
  }

  #open(): AgentHost {
    if (this.#draining) throw new PortcullisError('server_draining', { asked: 'an agent', found: 'a server that was told to end', remedy: 'Ask again when the server is back.' })
    if (this.#host === undefined) throw usage('an agent of this server', 'a server that keeps none', 'Describe it under agents in portcullis.yaml, and start the server with --agent-wire-port.')
    return this.#host
  }

  #definitionOf(name: string) {
    const definition = Object.hasOwn(this.#configuration.configuration.agents ?? {}, name) ? this.#configuration.configuration.agents?.[name] : undefined
    if (definition === undefined) throw usage('an agent of portcullis.yaml', `no agent ${name}`, 'See npx portcullis agents list.')
    return definition
  }

  #keep(work: Promise<unknown>): void {
    const kept = work.catch((error: unknown) => this.#log.error({ part: 'agents', fault: error instanceof Error ? error.name : typeof error }, 'work on an agent failed')).finally(() => this.#under.delete(kept))
    this.#under.add(kept)
  }
}

async function* untilRead(body: AsyncIterable<Uint8Array>, done: () => void): AsyncGenerator<Uint8Array> {
  try {
    yield* body
  } finally {
    done()
  }
}
