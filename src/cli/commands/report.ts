import { PortcullisError } from '../../contract/errors.ts'
import { type CommonOptions, type Register, withCommonOptions, withExamples } from '../command.ts'
import { printRefusal } from '../refusal.ts'
import { printable } from '../terminal.ts'

interface ReportOptions extends CommonOptions {
  readonly write?: true
  readonly junit?: true
  readonly ctrf?: true
}

export const register: Register = (program, surface) => {
  const command = program.command('report <run>').description('render the report of a run from the ledger').option('--write', 'also put report.json, report.md, trace.jsonl and run.intoto.jsonl back into the directory of the run').option('--junit', 'print JUnit XML, so that a CI page shows gates and probes as tests').option('--ctrf', 'print the Common Test Report Format')
  withExamples(withCommonOptions(command), 'report 20261120T213918Z-r1-string-slugify-1', 'report 20261120T213918Z-r1-string-slugify-1 --json', 'report 20261120T213918Z-r1-string-slugify-1 --junit > portcullis.xml').action(async (run: string, options: ReportOptions) => {
    const terminal = surface.terminal(options.json === true)
    const app = (await surface.remote()) ?? (await (await import('../../app.ts')).openApp(surface.app(options)))
    try {
      if ([options.json, options.junit, options.ctrf].filter((each) => each === true).length > 1) throw new PortcullisError('usage', { asked: 'one form of the report', found: 'more than one of --json, --junit and --ctrf', remedy: 'Ask for each by itself.' })
      const answer = await app.report(run, { write: options.write === true })
      surface.exit(answer.exitCode)
      if (answer.ok) return terminal.emit(options.junit === true ? answer.junit : options.ctrf === true ? answer.ctrf : terminal.json ? answer.json : answer.markdown)
      if (terminal.json) return terminal.emit(`${JSON.stringify({ refusal: answer.refusal }, null, 2)}\n`)
      terminal.line(`  ${terminal.paint('red', '✘')} ${answer.refusal.reason}: ${printable(answer.refusal.message)}`)
      printRefusal(terminal, answer.refusal)
    } finally {
      await app.close()
    }
  })
}
