import { type CommonOptions, placeOptions, type Register, withCommonOptions, withExamples } from '../command.ts'
import { printable } from '../terminal.ts'

export const register: Register = (program, surface) => {
  const command = program.command('show <run>').description('show a run as the ledger holds it: its gates, its reviews, and whom it waits for')
  withExamples(withCommonOptions(command), 'show 20261120T213918Z-r1-string-slugify-1').action(async (run: string, options: CommonOptions) => {
    const terminal = surface.terminal(options.json === true)
    const { show } = await import('../../app/completion.ts')
    const shown = await show(surface.app(options), run)
    if (terminal.json) return terminal.emit(`${JSON.stringify(shown, null, 2)}\n`)
    const row = (label: string, text: string): void => terminal.line(`  ${terminal.paint('dim', label.padEnd(9))} ${printable(text)}`)
    row('run', `${shown.run_id}${shown.kind === 'task' ? '' : ` (${shown.kind})`}`)
    row('state', `${shown.state}${shown.reason === null ? '' : `: ${shown.reason}`}`)
    if (shown.report === null && shown.format !== shown.format_read) row('form', `${shown.format}; this version reads ${shown.format_read}, and judges nothing of it again`)
    if (shown.head !== null) row('head', shown.head)
    for (const gate of shown.gates) terminal.line(`  ${gate.outcome === 'pass' ? terminal.paint('green', '✔') : terminal.paint('red', '✘')} ${gate.gate.padEnd(11)} ${printable(gate.reason === null ? gate.message : `${gate.reason}: ${gate.message}`)}`)
    for (const review of shown.reviews) row(review.reviewer.slice(0, 9), `${review.verdict ?? 'gave no verdict'}${review.advisory ? ' (advisory: it changes nothing)' : ''}, ${review.blocking_count} blocking: ${review.reason}`)
    for (const correction of shown.corrective_run_required) row('CORRECT', `corrective run required: ${correction.by} rejected it at ${correction.at}: ${correction.reason}`)
    if (shown.waiting === null) return
    row('waits for', shown.waiting.authority ?? 'nobody')
    for (const { reviewer, question, answered } of shown.waiting.questions) row('question', `${reviewer} asks: ${question}${answered ? ' (answered)' : ''}`)
    row('decide', `npx portcullis approve review ${shown.run_id}${placeOptions(options)}`)
    row('then', `npx portcullis resume ${shown.run_id}${placeOptions(options)}`)
  })
}
