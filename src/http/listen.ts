import { createServer, type Server as NodeServer, type ServerOptions } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { getRequestListener } from '@hono/node-server'
import type { Server } from '../app/serve.ts'
import { PortcullisError, systemCode } from '../contract/errors.ts'
import { allowedHosts } from './guard.ts'
import type { Route } from './route.ts'
import { createRouter } from './router.ts'
import { bindSocket } from './socket.ts'

export interface Listening {
  readonly address: string
  /** Stops accepting, ends streams, and lets requests under way finish until `limit` aborts. */
  close(limit: AbortSignal): Promise<void>
}

const MAX_HEADER_BYTES = 16_384
const HEADERS_TIMEOUT_MS = 10_000
const REQUEST_TIMEOUT_MS = 60_000
const KEEP_ALIVE_TIMEOUT_MS = 5_000
const LIMITS = { maxHeaderSize: MAX_HEADER_BYTES, headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS, keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS, requireHostHeader: false, insecureHTTPParser: false } as const satisfies ServerOptions

/** Serves the routes, and the console of a directory if there is one, at the place of the settings. Throws `port_taken`, or `usage` for a socket that others could reach. */
export async function listen(server: Server, routes: readonly Route[], consoleDirectory?: string): Promise<Listening> {
  const { place, settings: { allowedHosts: configured = [] } } = server
  const ending = new AbortController()
  let hosts: ReadonlySet<string> = new Set()
  const router = createRouter({ server, routes, consoleDirectory, hosts: () => hosts, ending: ending.signal })
  const listener = getRequestListener(router.fetch, { overrideGlobalObjects: false })
  const handle: Parameters<typeof createServer>[1] = (incoming, outgoing) => {
    listener(incoming, outgoing).catch(() => void outgoing.destroy())
  }
  const close = (node: NodeServer) => (limit: AbortSignal) => closeAll(node, ending, limit)
  if (place.kind === 'socket') {
    const node = createServer(LIMITS, handle)
    // No port and no name lead there: who asks names the machine that it is on.
    hosts = allowedHosts(80, configured)
    await bindSocket(node, place.path)
    return { address: `unix:${place.path}`, close: close(node) }
  }
  const { host, port, tls } = place
  const node = tls === undefined ? createServer(LIMITS, handle) : createSecureServer({ ...LIMITS, cert: tls.certificate, key: tls.key, minVersion: 'TLSv1.2', handshakeTimeout: HEADERS_TIMEOUT_MS }, handle)
  const bound = await bind(node, host, port)
  const scheme = tls === undefined ? 'http' : 'https'
  hosts = allowedHosts(bound, configured, scheme)
  const address = `${scheme}://${host.includes(':') ? `[${host}]` : host}:${bound}`
  // Over a socket or TLS a session has no connection of its own: its turns end by its own protocol.
  if (tls === undefined) server.sessions.servedAt(address)
  return { address, close: close(node) }
}

async function closeAll(node: NodeServer, ending: AbortController, limit: AbortSignal): Promise<void> {
  const closed = new Promise<void>((resolve) => node.close(() => resolve()))
  ending.abort()
  node.closeIdleConnections()
  const cut = (): void => node.closeAllConnections()
  limit.addEventListener('abort', cut, { once: true })
  if (limit.aborted) cut()
  await closed
  limit.removeEventListener('abort', cut)
}

function bind(node: NodeServer, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    node.once('error', (error) => {
      if (systemCode(error) !== 'EADDRINUSE') return reject(error)
      reject(new PortcullisError('port_taken', { asked: `the API on ${host}:${port}`, found: `port ${port} is in use`, remedy: 'Choose another port, or 0 for any free one.', cause: error }))
    })
    node.listen(port, host, () => {
      const address = node.address()
      if (address === null || typeof address === 'string') return reject(new TypeError('a TCP server without a port'))
      resolve(address.port)
    })
  })
}
