import { type CommonOptions, type Register, withCommonOptions, withExamples } from '../command.ts'
import { printable } from '../terminal.ts'

interface AnchorOptions extends CommonOptions {
  readonly file?: string
  readonly gitNotes?: string
  readonly webhook?: string
}

export const register: Register = (program, surface) => {
  const command = program
    .command('anchor')
    .description('copy the signed checkpoint of the ledger to where nobody who can write to the ledger can change it')
    .option('--file <file>', 'add it to a file')
    .option('--git-notes <repository>', 'add it to the notes of the checked out commit, under refs/notes/portcullis')
    .option('--webhook <address>', 'send it there, as text')
  withExamples(withCommonOptions(command), 'anchor', 'anchor --file /mnt/audit/anchors.txt', 'anchor --git-notes .').action(async (options: AnchorOptions) => {
    const terminal = surface.terminal(options.json === true)
    const { anchorLedger } = await import('../../app/anchor.ts')
    const { note, size, at, kept } = await anchorLedger(surface.app(options), { file: options.file, gitNotes: options.gitNotes, webhook: options.webhook })
    if (terminal.json) return terminal.emit(`${JSON.stringify({ size, at, kept, checkpoint: note }, null, 2)}\n`)
    if (kept.length === 0) return terminal.emit(note)
    terminal.line(`  ${terminal.paint('green', '✔')} the checkpoint of ${size} rows, signed ${at}, is in ${printable(kept.join(', '))}`)
  })
}
