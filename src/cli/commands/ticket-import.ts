import { readFileSync } from 'node:fs'
import { resolve as resolvePath } from 'node:path'
import type { Command } from 'commander'
import type { TicketCommands } from '../../app/ticket-commands.ts'
import { PortcullisError, systemCode } from '../../contract/errors.ts'
import { type CommonOptions, type Surface, withCommonOptions, withExamples } from '../command.ts'
import { printableJson } from '../terminal.ts'

interface ImportOptions extends CommonOptions {
  readonly project: string
  readonly kind: string
  readonly priority: string
  readonly github?: string
  readonly githubUrl?: string
  readonly tokenEnv?: string
  readonly tokenStdin?: boolean
}

interface Shared {
  commandsOf(surface: Surface, options: CommonOptions): Promise<TicketCommands>
  word<Value extends string>(text: string, known: Promise<readonly Value[]>, option: string): Promise<Value>
}

export function registerImport(tickets: Command, surface: Surface, { commandsOf, word }: Shared): void {
  const command = tickets
    .command('import [file]')
    .description('bring in tickets of an export, or issues of GitHub, as JSON or from its API; what is here already is left alone')
    .requiredOption('--project <name>', 'what issues belong to here')
    .requiredOption('--kind <kind>', 'code or research, for issues')
    .requiredOption('--priority <priority>', 'low, medium, high or urgent, for issues')
    .option('--github <owner/name>', 'ask the API of GitHub for the open issues of this repository')
    .option('--github-url <address>', 'the API of another server, as of GitHub Enterprise')
    .option('--token-env <variable>', 'the name of the variable that holds the token')
    .option('--token-stdin', 'read the token from standard input')
  withExamples(withCommonOptions(command), 'tickets import issues.json --project demo --kind code --priority medium').action(async (file: string | undefined, options: ImportOptions) => {
    const terminal = surface.terminal(options.json === true)
    const { PRIORITIES, WORK_KINDS } = await import('../../app/ticket-shapes.ts')
    const given = { project: options.project, kind: await word(options.kind, Promise.resolve(WORK_KINDS), '--kind'), priority: await word(options.priority, Promise.resolve(PRIORITIES), '--priority') }
    const imported = await (await commandsOf(surface, options)).importDocument({ document: await documentOf(file, options, surface.app(options).environment), ...given })
    if (terminal.json) return terminal.emit(`${printableJson(JSON.stringify(imported, null, 2))}\n`)
    terminal.line(`  ${imported.created.length} brought in, ${imported.skipped.length} here already`)
  })
}

async function documentOf(file: string | undefined, { github, githubUrl, tokenEnv, tokenStdin }: ImportOptions, environment: Readonly<Record<string, string | undefined>>): Promise<unknown> {
  const ofApi = [githubUrl, tokenEnv, tokenStdin].some((each) => each !== undefined)
  if ((file === undefined) === (github === undefined) || (file !== undefined && ofApi) || (tokenEnv !== undefined && tokenStdin === true)) throw new PortcullisError('usage', { asked: 'a file, or --github with at most one source of its token', found: file === undefined ? 'neither, or two sources' : 'both', remedy: 'Name a file, or --github owner/name with --token-env or --token-stdin.' })
  if (file !== undefined) return readDocument(resolvePath(process.cwd(), file))
  const { issuesOfGitHub } = await import('../../app/github-issues.ts')
  return issuesOfGitHub({ repository: github ?? '', api: githubUrl, tokenFrom: tokenStdin === true ? 'stdin' : tokenEnv === undefined ? undefined : { variable: tokenEnv } }, environment, process.stdin)
}

function readDocument(path: string): unknown {
  try {
    const document: unknown = JSON.parse(readFileSync(path, 'utf8'))
    return document
  } catch (error) {
    if (error instanceof SyntaxError) throw new PortcullisError('import_invalid', { asked: 'a file in JSON', found: 'text that is not JSON', remedy: 'Mend the file, and import it again.' })
    throw new PortcullisError(systemCode(error) === 'ENOENT' ? 'file_missing' : 'file_unreadable', { asked: `the file ${path}`, found: systemCode(error) ?? 'an error', remedy: 'Name a file that can be read.', cause: error })
  }
}
