import { type CommonOptions, type Register, withExamples } from '../command.ts'
import { printable } from '../terminal.ts'

interface ImportOptions extends CommonOptions {
  readonly write?: string
}

export const register: Register = (program, surface) => {
  const command = program
    .command('import <file>')
    .description('turn a LiteLLM config.yaml or a Portkey config into providers, aliases and profiles; what it does not say stays blank, and no key is copied')
    .option('--write <file>', 'write the fragment to a new file instead of printing it')
    .option('--json', 'print JSON instead of text')
  withExamples(command, 'import config.yaml', 'import config.yaml --write portcullis.imported.yaml').action(async (file: string, options: ImportOptions) => {
    const terminal = surface.terminal(options.json === true)
    const { importConfiguration } = await import('../../app/import.ts')
    const imported = await importConfiguration(surface.app(options), { file, write: options.write })
    if (terminal.json) return terminal.emit(`${JSON.stringify(imported, null, 2)}\n`)
    if (options.write === undefined) terminal.emit(imported.fragment)
    else terminal.line(`  ${terminal.paint('green', '+')} ${printable(options.write)}`)
    // Beside the fragment, not in it: whoever sends that into a file still sees what is missing.
    terminal.complain(`${imported.format}: ${imported.blanks} places to fill in, ${imported.remarks.length} ${imported.remarks.length === 1 ? 'remark' : 'remarks'}`)
    for (const { where, why } of imported.remarks) terminal.complain(`  ${printable(where)}: ${printable(why)}.`)
  })
}
