import type { Command } from 'commander'
import { PortcullisError } from '../../contract/errors.ts'
import type { Acted, AgentAct, RemoteAgents } from '../remote/remote-agents.ts'
import { type CommonOptions, type Surface, withCommonOptions, withExamples } from '../command.ts'
import { printRefusal } from '../refusal.ts'
import { printable, type Terminal } from '../terminal.ts'

const ACTS: Readonly<Record<Exclude<AgentAct, 'start'>, string>> = {
  restart: 'begin a new generation of an agent with the seed with which it was proven last',
  wake: 'begin a new generation of an agent that was stopped, with the seed with which it was proven last',
  stop: 'end an agent at once, with its process and its licence',
  drain: 'give an agent no new message, and end it when its last answer is out',
}

/** What is done to an agent that runs: only the process that keeps it can do that, so each of these asks a server. */
export function registerActs(agents: Command, surface: Surface): void {
  for (const act of ['restart', 'wake', 'stop', 'drain'] as const) {
    const command = agents.command(`${act} <name>`).description(`${ACTS[act]}, by the server that keeps it`).option('--reason <text>', 'why: it stands in the ledger with the name of the holder of the token')
    withExamples(withCommonOptions(command), `--server http://127.0.0.1:4030 agents ${act} concierge --reason "new build"`).action((name: string, options: CommonOptions & { readonly reason?: string }) => acted(surface, options, name, (remote) => remote.act(name, act, options.reason)))
  }
  registerReports(agents, surface)
  registerAsk(agents, surface)
}

function registerReports(agents: Command, surface: Surface): void {
  const register = agents.command('register <name>').description('say where the card of an agent is that somebody else started; it raises nobody').requiredOption('--card <url>', 'where its card is')
  withExamples(withCommonOptions(register), '--server http://127.0.0.1:4030 agents register concierge --card http://127.0.0.1:4101/.well-known/agent-card.json').action((name: string, options: CommonOptions & { readonly card: string }) =>
    acted(surface, options, name, (remote) => remote.register(name, options.card)),
  )
  const heartbeat = agents.command('heartbeat <name>').description('say that an agent lives; it can lower it, and never raise it').option('--unwell', 'it lives, and is not well')
  withExamples(withCommonOptions(heartbeat), '--server http://127.0.0.1:4030 agents heartbeat concierge').action((name: string, options: CommonOptions & { readonly unwell?: true }) =>
    acted(surface, options, name, (remote) => remote.heartbeat(name, options.unwell !== true)),
  )
}

function registerAsk(agents: Command, surface: Surface): void {
  withExamples(withCommonOptions(agents.command('ask <name> <text>').description('ask an agent something: its answer as JSON-RPC, or why nobody answers')), '--server http://127.0.0.1:4030 agents ask concierge "Good day"').action(async (name: string, text: string, options: CommonOptions) => {
    const terminal = surface.terminal(options.json === true)
    const asked = await (await serverOf(surface)).message(name, text, surface.cancelled)
    if (asked.ok) return terminal.emit(`${JSON.stringify(asked.value, null, 2)}\n`)
    refuse(surface, terminal, name, asked)
  })
}

async function serverOf(surface: Surface): Promise<RemoteAgents> {
  const remote = (await surface.remote())?.agents
  if (remote !== undefined) return remote
  throw new PortcullisError('usage', { asked: 'an agent that a server keeps', found: 'no --server', remedy: 'Name the server with --server or PORTCULLIS_SERVER. An agent of npx portcullis agents start ends with that command.' })
}

async function acted(surface: Surface, options: CommonOptions, name: string, act: (remote: RemoteAgents) => Promise<Acted>): Promise<void> {
  const terminal = surface.terminal(options.json === true)
  const done = await act(await serverOf(surface))
  if (!done.ok) return refuse(surface, terminal, name, done)
  if (terminal.json) return terminal.emit(`${JSON.stringify({ agent: name, done: true, access: done.access }, null, 2)}\n`)
  terminal.line(`  ${terminal.paint('green', '✔')} ${printable(name)}`)
  if (done.access !== null) terminal.line(`  Its model is at ${done.access.base_url}, with this token, which is not shown again:\n  ${done.access.token}`)
}

function refuse(surface: Surface, terminal: Terminal, name: string, { refusal, exitCode }: Extract<Acted, { ok: false }>): void {
  surface.exit(exitCode)
  if (terminal.json) return terminal.emit(`${JSON.stringify({ agent: name, done: false, ...refusal }, null, 2)}\n`)
  terminal.line(`  ${terminal.paint('red', '✘')} ${printable(name)}: ${refusal.reason}. ${printable(refusal.message)}`)
  printRefusal(terminal, refusal)
}
