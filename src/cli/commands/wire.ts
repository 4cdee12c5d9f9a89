import { PortcullisError } from '../../contract/errors.ts'
import { type CommonOptions, parsePort, type Register, withCommonOptions, withExamples } from '../command.ts'
import { printable } from '../terminal.ts'

interface WireOptions extends CommonOptions {
  readonly port: string
  readonly metricsPort?: string
  readonly workers: string
}

export const register: Register = (program, surface) => {
  const command = program
    .command('wire')
    .description('serve model calls for the holders of tokens, on loopback, until it is ended; each call is admitted, witnessed and recorded')
    .requiredOption('--port <number>', 'where to listen on 127.0.0.1; 0 takes any free port')
    .option('--workers <number>', 'how many processes serve the port, as many as there are cores for the most calls a second', '1')
    .option('--metrics-port <number>', 'where Prometheus may scrape /metrics on 127.0.0.1; left out, nowhere')
  withExamples(withCommonOptions(command), 'wire --port 4020').action(async (options: WireOptions) => {
    const terminal = surface.terminal(options.json === true)
    const { serveWire } = await import('../../app/wire.ts')
    await serveWire(surface.app(options), {
      port: parsePort(options.port),
      workers: parseWorkers(options.workers),
      metricsPort: options.metricsPort === undefined ? undefined : parsePort(options.metricsPort),
      ended: surface.cancelled,
      ready: (wire) => (terminal.json ? terminal.emit(`${JSON.stringify(wire)}\n`) : terminal.line(`  The wire listens on ${wire.address}; ${wire.live} live ${wire.live === 1 ? 'token' : 'tokens'}. ${wire.metrics === null ? '' : `metrics on ${wire.metrics}. `}Ctrl-C ends it.`)),
      noted: (text) => (terminal.json ? terminal.emit(`${JSON.stringify({ note: text })}\n`) : terminal.line(`  ${printable(text)}`)),
    })
  })
}

const MOST_WORKERS = 64

function parseWorkers(text: string): number {
  const workers = Number(text)
  if (/^\d{1,2}$/.test(text) && workers >= 1 && workers <= MOST_WORKERS) return workers
  throw new PortcullisError('usage', { asked: `a number of workers from 1 to ${MOST_WORKERS}`, found: JSON.stringify(text), remedy: 'Give a number, as in --workers 4.' })
}
