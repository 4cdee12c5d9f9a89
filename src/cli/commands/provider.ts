import { type CommonOptions, parsePort, type Register, withExamples } from '../command.ts'
import { printable } from '../terminal.ts'

interface ProviderOptions extends CommonOptions {
  readonly script: string
  readonly port: string
}

export const register: Register = (program, surface) => {
  const command = program
    .command('provider')
    .description('play a scripted model provider on loopback: rehearse a pipeline, faults included, without spending a token')
    .requiredOption('--script <file>', 'what it answers, and what goes wrong')
    .requiredOption('--port <number>', 'the port to listen on; 0 takes any free one')
    .option('--json', 'print one JSON line for each request')
  withExamples(command, 'provider --script script.yaml --port 4010').action(async (options: ProviderOptions) => {
    const terminal = surface.terminal(options.json === true)
    const { startProvider } = await import('../../app.ts')
    const provider = await startProvider({
      script: options.script,
      port: parsePort(options.port),
      onRequest: (entry) => {
        if (terminal.json) terminal.emit(`${JSON.stringify(entry)}\n`)
        else terminal.line(`  ${entry.method} ${printable(entry.path)}  ${printable(entry.model ?? '')}  ${entry.status ?? 'no answer'}`)
      },
    })
    if (terminal.json) terminal.emit(`${JSON.stringify({ listening: provider.url })}\n`)
    else terminal.line(`The scripted provider listens on ${provider.url}. Stop it with Ctrl-C.`)
    await new Promise<void>((resolve) => {
      if (surface.cancelled.aborted) resolve()
      else surface.cancelled.addEventListener('abort', () => resolve(), { once: true })
    })
    await provider.close()
  })
}
