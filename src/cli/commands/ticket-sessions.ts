import { randomUUID } from 'node:crypto'
import type { Command } from 'commander'
import type { TicketCommands } from '../../app/ticket-commands.ts'
import type { SessionView, TurnView } from '../../app/session-shapes.ts'
import type { Outcome, TicketView } from '../../app/tickets.ts'
import { PortcullisError } from '../../contract/errors.ts'
import { exitCodeOf } from '../../contract/reasons.ts'
import { type CommonOptions, type Surface, withCommonOptions, withExamples } from '../command.ts'
import { printRefusal } from '../refusal.ts'
import { printable, type Terminal } from '../terminal.ts'

interface Means {
  commandsOf(surface: Surface, options: CommonOptions): Promise<TicketCommands>
  printOutcome(surface: Surface, options: CommonOptions, outcome: Outcome<TicketView>): void
}

/** What can be asked of the live session of a ticket, of the server that holds it. */
export function registerSessions(tickets: Command, surface: Surface, means: Means): void {
  registerSession(tickets, surface, means)
  registerStart(tickets, surface, means)
  registerSay(tickets, surface, means)
  registerTurns(tickets, surface, means)
  for (const [name, what] of [['interrupt', 'end the turn that runs, and its session; its message waits again'], ['restart', 'end the session, and open a fresh one in which what was not finished is sent again']] as const) {
    const command = tickets.command(`${name} <ticket>`).description(what).requiredOption('--reason <text>', 'why; it stands in the history')
    withExamples(withCommonOptions(command), `tickets ${name} T-1 --reason "it hangs"`).action(async (id: string, options: CommonOptions & { readonly reason: string }) => {
      const commands = await means.commandsOf(surface, options)
      means.printOutcome(surface, options, await (name === 'interrupt' ? commands.interrupt(id, options.reason) : commands.restart(id, options.reason)))
    })
  }
}

function registerSession(tickets: Command, surface: Surface, { commandsOf }: Means): void {
  withExamples(withCommonOptions(tickets.command('session <ticket>').description('show the live session of a ticket, or its last one')), 'tickets session T-1').action(async (id: string, options: CommonOptions) => {
    const terminal = surface.terminal(options.json === true)
    const view = await (await commandsOf(surface, options)).session(id)
    if (terminal.json) return terminal.emit(`${JSON.stringify(view, null, 2)}\n`)
    printSession(terminal, view)
  })
}

function printSession(terminal: Terminal, view: SessionView): void {
  const rows = [
    ['state', view.state], ['mode', view.mode], ['runs', view.triple === null ? null : view.triple.replace('/', ' · ')], ['profile', view.profile], ['cwd', view.cwd], ['since', view.started_at], ['active', view.last_activity_at], ['ended', view.ended_at],
    ['context', view.context_tokens === null ? null : `${view.context_tokens} tokens`], ['effort', view.effort], ['run', view.run], ['attach', view.attach === null ? null : view.attach.join(' ')],
  ] as const
  for (const [label, text] of rows) if (text !== null) terminal.line(`      ${terminal.paint('dim', label.padEnd(10))}${printable(text)}`)
  for (const { request, tool } of view.permissions) terminal.line(`      ? ${printable(tool)} waits for an answer (${printable(request)})`)
  for (const { id, text, by } of view.queue) terminal.line(`      · ${id} by ${printable(by.id)}: ${printable(firstLine(text))}`)
}

const firstLine = (text: string): string => text.split('\n', 1)[0]?.slice(0, 120) ?? ''

function registerStart(tickets: Command, surface: Surface, { commandsOf, printOutcome }: Means): void {
  const command = tickets
    .command('start-session <ticket>')
    .description('claim a ticket and open a fresh session for it, through every gate')
    .requiredOption('--profile <name>', 'which profile')
    .requiredOption('--mode <mode>', 'HEADLESS, or INTERACTIVE for a terminal that a person can attach to')
  withExamples(withCommonOptions(command), 'tickets start-session T-1 --profile pi_scripted --mode HEADLESS').action(async (id: string, { profile, mode, ...options }: CommonOptions & { readonly profile: string; readonly mode: string }) => {
    if (mode !== 'HEADLESS' && mode !== 'INTERACTIVE') throw new PortcullisError('usage', { asked: '--mode of HEADLESS, INTERACTIVE', found: JSON.stringify(mode), remedy: 'Give one of them.' })
    printOutcome(surface, options, await (await commandsOf(surface, options)).startSession(id, { profile, mode }))
  })
}

function registerSay(tickets: Command, surface: Surface, { commandsOf }: Means): void {
  const command = tickets
    .command('say <ticket>')
    .description('bring a message into the session of a ticket, once')
    .requiredOption('--text <text>', 'what')
    .option('--queue', 'where a turn runs, let it wait and be a turn of its own')
    .option('--key <key>', 'the same message under the same key is sent once')
  withExamples(withCommonOptions(command), 'tickets say T-1 --text "go on" --queue').action(async (id: string, options: CommonOptions & { readonly text: string; readonly queue?: boolean; readonly key?: string }) => {
    const terminal = surface.terminal(options.json === true)
    const sent = await (await commandsOf(surface, options)).say(id, { text: options.text, onBusy: options.queue === true ? 'queue' : 'refuse', key: options.key ?? randomUUID() })
    if (!sent.ok) surface.exit(exitCodeOf(sent.refusal.reason, false))
    if (terminal.json) return terminal.emit(`${JSON.stringify(sent.ok ? sent.value : { allowed: false, ...sent.refusal, details: sent.details }, null, 2)}\n`)
    if (sent.ok) return terminal.line(sent.value.kind === 'turn' ? `  … ${sent.value.turn.id} has begun` : `  · ${sent.value.message.id} waits`)
    terminal.line(`  ${terminal.paint('red', '✘')} ${sent.refusal.reason}: ${printable(sent.refusal.message)}`)
    printRefusal(terminal, sent.refusal)
  })
}

function registerTurns(tickets: Command, surface: Surface, { commandsOf }: Means): void {
  withExamples(withCommonOptions(tickets.command('turns <ticket>').description('show every attempt to bring a message into a session, those that were refused as well')), 'tickets turns T-1').action(async (id: string, options: CommonOptions) => {
    const terminal = surface.terminal(options.json === true)
    const turns = await (await commandsOf(surface, options)).turns(id)
    if (terminal.json) return terminal.emit(`${JSON.stringify(turns, null, 2)}\n`)
    if (turns.length === 0) return terminal.line('  No turn yet.')
    for (const turn of turns) printTurn(terminal, turn)
  })
}

function printTurn(terminal: Terminal, { id, state, end, began_at: began, by, text, start_tokens: from, end_tokens: to, duration_ms: duration, effort, terminal_text: told }: TurnView): void {
  const measured = [duration === null ? [] : `${Math.round(duration / 1_000)}s`, from === null && to === null ? [] : `${from ?? '?'} to ${to ?? '?'} tokens`, effort === null ? [] : `${effort} effort`].flat()
  terminal.line(`  ${id.padEnd(8)} ${(end ?? state).padEnd(18)} ${began} by ${printable(by.id)}${measured.length === 0 ? '' : ` (${measured.join(', ')})`}: ${printable(firstLine(text))}`)
  for (const line of told?.split('\n') ?? []) terminal.line(`      ${terminal.paint('dim', printable(line))}`)
}
