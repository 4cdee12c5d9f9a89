import type { Command } from 'commander'
import type { KeepRequest, Kept } from '../../app/agents.ts'
import type { AgentSides, AgentView, Fleet } from '../../app/fleet.ts'
import { exitCodeOf } from '../../contract/reasons.ts'
import { type CommonOptions, placeOptions, type Register, type Surface, withCommonOptions, withExamples } from '../command.ts'
import { printable, type Terminal } from '../terminal.ts'
import { registerActs } from './agent-acts.ts'
import { checkPrograms } from './agent-programs.ts'

export const register: Register = (program, surface) => {
  const agents = program.command('agents').description('agents that live on: who each must be, who it has proven to be, and whether it may be asked')
  registerList(agents, surface)
  registerShow(agents, surface)
  registerStart(agents, surface)
  registerCheck(agents, surface)
  registerActs(agents, surface)
}

const MARKS = { online: ['green', '✔'], provisioning: ['dim', '…'], degraded: ['yellow', '!'], failed: ['red', '✘'], draining: ['dim', '-'], offline: ['dim', '-'], removed: ['dim', '-'] } as const

function printRow(terminal: Terminal, row: AgentView): void {
  const [color, mark] = row.state === null ? (['dim', '-'] as const) : MARKS[row.state]
  const state = row.state === null ? 'not started' : `${row.state}${row.reason === null ? '' : ` ${row.reason}`}${row.state === 'online' && !row.routable ? ', proof ended' : ''}`
  terminal.line(`  ${terminal.paint(color, mark)} ${printable(row.name).padEnd(24)} ${state.padEnd(30)} ${printable(row.deployment)}${row.generation === null ? '' : `, generation ${row.generation}`}`)
  terminal.line(`      ${''.padEnd(9)}${'expected'.padEnd(34)}observed`)
  for (const part of ['name', 'version', 'persona', 'build', 'model', 'tools'] as const) {
    const [expected, observed] = [textOf(row.expected, part), textOf(row.observed, part)]
    terminal.line(`      ${part.padEnd(9)}${expected.padEnd(34)}${observed === expected || part === 'tools' ? observed : terminal.paint('yellow', observed)}`.trimEnd())
  }
}

function textOf(sides: AgentSides | null, part: keyof AgentSides): string {
  const value = sides?.[part] ?? '-'
  const text = printable(typeof value === 'string' ? value : value.join(', ') || 'none')
  return /^sha256:[0-9a-f]{64}$/.test(text) ? `${text.slice(0, 23)}…` : text.length > 32 ? `${text.slice(0, 31)}…` : text
}

async function fleetOf(surface: Surface, options: CommonOptions): Promise<Fleet> {
  const remote = (await surface.remote())?.agents
  return remote === undefined ? (await import('../../app/fleet.ts')).listAgents(surface.app(options)) : remote.list()
}

function registerList(agents: Command, surface: Surface): void {
  withExamples(withCommonOptions(agents.command('list', { isDefault: true }).description('who each agent must be beside who was seen, and how many of each deployment may be asked')), 'agents list').action(async (options: CommonOptions) => {
    const terminal = surface.terminal(options.json === true)
    const fleet = await fleetOf(surface, options)
    if (terminal.json) return terminal.emit(`${JSON.stringify(fleet, null, 2)}\n`)
    if (fleet.agents.length === 0) return terminal.line('  No agents. Describe one under agents in portcullis.yaml.')
    for (const row of fleet.agents) printRow(terminal, row)
    terminal.line()
    for (const { deployment, total, healthy, unready } of fleet.deployments) terminal.line(`  ${printable(deployment)}: total ${total}, healthy ${healthy}, unready ${unready}`)
  })
}

function registerShow(agents: Command, surface: Surface): void {
  withExamples(withCommonOptions(agents.command('show <name>').description('one agent: expected and observed, its conditions, and its whole history in order')), 'agents show concierge').action(async (name: string, options: CommonOptions) => {
    const terminal = surface.terminal(options.json === true)
    const remote = (await surface.remote())?.agents
    const shown = await (remote === undefined ? (await import('../../app/fleet.ts')).showAgent(surface.app(options), name) : remote.show(name))
    if (terminal.json) return terminal.emit(`${JSON.stringify(shown, null, 2)}\n`)
    printRow(terminal, shown)
    if (shown.stage !== null) terminal.line(`      ${'stage'.padEnd(9)}${shown.stage}`)
    if (shown.head_commit !== null) terminal.line(`      ${'commit'.padEnd(9)}${shown.head_commit} of the project, when this generation began`)
    terminal.line()
    for (const { type, status, reason, message } of shown.conditions) terminal.line(`  ${type.padEnd(12)}${status.padEnd(9)}${reason}${message === '' ? '' : `: ${printable(message)}`}`)
    terminal.line()
    for (const { at, generation, from, to, stage, path, reason, message } of shown.history.steps) terminal.line(`  ${at}  generation ${generation} (${path})  ${from ?? 'new'} → ${to}  ${stage}  ${reason ?? ''}  ${printable(message)}`)
  })
}

function printAccess(terminal: Terminal, name: string, access: { readonly token: string; readonly baseUrl: string; readonly expiresAt: string }, address: string): void {
  if (terminal.json) return terminal.emit(`${JSON.stringify({ agent: name, token: access.token, base_url: access.baseUrl, expires_at: access.expiresAt })}\n`)
  terminal.line(`  ${printable(name)} is started by somebody else. Its model is at ${access.baseUrl} (${address}), with this token, which is not shown again:`)
  terminal.line(`  ${access.token}`)
}

interface StartOptions extends CommonOptions {
  readonly wait?: true
  readonly restart?: true
}

function registerStart(agents: Command, surface: Surface): void {
  const command = agents
    .command('start [names...]')
    .description('start agents, all of the configuration if none is named, and keep them until this is ended: each has to prove itself again and again')
    .option('--wait', 'end when all are ready (0), or at the first that failed (4)')
    .option('--restart', 'only with the seed with which each was proven last')
  withExamples(withCommonOptions(command), 'agents start concierge --wait').action(async (names: readonly string[], options: StartOptions) => {
    const terminal = surface.terminal(options.json === true)
    const remote = (await surface.remote())?.agents
    const keep = async (asked: KeepRequest): Promise<Kept> => (remote === undefined ? (await import('../../app/agents.ts')).keepAgents(surface.app(options), asked) : remote.keep(asked))
    const { failed, ready } = await keep({
      names,
      path: options.restart === true ? 'restart' : 'create',
      wait: options.wait === true,
      ended: surface.cancelled,
      licensed: (name, access, address) => {
        printAccess(terminal, name, access, address)
      },
      changed: ({ name, state, reason, message, generation }) => {
        if (terminal.json) return terminal.emit(`${JSON.stringify({ agent: name, generation, state, reason, message })}\n`)
        const [color, mark] = MARKS[state]
        terminal.line(`  ${terminal.paint(color, mark)} ${printable(name)} ${state}: ${printable(message)}`)
      },
      noted: (text) => (terminal.json ? terminal.emit(`${JSON.stringify({ note: text })}\n`) : terminal.line(`  ${printable(text)}`)),
    })
    if (failed === null) return
    surface.exit(exitCodeOf('no_ready_agent', true))
    if (ready.length === 0) terminal.line(`  No agent is ready, so nothing more is started. See npx portcullis agents show ${printable(failed)}${placeOptions(options)}`)
  })
}

interface CheckOptions extends CommonOptions {
  readonly cli?: true
  readonly requireLive?: true
}

function registerCheck(agents: Command, surface: Surface): void {
  const command = agents
    .command('check')
    .description('is every agent in reach? An agent that was never started is skipped, which is no pass')
    .option('--require-live', 'a skipped check exits 5; also by REQUIRE_LIVE in the environment')
    .option('--cli', 'instead: drive every agent program that is found here through all gates against a scripted provider, and say what it was seen to do')
  withExamples(withCommonOptions(command), 'agents check --require-live', 'agents check --cli --json').action(async (options: CheckOptions) => {
    const terminal = surface.terminal(options.json === true)
    if (options.cli === true) return surface.exit(await checkPrograms(terminal, surface.app(options), surface.cancelled))
    const { checkFleet } = await import('../../app/agents.ts')
    const app = surface.app(options)
    const check = checkFleet(await fleetOf(surface, options), options.requireLive === true || (app.environment['REQUIRE_LIVE'] ?? '') !== '')
    surface.exit(check.exitCode)
    const of = (outcome: string): readonly string[] => check.checks.filter((each) => each.outcome === outcome).map(({ name }) => name)
    if (terminal.json) return terminal.emit(`${JSON.stringify({ verdict: check.verdict, passed: of('passed'), failed: of('failed'), skipped: of('skipped'), checks: check.checks }, null, 2)}\n`)
    for (const { name, outcome, why } of check.checks) terminal.line(`  ${terminal.paint(outcome === 'passed' ? 'green' : outcome === 'failed' ? 'red' : 'yellow', outcome === 'passed' ? '✔' : outcome === 'failed' ? '✘' : '-')} ${printable(name).padEnd(24)} ${outcome.padEnd(8)} ${printable(why)}`)
    terminal.line(`  ${check.verdict}: ${of('passed').length} passed, ${of('failed').length} failed, ${of('skipped').length} skipped${check.checks.length === 0 ? '; there is no agent to check' : ''}`)
  })
}
