import type { Command } from 'commander'
import { PortcullisError } from '../contract/errors.ts'
import type { AppOptions } from '../app.ts'
import type { RemoteApp } from './remote/remote-app.ts'
import type { Terminal } from './terminal.ts'

/** What a command is given: where to write, where it runs, and how it reports its exit code. */
export interface Surface {
  readonly terminal: (json: boolean) => Terminal
  readonly app: (options: CommonOptions) => AppOptions
  /** The server that was named instead of this machine; undefined if none was. Throws `usage` for one that cannot be asked. */
  readonly remote: () => Promise<RemoteApp | undefined>
  /** Aborted when the user cancels (SIGINT, SIGTERM, SIGHUP). */
  readonly cancelled: AbortSignal
  exit(code: number): void
}

export interface CommonOptions {
  readonly json?: true
  readonly config?: string
  readonly state?: string
}

/** Registers one command of the program. */
export type Register = (program: Command, surface: Surface) => void

/** The options that every command has. */
export function withCommonOptions(command: Command): Command {
  return command
    .option('--json', 'print JSON instead of text')
    .option('-c, --config <file>', 'the configuration (found upward from here as portcullis.yaml)')
    .option('--state <directory>', 'where runs and the ledger are kept (.portcullis beside the configuration)')
}

/** The options that a command printed for people needs as well, so that it looks where this one looked; quoted for a shell. */
export function placeOptions({ config, state }: CommonOptions): string {
  const words = [...(config === undefined ? [] : ['-c', config]), ...(state === undefined ? [] : ['--state', state])]
  return words.map((word) => ` ${/^[\w./:@%+=-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`}`).join('')
}

/** Help texts end with an example that works. */
export const withExamples = (command: Command, ...examples: readonly string[]): Command => command.addHelpText('after', `\nExample${examples.length > 1 ? 's' : ''}:\n${examples.map((example) => `  $ npx portcullis ${example}`).join('\n')}\n`)

/** `--port 4010` as a number; anything else is a usage error. */
export function parsePort(text: string): number {
  const port = Number(text)
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port
  throw new PortcullisError('usage', { asked: 'a port from 0 to 65535', found: JSON.stringify(text), remedy: 'Give a number, as in --port 4010; 0 takes any free one.' })
}

/** The command that holds subcommands of several files; the first of them makes it. */
export function subcommandOf(program: Command, name: string, description: string): Command {
  return program.commands.find((command) => command.name() === name) ?? program.command(name).description(description)
}
