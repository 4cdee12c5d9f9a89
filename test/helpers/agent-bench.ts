import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { openLedger } from '../../src/adapters/store-sqlite/index.ts'
import { AgentHost, type AgentWorld } from '../../src/engine/index.ts'
import type { AgentQuestion } from '../../src/gates/readiness/index.ts'
import { FakeWire } from './fake-wire.ts'
import { stage } from './fake-world.ts'

export const NAME = 'concierge'
export const [PERSONA, BUILD] = ['a'.repeat(64), 'b'.repeat(64)]

/** What is true of the agent: what a look at it finds. */
export interface Reality {
  readonly card: boolean
  readonly persona: boolean
  readonly tools: boolean
  /** Whether its tool server answers. */
  readonly server: boolean
  readonly model: boolean
  readonly build: boolean
  readonly bound: boolean
  /** It is asked and never answers. */
  readonly silent: boolean
}
export const GOOD: Reality = { card: true, persona: true, tools: true, server: true, model: true, build: true, bound: true, silent: false }
export const isGood = ({ silent, ...shown }: Reality): boolean => !silent && Object.values(shown).every(Boolean)

export interface Bench {
  host: AgentHost
  readonly world: AgentWorld
  reality: Reality
  /** What was true at the last full look. */
  seen: Reality | undefined
  /** Of the credential of its provider. */
  mark: string
  /** Called when a look at an agent that never answers begins, or the probe of a provider that does not. */
  asked: () => void
  /** Its provider does not answer the probe. */
  providerSilent: boolean
  advance(ms: number): void
  jump(ms: number): void
  restart(): Promise<void>
}

/** A host over a real store, whose agent shows what the reality says. */
export async function bench(context: TestContext): Promise<Bench> {
  const agent = {
    deployment: 'desk', profile: 'p', purpose: 'ticket', expects: { name: 'Concierge', version: '1', persona: { sha256: PERSONA }, build: { sha256: BUILD }, mcpServers: { workspaces: { tools: ['create_workspace'] } } },
    provisioner: { kind: 'external', mode: 'push' }, cardUrl: 'https://agents.example.com/card', startup: '60s', answer: '1s', recheck: '30s', reprove: '300s', validFor: '400s',
  }
  const made = await stage(context, { configuration: { agents: { [NAME]: agent } } })
  const ledger = await openLedger(join(made.directory, 'ledger.db'))
  context.after(() => ledger.close())
  const bench: Pick<Bench, 'reality' | 'seen' | 'mark' | 'asked' | 'providerSilent'> = { reality: GOOD, seen: undefined, mark: 'first', asked: () => undefined, providerSilent: false }
  const wires: FakeWire[] = []
  const world: AgentWorld = {
    ...made.world,
    ledger,
    openWire: (recorder) => {
      const wire = new FakeWire(recorder, () => undefined)
      wires.push(wire)
      return Promise.resolve(Object.assign(wire, { adopt: (request: Parameters<FakeWire['grant']>[0]) => wire.grant(request) }))
    },
    probeModel: async ({ grant, signal }) => {
      if (bench.providerSilent) {
        await new Promise<void>((resolve) => {
          signal.addEventListener('abort', () => resolve(), { once: true })
          bench.asked()
        })
        return { latencyMs: 1, httpStatus: null, failure: 'cancelled' }
      }
      await wires.flatMap((wire) => wire.granted).find(({ token }) => token === grant.token)?.ask()
      return { latencyMs: 1, httpStatus: 200, failure: null }
    },
    store: ledger.agents,
    credentialMark: () => Promise.resolve(bench.mark),
    readMaterial: (material) => Promise.resolve({ sha256: 'sha256' in material ? material.sha256 : '', proof: null }),
    seedDirectory: (seed) => seed,
    headCommit: () => Promise.resolve('c'.repeat(40)),
    endLeftover: () => Promise.resolve(),
    prober: {
      judge: (url) => Promise.resolve(url.startsWith('https://') ? undefined : 'not a public address'),
      observe: async (question: AgentQuestion) => {
        const { reality } = bench
        if (reality.silent) await new Promise<void>((resolve) => {
          question.signal.addEventListener('abort', () => resolve(), { once: true })
          bench.asked()
        })
        if (question.callModel) bench.seen = reality
        const { runId, generation, nonce } = question
        const grant = wires.at(-1)?.granted.filter(({ request }) => request.runId === runId && request.purpose === 'agent').at(-1)
        if (!reality.card || reality.silent) return { card: { status: 'failed', failure: 'error', found: 'gone' }, challenge: { status: 'unasked' }, servers: [] }
        if (question.callModel && reality.model) await grant?.ask()
        return {
          card: { status: 'read', url: question.cardUrl, sha256: PERSONA, name: 'Concierge', version: '1', endpoint: 'https://agents.example.com/a2a' },
          challenge: {
            status: 'answered', nonce, requestSha256: PERSONA, responseSha256: PERSONA, bound: { runId, generation: reality.bound ? generation : generation - 1, nonce },
            persona: reality.persona ? { sha256: PERSONA, proof: null } : null, build: { sha256: reality.build ? BUILD : PERSONA, proof: null }, claims: { model: null, provider: null }, servers: [],
          },
          servers: !reality.server ? [{ name: 'workspaces', status: 'failed', url: null, found: 'initialize or tools/list failed', tools: [], listSha256: null }] : [{ name: 'workspaces', status: 'listed', url: null, found: null, tools: reality.tools ? ['create_workspace'] : [], listSha256: null }],
        }
      },
    },
  }
  const open = (): Promise<AgentHost> => AgentHost.open(world, () => undefined)
  const result: Bench = Object.assign(bench, {
    world,
    host: await open(),
    advance: made.advance,
    jump: made.jump,
    restart: async () => {
      await result.host.close()
      result.host = await open()
    },
  })
  context.after(() => result.host.close())
  return result
}
