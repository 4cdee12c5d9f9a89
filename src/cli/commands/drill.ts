import { printMilliseconds } from '../../contract/units.ts'
import type { DrillAnswer, DrilledProfile, DrillLine } from '../../app/drill.ts'
import { type CommonOptions, type Register, withCommonOptions, withExamples } from '../command.ts'
import { printable, type Terminal } from '../terminal.ts'

interface DrillOptions extends CommonOptions {
  readonly profile?: string
}

export const register: Register = (program, surface) => {
  const command = program
    .command('drill')
    .description('try every way in on a scratch copy of your own configuration, without spending a token; exits 0 only if each is closed')
    .option('-p, --profile <name>', 'drill this profile alone instead of every one')
  withExamples(withCommonOptions(command), 'drill', 'drill --profile pi_scripted --json').action(async (options: DrillOptions) => {
    const terminal = surface.terminal(options.json === true)
    const { runDrill } = await import('../../app/drill.ts')
    const answer = await drillOn(terminal, (watcher) => runDrill(surface.app(options), { profile: options.profile, cancelled: surface.cancelled }, watcher))
    if (terminal.json) terminal.emit(`${JSON.stringify(answer, null, 2)}\n`)
    else printSummary(terminal, answer)
    surface.exit(answer.exit_code)
  })
}

interface Watcher {
  profileBegan(profile: string, attacks: number): void
  controlEnded(control: DrilledProfile['control']): void
  lineEnded(line: DrillLine): void
}

/** One line an attack as it ends; on a live terminal, below them, how many are still to come. */
async function drillOn(terminal: Terminal, drill: (watcher: Watcher) => Promise<DrillAnswer>): Promise<DrillAnswer> {
  let left = 0
  const waiting = (): void => terminal.redraw(left === 0 ? '' : `  ${terminal.paint('dim', `${left} ${left === 1 ? 'way' : 'ways'} in still to be tried`)}`)
  const print = (text: string): void => {
    terminal.redraw('')
    terminal.line(text)
    waiting()
  }
  try {
    return await drill({
      profileBegan: (profile, attacks) => {
        left = attacks
        print(`\n  ${printable(profile)} · ${attacks} ways in, on copies of your configuration, no tokens spent\n`)
      },
      controlEnded: (control) => print(`  ${terminal.paint(control.accepted ? 'green' : 'red', control.accepted ? '✔ honest  ' : '✘ honest  ')} ${'honest run'.padEnd(TITLE_WIDTH)} ${printable(control.message)}`),
      lineEnded: (line) => {
        left -= 1
        print(describe(terminal, line))
      },
    })
  } finally {
    terminal.redraw('')
  }
}

const TITLE_WIDTH = 28
const MARKS = { closed: ['green', '✔ closed  '], open: ['red', '✘ OPEN    '], 'not-applicable': ['dim', '– none    '], 'not-proven': ['red', '? unproven'] } as const

function describe(terminal: Terminal, line: DrillLine): string {
  const [style, mark] = MARKS[line.verdict]
  const { found } = line
  const text = line.verdict === 'closed' && found !== null ? `${found.reason ?? ''} at ${found.by ?? ''}` : line.because.join('; ')
  const first = `  ${terminal.paint(style, mark)} ${line.title.padEnd(TITLE_WIDTH)} ${printable(text)}`
  if (line.verdict !== 'open') return first
  const detail = (label: string, words: string): string => `\n      ${terminal.paint('dim', label.padEnd(8))} ${printable(words)}`
  return `${first}${detail('tried', line.tried)}${detail('expected', `${line.expected.reason} at ${line.expected.by}`)}${found === null || found.message === '' ? '' : detail('found', found.message)}`
}

function printSummary(terminal: Terminal, answer: DrillAnswer): void {
  const { closed, open, not_applicable: none, not_proven: unproven } = answer
  const counts = [`${closed} closed`, `${open} open`, ...(none > 0 ? [`${none} not applicable`] : []), ...(unproven > 0 ? [`${unproven} not proven`] : [])].join(', ')
  terminal.line()
  terminal.line(`  ${terminal.paint(answer.exit_code === 0 ? 'green' : 'red', counts)} in ${printMilliseconds(answer.elapsed_ms)}${answer.exit_code === 0 ? '' : terminal.paint('dim', `    exit ${answer.exit_code}`)}`)
  const refused = answer.profiles.filter(({ control }) => !control.accepted)
  for (const { profile } of refused) terminal.line(`  ${terminal.paint('dim', 'do      ')} profile ${printable(profile)}: an honest run must be accepted before a refusal proves anything; put right what refused it, then drill again`)
  if (open > 0) terminal.line(`  ${terminal.paint('dim', 'do      ')} an open gate lets through what it is there to stop: put right what each line names, then drill again`)
  terminal.line()
}
