import { digestOf } from '../../contract/canonical.ts'
import { PortcullisError } from '../../contract/errors.ts'
import type { Refusal } from '../../contract/gate.ts'
import type { Reason } from '../../contract/reasons.ts'
import { entryOf, sliceCatalog } from '../../gates/catalog/index.ts'
import { type AgentPath, AgentReadinessEvidence, spelled } from '../../gates/readiness/index.ts'
import type { Wire } from '../../gates/wire/index.ts'
import type { RunEvent } from '../ledger.ts'
import { createCallRecorder } from '../recorder.ts'
import type { ServedOn } from '../world.ts'
import { type AgentDefinition, permissionOf } from './configuration.ts'
import { type AgentAccess, adoptGeneration, beginGeneration, type Generation, openGeneration } from './generation.ts'
import { Starts } from '../starts.ts'
import { NotBegun } from '../steps/choose-pair.ts'
import { LiveAgent } from './live.ts'
import { notReady } from './not-ready.ts'
import type { AgentRecord } from './states.ts'
import type { AgentChange } from './store.ts'
import { isRoutable, transition } from './transition.ts'
import { SeenCredentials } from './seen-credentials.ts'
import { Slots } from './slots.ts'
import { Turns } from './turns.ts'
import { AdmissionWatches } from './watches.ts'
import type { AgentWorld } from './world.ts'

/** Where the start of a generation came to. Nobody is online by it: that is proven later. */
export type Begun =
  | { readonly ok: true; readonly runId: string; readonly generation: number; readonly access: AgentAccess | null }
  | { readonly ok: false; readonly reason: Reason; readonly found: string; readonly runId: string | null }

export type Route =
  | { readonly ok: true; readonly agent: string; readonly endpoint: string; readonly generation: number; readonly permission: ReturnType<typeof permissionOf>; still(): Promise<boolean> }
  | { readonly ok: false; readonly refusal: Refusal; readonly state: AgentRecord['state'] | null }

/** Paths on which the seed of the generation that was proven last must be the one that is started now (RDY-41). */
const SAME_SEED: readonly AgentPath[] = ['restart', 'auto_restart', 'resume', 'wake', 'adoption']

/** So many looks at once: all of a roll-out at one moment would each be late by the others. */
const MOST_LOOKS = 64

/** States of a generation that is over. */
const ENDED: readonly AgentRecord['state'][] = ['failed', 'offline', 'removed']

/** How the run of a generation ends that was not ended in order; what a task ends with is not among it. */
type NotKept = 'failed' | 'blocked'

/** Keeps agents that live on: starts them, has them prove themselves again and again, and says which may be asked. One for a server. */
export class AgentHost {
  #world: AgentWorld
  readonly #wire: Wire
  readonly #noted: (text: string) => void
  readonly #watches = new AdmissionWatches()
  readonly #credentials = new SeenCredentials()
  readonly #live = new Map<string, LiveAgent>()
  /** One after the other for each agent: two generations at once would each take the other for itself. */
  readonly #turns = new Turns()
  readonly #looking = new Set<string>()
  readonly #starts = new Starts()
  readonly #slots = new Slots(MOST_LOOKS)
  readonly #restarts = new Map<string, number>()
  #closing = false

  private constructor(world: AgentWorld, wire: Wire, noted: (text: string) => void) {
    this.#world = world
    this.#wire = wire
    this.#noted = noted
  }

  /** Opens a wire of its own, on any free port or where `served` says. `noted` is given a sentence for what an operator should know. */
  static async open(world: AgentWorld, noted: (text: string) => void, served?: ServedOn): Promise<AgentHost> {
    const recorder = createCallRecorder(world.ledger, world.scanner)
    let host: AgentHost | undefined
    const wire = await world.openWire({
      charged: (account) => recorder.charged(account),
      record: async (runId, call, charge) => {
        const digest = await recorder.record(runId, call, charge)
        if (call.purpose === 'agent' && (call.reason === 'served_model_mismatch' || call.reason === 'served_model_unknown')) host?.servedByAnother(runId, call.servedModel)
        return digest
      },
    }, served)
    host = new AgentHost(world, wire, noted)
    return host
  }

  /**
   * Starts a new generation of an agent: every path leads here, and from here only through the gates. Resolves once it is
   * started or licensed; whether it is who was meant shows later. Throws `usage` for an agent that nobody configured.
   */
  start(name: string, path: AgentPath): Promise<Begun> {
    const definition = this.#definitionOf(name)
    return this.#ahead(name, () => {
      // Somebody looked at it: how often it ended in a row begins anew.
      this.#restarts.delete(name)
      return this.#begin(name, definition, path)
    })
  }

  /** An external agent registers. A card that may not be asked for is refused, and nothing is stored (RDY-33). */
  async register(name: string, cardUrl: string): Promise<Begun> {
    const definition = this.#definitionOf(name)
    if (definition.provisioner.kind !== 'external' || definition.provisioner.mode !== 'push') throw usage('an agent that registers by itself', `${name}, whose provisioner is ${definition.provisioner.kind}`)
    const refused = await this.#world.prober.judge(cardUrl, permissionOf(definition))
    if (refused !== undefined) return { ok: false, reason: 'agent_card_url_rejected', found: refused, runId: null }
    const path = (await this.#world.store.find(name)) === undefined ? 'external_create' : 're_register'
    return this.#turns.take(name, () => this.#begin(name, { ...definition, cardUrl }, path))
  }

  /** Notes a heartbeat. It can lower an agent; one that comes back only has the agent asked sooner (RDY-14). */
  async heartbeat(name: string, healthy: boolean): Promise<void> {
    // That it is not well counts at once, whenever the time of it is stored.
    await Promise.all([this.#world.store.heartbeat(name, this.#world.clock()), this.#heard(name, healthy)])
  }

  async #heard(name: string, healthy: boolean): Promise<void> {
    const live = this.#live.get(name)
    if (live === undefined) return
    if (!healthy) await this.#turns.take(name, () => live.unwell())
    else if (live.state === 'degraded') live.askAgain('heartbeat_recovery')
  }

  /** Gives an agent no new message from now on; what it answers already goes on until it is stopped. Its run, or undefined if there is none. */
  drain(name: string): Promise<string | undefined> {
    return this.#ahead(name, async () => {
      const live = this.#live.get(name)
      await live?.drain('drained by its operator', 'agent_stopped')
      return live?.generation.identity.runId
    })
  }

  /** Ends an agent in order, or breaks its start off; with `runId` only in that generation. False if there is none. */
  async stop(name: string, runId?: string): Promise<boolean> {
    const brokenOff = runId === undefined && (await this.#starts.end(name))
    const other = runId !== undefined && this.#live.get(name)?.generation.identity.runId !== runId
    const act = async (): Promise<boolean> => {
      const live = this.#live.get(name)
      if (live === undefined || (runId !== undefined && live.generation.identity.runId !== runId)) return brokenOff
      this.#restarts.delete(name)
      await live.stop('stopped by its operator', 'agent_stopped')
      this.#live.delete(name)
      return true
    }
    return other ? this.#turns.take(name, act) : this.#ahead(name, act)
  }

  /** Takes up what an earlier server left: nobody is ready until it has proven itself to this one. */
  async adopt(): Promise<void> {
    for (const record of await this.#world.store.all()) {
      // Who is held already proves itself to this server anyway.
      if (ENDED.includes(record.state) || this.#live.has(record.name)) continue
      await this.#turns.take(record.name, () => this.#adoptOne(record))
    }
  }

  /**
   * Takes up a configuration that has changed. Everybody has to prove everything again. An agent whose own entries changed begins
   * anew where we start it; one of somebody else fails, because only a new start gives it a token for what it is to be now.
   */
  async reconfigure(changed: Pick<AgentWorld, 'configuration' | 'configurationDigest'>): Promise<void> {
    const before = this.#world.configuration
    this.#world = { ...this.#world, ...changed }
    await Promise.all([...this.#live.keys()].map((name) => this.#turns.take(name, () => this.#refresh(name, before)).catch((error: unknown) => this.#noted(`${name}: ${textOf(error)}`))))
  }

  async #refresh(name: string, before: AgentWorld['configuration']): Promise<void> {
    const live = this.#live.get(name)
    if (live === undefined || live.over) return
    const definition = entryOf(this.#world.configuration.agents, name)
    if (definition !== undefined && entriesOf(before, name) === entriesOf(this.#world.configuration, name)) return live.askAgain('configuration_refresh')
    if (definition?.provisioner.kind === 'process') return void (await this.#begin(name, definition, 'configuration_refresh'))
    if (definition === undefined) await live.stop('no longer in portcullis.yaml', 'agent_stopped')
    else await live.ended('stale_deployment', 'its entries in portcullis.yaml have changed since it was started; a new start gives it a token for what it is to be now')
    this.#live.delete(name)
  }

  /** Has everybody prove everything again whose provider is given another credential than a moment ago. */
  async credentialsChanged(): Promise<void> {
    const held = [...this.#live.values()].filter(({ over }) => !over)
    const changed = await this.#credentials.changed(this.#world, held.map(({ generation }) => generation.chosen.resolution))
    for (const live of held) if (changed.has(live.generation.chosen.resolution.pair.provider)) live.askAgain('re_proof')
  }

  /** Looks at every agent of which a look is due. Resolves when all of them are done; a look that fails is noted, and raises nobody. */
  async tick(): Promise<void> {
    const due = [...this.#live].filter(([name, live]) => !this.#looking.has(name) && !this.#turns.taken(name) && live.due())
    await Promise.all(due.map(async ([name, live]) => {
      this.#looking.add(name)
      const release = await this.#slots.take()
      await this.#turns.take(name, () => this.#look(name, live)).catch((error: unknown) => this.#noted(`${name}: ${textOf(error)}`))
      release()
      this.#looking.delete(name)
    }))
  }

  /** Where a message for an agent may go now; computed from the store at this moment, and from nothing that was remembered (RDY-22). */
  async route(name: string): Promise<Route> {
    const record = await this.#world.store.find(name)
    const live = this.#live.get(name)
    const endpoint = live?.endpoint ?? null
    const routable = record !== undefined && isRoutable(record, this.#world.clock())
    if (!routable || live === undefined || endpoint === null || live.generation.identity.runId !== record.runId) return { ok: false, refusal: notReady(name, record), state: record?.state ?? null }
    let { provenUntil } = record
    const still = async (): Promise<boolean> => {
      const now = await this.#world.store.find(name)
      if (now?.runId !== record.runId) return false
      if (now.state === 'online') ({ provenUntil } = now)
      // Who drains finishes what it began, as long as it was proven for.
      return isRoutable(now.state === 'draining' ? { state: 'online', provenUntil } : now, this.#world.clock())
    }
    return { ok: true, agent: name, endpoint, generation: record.generation, permission: permissionOf(live.generation.definition), still }
  }

  /** Where the agents of this host reach their models. */
  get wireAddress(): string {
    return this.#wire.address
  }

  /** Ends the processes that were started here; agents of others stay as they are, and prove themselves again to the next server. */
  async close(): Promise<void> {
    this.#closing = true
    for (const name of this.#starts.names) await this.#starts.end(name)
    for (const [name, live] of this.#live) {
      await this.#ahead(name, async () => {
        if (live.generation.own !== null) await live.stop('the server ended', 'agent_stopped')
        else live.generation.endWatch()
      }).catch((error: unknown) => this.#noted(`${name}: ${textOf(error)}`))
    }
    await this.#wire.close()
  }

  /** What the wire sees while an agent works counts as what it sees during a look: another model served, so it is not the agent that was meant. */
  servedByAnother(runId: string, servedModel: string | null): void {
    const found = [...this.#live].find(([, live]) => live.generation.identity.runId === runId && (live.state === 'online' || live.state === 'draining'))
    if (found === undefined) return
    const [name, live] = found
    void this.#ahead(name, () => live.ended('model_mismatch', `a call was served by ${servedModel ?? 'a model that nobody names'}`)).catch((error: unknown) => this.#noted(`${name}: ${textOf(error)}`))
  }

  #definitionOf(name: string): AgentDefinition {
    const definition = entryOf(this.#world.configuration.agents, name)
    if (definition === undefined) throw usage('an agent of portcullis.yaml', `no agent ${name}; known are ${Object.keys(this.#world.configuration.agents ?? {}).join(', ') || 'none'}`)
    return definition
  }

  /** In its turn, but not after a look that is being taken: what is done makes void whatever that would see. */
  async #ahead<Value>(name: string, act: () => Promise<Value>): Promise<Value> {
    const release = this.#live.get(name)?.holdLooks()
    try {
      return await this.#turns.take(name, act)
    } finally {
      release?.()
    }
  }

  async #begin(name: string, definition: AgentDefinition, path: AgentPath): Promise<Begun> {
    await this.#live.get(name)?.stop(`replaced by ${path}`, 'agent_stopped')
    this.#live.delete(name)
    await this.#leaveEarlier(name)
    const opened = await openGeneration(this.#world, name, definition, path)
    const { runId, generation } = opened.identity
    try {
      const begun = await this.#starts.begin(name, (ended) => beginGeneration(this.#world, this.#wire, this.#watches, opened, { definition, path, ended }))
      const live = this.#hold(begun.generation, path, 'provisioning')
      const other = SAME_SEED.includes(path) ? await this.#otherSeed(name, begun.generation) : undefined
      if (other === undefined) return { ok: true, runId, generation, access: begun.access }
      await live.ended('stale_deployment', other)
      this.#live.delete(name)
      return { ok: false, reason: 'stale_deployment', found: other, runId }
    } catch (error) {
      if (!(error instanceof NotBegun)) throw error
      await this.#notBegun(opened, error)
      return { ok: false, reason: error.reason, found: error.found, runId }
    }
  }

  async #notBegun({ course, identity }: Awaited<ReturnType<typeof openGeneration>>, { reason, found }: NotBegun): Promise<void> {
    const at = this.#world.clock()
    const agent = transition(identity, { kind: 'unready', to: 'failed', stage: 'provisioning', reason, message: this.#world.scanner.redact(found) || reason, failures: 1, facts: null }, at)
    const run = await this.#world.ledger.history(identity.runId)
    const state: NotKept = run?.run.state === 'started' ? 'failed' : 'blocked'
    const told = course.event('agent_changed', { agent: identity.name, generation: identity.generation, state: 'failed', stage: 'provisioning', reason: spelled(reason), message: agent.message })
    await course.append({ agent, state: { to: state, reason, at }, events: [told, course.event('run_ended', { state, reason })] })
  }

  #hold(generation: Generation, path: AgentPath, standing: 'provisioning' | 'degraded'): LiveAgent {
    const { name } = generation.identity
    const live = new LiveAgent(this.#world, generation, path, standing)
    this.#live.set(name, live)
    // The next look would find it too; a process that has ended is known at once.
    void generation.own?.session.finished.then(() => this.#turns.take(name, () => this.#processEnded(name, live))).catch((error: unknown) => this.#noted(`${name}: ${textOf(error)}`))
    return live
  }

  async #processEnded(name: string, live: LiveAgent): Promise<void> {
    if (this.#live.get(name) !== live || live.over || this.#closing) return
    await live.ended('agent_lost', 'its process has ended')
    this.#live.delete(name)
    await this.#restartByItself(name, live)
  }

  async #restartByItself(name: string, { generation, wasOnline }: LiveAgent): Promise<void> {
    const { provisioner } = generation.definition
    const used = this.#restarts.get(name) ?? 0
    if (provisioner.kind !== 'process' || !wasOnline || used >= provisioner.autoRestarts) return
    this.#restarts.set(name, used + 1)
    await this.#begin(name, generation.definition, 'auto_restart')
  }

  async #look(name: string, live: LiveAgent): Promise<void> {
    if (this.#live.get(name) !== live || live.over) return
    await live.look()
    if (!live.over) return
    this.#noted(`${name} failed`)
    this.#live.delete(name)
    // A look may see the end of its process a moment before it is told of it.
    if (live.processGone && !this.#closing) await this.#restartByItself(name, live)
  }

  /** Why the seed is not the one with which the agent was proven last; undefined if it is, or if there was no such time. */
  async #otherSeed(name: string, generation: Generation): Promise<string | undefined> {
    const proven = (await this.#world.store.steps(name)).filter((step) => step.to === 'online').at(-1)
    const history = proven === undefined ? undefined : await this.#world.ledger.history(proven.runId)
    const before = history?.entries.flatMap(({ kind, body }) => (kind === 'evidence' ? (AgentReadinessEvidence.read(JSON.parse(body))?.predicate ?? []) : [])).at(-1)?.expected.seed
    return before === undefined || before === generation.seed ? undefined : `seed sha256:${generation.seed}, proven before was sha256:${before}; start it anew if the change is meant`
  }

  async #adoptOne(record: AgentRecord): Promise<void> {
    const { name, runId, generation } = record
    const definition = entryOf(this.#world.configuration.agents, name)
    const identity = { name, runId, generation }
    if (record.state === 'online') {
      const at = this.#world.clock()
      const message = 'the server started again, and nothing is proven to it yet'
      const agent = transition(identity, { kind: 'unready', to: 'degraded', stage: 'serving', reason: 'agent_probe_error', message, failures: 0, facts: null }, at)
      await this.#world.ledger.append({ runId, agent, events: [changedBy(agent)] })
    }
    if (definition === undefined || record.state === 'draining') {
      await this.#endLeftover(runId)
      return this.#leave(identity, definition === undefined ? 'no longer in portcullis.yaml' : 'an earlier server was ending it')
    }
    if (definition.provisioner.kind === 'process') {
      await this.#endLeftover(runId)
      await this.#leave(identity, 'its process belonged to an earlier server')
      await this.#begin(name, definition, 'adoption')
      return
    }
    try {
      this.#hold(await adoptGeneration(this.#world, this.#wire, this.#watches, identity, definition), 'adoption', record.state === 'provisioning' ? 'provisioning' : 'degraded')
    } catch (error) {
      if (!(error instanceof NotBegun)) throw error
      return this.#leave(identity, error.found)
    }
  }

  async #endLeftover(runId: string): Promise<void> {
    const history = await this.#world.ledger.history(runId)
    for (const { kind, body } of history?.entries ?? []) {
      const event = kind === 'event' ? (JSON.parse(body) as { readonly type: string; readonly data: Readonly<Record<string, unknown>> }) : undefined
      const { pid, start_ticks: startTicks } = event?.type === 'process_started' ? event.data : {}
      if (typeof pid === 'number' && typeof startTicks === 'number') await this.#world.endLeftover(pid, startTicks)
    }
  }

  /** Ends what a server that is gone has left of the generation before. */
  async #leaveEarlier(name: string): Promise<void> {
    const record = await this.#world.store.find(name)
    if (record === undefined || ENDED.includes(record.state)) return
    await this.#endLeftover(record.runId)
    await this.#leave(record, 'left by an earlier server')
  }

  /** Ends a generation of which this process holds nothing. */
  async #leave(identity: { readonly name: string; readonly runId: string; readonly generation: number }, message: string): Promise<void> {
    const at = this.#world.clock()
    const history = await this.#world.ledger.history(identity.runId)
    const agent = transition(identity, { kind: 'moved', to: 'offline', stage: 'ended', reason: 'agent_stopped', message }, at)
    const state: NotKept = history?.run.state === 'started' ? 'failed' : 'blocked'
    await this.#world.ledger.append({ runId: identity.runId, agent, state: { to: state, reason: 'agent_stopped', at }, events: [changedBy(agent), { type: 'run_ended', at: at.toISOString(), data: { state, reason: 'agent_stopped' } }] })
  }
}

/** What is told of a change that no generation of this process made. */
const changedBy = ({ name, generation, to, stage, reason, message, at }: AgentChange): RunEvent => ({ type: 'agent_changed', at: at.toISOString(), data: { agent: name, generation, state: to, stage, reason: reason === null ? null : spelled(reason), message } })

/** Everything in a configuration that says who an agent is and which model serves it, as one digest. */
function entriesOf(configuration: AgentWorld['configuration'], name: string): string {
  const definition = entryOf(configuration.agents, name)
  return digestOf({ definition: definition ?? null, catalog: definition === undefined ? null : sliceCatalog(configuration, definition, null) })
}

const usage = (asked: string, found: string): PortcullisError => new PortcullisError('usage', { asked, found, remedy: 'See npx portcullis agents, and the agents of portcullis.yaml.' })

const textOf = (error: unknown): string => (error instanceof PortcullisError ? `${error.code}: ${error.found}` : error instanceof Error ? error.name : typeof error)
