import { lookup } from 'node:dns'
import { once } from 'node:events'
import { chmod } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { Pool } from 'undici'
import type { Clock } from '../../contract/clock.ts'
import { PortcullisError, systemCode } from '../../contract/errors.ts'
import type { Dialect } from '../../contract/model.ts'
import { milliseconds } from '../../contract/units.ts'
import { addressPermission, type Provider } from '../../gates/catalog/index.ts'
import type { CallRecorder, CredentialReader, GrantRequest, HealthThresholds, Tally, Wire, Withdrawal } from '../../gates/wire/index.ts'
import { GrantTable, LiveGrant } from './grant-table.ts'
import { guardedConnector } from '../outgoing/index.ts'
import { HealthBoard } from './health-board.ts'
import { CATCH_UP_LOOK_MS, CATCH_UP_MS, HEADERS_TIMEOUT_MS, KEEP_ALIVE_TIMEOUT_MS, MAX_HEADER_BYTES, REQUEST_TIMEOUT_MS } from './limits.ts'
import { serve, type Desk } from './serve.ts'
import { LocalTally } from './tally.ts'
import { refuseUnreadable } from './unreadable.ts'

export interface WireOptions {
  readonly recorder: CallRecorder
  readonly credentials: CredentialReader
  readonly clock: Clock
  /** From when on a pair gets no traffic until a probe has answered; undefined where the configuration sets none (WIR-30). */
  readonly thresholds: HealthThresholds | undefined
  /** Who numbers and counts; left out, this process alone. */
  readonly tally?: Tally
  /** Why nothing may be asked any more, asked before each call; left out, the grants alone say it. */
  readonly withdrawn?: () => Promise<Withdrawal | undefined>
  /** Whether what the grants rest on was read lately; a call waits a moment for it. Left out, the grants rest on nothing that is read. */
  readonly current?: () => boolean
  /** 0 for any free port. The wire listens on 127.0.0.1 only. */
  readonly port: number
}

const NEVER = (): Promise<undefined> => Promise.resolve(undefined)

/** Waits until `current` says true, at most `CATCH_UP_MS`. Who forwards asks again by itself. */
async function caughtUp(current: () => boolean): Promise<void> {
  for (const began = performance.now(); !current() && performance.now() - began < CATCH_UP_MS; ) await new Promise((resolve) => setTimeout(resolve, CATCH_UP_LOOK_MS))
}

/** Starts the wire. Throws `port_taken` if the port is in use. */
export async function startWire(options: WireOptions): Promise<Wire> {
  const grants = new GrantTable()
  const live = (request: GrantRequest): LiveGrant => new LiveGrant(request, options.recorder, options.clock, options.tally ?? tally)
  const tally = new LocalTally()
  const pools = new ProviderPools()
  let unbound = 0
  const { current } = options
  const health = new HealthBoard(options.thresholds)
  const desk: Desk = { grants, health, credentials: options.credentials, poolOf: (provider) => pools.of(provider), onUnbound: () => void (unbound += 1), withdrawn: options.withdrawn ?? NEVER, caughtUp: () => (current === undefined ? NEVER() : caughtUp(current)) }
  const server = serverOver(desk, undefined)
  const port = await listen(server, options.port)
  const address = `http://127.0.0.1:${port}`
  const baseUrl: Readonly<Record<Dialect, string>> = { 'openai-chat': `${address}/v1`, 'openai-responses': `${address}/v1`, 'anthropic-messages': address, gemini: address }
  return {
    address,
    unboundRequests: () => unbound,
    grant: (request: GrantRequest) => {
      const own = live(request)
      return { ...grants.add(own, baseUrl), listen: (path) => listenAlone(desk, own, path) }
    },
    adopt: (request, licence) => {
      const own = live(request)
      return { ...grants.adopt(own, baseUrl, licence), listen: (path) => listenAlone(desk, own, path) }
    },
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      await grants.revokeAll()
      server.closeAllConnections()
      await closed
      await pools.close()
    },
  }
}

/** A server of the wire. `own` is the one run that can call it, where there is one; otherwise the token says whose call it is. */
function serverOver(desk: Desk, own: LiveGrant | undefined): Server {
  const server = createServer({
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    connectionsCheckingInterval: 1_000,
    insecureHTTPParser: false,
    requireHostHeader: true,
    noDelay: true,
  })
  refuseUnreadable(server)
  server.on('request', (incoming, client) => {
    // Faults of a bound request are recorded inside; what is left is a request of nobody, and it gets no answer.
    serve(desk, incoming, client, own).catch(() => void client.destroy())
  })
  return server
}

/** Takes the calls of one run on a socket of its own. */
async function listenAlone(desk: Desk, own: LiveGrant, path: string): Promise<void> {
  const server = serverOver(desk, own)
  // Listened for together, so that an error is not waited for without end.
  await Promise.all([once(server, 'listening'), Promise.resolve(server.listen(path))])
  await chmod(path, 0o600)
  own.opened(
    () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  )
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      if (systemCode(error) !== 'EADDRINUSE') return reject(error)
      reject(new PortcullisError('port_taken', { asked: `the wire on 127.0.0.1:${port}`, found: `port ${port} is in use`, remedy: 'Choose another port, or 0 for any free one.', cause: error }))
    })
    server.listen(port, '127.0.0.1', () => {
      const bound = server.address()
      if (bound === null || typeof bound === 'string') return reject(new TypeError('a TCP server without a port'))
      resolve(bound.port)
    })
  })
}

/** Connections to providers, one pool for each origin, connect limit and permission of addresses, without an upper bound: a stream must never queue behind others. */
class ProviderPools {
  readonly #pools = new Map<string, Pool>()
  readonly #ofProvider = new WeakMap<Provider, Pool>()

  of(provider: Provider): Pool {
    const pool = this.#ofProvider.get(provider) ?? this.#find(provider)
    this.#ofProvider.set(provider, pool)
    return pool
  }

  #find(provider: Provider): Pool {
    const { origin } = new URL(provider.baseUrl)
    const connectTimeoutMs = milliseconds(provider.timeouts.connect)
    const permission = addressPermission(provider)
    const key = `${origin} ${connectTimeoutMs} ${permission.privateAddresses}`
    const known = this.#pools.get(key)
    if (known !== undefined) return known
    // The limits for bytes are ours (see upstream.ts); undici's own are off, because theirs are coarse and defaulted.
    const pool = new Pool(origin, { connections: null, pipelining: 1, connect: guardedConnector(connectTimeoutMs, permission, lookup), headersTimeout: 0, bodyTimeout: 0, maxHeaderSize: MAX_HEADER_BYTES, allowH2: false })
    this.#pools.set(key, pool)
    return pool
  }

  async close(): Promise<void> {
    await Promise.all([...this.#pools.values()].map((pool) => pool.destroy()))
    this.#pools.clear()
  }
}
