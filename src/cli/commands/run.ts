import type { GateName } from '../../contract/lifecycle.ts'
import { printMilliseconds } from '../../contract/units.ts'
import type { RunAnswer } from '../../app.ts'
import { type CommonOptions, placeOptions, type Register, withCommonOptions, withExamples } from '../command.ts'
import { printRefusal } from '../refusal.ts'
import { RunView } from '../run-view.ts'
import { printable, type Terminal } from '../terminal.ts'

interface RunOptions extends CommonOptions {
  readonly profile?: string
  readonly purpose?: string
  readonly backend?: string
  readonly admission?: string
}

export const register: Register = (program, surface) => {
  const command = program
    .command('run <task>')
    .description('take one task through every gate')
    .option('-p, --profile <name>', 'run it with this profile instead of the one the task names')
    .option('--purpose <name>', 'run it for this purpose instead of the one the task names')
    .option('--backend <agent>', 'run it with this agent, as in case; the profile must be one of its')
    .option('--admission <file>', 'the one admission record that may admit it')
  withExamples(withCommonOptions(command), 'run task.yaml', 'run task.yaml --profile claude_opus_1m_medium --json').action(async (task: string, options: RunOptions) => {
    const terminal = surface.terminal(options.json === true)
    const app = (await surface.remote()) ?? (await (await import('../../app.ts')).openApp(surface.app(options)))
    const view = new RunView(terminal)
    try {
      const answer = await app.run(
        { task, profile: options.profile, purpose: options.purpose, backend: options.backend, admissionFile: options.admission, cancelled: surface.cancelled },
        {
          opened: (run) => view.heading(`${run.taskId} · ${run.profile} · for ${run.purpose}`),
          gateBegan: (gate: GateName) => view.began(gate),
          gateDecided: (verdict, elapsedMs) => view.decided(verdict, elapsedMs),
          note: (text) => view.note(text),
        },
      )
      view.close()
      if (terminal.json) terminal.emit(answer.json)
      else printEnding(terminal, answer, options)
      surface.exit(answer.exitCode)
    } finally {
      view.close()
      await app.close()
    }
  })
}

function printEnding(terminal: Terminal, answer: RunAnswer, options: CommonOptions): void {
  const { report } = answer
  const elapsed = printMilliseconds(Date.parse(report.ended_at) - Date.parse(report.started_at))
  terminal.line()
  if (report.status === 'pass') {
    const files = report.workspace?.files ?? []
    const changes = files.slice(0, 3).map((file) => `${printable(file.path)} +${file.insertions} −${file.deletions}`)
    terminal.line(`  ${terminal.paint('green', 'ACCEPTED')} in ${elapsed}    ${changes.join(', ')}${files.length > 3 ? ` and ${files.length - 3} more` : ''}`)
  } else {
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
  if (answer.patch !== null) terminal.line(`  ${terminal.paint('dim', 'changes ')} ${answer.patch}`)
  terminal.line(`  ${terminal.paint('dim', 'report  ')} ${answer.reportPath}${answer.exitCode === 0 ? '' : terminal.paint('dim', `    exit ${answer.exitCode}`)}`)
  terminal.line(`  ${terminal.paint('dim', 'verify  ')} npx portcullis verify ${report.run_id}${placeOptions(options)}`)
  terminal.line()
}
