import { join, resolve as resolvePath } from 'node:path'
import { LedgerOnDemand, type StoredLedger } from '../adapters/store-sqlite/index.ts'
import { composeWorld } from '../app.ts'
import type { AgentAccess, AgentCondition, AgentDefinition, AgentRecord, AgentStep, AgentWorld } from '../engine/index.ts'
import type { AgentReadinessFacts } from '../gates/readiness/index.ts'
import { type AppOptions, configurationOf, stateDirectoryOf, usage } from './places.ts'

/** The world with what agents that live on need of it. */
export async function composeAgentWorld(options: AppOptions, ledger: LedgerOnDemand, stateDirectory: string): Promise<AgentWorld> {
  const [world, store, probe, runtime] = await Promise.all([composeWorld(options, ledger, stateDirectory), ledger.open(), import('../adapters/agent-probe/index.ts'), import('../adapters/runtime-process/index.ts')])
  const { directory } = configurationOf(options)
  return {
    ...world,
    store: store.agents,
    prober: probe.createAgentProber(),
    readMaterial: (material, key) => probe.readMaterial(directory, material, key),
    seedDirectory: (seed) => resolvePath(directory, seed),
    endLeftover: runtime.endLeftover,
  }
}

/** Who an agent must be beside who was seen: null where nothing was observed (RDY-26). */
export interface AgentSides {
  readonly name: string
  readonly version: string | null
  readonly persona: string | null
  readonly build: string | null
  readonly model: string | null
  readonly tools: readonly string[]
}

export interface AgentRow {
  readonly name: string
  readonly deployment: string
  /** Null for one that was never started. */
  readonly record: AgentRecord | null
  /** As the documents spell it. */
  readonly reason: string | null
  readonly routable: boolean
  readonly expected: AgentSides | null
  readonly observed: AgentSides | null
}

export interface AgentFleet {
  readonly agents: readonly AgentRow[]
  readonly deployments: readonly { readonly deployment: string; readonly total: number; readonly healthy: number; readonly unready: number }[]
}

async function withStore<Value>(options: AppOptions, use: (ledger: StoredLedger | undefined) => Promise<Value>): Promise<Value> {
  const ledger = new LedgerOnDemand(join(stateDirectoryOf(options), 'ledger.db'))
  try {
    return await use(await ledger.openExisting())
  } finally {
    await ledger.close()
  }
}

/** Every agent of the configuration and of the store, expected beside observed, and the counts of each deployment. */
export async function listAgents(options: AppOptions): Promise<AgentFleet> {
  const { configuration } = configurationOf(options)
  return withStore(options, async (ledger) => {
    const records = new Map(((await ledger?.agents.all()) ?? []).map((record) => [record.name, record]))
    const names = [...new Set([...Object.keys(configuration.agents ?? {}), ...records.keys()])].sort()
    const agents = await Promise.all(names.map((name) => rowOf(options, name, configuration.agents?.[name], records.get(name) ?? null, ledger)))
    return { agents, deployments: countsOf(agents) }
  })
}

async function rowOf(options: AppOptions, name: string, definition: AgentDefinition | undefined, record: AgentRecord | null, ledger: StoredLedger | undefined): Promise<AgentRow> {
  const [{ isRoutable }, { spelled }] = await Promise.all([import('../engine/index.ts'), import('../gates/readiness/index.ts')])
  const facts = record === null ? undefined : await lastFacts(ledger, record.runId)
  return {
    name,
    deployment: record?.deployment ?? definition?.deployment ?? '',
    record,
    reason: record?.reason == null ? null : spelled(record.reason),
    routable: record !== null && isRoutable(record, options.clock()),
    expected: facts === undefined ? (definition === undefined ? null : expectedBy(definition)) : expectedIn(facts),
    observed: facts === undefined ? null : observedIn(facts),
  }
}

function countsOf(agents: readonly AgentRow[]): AgentFleet['deployments'] {
  const deployments = [...new Set(agents.map(({ deployment }) => deployment))].sort()
  return deployments.map((deployment) => {
    const own = agents.filter((agent) => agent.deployment === deployment)
    const healthy = own.filter(({ routable }) => routable).length
    return { deployment, total: own.length, healthy, unready: own.length - healthy }
  })
}

/** What was seen at the last look of a run that is stored. */
async function lastFacts(ledger: StoredLedger | undefined, runId: string): Promise<AgentReadinessFacts | undefined> {
  const { AgentReadinessEvidence } = await import('../gates/readiness/index.ts')
  const history = await ledger?.history(runId)
  return history?.entries.flatMap(({ kind, body }) => (kind === 'evidence' ? (AgentReadinessEvidence.read(JSON.parse(body))?.predicate ?? []) : [])).at(-1)
}

const digest = (sha256: string | null | undefined): string | null => (sha256 == null ? null : `sha256:${sha256}`)

const expectedBy = ({ expects, profile }: AgentDefinition): AgentSides => ({
  name: expects.name,
  version: expects.version,
  persona: 'file' in expects.persona ? expects.persona.file : digest(expects.persona.sha256),
  build: 'file' in expects.build ? expects.build.file : digest(expects.build.sha256),
  model: `by profile ${profile}`,
  tools: Object.values(expects.mcpServers).flatMap(({ tools }) => tools),
})

const expectedIn = ({ expected }: AgentReadinessFacts): AgentSides => ({
  name: expected.name,
  version: expected.version,
  persona: digest(expected.persona.sha256),
  build: digest(expected.build.sha256),
  model: `${expected.pair.provider}/${expected.pair.model}`,
  tools: expected.servers.flatMap(({ tools }) => tools),
})

function observedIn({ card, challenge, servers, calls, process }: AgentReadinessFacts): AgentSides {
  const answer = challenge.status === 'answered' ? challenge : undefined
  const served = calls.filter(({ outcome, inference }) => inference && outcome === 'answered').at(-1)
  return {
    name: card.status === 'read' ? card.name : `no card: ${card.found}`,
    version: card.status === 'read' ? card.version : null,
    persona: digest(answer?.persona?.sha256),
    build: digest(process === null ? answer?.build?.sha256 : process.observed.program.sha256),
    model: served === undefined ? null : `${served.admitted.provider}/${served.servedModel ?? '?'}`,
    tools: servers.flatMap(({ tools }) => tools),
  }
}

export interface ShownAgent extends AgentRow {
  readonly conditions: readonly AgentCondition[]
  readonly steps: readonly AgentStep[]
}

/** One agent with its conditions and its whole history. Throws `usage` for one that nobody knows. */
export async function showAgent(options: AppOptions, name: string): Promise<ShownAgent> {
  const { configuration } = configurationOf(options)
  return withStore(options, async (ledger) => {
    const record = (await ledger?.agents.find(name)) ?? null
    const definition = configuration.agents?.[name]
    if (record === null && definition === undefined) throw usage('an agent of portcullis.yaml or of the ledger', `no agent ${name}`, 'See npx portcullis agents list.')
    const row = await rowOf(options, name, definition, record, ledger)
    return { ...row, conditions: (await ledger?.agents.conditions(name)) ?? [], steps: (await ledger?.agents.steps(name)) ?? [] }
  })
}

export interface KeepRequest {
  readonly names: readonly string[]
  /** `create`, or `restart`, which takes the seed that was proven last and no other. */
  readonly path: 'create' | 'restart'
  /** Ends at the first agent that failed, or when all of them are ready; otherwise they are kept until `ended`. */
  readonly wait: boolean
  readonly ended: AbortSignal
  licensed(name: string, access: AgentAccess, address: string): void
  changed(row: AgentRecord): void
  noted(text: string): void
}

export interface Kept {
  readonly ready: readonly string[]
  readonly failed: AgentRecord | null
}

/** How often agents are looked over for what is due. */
const TICK_MS = 100

/** Starts agents and keeps them: each has to prove itself, again and again. They end with this call, those of others excepted. */
export async function keepAgents(options: AppOptions, asked: KeepRequest): Promise<Kept> {
  const { AgentHost } = await import('../engine/index.ts')
  const stateDirectory = stateDirectoryOf(options)
  const ledger = new LedgerOnDemand(join(stateDirectory, 'ledger.db'))
  try {
    const world = await composeAgentWorld(options, ledger, stateDirectory)
    const names = asked.names.length > 0 ? asked.names : Object.keys(world.configuration.agents ?? {})
    // Nothing to prove is not the same as everything proven (RDY-31).
    if (names.length === 0) throw usage('agents to start', 'none in portcullis.yaml', 'Describe one under agents.')
    const host = await AgentHost.open(world, asked.noted)
    try {
      const told = new Map<string, string>()
      for (const [index, name] of names.entries()) {
        const begun = await host.start(name, asked.path)
        if (begun.ok && begun.access !== null) asked.licensed(name, begun.access, host.wireAddress)
        if (!asked.wait) continue
        // One after the other: where the first is not ready, the others would not be either (RDY-42).
        const kept = await untilSettled(world, host, names.slice(0, index + 1), asked, told)
        if (kept.failed !== null || index === names.length - 1) return kept
      }
      return await untilSettled(world, host, names, asked, told)
    } finally {
      await host.close()
    }
  } finally {
    await ledger.close()
  }
}

async function untilSettled(world: AgentWorld, host: { tick(): Promise<void> }, names: readonly string[], asked: KeepRequest, told: Map<string, string>): Promise<Kept> {
  for (;;) {
    const records = (await world.store.all()).filter(({ name }) => names.includes(name))
    for (const record of records) {
      const standing = `${record.generation} ${record.state} ${record.reason ?? ''}`
      if (told.get(record.name) !== standing) asked.changed(record)
      told.set(record.name, standing)
    }
    const failed = records.find(({ state }) => state === 'failed') ?? null
    const ready = records.filter(({ state }) => state === 'online').map(({ name }) => name)
    const settled = asked.wait && (failed !== null || ready.length === names.length)
    if (settled || asked.ended.aborted) return { ready, failed }
    await host.tick()
    await new Promise((resolve) => setTimeout(resolve, TICK_MS))
  }
}

export interface CheckedAgent {
  readonly name: string
  readonly outcome: 'passed' | 'failed' | 'skipped'
  readonly why: string
}

export interface AgentCheck {
  readonly verdict: 'pass' | 'fail' | 'incomplete'
  readonly checks: readonly CheckedAgent[]
  readonly exitCode: 0 | 4 | 5
}

/** Is every agent in reach now? One that was never started is skipped, which is no pass; with `requireLive` it is refused with 5 (RDY-29). */
export async function checkAgents(options: AppOptions, requireLive: boolean): Promise<AgentCheck> {
  const { agents } = await listAgents(options)
  const checks = agents.map(({ name, routable, record, reason }): CheckedAgent => ({ name, outcome: routable ? 'passed' : record === null ? 'skipped' : 'failed', why: record === null ? 'it was never started' : `${record.state}${reason === null ? '' : ` (${reason})`}${record.state === 'online' && !routable ? ', and its proof has ended' : ''}` }))
  const failed = checks.length === 0 || checks.some(({ outcome }) => outcome === 'failed')
  const skipped = checks.some(({ outcome }) => outcome === 'skipped')
  return { verdict: failed ? 'fail' : skipped ? 'incomplete' : 'pass', checks, exitCode: failed ? 4 : skipped && requireLive ? 5 : 0 }
}
