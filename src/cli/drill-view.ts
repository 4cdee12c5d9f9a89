import type { AppOptions } from '../app.ts'
import type { DrillAnswer, DrillAsked, DrillLine } from '../app/drill.ts'
import { printMilliseconds } from '../contract/units.ts'
import { printable, type Terminal } from './terminal.ts'

/** One line an attack as it ends; on a live terminal, below them, how many are still to come. */
export async function drillOn(terminal: Terminal, options: AppOptions, asked: DrillAsked): Promise<DrillAnswer> {
  const { runDrill } = await import('../app/drill.ts')
  let left = 0
  const waiting = (): void => terminal.redraw(left === 0 ? '' : `  ${terminal.paint('dim', `${left} ${left === 1 ? 'way' : 'ways'} in still to be tried`)}`)
  const print = (text: string): void => {
    terminal.redraw('')
    terminal.line(text)
    waiting()
  }
  try {
    return await runDrill(options, asked, {
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

/** What the lines come to. */
export function printDrill(terminal: Terminal, answer: DrillAnswer): void {
  const { closed, open, not_applicable: none, not_proven: unproven } = answer
  const counts = [`${closed} closed`, `${open} open`, ...(none > 0 ? [`${none} not applicable`] : []), ...(unproven > 0 ? [`${unproven} not proven`] : [])].join(', ')
  terminal.line()
  terminal.line(`  ${terminal.paint(answer.exit_code === 0 ? 'green' : 'red', counts)} in ${printMilliseconds(answer.elapsed_ms)}${answer.exit_code === 0 ? '' : terminal.paint('dim', `    exit ${answer.exit_code}`)}`)
  const refused = answer.profiles.filter(({ control }) => !control.accepted)
  for (const { profile } of refused) terminal.line(`  ${terminal.paint('dim', 'do      ')} profile ${printable(profile)}: an honest run must be accepted before a refusal proves anything; put right what refused it, then drill again`)
  if (open > 0) terminal.line(`  ${terminal.paint('dim', 'do      ')} an open gate lets through what it is there to stop: put right what each line names, then drill again`)
  terminal.line()
}
