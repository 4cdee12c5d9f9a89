import { printMilliseconds } from '../contract/units.ts'
import type { RunAnswer } from '../app.ts'
import { type CommonOptions, placeOptions } from './command.ts'
import { printRefusal } from './refusal.ts'
import { printable, type Terminal } from './terminal.ts'

/** How a run ended, for people, on every surface that ends one. */
export function printEnding(terminal: Terminal, answer: RunAnswer, options: CommonOptions): void {
  const { report } = answer
  terminal.line()
  if (report.status === 'pass') printAccepted(terminal, answer)
  else if (report.reason === 'review_waiting' && report.review !== null) printWaiting(terminal, answer, options)
  else printRefused(terminal, answer)
  if (answer.patch !== null) terminal.line(`  ${terminal.paint('dim', 'changes ')} ${answer.patch}`)
  terminal.line(`  ${terminal.paint('dim', 'report  ')} ${answer.reportPath}${answer.exitCode === 0 ? '' : terminal.paint('dim', `    exit ${answer.exitCode}`)}`)
  terminal.line(`  ${terminal.paint('dim', 'verify  ')} npx portcullis verify ${report.run_id}${placeOptions(options)}`)
  terminal.line()
}

function printAccepted(terminal: Terminal, { report }: RunAnswer): void {
  const elapsed = printMilliseconds(Date.parse(report.ended_at) - Date.parse(report.started_at))
  const files = report.workspace?.files ?? []
  const changes = files.slice(0, 3).map((file) => `${printable(file.path)} +${file.insertions} −${file.deletions}`)
  terminal.line(`  ${terminal.paint('green', 'ACCEPTED')} in ${elapsed}    ${changes.join(', ')}${files.length > 3 ? ` and ${files.length - 3} more` : ''}`)
}

/** Whom it waits for, and the two commands that end the waiting. */
function printWaiting(terminal: Terminal, { report }: RunAnswer, options: CommonOptions): void {
  terminal.line(`  ${terminal.paint('yellow', 'WAITING')} for ${printable(report.review?.authority ?? '')}. The work is pinned; nothing is decided by waiting.`)
  if (report.refusal !== null) terminal.line(`  ${terminal.paint('dim', 'found   ')} ${printable(report.refusal.found)}`)
  const place = placeOptions(options)
  for (const { question } of report.reviews) if (question !== null) terminal.line(`  ${terminal.paint('dim', 'question')} ${printable(question)}`)
  terminal.line(`  ${terminal.paint('dim', 'decide  ')} npx portcullis approve review ${report.run_id}${place}`)
  terminal.line(`  ${terminal.paint('dim', 'then    ')} npx portcullis resume ${report.run_id}${place}`)
}

function printRefused(terminal: Terminal, { report }: RunAnswer): void {
  const gate = (report.gates.findLast((each) => each.reason === report.reason) ?? report.gates.findLast((each) => each.outcome !== 'pass'))?.gate
  const reason = printable(report.reason ?? '')
  terminal.line(
    report.status === 'blocked'
      ? // Where no gate refused, no line above has named the reason.
        `  ${terminal.paint('red', gate === undefined ? `BLOCKED: ${reason}.` : `BLOCKED at ${gate}.`)} No process was started.`
      : `  ${terminal.paint('red', `FAILED${gate === undefined ? '' : ` at ${gate}`}:`)} ${reason}.${report.exit?.claimed_status === 'completed' ? ' The agent said "completed".' : ''}`,
  )
  if (report.refusal !== null) printRefusal(terminal, report.refusal)
}
