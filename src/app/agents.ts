import { resolve as resolvePath } from 'node:path'
import type { LedgerOnDemand } from '../adapters/store-sqlite/index.ts'
import { composeWorld } from '../app.ts'
import type { AgentWorld } from '../engine/index.ts'
import { type AppOptions, configurationOf } from './places.ts'

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
