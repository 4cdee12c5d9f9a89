import type { VerifyAnswer } from '../../app.ts'
import { type CommonOptions, type Register, withCommonOptions, withExamples } from '../command.ts'
import { printable, type Terminal } from '../terminal.ts'

interface VerifyOptions extends CommonOptions {
  readonly key: readonly string[]
  readonly anchor: readonly string[]
  readonly anchorNotes: readonly string[]
  readonly rows?: true
  readonly accepted?: true
}

const collected = (value: string, before: readonly string[]): readonly string[] => [...before, value]

export const register: Register = (program, surface) => {
  const command = program
    .command('verify [what]')
    .description('recompute every digest, signature, verdict and file, offline: of a run, of the whole ledger, or of a directory or bundle that was taken elsewhere')
    .option('--key <file>', 'believe this public key, and not those beside the ledger; may be repeated', collected, [])
    .option('--anchor <file>', 'compare with checkpoints that were kept elsewhere; may be repeated', collected, [])
    .option('--anchor-notes <repository>', 'compare with those in the notes of a git repository', collected, [])
    .option('--rows', 'of a whole ledger only the rows and what is signed, not each run')
    .option('--accepted', 'refuse a run that was not accepted, however well it verifies')
  withExamples(withCommonOptions(command), 'verify 20261120T213918Z-r1-string-slugify-1', 'verify --anchor anchors.txt', 'verify run.intoto.jsonl --key portcullis.pub.pem --accepted').action(async (what: string | undefined, options: VerifyOptions) => {
    const terminal = surface.terminal(options.json === true)
    const asked = { what, keys: options.key, anchors: options.anchor, anchorNotes: options.anchorNotes, rowsOnly: options.rows === true, accepted: options.accepted === true }
    const answer = (await (await surface.remote())?.verify(asked)) ?? (await (await import('../../app/verify.ts')).verify(surface.app(options), asked))
    surface.exit(answer.exitCode)
    if (terminal.json) return terminal.emit(`${JSON.stringify(shown(answer), null, 2)}\n`)
    print(terminal, answer, options.accepted === true)
  })
}

const shown = ({ what, runId, state, accepted, runs, rows, verdicts, files, checkpoint, problems }: VerifyAnswer) => ({ what, run_id: runId, verified: problems.length === 0, state, accepted, runs, rows, verdicts, files, checkpoint, problems })

function print(terminal: Terminal, answer: VerifyAnswer, mustBeAccepted: boolean): void {
  const { problems, rows, verdicts, files, state, accepted } = answer
  const name = answer.runId ?? (answer.what === 'ledger' ? 'the ledger' : `this ${answer.what}`)
  if (problems.length > 0) {
    terminal.line(`  ${terminal.paint('red', '✘')} ${name} does not verify:`)
    for (const problem of problems) terminal.line(`    ${terminal.paint('red', problem.code.padEnd(26))} ${printable(problem.where)}: ${printable(problem.found)}`)
    terminal.line(`  ${terminal.paint('dim', 'do      ')} ${answer.remedy}`)
    return
  }
  const told = answer.what === 'ledger' ? `${answer.runs} runs` : `${state ?? ''}`
  terminal.line(`  ${terminal.paint('green', '✔')} ${name}: ${told}. ${rows} rows, ${verdicts} verdicts judged again, ${files} files: all as recorded`)
  if (mustBeAccepted && !accepted) terminal.line(`  ${terminal.paint('red', '✘')} it was not accepted, so it counts for nothing`)
}
