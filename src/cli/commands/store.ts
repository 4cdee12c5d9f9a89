import { type CommonOptions, type Register, withCommonOptions, withExamples } from '../command.ts'
import { printable } from '../terminal.ts'
import { PortcullisError } from '../../contract/errors.ts'

interface CopyOptions extends CommonOptions {
  readonly to: string
  readonly database?: string
  readonly databaseFile?: string
  readonly key: readonly string[]
}

export const register: Register = (program, surface) => {
  const store = program.command('store').description('the ledger and everything beside it, between the embedded store and PostgreSQL')
  const command = store
    .command('copy')
    .description('copy the whole store, verified before and after, into an empty database or a state directory without a ledger')
    .requiredOption('--to <store>', 'postgres or embedded')
    .option('--database <address>', 'the database, in an address without a password (the variable PORTCULLIS_DATABASE_URL may hold one)')
    .option('--database-file <file>', 'a file with that address, readable by its owner only')
    .option('--key <file...>', 'public keys to believe (those of the state directory)', [])
  withExamples(withCommonOptions(command), 'store copy --to postgres', 'store copy --to embedded --state restored --key portcullis.pub.pem').action(async (options: CopyOptions) => {
    const terminal = surface.terminal(options.json === true)
    if (options.to !== 'postgres' && options.to !== 'embedded') throw new PortcullisError('usage', { asked: 'where the copy goes', found: JSON.stringify(options.to), remedy: 'Give --to postgres or --to embedded.' })
    const { copyStore } = await import('../../app/store-copy.ts')
    const { from, to, already, runs, rows, checkpoint, tables } = await copyStore(surface.app(options), { to: options.to, database: options.database, databaseFile: options.databaseFile, keys: options.key })
    if (terminal.json) return terminal.emit(`${JSON.stringify({ from, to, already, runs, rows, checkpoint, tables }, null, 2)}\n`)
    terminal.line(`  ${terminal.paint('green', '✔')} ${rows} rows of ${runs} runs ${already ? 'were there already, the very same' : 'copied and verified'}: ${printable(from)} → ${printable(to)}`)
    terminal.line(`    checkpoint over ${checkpoint.size} rows, signed ${checkpoint.at}; keys and directories of runs are files, and stay where they are`)
  })
}
