import { fork } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { parseDocument } from 'yaml'
import * as z from 'zod'
import { LedgerOnDemand } from '../src/adapters/store-sqlite/index.ts'
import { composeAgentWorld } from '../src/app/agents.ts'
import { systemClock } from '../src/contract/clock.ts'
import { AgentDefinition, AgentHost } from '../src/engine/index.ts'

const ROOT = join(import.meta.dirname, '..')
/** What the concierge document asks for: under half a core, and readiness that is lost is noticed within one interval. */
const TARGETS = { cores: 0.5, noticedSeconds: 30 } as const
const TICK_MS = 100
const BEAT_SECONDS = 30
const LOST = 20
const Places = z.strictObject({ base: z.url(), provider: z.url(), persona: z.string(), build: z.string() })

export interface AgentFigures {
  readonly agents: number
  readonly online: number
  readonly startSeconds: number
  readonly windowSeconds: number
  /** Of this process alone: looks, proofs, heartbeats, wire and store; the agents and their model are another one. */
  readonly cores: number
  readonly residentMegabytes: number
  readonly noticedSeconds: { readonly median: number; readonly most: number; readonly of: number; readonly seen: number }
  readonly loadAverage: number
}

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds))

/** A project with the scripted model of the assistants, and the agents in memory: a file of so many would be larger than one may be. */
async function openHost(directory: string, places: z.infer<typeof Places>, count: number) {
  cpSync(join(ROOT, 'examples/concierge'), directory, { recursive: true })
  const edit = (file: string, change: (document: ReturnType<typeof parseDocument>) => void): void => {
    const document = parseDocument(readFileSync(join(directory, file), 'utf8'))
    change(document)
    writeFileSync(join(directory, file), file.endsWith('.json') ? JSON.stringify(document.toJS()) : document.toString())
  }
  edit('portcullis.yaml', (document) => {
    document.setIn(['providers', 'scripted', 'baseUrl'], `${places.provider}/v1`)
    // One process plays the model of all of them, and may be busy.
    document.setIn(['providers', 'scripted', 'timeouts'], { connect: '30s', firstByte: '60s', idle: '60s', total: '2m' })
  })
  edit('admissions/scripted--coder-1.json', (document) => document.setIn(['endpoint'], `${places.provider}/v1`))
  const ledger = new LedgerOnDemand(join(directory, '.portcullis/ledger.db'))
  const world = await composeAgentWorld({ cwd: directory, configurationPath: undefined, stateDirectory: undefined, environment: { PATH: process.env['PATH'] }, homeDirectory: join(directory, 'home'), clock: systemClock }, ledger, join(directory, '.portcullis'))
  const address = new URL(places.base).host
  const agents = Object.fromEntries(Array.from({ length: count }, (_each, index) => [`agent-${index}`, AgentDefinition.parse({
    deployment: 'desk', profile: 'concierge', purpose: 'assistant',
    expects: { name: 'Concierge', version: '1', persona: { sha256: places.persona }, build: { sha256: places.build }, mcpServers: { desk: { url: `${places.base}/agent-${index}/mcp`, tools: ['create_workspace'] } } },
    provisioner: { kind: 'external', mode: 'pull' }, cardUrl: `${places.base}/agent-${index}/card`, allow: { addresses: [address] },
    startup: '300s', answer: '30s', recheck: '30s', reprove: '300s', validFor: '400s',
  })]))
  const host = await AgentHost.open({ ...world, configuration: { ...world.configuration, agents } }, () => undefined)
  return { host, ledger, store: world.store }
}

/** Starts so many agents, keeps them for a while, takes a tool away from some of them. Throws if not every one came online. */
export async function measureAgents(count: number, windowSeconds: number): Promise<AgentFigures> {
  const directory = mkdtempSync(join(tmpdir(), 'portcullis-bench-agents-'))
  const assistants = fork(join(import.meta.dirname, 'bench-agents/assistants.ts'))
  try {
    const [places] = z.tuple([Places]).rest(z.unknown()).parse(await once(assistants, 'message'))
    const { host, ledger, store } = await openHost(directory, places, count)
    const startedAtMs = performance.now()
    const ticking = setInterval(() => void host.tick(), TICK_MS)
    const names = Array.from({ length: count }, (_each, index) => `agent-${index}`)
    const begin = async (name: string): Promise<void> => {
      const begun = await host.start(name, 'external_create')
      if (!begun.ok || begun.access === null) throw new Error(`${name} did not begin: ${begun.ok ? 'no access' : begun.found}`)
      assistants.send({ agent: name, token: begun.access.token, wire: begun.access.baseUrl })
    }
    // A few at a time, as a roll-out is.
    const waiting = [...names]
    await Promise.all(Array.from({ length: 8 }, async () => {
      for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) await begin(name)
    }))
    const online = async (): Promise<number> => (await store.all()).filter(({ state }) => state === 'online').length
    for (const limit = performance.now() + 300_000; (await online()) < count && performance.now() < limit; ) await pause(1_000)
    const startSeconds = (performance.now() - startedAtMs) / 1_000
    const onlineCount = await online()
    if (onlineCount < count) {
      const lacking = (await store.all()).filter(({ state }) => state !== 'online').map(({ state, reason, message }) => `${state} ${reason ?? ''} ${message.slice(0, 200)}`)
      throw new Error(`${onlineCount} of ${count} agents came online; the others: ${[...new Set(lacking)].slice(0, 5).join(' | ')}`)
    }
    let beat = 0
    const beating = setInterval(() => void host.heartbeat(names[beat++ % count] ?? '', true), (BEAT_SECONDS * 1_000) / count)
    const [cpu, wall] = [process.cpuUsage(), performance.now()]
    await pause(windowSeconds * 1_000)
    const { user, system } = process.cpuUsage(cpu)
    const elapsedSeconds = (performance.now() - wall) / 1_000
    // Over the whole roll-out, so that they are not all at the same moment of their interval.
    const noticed = await notice(names.filter((_name, index) => index % Math.max(1, Math.floor(count / LOST)) === 0).slice(0, LOST), assistants, store)
    clearInterval(beating)
    clearInterval(ticking)
    const figures = { agents: count, online: onlineCount, startSeconds, windowSeconds: elapsedSeconds, cores: (user + system) / 1e6 / elapsedSeconds, residentMegabytes: process.memoryUsage().rss / 1_048_576, noticedSeconds: noticed, loadAverage: loadavg()[0] ?? Number.NaN }
    await host.close()
    await ledger.close()
    return figures
  } finally {
    assistants.disconnect()
    rmSync(directory, { recursive: true, force: true })
  }
}

async function notice(names: readonly string[], assistants: ReturnType<typeof fork>, store: Awaited<ReturnType<typeof openHost>>['store']): Promise<AgentFigures['noticedSeconds']> {
  const lostAtMs = performance.now()
  for (const name of names) assistants.send({ loses: name })
  const seconds = new Map<string, number>()
  for (const limit = lostAtMs + 4 * TARGETS.noticedSeconds * 1_000; seconds.size < names.length && performance.now() < limit; ) {
    for (const name of names) if (!seconds.has(name) && (await store.find(name))?.state === 'failed') seconds.set(name, (performance.now() - lostAtMs) / 1_000)
    await pause(50)
  }
  const sorted = [...seconds.values()].toSorted((a, b) => a - b)
  return { median: sorted[Math.floor(sorted.length / 2)] ?? Number.POSITIVE_INFINITY, most: seconds.size < names.length ? Number.POSITIVE_INFINITY : (sorted.at(-1) ?? Number.POSITIVE_INFINITY), of: names.length, seen: seconds.size }
}

export const agentsHold = ({ cores, noticedSeconds }: AgentFigures): boolean => cores < TARGETS.cores && noticedSeconds.most <= TARGETS.noticedSeconds

export const printAgents = (figures: AgentFigures): string =>
  [
    `${figures.online} agents online after ${figures.startSeconds.toFixed(0)} s, load average ${figures.loadAverage.toFixed(1)}`,
    `CPU of the process that keeps them, over ${figures.windowSeconds.toFixed(0)} s: ${figures.cores.toFixed(2)} cores (under ${TARGETS.cores} asked); ${figures.residentMegabytes.toFixed(0)} MB`,
    `a tool that is lost: noticed of ${figures.noticedSeconds.seen} of ${figures.noticedSeconds.of}, ${figures.noticedSeconds.median.toFixed(1)} s in the median, ${figures.noticedSeconds.most.toFixed(1)} s at most (${TARGETS.noticedSeconds} s asked)`,
    '',
  ].join('\n')

if (import.meta.main) {
  const { values } = parseArgs({ options: { agents: { type: 'string', default: '2000' }, seconds: { type: 'string', default: '300' }, json: { type: 'boolean' }, assert: { type: 'boolean' } } })
  const figures = await measureAgents(Number(values.agents), Number(values.seconds))
  process.stdout.write(values.json === true ? `${JSON.stringify({ ...figures, within: agentsHold(figures) }, null, 2)}\n` : printAgents(figures))
  process.exitCode = values.assert === true && !agentsHold(figures) ? 1 : 0
}
