import { hostname } from 'node:os'
import { PortcullisError } from '../../contract/errors.ts'
import { type CommonOptions, type Register, withCommonOptions, withExamples } from '../command.ts'

interface WorkerOptions extends CommonOptions {
  readonly lease: string
  readonly name?: string
  readonly untilEmpty?: true
}

export const register: Register = (program, surface) => {
  const command = program
    .command('worker')
    .description('carry runs of the queue, until it is ended; several may share one store, and take over from one that died')
    .requiredOption('--lease <duration>', 'how long a claim stands without a sign of life, as in 30s')
    .option('--name <name>', 'under which its claims are held (machine and process)')
    .option('--until-empty', 'end once nothing waits and nobody holds a claim')
  withExamples(withCommonOptions(command), 'worker --lease 30s').action(async (options: WorkerOptions) => {
    const [{ work }, { durationMs }, { steadyClock }] = await Promise.all([import('../../app/worker.ts'), import('../../app/tickets.ts'), import('../../contract/clock.ts')])
    const leaseMs = durationMs(options.lease, 'how long a claim stands without a sign of life')
    if (leaseMs < SHORTEST_LEASE_MS) throw new PortcullisError('usage', { asked: `a lease of at least ${SHORTEST_LEASE_MS} ms`, found: options.lease, remedy: 'Give a longer one: a worker that is only slow would lose its claims.' })
    await work(surface.app(options), {
      name: options.name ?? `${hostname()}:${process.pid}`,
      leaseMs, untilEmpty: options.untilEmpty === true, cancelled: surface.cancelled, steadyMs: steadyClock,
      log: (line) => void process.stderr.write(line),
    })
  })
}

const SHORTEST_LEASE_MS = 1_000
