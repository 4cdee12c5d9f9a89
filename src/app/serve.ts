import { resolve as resolvePath } from 'node:path'
import { createMetrics, type Metrics } from '../adapters/metrics/index.ts'
import { createLog, type Log } from '../adapters/log/index.ts'
import { type App, composeWorld, openApp } from '../app.ts'
import { steadyClock } from '../contract/clock.ts'
import { PortcullisError } from '../contract/errors.ts'
import { milliseconds, parseDuration } from '../contract/units.ts'
import { type AccessStore, ActBook, type Change, CURRENT_MS, type Ledger, type ServedWire, serveLicences, type ServerSettings } from '../engine/index.ts'
import { AccessDesk } from './access-desk.ts'
import { CheckDesk } from './check-desk.ts'
import { AgentDesk, REFRESH_MS, TICK_MS } from './agent-desk.ts'
import { agentWorldOf } from './agents.ts'
import { firstToken } from './access.ts'
import { DUE_MS, HealthDesk } from './health-desk.ts'
import { isLoopback, listeningPlace, type ListeningPlace, mergedPlace } from './listening.ts'
import { instantOf } from './instant.ts'
import { type AppOptions, configurationOf, stateDirectoryOf, usage } from './places.ts'
import { accessStoreIn, ledgerIn, queueIn } from './store.ts'
import { QueueDesk } from './queue-desk.ts'
import { RunDesk } from './run-desk.ts'
import { RunTokens } from './run-tokens.ts'
import { LedgerWatch } from './ledger-watch.ts'
import { Scheduler } from './scheduler.ts'
import { SESSIONS_MS, SessionDesk } from './session-desk.ts'
import { openTelemetry, SWEEP_MS } from './telemetry.ts'
import { composeTickets, type TicketDesk } from './tickets.ts'
import { WorkDesk } from './work-desk.ts'

/** Settings of which any may be missing. */
export type GivenSettings = { readonly [Name in keyof ServerSettings]?: ServerSettings[Name] | undefined }

export interface ServerRequest {
  /** What was given as options; what is left out must stand in the configuration. */
  readonly given: GivenSettings
  /** Said aloud by the person who starts it: the API may listen where others reach it. */
  readonly beyondLoopback: boolean
  /** Where a line of the log goes. */
  log(line: string): void
}

/** One thing that must hold before the server is ready, as it is now. */
export interface ReadinessCheck {
  readonly name: 'store' | 'wire' | 'configuration'
  readonly ready: boolean
  readonly found: string
}

/** Everything that a surface of the server may use. */
export interface Server {
  readonly options: AppOptions
  readonly settings: ServerSettings
  /** Where it is to listen. */
  readonly place: ListeningPlace
  readonly app: App
  readonly access: AccessDesk
  readonly store: AccessStore
  readonly ledger: Ledger
  readonly runs: RunDesk
  readonly queue: QueueDesk
  readonly agents: AgentDesk
  readonly health: HealthDesk
  readonly tickets: TicketDesk
  readonly sessions: SessionDesk
  /** Who did what, and why. */
  readonly acts: ActBook
  readonly checks: CheckDesk
  readonly metrics: Metrics
  readonly log: Log
  readonly schedule: Scheduler
  readonly wireAddress: string
  /** Where the first token lies, if this start made it. */
  readonly firstTokenPath: string | undefined
  /** The whole path of a file that an answer names from the directory of the server. */
  absolute(path: string): string
  readiness(): Promise<readonly ReadinessCheck[]>
  /** Every change after a position, in the ledger's order, then those to come until `ended` aborts. */
  changes(after: number, ended: AbortSignal): AsyncGenerator<Change>
  /** Waits for runs up to the limit, cancels the rest, then closes wire and store. */
  close(limit: AbortSignal): Promise<void>
}

/** Settings from options and configuration, and the place that they name. Throws `usage` for what stands in neither, and for an address that others reach without all that it needs (AUT-01). */
export function serverSettings(configured: GivenSettings, { given, beyondLoopback }: Pick<ServerRequest, 'given' | 'beyondLoopback'>, around: { readonly configured: string; readonly given: string; readonly now: Date }): { readonly settings: ServerSettings; readonly place: ListeningPlace } {
  const { wirePort, agentWirePort, drain, adminExpires, allowedHosts, telemetry } = { ...configured, ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) }
  const place = listeningPlace(mergedPlace(configured, given, around), around.now)
  const missing = Object.entries({ port: place, wirePort, drain, adminExpires }).filter(([, value]) => value === undefined).map(([name]) => name)
  if (place === undefined || wirePort === undefined || drain === undefined || adminExpires === undefined) {
    throw usage('how the server listens and ends', `nothing for ${missing.join(', ')}`, 'Give the options (npx portcullis serve --help), or write server: { port: 4030, wirePort: 4020, drain: 30s, adminExpires: 30d } into portcullis.yaml.')
  }
  if (parseDuration(drain) === undefined) throw usage('a duration to drain in', JSON.stringify(drain), 'Write it as in 30s.')
  if (place.kind === 'address' && !isLoopback(place.host)) {
    const lacks = [...(beyondLoopback || place.tls !== undefined ? [] : ['TLS, nor --beyond-loopback']), ...(allowedHosts === undefined || allowedHosts.length === 0 ? ['allowedHosts'] : [])]
    if (lacks.length > 0) throw usage(`to listen on ${place.host}, where others reach it`, `no ${lacks.join(', and no ')}`, 'Leave host out to listen on loopback. Else name every host in server.allowedHosts, and give server.tls; or say --beyond-loopback, and put TLS in front.')
  }
  const settings = { wirePort, drain, adminExpires, ...(agentWirePort === undefined ? {} : { agentWirePort }), ...(allowedHosts === undefined ? {} : { allowedHosts }), ...(telemetry === undefined ? {} : { telemetry }) }
  return { settings, place }
}

/** Opens what a server is made of: store, wire, access. It listens nowhere but on the wire. Throws `usage`, `configuration_invalid`, `store_*` or `port_taken`. */
export async function openServer(options: AppOptions, asked: ServerRequest): Promise<Server> {
  const { configuration, directory } = configurationOf(options)
  const { settings, place } = serverSettings(configuration.server ?? {}, asked, { configured: directory, given: options.cwd, now: options.clock() })
  const stateDirectory = stateDirectoryOf(options)
  const store = await accessStoreIn(options, stateDirectory)
  const ledgers = ledgerIn(options, stateDirectory)
  const closing: (() => Promise<void>)[] = [() => store.close(), () => ledgers.close()]
  try {
    const firstTokenPath = await firstToken(store, { stateDirectory, expiresAt: () => instantOf(settings.adminExpires, options.clock()), now: options.clock() })
    const [log, metrics] = [createLog(asked.log), createMetrics()]
    const world = await composeWorld(options, ledgers, stateDirectory)
    const app = await openApp(options)
    closing.unshift(() => app.close())
    const wire = await openWire(world, settings.wirePort, metrics, log)
    closing.unshift(() => wire.close())
    const runs = new RunDesk(app, options)
    const queue = new QueueDesk({ options, queue: await queueIn(options, stateDirectory), runs, scanner: world.scanner })
    closing.unshift(() => queue.close())
    const agents = await AgentDesk.open(options, await agentWorldOf(options, world, (await ledgers.open()).agents), settings.agentWirePort, log)
    closing.unshift(() => agents.close(AbortSignal.abort()))
    const health = new HealthDesk({ options, app, ledger: world.ledger, store, log, steadyMs: steadyClock })
    const telemetry = settings.telemetry === undefined ? undefined : await openTelemetry(settings.telemetry, world, (await ledgers.open()).agents, metrics)
    closing.unshift(async () => telemetry?.close())
    const schedule = new Scheduler(log)
    if (telemetry !== undefined) schedule.every('telemetry', SWEEP_MS, () => telemetry.sweep())
    schedule.every('probes of profiles', DUE_MS, () => health.sweep())
    schedule.every('agents', TICK_MS, async () => agents.sweep())
    schedule.every('configuration of agents', REFRESH_MS, () => agents.refresh())
    schedule.every('credentials of agents', REFRESH_MS, () => agents.rotate())
    const tickets = composeTickets(options, await ledgers.open(), world)
    const sessions = await SessionDesk.open(options, tickets.book, world, log)
    const work = new WorkDesk({ options, app, desk: tickets, world, ledger: world.ledger, log })
    scheduleTickets(schedule, tickets, sessions, work)
    const acts = new ActBook({ ledger: world.ledger, store, clock: options.clock, scanner: world.scanner })
    const checks = new CheckDesk(options, acts, log)
    const watch = new LedgerWatch(() => store.lastPosition())
    return {
      options, settings, place, app, store, ledger: world.ledger, runs, queue, agents, health, tickets, sessions, acts, checks, metrics, log, schedule, firstTokenPath,
      access: new AccessDesk(store, new RunTokens(world.ledger), options.clock),
      wireAddress: wire.address,
      absolute: (path) => resolvePath(options.cwd, path),
      readiness: () => readinessOf(options, store, wire.address),
      changes: (after, ended) => follow(store, watch, after, ended),
      close: async (limit) => {
        health.end()
        work.end()
        await Promise.race([checks.close(), aborted(limit)])
        await runs.drain(limit)
        // A probe of a provider that hangs is not waited for longer than anything else.
        await Promise.race([schedule.stop(), aborted(limit)])
        await agents.close(limit)
        await sessions.close()
        await telemetry?.last(limit)
        for (const close of closing) await close()
      },
    }
  } catch (error) {
    for (const close of closing) await close()
    throw error
  }
}

/** Sessions are always looked after; work is picked up only where the configuration says how often. */
function scheduleTickets(schedule: Scheduler, tickets: TicketDesk, sessions: SessionDesk, work: WorkDesk): void {
  const { pickUp } = tickets.settings()
  if (pickUp !== undefined) schedule.every('work on tickets', milliseconds(pickUp.every), () => work.sweep())
  schedule.every('sessions of tickets', SESSIONS_MS, () => sessions.sweep())
}

async function openWire(world: Awaited<ReturnType<typeof composeWorld>>, port: number, { recorded, unrecorded }: Metrics, log: Log): Promise<ServedWire> {
  return serveLicences(world, {
    recorded, unrecorded,
    noted: (text) => log.info({ part: 'wire' }, text),
    open: (recorder, ageMs) => world.openWire(recorder, { port, current: () => ageMs() <= CURRENT_MS }),
  })
}

/** Each is tried now: what held at the start proves nothing about this moment. */
async function readinessOf(options: AppOptions, store: AccessStore, wireAddress: string): Promise<readonly ReadinessCheck[]> {
  return Promise.all([
    check('store', 'a row can be written', () => store.proveWritable()),
    check('wire', 'it listens', () => answers(wireAddress)),
    check('configuration', 'it is valid', async () => void configurationOf(options)),
  ])
}

async function check(name: ReadinessCheck['name'], good: string, prove: () => Promise<void>): Promise<ReadinessCheck> {
  try {
    await prove()
    return { name, ready: true, found: good }
  } catch (error) {
    // Anybody may ask, so only the code is told: a text would name paths and parts of files.
    return { name, ready: false, found: error instanceof PortcullisError ? error.code : 'unexpected' }
  }
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) return resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })

const ANSWER_MS = 1_000

/** The wire greets whoever sends nothing; that it does shows that it listens and reads. */
async function answers(address: string): Promise<void> {
  const answer = await fetch(address, { method: 'HEAD', signal: AbortSignal.timeout(ANSWER_MS) })
  if (!answer.ok) throw new Error('the wire does not greet')
}

const ROWS_AT_ONCE = 500

async function* follow(store: AccessStore, watch: LedgerWatch, after: number, ended: AbortSignal): AsyncGenerator<Change> {
  let position = after
  // Rows that are evidence are none of the changes, so what was looked at and what was told are two places.
  let looked = after
  while (!ended.aborted) {
    const changes = await store.changesAfter(position, ROWS_AT_ONCE)
    for (const change of changes) {
      if (ended.aborted) return
      position = change.position
      yield change
    }
    if (changes.length < ROWS_AT_ONCE) looked = await watch.grown(Math.max(position, looked), ended)
  }
}

export const drainMs = (settings: ServerSettings): number => milliseconds(settings.drain)
