import { resolve as resolvePath } from 'node:path'
import type { LedgerOnDemand } from '../adapters/store-sqlite/index.ts'
import { composeWorld } from '../app.ts'
import type { AgentAccess, AgentRecord, AgentStore, AgentWorld, World } from '../engine/index.ts'
import { type Fleet, listAgents } from './fleet.ts'
import { type AppOptions, configurationOf, searchPathOf, stateDirectoryOf, usage } from './places.ts'
import { ledgerIn } from './store.ts'

/** The world with what agents that live on need of it. */
export async function composeAgentWorld(options: AppOptions, ledger: LedgerOnDemand, stateDirectory: string): Promise<AgentWorld> {
  const [world, store] = await Promise.all([composeWorld(options, ledger, stateDirectory), ledger.open()])
  return agentWorldOf(options, world, store.agents)
}

/** The same over a world that is there already, so that its wires read credentials through one reader and its scanner knows them all. */
export async function agentWorldOf(options: AppOptions, world: World, store: AgentStore): Promise<AgentWorld> {
  const [probe, runtime, workspace, engine] = await Promise.all([import('../adapters/agent-probe/index.ts'), import('../adapters/runtime-process/index.ts'), import('../adapters/workspace/index.ts'), import('../engine/index.ts')])
  const { directory } = configurationOf(options)
  return {
    ...world,
    store,
    prober: probe.createAgentProber(),
    readMaterial: (material, key) => probe.readMaterial(directory, material, key),
    seedDirectory: (seed) => resolvePath(directory, seed),
    headCommit: () => workspace.headCommit({ path: searchPathOf(options.environment), timeoutMs: engine.LOCAL_WORK_MS }, directory),
    endLeftover: runtime.endLeftover,
  }
}

/** What is told of an agent when it changes. */
export interface ToldAgent {
  readonly name: string
  readonly generation: number
  readonly state: AgentRecord['state']
  /** As the documents spell it. */
  readonly reason: string | null
  readonly message: string
}

export interface KeepRequest {
  readonly names: readonly string[]
  /** `create`, or `restart`, which takes the seed that was proven last and no other. */
  readonly path: 'create' | 'restart'
  /** Ends at the first agent that failed, or when all of them are ready; otherwise they are kept until `ended`. */
  readonly wait: boolean
  readonly ended: AbortSignal
  licensed(name: string, access: AgentAccess, address: string): void
  changed(agent: ToldAgent): void
  noted(text: string): void
}

export interface Kept {
  readonly ready: readonly string[]
  /** The first that failed. */
  readonly failed: string | null
}

/** How often agents are looked over for what is due. */
const TICK_MS = 100

/** Starts agents and keeps them: each has to prove itself, again and again. They end with this call, those of others excepted. */
export async function keepAgents(options: AppOptions, asked: KeepRequest): Promise<Kept> {
  const { AgentHost } = await import('../engine/index.ts')
  const stateDirectory = stateDirectoryOf(options)
  const ledger = ledgerIn(options, stateDirectory)
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
  const { spelled } = await import('../gates/readiness/index.ts')
  for (;;) {
    const records = (await world.store.all()).filter(({ name }) => names.includes(name))
    for (const record of records) {
      const standing = `${record.generation} ${record.state} ${record.reason ?? ''}`
      if (told.get(record.name) !== standing) asked.changed({ ...record, reason: record.reason === null ? null : spelled(record.reason) })
      told.set(record.name, standing)
    }
    const failed = records.find(({ state }) => state === 'failed')?.name ?? null
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
export const checkAgents = async (options: AppOptions, requireLive: boolean): Promise<AgentCheck> => checkFleet(await listAgents(options), requireLive)

/** The same of a fleet that somebody else has listed. */
export function checkFleet({ agents }: Fleet, requireLive: boolean): AgentCheck {
  const checks = agents.map(({ name, routable, state, reason }): CheckedAgent => ({ name, outcome: routable ? 'passed' : state === null ? 'skipped' : 'failed', why: state === null ? 'it was never started' : `${state}${reason === null ? '' : ` (${reason})`}${state === 'online' && !routable ? ', and its proof has ended' : ''}` }))
  const failed = checks.length === 0 || checks.some(({ outcome }) => outcome === 'failed')
  const skipped = checks.some(({ outcome }) => outcome === 'skipped')
  return { verdict: failed ? 'fail' : skipped ? 'incomplete' : 'pass', checks, exitCode: failed ? 4 : skipped && requireLive ? 5 : 0 }
}
