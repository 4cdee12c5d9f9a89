import { homedir } from 'node:os'
import { Command, CommanderError } from 'commander'
import { ERROR_TABLE, PortcullisError, systemCode } from '../contract/errors.ts'
import { GATE_QUESTIONS, LIFECYCLE } from '../contract/lifecycle.ts'
import { systemClock } from '../contract/clock.ts'
import type { Surface } from './command.ts'
import { register as registerAdmit } from './commands/admit.ts'
import { register as registerAgents } from './commands/agents.ts'
import { register as registerAnchor } from './commands/anchor.ts'
import { register as registerBundle } from './commands/bundle.ts'
import { register as registerApprove } from './commands/approve.ts'
import { register as registerApproveQuestion } from './commands/approve-question.ts'
import { register as registerApproveReview } from './commands/approve-review.ts'
import { register as registerCalls } from './commands/calls.ts'
import { register as registerDecide } from './commands/decide.ts'
import { register as registerDoctor } from './commands/doctor.ts'
import { register as registerDrill } from './commands/drill.ts'
import { register as registerImport } from './commands/import.ts'
import { register as registerInit } from './commands/init.ts'
import { register as registerKeys } from './commands/keys.ts'
import { register as registerMcp } from './commands/mcp.ts'
import { register as registerProbe } from './commands/probe.ts'
import { register as registerProvider } from './commands/provider.ts'
import { register as registerQueue } from './commands/queue.ts'
import { register as registerReport } from './commands/report.ts'
import { register as registerResolve } from './commands/resolve.ts'
import { register as registerResume } from './commands/resume.ts'
import { register as registerRun } from './commands/run.ts'
import { register as registerRuns } from './commands/runs.ts'
import { register as registerServe } from './commands/serve.ts'
import { register as registerShow } from './commands/show.ts'
import { register as registerStore } from './commands/store.ts'
import { register as registerTickets } from './commands/tickets.ts'
import { register as registerTokens } from './commands/tokens.ts'
import { register as registerVerify } from './commands/verify.ts'
import { register as registerWire } from './commands/wire.ts'
import { register as registerWorker } from './commands/worker.ts'
import { createTerminal, printable } from './terminal.ts'
import { VERSION } from '../version.ts'

const COMMANDS = [registerInit, registerImport, registerRun, registerResolve, registerAdmit, registerApprove, registerDecide, registerProbe, registerDrill, registerDoctor, registerVerify, registerReport, registerShow, registerResume, registerApproveReview, registerApproveQuestion, registerRuns, registerBundle, registerAnchor, registerKeys, registerStore, registerProvider, registerServe, registerMcp, registerWire, registerTokens, registerCalls, registerAgents, registerTickets, registerQueue, registerWorker]

/** What ends a run in order. SIGHUP comes when the terminal is closed, which must not leave an agent alive without its gates. */
const CANCELLING = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

const EXIT_CODES = `Exit codes: 0 passed · 1 fault · 2 usage or invalid file · 3 blocked · 4 failed · 5 a required live check was skipped · 75 try later`

/** Runs the command line and returns the exit code. Never throws: a fault is printed with what was asked, found and what to do. */
export async function main(argv: readonly string[]): Promise<number> {
  const json = argv.includes('--json')
  const terminal = createTerminal({ json, stdout: process.stdout, stderr: process.stderr, environment: process.env })
  const cancel = new AbortController()
  const onSignal = (): void => cancel.abort()
  for (const output of [process.stdout, process.stderr]) output.on('error', ignoreReaderGone)
  for (const signal of CANCELLING) process.once(signal, onSignal)
  let exitCode = 0
  let place: ServerOptions = {}
  const surface: Surface = {
    terminal: (asJson) => createTerminal({ json: asJson, stdout: process.stdout, stderr: process.stderr, environment: process.env }),
    app: (options) => ({
      cwd: process.cwd(),
      configurationPath: options.config,
      stateDirectory: options.state,
      environment: process.env,
      homeDirectory: homedir(),
      clock: systemClock,
    }),
    remote: async () => {
      const { server, tokenFile } = place
      return server === undefined ? undefined : (await import('./remote/index.ts')).openRemote({ address: server, tokenFile, environment: process.env, cwd: process.cwd() })
    },
    cancelled: cancel.signal,
    exit: (code) => {
      exitCode = code
    },
  }
  try {
    await buildProgram(surface, (named) => (place = named)).parseAsync(argv, { from: 'user' })
    return exitCode
  } catch (error) {
    return reportFault(error, json, terminal.complain, terminal.emit)
  } finally {
    for (const signal of CANCELLING) process.off(signal, onSignal)
  }
}

/** Whoever read along has left, as `head` does. Dying of it would leave a run without an end, and its agent alive. */
function ignoreReaderGone(error: Error): void {
  if (systemCode(error) !== 'EPIPE') throw error
}

/** The commands that a server can be asked for; any other, given a server, would silently speak of this machine. */
const OVER_A_SERVER: ReadonlySet<string> = new Set(['run', 'queue', 'resume', 'runs', 'resolve', 'probe', 'verify', 'report', 'calls', 'agents', 'tickets'])

interface ServerOptions {
  readonly server?: string
  readonly tokenFile?: string
}

function buildProgram(surface: Surface, placed: (place: ServerOptions) => void): Command {
  const program = new Command('portcullis')
    .description('A fail-closed gate for AI agents: nothing starts, goes online or counts as done unless it is proven.')
    .version(VERSION, '-V, --version')
    .option('--server <address>', 'ask a server instead of this machine, as in http://127.0.0.1:4030 or unix:/srv/gate/api.sock (PORTCULLIS_SERVER)')
    .option('--token-file <file>', 'the file with the token for it (or the variable PORTCULLIS_TOKEN)')
    .exitOverride()
    .showHelpAfterError(false)
    .configureOutput({ writeErr: () => undefined })
    .addHelpText('after', `\nThe gates, in order:\n${LIFECYCLE.map((gate) => `  ${gate.padEnd(12)}${GATE_QUESTIONS[gate].question}`).join('\n')}\n\n${EXIT_CODES}\n\nExample:\n  $ npx portcullis init && npx portcullis run example/task.yaml\n`)
  for (const register of COMMANDS) register(program, surface)
  return program.hook('preAction', (_program, command) => {
    refuseOptionsAsValues(command)
    placed(serverOf(program, command))
  })
}

function serverOf(program: Command, command: Command): ServerOptions {
  const { server = process.env['PORTCULLIS_SERVER'], tokenFile } = program.opts<ServerOptions>()
  if (server === undefined || server === '') return {}
  const named = command.parent === program ? command : command.parent
  if (named?.parent === program && OVER_A_SERVER.has(named.name())) return { server, ...(tokenFile === undefined ? {} : { tokenFile }) }
  throw new PortcullisError('usage', { asked: `${command.name()} of a server`, found: 'a command that is about this machine alone', remedy: `Leave --server and PORTCULLIS_SERVER away. A server can be asked for ${[...OVER_A_SERVER].join(', ')}.` })
}

/** `--state --json` would take `--json` as the directory, and the mistake would show nowhere. */
function refuseOptionsAsValues(command: Command): void {
  for (const [name, value] of Object.entries(command.optsWithGlobals<Record<string, unknown>>())) {
    const taken = [value].flat().find((each) => typeof each === 'string' && each.startsWith('--'))
    if (taken !== undefined) throw new PortcullisError('usage', { asked: `a value for the option ${name}`, found: `${JSON.stringify(taken)}, which is an option`, remedy: 'Give the value first; one that begins with two hyphens cannot be given.' })
  }
}

function reportFault(error: unknown, json: boolean, complain: (text: string) => void, emit: (text: string) => void): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 0
    const fault = new PortcullisError('usage', { asked: 'a command and its options', found: error.code === 'commander.help' ? 'no command that is known' : error.message.replace(/^error: /, ''), remedy: 'See npx portcullis --help, or npx portcullis <command> --help.' })
    return reportFault(fault, json, complain, emit)
  }
  if (error instanceof PortcullisError) {
    const { title, exit } = ERROR_TABLE[error.code]
    if (json) emit(`${JSON.stringify({ error: { code: error.code, title, asked: error.asked, found: error.found, remedy: error.remedy } }, null, 2)}\n`)
    else complain([`${title}.`, `  asked    ${printable(error.asked)}`, ...error.found.split('\n').map((line, index) => `  ${index === 0 ? 'found' : '     '}    ${printable(line)}`), `  do       ${printable(error.remedy)}`].join('\n'))
    return exit
  }
  // Not ours: its text may quote a path or an argv, never a credential, because only the wire reads one; the class and the place help to mend it.
  const name = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  if (json) emit(`${JSON.stringify({ error: { code: 'unexpected', title: ERROR_TABLE.unexpected.title, found: name } }, null, 2)}\n`)
  else complain(`${ERROR_TABLE.unexpected.title}: ${name}\n${error instanceof Error ? (error.stack ?? '').split('\n').slice(1, 6).join('\n') : ''}`)
  return ERROR_TABLE.unexpected.exit
}
