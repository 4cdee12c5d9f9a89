import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { ProviderScript } from '../../src/adapters/scripted-provider/index.ts'
import { LedgerOnDemand } from '../../src/adapters/store-sqlite/index.ts'
import { composeAgentWorld } from '../../src/app/agents.ts'
import { AgentHost, type AgentRecord, type AgentWorld } from '../../src/engine/index.ts'
import { spelled } from '../../src/gates/readiness/index.ts'
import { CONFIGURATION, RECORD, scenario, type Scenario } from '../e2e/scenario.ts'
import { ASSISTANT, type AssistantPlaces, assistantPlaces } from './assistant.ts'

export const NAME = 'concierge'
export const PERSONA = 'You are the concierge of the house.\n'

export interface AgentStage {
  readonly made: Scenario
  readonly world: AgentWorld
  readonly host: AgentHost
  readonly places: AssistantPlaces
  readonly notes: string[]
  /** Moves the clock of the host. */
  advance(ms: number): void
  record(): Promise<AgentRecord>
  /** Looks again and again until the agent is in one of these states. */
  until(...states: readonly AgentRecord['state'][]): Promise<AgentRecord>
  /** State and reason, as people read them. */
  standing(): Promise<string>
  /** Closes this host and opens another one over the same store, as after a restart of the server. */
  restartServer(): Promise<AgentHost>
}

/** Writes the concierge into the configuration of a scenario, with its seed. */
export function describeConcierge(made: Scenario, places: AssistantPlaces, kind: 'process' | 'pull' | 'push', options: { readonly fault?: string; readonly faultDirectory?: string; readonly seed?: false } = {}): void {
  mkdirSync(join(made.directory, 'seed'))
  writeFileSync(join(made.directory, 'seed/persona.md'), PERSONA)
  const base = { model: 'scripted/coder-1', purposes: ['ticket'], isolation: 'env', backgroundModels: 'refuse', permissions: 'bypass', limits: { total: '8h', idle: '30s', calls: 5_000, tokens: 20_000_000 } }
  made.set(CONFIGURATION, ['profiles', NAME], { agent: 'command', command: ['node', ASSISTANT, '--port', String(places.port), '--mcp-port', String(places.mcpPort), '--persona', 'persona.md', '--fault', options.fault ?? 'none', ...(options.faultDirectory === undefined ? [] : ['--fault-in', options.faultDirectory])], ...base })
  made.set(RECORD, ['runtime'], 'command')
  made.set(CONFIGURATION, ['agents', NAME], {
    deployment: 'desk', profile: NAME, purpose: 'ticket',
    expects: { name: 'Concierge', version: '1.4.0', persona: { file: 'seed/persona.md' }, build: { file: ASSISTANT }, mcpServers: { workspaces: { url: places.mcpUrl, tools: ['create_workspace'] } } },
    provisioner: kind === 'process' ? { kind, autoRestarts: 1, ...(options.seed === false ? {} : { seed: 'seed' }) } : { kind: 'external', mode: kind },
    cardUrl: places.cardUrl, allow: places.allow, startup: '60s', answer: '10s', recheck: '30s', reprove: '300s', validFor: '400s',
  })
}

/** A directory with the concierge in portcullis.yaml, a scripted model, and a host of agents with a clock that can be moved. */
export async function agentStage(context: TestContext, kind: 'process' | 'pull' | 'push', options: { readonly fault?: string; readonly seed?: false; readonly script?: ProviderScript; readonly change?: (made: Scenario) => void } = {}): Promise<AgentStage> {
  const made = await scenario(context, options.script === undefined ? {} : { script: options.script })
  const places = await assistantPlaces()
  describeConcierge(made, places, kind, options)
  options.change?.(made)
  let ahead = 0
  const notes: string[] = []
  const app = { cwd: made.directory, configurationPath: undefined, stateDirectory: undefined, environment: { PATH: process.env['PATH'] }, homeDirectory: join(made.directory, 'home'), clock: () => new Date(Date.now() + ahead) }
  const ledger = new LedgerOnDemand(join(made.directory, '.portcullis/ledger.db'))
  const composed = await composeAgentWorld(app, ledger, join(made.directory, '.portcullis'))
  const world: AgentWorld = { ...composed, machineClock: () => ({ boot: composed.machineClock().boot, ms: composed.machineClock().ms + ahead }) }
  let host = await AgentHost.open(world, (text) => void notes.push(text))
  context.after(async () => {
    await host.close()
    await ledger.close()
  })
  const record = async (): Promise<AgentRecord> => {
    const found = await world.store.find(NAME)
    if (found === undefined) throw new Error(`no agent ${NAME}`)
    return found
  }
  const stage: AgentStage = {
    made, world, places, notes, record,
    get host() {
      return host
    },
    advance: (ms) => {
      ahead += ms
    },
    until: async (...states) => {
      for (const limit = performance.now() + 30_000; performance.now() < limit; ) {
        await host.tick()
        const now = await record()
        if (states.includes(now.state)) return now
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
      throw new Error(`waited in vain for ${states.join(' or ')}: ${JSON.stringify(await record())} ${notes.join('; ')}`)
    },
    standing: async () => {
      const { state, reason } = await record()
      return `${state}${reason === null ? '' : ` ${spelled(reason)}`}`
    },
    restartServer: async () => {
      await host.close()
      host = await AgentHost.open(world, (text) => void notes.push(text))
      return host
    },
  }
  return stage
}
