import { type CommonOptions, parsePort, type Register, type Surface, withCommonOptions, withExamples } from '../command.ts'
import { PortcullisError } from '../../contract/errors.ts'
import { printable, type Terminal } from '../terminal.ts'
import type { Server } from '../../app/serve.ts'

interface ServeOptions extends CommonOptions {
  readonly port?: string
  readonly wirePort?: string
  readonly agentWirePort?: string
  readonly drain?: string
  readonly adminExpires?: string
  readonly host?: string
  readonly allowedHost?: string[]
  readonly beyondLoopback?: true
  readonly socket?: string
  readonly tlsCertificate?: string
  readonly tlsKey?: string
}

export const register: Register = (program, surface) => {
  const command = program
    .command('serve')
    .description('serve the API and the wire in one process, on loopback, until it is ended')
    .option('--port <number>', 'where the API listens; 0 takes any free port (server.port of the configuration)')
    .option('--wire-port <number>', 'where the wire listens; 0 takes any free port (server.wirePort)')
    .option('--agent-wire-port <number>', 'where the agents of the configuration reach their models; 0 takes any free port (server.agentWirePort)')
    .option('--drain <duration>', 'how long requests and runs may go on once it was told to end (server.drain)')
    .option('--admin-expires <when>', 'how long the first token, made when there is none, is in force (server.adminExpires)')
    .option('--socket <path>', 'a Unix socket instead of an address, which only its owner can open (server.socket)')
    .option('--tls-certificate <file>', 'serve over TLS with this certificate in PEM (server.tls)')
    .option('--tls-key <file>', 'the key of that certificate, in a file that only its owner may read')
    .option('--host <address>', 'another address than 127.0.0.1 (server.host); it needs --allowed-host, and TLS or --beyond-loopback')
    .option('--allowed-host <host...>', 'a Host header that is answered beside those of loopback (server.allowedHosts)')
    .option('--beyond-loopback', 'say that others may reach the API; put TLS in front')
  withExamples(withCommonOptions(command), 'serve --port 4030 --wire-port 4020 --drain 30s --admin-expires 30d').action(async (options: ServeOptions) => serve(options, surface))
}

async function serve(options: ServeOptions, surface: Surface): Promise<void> {
  const terminal = surface.terminal(options.json === true)
  const [{ openServer, drainMs }, { listen, ROUTES }, { CONSOLE_DIRECTORY }] = await Promise.all([import('../../app/serve.ts'), import('../../http/index.ts'), import('../../app/console.ts')])
  const server = await openServer(surface.app(options), {
    given: {
      port: options.port === undefined ? undefined : parsePort(options.port),
      wirePort: options.wirePort === undefined ? undefined : parsePort(options.wirePort),
      agentWirePort: options.agentWirePort === undefined ? undefined : parsePort(options.agentWirePort),
      socket: options.socket, tls: tlsOf(options),
      drain: options.drain, adminExpires: options.adminExpires, host: options.host, allowedHosts: options.allowedHost,
    },
    beyondLoopback: options.beyondLoopback === true,
    log: (line) => void process.stderr.write(line),
  })
  const listening = await listen(server, ROUTES, CONSOLE_DIRECTORY).catch(async (error: unknown) => {
    await server.close(AbortSignal.abort())
    throw error
  })
  announce(terminal, server, listening.address)
  await aborted(surface.cancelled)
  endAtOnceNextTime()
  server.log.info({ running: server.runs.count, drain: server.settings.drain }, 'ending')
  const limit = AbortSignal.timeout(drainMs(server.settings))
  await Promise.all([listening.close(limit), server.runs.drain(limit)])
  await server.close(limit)
  server.log.info({}, 'ended')
}

function tlsOf({ tlsCertificate: certificate, tlsKey: key }: ServeOptions): { readonly certificate: string; readonly key: string } | undefined {
  if (certificate !== undefined && key !== undefined) return { certificate, key }
  if (certificate === undefined && key === undefined) return undefined
  throw new PortcullisError('usage', { asked: 'a certificate and its key', found: `only --tls-${certificate === undefined ? 'key' : 'certificate'}`, remedy: 'Give both, or neither.' })
}

function announce(terminal: Terminal, server: Server, address: string): void {
  const first = server.firstTokenPath ?? null
  if (terminal.json) return terminal.emit(`${JSON.stringify({ address, wire: server.wireAddress, agent_wire: server.agents.wireAddress ?? null, first_token: first })}\n`)
  terminal.line(`  The API and the console listen on ${address}, the wire on ${server.wireAddress}${server.agents.wireAddress === undefined ? '' : `, that of the agents on ${server.agents.wireAddress}`}. Ctrl-C ends it.`)
  if (first !== null) terminal.line(`  The first token, of kind admin, lies in ${printable(first)}. Make others with it, then remove the file.`)
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) return resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })

const SIGNALS = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const

/** Whoever asks twice does not want to wait: what is cut is what a crash would cut, and the ledger holds against that. */
function endAtOnceNextTime(): void {
  for (const [signal, code] of Object.entries(SIGNALS)) process.once(signal, () => process.exit(code))
}
