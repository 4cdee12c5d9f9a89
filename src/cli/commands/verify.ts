import { type CommonOptions, type Register, withCommonOptions, withExamples } from '../command.ts'
import { printable } from '../terminal.ts'

export const register: Register = (program, surface) => {
  const command = program.command('verify <run>').description('re-read a run in this process and recompute every digest, verdict and file, offline')
  withExamples(withCommonOptions(command), 'verify 20261120T213918Z-r1-string-slugify-1').action(async (run: string, options: CommonOptions) => {
    const terminal = surface.terminal(options.json === true)
    const { openApp } = await import('../../app.ts')
    const app = await openApp(surface.app(options))
    try {
      const answer = await app.verify(run)
      surface.exit(answer.exitCode)
      if (terminal.json) return terminal.emit(`${JSON.stringify({ run_id: answer.runId, verified: answer.problems.length === 0, state: answer.state, rows: answer.rows, verdicts: answer.verdicts, files: answer.files, problems: answer.problems }, null, 2)}\n`)
      if (answer.problems.length === 0) {
        terminal.line(`  ${terminal.paint('green', '✔')} ${run}: ${answer.state}. ${answer.rows} rows, ${answer.verdicts} verdicts judged again, ${answer.files} files: all as recorded`)
        return
      }
      terminal.line(`  ${terminal.paint('red', '✘')} ${run} does not verify:`)
      for (const problem of answer.problems) terminal.line(`    ${terminal.paint('red', problem.code.padEnd(26))} ${printable(problem.where)}: ${printable(problem.found)}`)
      terminal.line(`  ${terminal.paint('dim', 'do      ')} ${answer.remedy}`)
    } finally {
      await app.close()
    }
  })
}
