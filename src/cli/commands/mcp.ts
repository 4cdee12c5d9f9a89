import { type CommonOptions, type Register, withCommonOptions, withExamples } from '../command.ts'

export const register: Register = (program, surface) => {
  const command = program.command('mcp').description('serve the Model Context Protocol over standard input and output: tools to run, resolve, probe, and to show a run and its evidence')
  withExamples(withCommonOptions(command), 'mcp').action(async (options: CommonOptions) => {
    const place = surface.app(options)
    const [{ openApp }, { RunDesk }, { serveMcpStdio }] = await Promise.all([import('../../app.ts'), import('../../app/run-desk.ts'), import('../../mcp/index.ts')])
    const app = await openApp(place)
    const runs = new RunDesk(app, place)
    const served = serveMcpStdio({ options: place, app, runs, agents: undefined, connection: undefined })
    await ended(surface.cancelled)
    // Who asked is gone, so nobody waits for what runs: it is cancelled, and its end is in the ledger.
    await runs.drain(AbortSignal.abort())
    await served.close()
    await app.close()
  })
}

/** The client closes our input when it is done, or a signal comes. */
const ended = (cancelled: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (cancelled.aborted) return resolve()
    cancelled.addEventListener('abort', () => resolve(), { once: true })
    process.stdin.once('end', () => resolve())
    process.stdin.once('close', () => resolve())
  })
