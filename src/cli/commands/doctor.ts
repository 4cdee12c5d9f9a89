import type { DoctorAnswer, DoctorRow } from '../../app/doctor.ts'
import { type CommonOptions, type Register, withCommonOptions, withExamples } from '../command.ts'
import { drillOn, printDrill } from '../drill-view.ts'
import { printable, type Terminal } from '../terminal.ts'

interface DoctorOptions extends CommonOptions {
  readonly soon?: string
  readonly drill?: true
}

export const register: Register = (program, surface) => {
  const command = program
    .command('doctor')
    .description('say what is installed, admitted, reachable and expiring, and what to do; exits 0 only if nothing a profile needs is missing')
    .option('--soon <duration>', 'also name the records that end within it, as in 30d')
    .option('--drill', 'also drill every profile, as npx portcullis drill does')
  withExamples(withCommonOptions(command), 'doctor', 'doctor --soon 30d', 'doctor --soon 30d --drill --json').action(async (options: DoctorOptions) => {
    const terminal = surface.terminal(options.json === true)
    const { examine } = await import('../../app/doctor.ts')
    const answer = await examine(surface.app(options), { soon: options.soon })
    printAnswer(terminal, answer)
    // A configuration that is not valid has nothing to drill, and its row has said so.
    const drillable = options.drill === true && !answer.rows.some(({ area, status }) => area === 'configuration' && status === 'missing')
    const drilled = drillable ? await drillOn(terminal, surface.app(options), { profile: undefined, cancelled: surface.cancelled }) : undefined
    if (drilled !== undefined) printDrill(terminal, drilled)
    if (terminal.json) terminal.emit(`${JSON.stringify({ ...answer, ...(options.drill === true ? { drill: drilled ?? null } : {}) }, null, 2)}\n`)
    surface.exit(answer.exit_code === 0 ? (drilled?.exit_code ?? 0) : answer.exit_code)
  })
}

const MARKS = { ok: ['green', '✔'], missing: ['red', '✘'], warning: ['yellow', '!'], unneeded: ['dim', '–'] } as const

function printAnswer(terminal: Terminal, { rows, missing, warnings }: DoctorAnswer): void {
  const width = Math.min(34, Math.max(...rows.map(({ name }) => name.length)) + 2)
  let area = ''
  for (const row of rows) {
    if (row.area !== area) terminal.line(`\n  ${terminal.paint('bold', row.area)}`)
    area = row.area
    printRow(terminal, row, width)
  }
  terminal.line()
  terminal.line(`  ${missing === 0 ? terminal.paint('green', 'nothing that a profile needs is missing') : terminal.paint('red', `${missing} missing`)}${warnings === 0 ? '' : `, ${warnings} to look at`}`)
  terminal.line()
}

function printRow(terminal: Terminal, { name, status, found, needed_for: neededFor, remedy }: DoctorRow, width: number): void {
  const [style, mark] = MARKS[status]
  const [first = '', ...more] = found.split('\n')
  terminal.line(`  ${terminal.paint(style, mark)} ${printable(name).padEnd(width)} ${printable(first)}${neededFor === '' ? '' : terminal.paint('dim', `  · for ${printable(neededFor)}`)}`)
  for (const line of more) terminal.line(`    ${''.padEnd(width)} ${printable(line)}`)
  if (remedy !== null) terminal.line(`    ${''.padEnd(width)} ${terminal.paint('dim', 'do')} ${printable(remedy)}`)
}
