import type { AgentProber } from '../../gates/readiness/index.ts'
import type { World } from '../world.ts'
import type { Material } from './configuration.ts'
import type { AgentStore } from './store.ts'

/** What agents that live on need of the world, beside what every run does. No field may be left out. */
export interface AgentWorld extends World {
  readonly store: AgentStore
  readonly prober: AgentProber
  /** What an agent must show of a material, with this key. Rejects if its file cannot be read: then nobody is who is meant. */
  readMaterial(material: Material, key: string): Promise<{ readonly sha256: string; readonly proof: string | null }>
  /** The directory with the seed of an agent, by the path in its entry. */
  seedDirectory(seed: string): string
  /** The commit that the project is at, or null where that cannot be said. It stands beside what was found, and explains nothing of it (RDY-48). */
  headCommit(): Promise<string | null>
  /** Ends a process that an earlier server left behind, if it is that very one. */
  endLeftover(pid: number, startTicks: number): Promise<void>
}
