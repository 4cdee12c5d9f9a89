import { type CommonOptions, type Register, withCommonOptions, withExamples } from '../command.ts'
import { printRefusal } from '../refusal.ts'
import { printable } from '../terminal.ts'

interface BundleOptions extends CommonOptions {
  readonly out?: string
  readonly anchor: readonly string[]
}

const collected = (value: string, before: readonly string[]): readonly string[] => [...before, value]

export const register: Register = (program, surface) => {
  const command = program
    .command('bundle <run>')
    .description('export a run as signed in-toto statements, one DSSE envelope a line, proven against the ledger as it is now')
    .option('-o, --out <file>', 'a new file to write it to (printed)')
    .option('--anchor <file>', 'show also that the ledger continues these checkpoints; may be repeated', collected, [])
  withExamples(withCommonOptions(command), 'bundle 20261120T213918Z-r1-string-slugify-1 -o run.intoto.jsonl').action(async (runId: string, options: BundleOptions) => {
    const terminal = surface.terminal(options.json === true)
    const { bundleOf } = await import('../../app/bundle.ts')
    const answer = await bundleOf(surface.app(options), { runId, anchors: options.anchor, out: options.out })
    surface.exit(answer.exitCode)
    if (!answer.ok) {
      if (terminal.json) return terminal.emit(`${JSON.stringify({ refusal: answer.refusal }, null, 2)}\n`)
      terminal.line(`  ${terminal.paint('red', '✘')} ${answer.refusal.reason}: ${printable(answer.refusal.message)}`)
      return printRefusal(terminal, answer.refusal)
    }
    // Its lines are JSON already; one document around them would be no bundle.
    if (options.out === undefined) return terminal.emit(answer.text)
    if (terminal.json) return terminal.emit(`${JSON.stringify({ run_id: runId, file: options.out, lines: answer.lines }, null, 2)}\n`)
    terminal.line(`  ${terminal.paint('green', '✔')} ${answer.lines} signed statements of ${runId} in ${printable(options.out)}`)
    terminal.line(`  Whoever has the public key checks it anywhere: npx portcullis verify ${printable(options.out)} --key portcullis.pub.pem`)
  })
}
