import type { Command } from 'commander'
import type { TicketCommands } from '../../app/ticket-commands.ts'
import type { Outcome, TicketView } from '../../app/tickets.ts'
import { PortcullisError } from '../../contract/errors.ts'
import { exitCodeOf } from '../../contract/reasons.ts'
import { type CommonOptions, type Register, type Surface, withCommonOptions, withExamples } from '../command.ts'
import { printRefusal } from '../refusal.ts'
import { registerSessions } from './ticket-sessions.ts'
import { registerImport } from './ticket-import.ts'
import { printable, printableJson, type Terminal } from '../terminal.ts'

export const register: Register = (program, surface) => {
  const tickets = program.command('tickets').description('requested pieces of work: where each stands, who works on it, and everything that ever changed it')
  registerNew(tickets, surface)
  registerList(tickets, surface)
  registerShow(tickets, surface)
  registerMove(tickets, surface)
  registerComment(tickets, surface)
  registerClaim(tickets, surface)
  registerTriage(tickets, surface)
  registerWork(tickets, surface)
  registerFiles(tickets, surface)
  registerImport(tickets, surface, { commandsOf, word })
  registerSessions(tickets, surface, { commandsOf, printOutcome })
}

/** Of the server that was named, or of this machine. */
async function commandsOf(surface: Surface, options: CommonOptions): Promise<TicketCommands> {
  const remote = await surface.remote()
  return remote === undefined ? (await import('../../app/ticket-commands.ts')).localTickets(surface.app(options)) : remote.tickets()
}

const word = async <Value extends string>(text: string, known: Promise<readonly Value[]>, option: string): Promise<Value> => {
  const values = await known
  const found = values.find((value) => value === text)
  if (found === undefined) throw new PortcullisError('usage', { asked: `${option} of ${values.join(', ')}`, found: JSON.stringify(text), remedy: 'Give one of them.' })
  return found
}
const shapes = () => import('../../app/ticket-shapes.ts')

interface NewOptions extends CommonOptions {
  readonly title: string
  readonly description?: string
  readonly project: string
  readonly kind: string
  readonly priority: string
  readonly label: readonly string[]
  readonly accept: readonly string[]
  readonly source?: string
  readonly repository: readonly string[]
}

const gather = (value: string, before: readonly string[]): readonly string[] => [...before, value]

function registerNew(tickets: Command, surface: Surface): void {
  const command = tickets
    .command('new')
    .description('bring a ticket; it begins in triage')
    .requiredOption('--title <text>', 'what is asked for, in a line')
    .requiredOption('--project <name>', 'what it belongs to')
    .requiredOption('--kind <kind>', 'code: done by a change; research: by an answer that is reviewed')
    .requiredOption('--priority <priority>', 'low, medium, high or urgent')
    .option('--description <text>', 'all of it')
    .option('--label <label>', 'a label, by which rules find its agent; may be given again', gather, [])
    .option('--accept <text>', 'what must hold in the end; may be given again', gather, [])
    .option('--source <reference>', 'where it comes from')
    .option('--repository <name>', 'a repository outside the directory it is worked on in, which it may reach; may be given again', gather, [])
  withExamples(withCommonOptions(command), 'tickets new --title "Fix slugify" --project demo --kind code --priority medium --accept "the tests pass"').action(async (options: NewOptions) => {
    const { PRIORITIES, WORK_KINDS } = await shapes()
    const view = await (await commandsOf(surface, options)).create({
      title: options.title, description: options.description ?? '', project: options.project, kind: await word(options.kind, Promise.resolve(WORK_KINDS), '--kind'), priority: await word(options.priority, Promise.resolve(PRIORITIES), '--priority'),
      labels: options.label, acceptance: options.accept.map((text, index) => ({ id: index + 1, text })), source: options.source === undefined ? null : { reference: options.source, key: null, url: null }, repositories: options.repository,
    })
    printView(surface.terminal(options.json === true), view)
  })
}

const MARKS = { triage: '?', todo: '·', in_progress: '…', review: '◇', question: '?', blocked: '✘', done: '✔', closed: '■' } as const

function printView(terminal: Terminal, view: TicketView): void {
  if (terminal.json) return terminal.emit(`${printableJson(JSON.stringify(view, null, 2))}\n`)
  const { ticket, cards, status } = view
  terminal.line(`  ${MARKS[ticket.state]} ${ticket.id} ${printable(ticket.title)}`)
  terminal.line(`      ${status.sentence} (${status.code})`)
  const next = cards.next_action.at === null ? cards.next_action.code : `${cards.next_action.code} at ${cards.next_action.at}`
  for (const [label, text] of [['state', ticket.state], ['next', next], ['owner', cards.owner ?? 'nobody'], ['runtime', cards.runtime], ['since', cards.created_at], ['priority', ticket.priority], ['project', ticket.project], ['source', ticket.source?.reference ?? 'none']] as const) {
    terminal.line(`      ${terminal.paint('dim', label.padEnd(10))}${printable(text)}`)
  }
  for (const item of ticket.acceptance) terminal.line(`      ${item.verdict === 'pass' ? '✔' : item.verdict === 'fail' ? '✘' : '·'} ${item.id}. ${printable(item.text)}${item.verdict === null ? '' : ` (${item.verdict}${item.by === null ? '' : ` by ${printable(item.by)}`})`}`)
}

/** An act that was refused says why, and ends with the code of its reason. */
function printOutcome(surface: Surface, options: CommonOptions, outcome: Outcome<TicketView>): void {
  const terminal = surface.terminal(options.json === true)
  if (outcome.ok) return printView(terminal, outcome.value)
  const { refusal, details } = outcome
  surface.exit(exitCodeOf(refusal.reason, false))
  if (terminal.json) return terminal.emit(`${printableJson(JSON.stringify({ allowed: false, ...refusal, details }, null, 2))}\n`)
  terminal.line(`  ${terminal.paint('red', '✘')} ${refusal.reason}: ${printable(refusal.message)}`)
  printRefusal(terminal, refusal)
}

function registerList(tickets: Command, surface: Surface): void {
  const command = tickets.command('list').description('list tickets, newest first').option('--in <state>', 'only those in this state').option('--project <name>', 'only those of this project')
  withExamples(withCommonOptions(command), 'tickets list --in blocked').action(async (options: CommonOptions & { readonly in?: string; readonly project?: string }) => {
    const terminal = surface.terminal(options.json === true)
    const state = options.in !== undefined ? await word(options.in, shapes().then(({ TICKET_STATES }) => TICKET_STATES), '--in') : undefined
    const rows = await (await commandsOf(surface, options)).list({ state, project: options.project })
    if (terminal.json) return terminal.emit(`${printableJson(JSON.stringify(rows, null, 2))}\n`)
    if (rows.length === 0) return terminal.line('  No tickets. Bring one: npx portcullis tickets new --help')
    for (const row of rows) terminal.line(`  ${MARKS[row.state]} ${row.id.padEnd(8)} ${row.state.padEnd(12)} ${row.priority.padEnd(7)} ${printable(row.owner ?? '-').padEnd(16)} ${printable(row.title)}`.trimEnd())
  })
}

function registerShow(tickets: Command, surface: Surface): void {
  withExamples(withCommonOptions(tickets.command('show <ticket>').description('show a ticket, with everything that ever changed it')), 'tickets show T-1').action(async (id: string, options: CommonOptions) => {
    const terminal = surface.terminal(options.json === true)
    const { view, events } = await (await commandsOf(surface, options)).show(id)
    if (terminal.json) return terminal.emit(`${printableJson(JSON.stringify({ ...view, events }, null, 2))}\n`)
    printView(terminal, view)
    terminal.line()
    for (const event of events) terminal.line(`      ${event.at} ${event.kind} by ${printable(event.actor.id)} (${event.actor.kind}${event.origin === 'mirrored' ? ', mirrored' : ''})${event.text === null ? '' : `: ${printable(event.text)}`}`)
  })
}

function registerMove(tickets: Command, surface: Surface): void {
  const command = tickets.command('move <ticket>').description('move a ticket by hand').requiredOption('--to <state>', 'where to').requiredOption('--reason <text>', 'why')
  withExamples(withCommonOptions(command), 'tickets move T-1 --to todo --reason "clear enough"').action(async (id: string, options: CommonOptions & { readonly to: string; readonly reason: string }) => {
    const to = await word(options.to, shapes().then(({ TICKET_STATES }) => TICKET_STATES), '--to')
    printOutcome(surface, options, await (await commandsOf(surface, options)).move(id, { to, reason: options.reason }))
  })
}

function registerComment(tickets: Command, surface: Surface): void {
  const command = tickets.command('comment <ticket>').description('say something about a ticket').requiredOption('--text <text>', 'what')
  withExamples(withCommonOptions(command), 'tickets comment T-1 --text "see the log of Tuesday"').action(async (id: string, options: CommonOptions & { readonly text: string }) => printOutcome(surface, options, await (await commandsOf(surface, options)).comment(id, options.text)))
}

function registerClaim(tickets: Command, surface: Surface): void {
  const command = tickets.command('claim <ticket>').description('take a ticket up, alone').requiredOption('--lease <duration>', 'how long the claim is in force without a word, as in 10m')
  withExamples(withCommonOptions(command), 'tickets claim T-1 --lease 30m').action(async (id: string, options: CommonOptions & { readonly lease: string }) => printOutcome(surface, options, await (await commandsOf(surface, options)).claim(id, options.lease)))
}

function registerTriage(tickets: Command, surface: Surface): void {
  withExamples(withCommonOptions(tickets.command('triage <ticket>').description('assign a ticket by the rules of portcullis.yaml, or leave it to a person')), 'tickets triage T-1').action(async (id: string, options: CommonOptions) => printOutcome(surface, options, await (await commandsOf(surface, options)).triage(id)))
}

function registerWork(tickets: Command, surface: Surface): void {
  const command = tickets.command('work <ticket>').description('claim a ticket, take its task through every gate in a fresh run, and close it with evidence or send it back with what was found').requiredOption('--task <file>', 'the task file that does the work').requiredOption('--lease <duration>', 'how long the claim is in force without a word, as in 1m')
  withExamples(withCommonOptions(command), 'tickets work T-1 --task task.yaml --lease 1m').action(async (id: string, options: CommonOptions & { readonly task: string; readonly lease: string }) => {
    if ((await surface.remote()) !== undefined) throw new PortcullisError('usage', { asked: 'work on a ticket of a server', found: '--server', remedy: 'Run the command where the server runs, without --server.' })
    const { workTicket } = await import('../../app/ticket-work.ts')
    const silent = { opened: () => undefined, gateBegan: () => undefined, gateDecided: () => undefined, note: () => undefined }
    const outcome = await workTicket(surface.app(options), { ticket: id, task: options.task, lease: options.lease, cancelled: surface.cancelled }, silent)
    if (outcome.ok && outcome.value.ticket.state !== 'closed') surface.exit(outcome.value.ticket.state === 'review' ? 3 : 4)
    printOutcome(surface, options, outcome)
  })
}

function registerFiles(tickets: Command, surface: Surface): void {
  withExamples(withCommonOptions(tickets.command('export').description('print every ticket with its whole history as JSON')), 'tickets export > tickets.json').action(async (options: CommonOptions) => {
    surface.terminal(true).emit(`${printableJson(JSON.stringify(await (await commandsOf(surface, options)).exportAll(), null, 2))}\n`)
  })
}
