import { type CommonOptions, type Register, withCommonOptions, withExamples } from '../command.ts'
import { drillOn, printDrill } from '../drill-view.ts'

interface DrillOptions extends CommonOptions {
  readonly profile?: string
  readonly limit?: string
}

export const register: Register = (program, surface) => {
  const command = program
    .command('drill')
    .description('try every way in on a scratch copy of your own configuration, without spending a token; exits 0 only if each is closed')
    .option('-p, --profile <name>', 'drill this profile alone instead of every one')
    .option('--limit <duration>', 'how long it may take, as in 5m on a slow machine; less than a minute if left out')
  withExamples(withCommonOptions(command), 'drill', 'drill --profile pi_scripted --json').action(async (options: DrillOptions) => {
    const terminal = surface.terminal(options.json === true)
    const answer = await drillOn(terminal, surface.app(options), { profile: options.profile, limit: options.limit, cancelled: surface.cancelled })
    if (terminal.json) terminal.emit(`${JSON.stringify(answer, null, 2)}\n`)
    else printDrill(terminal, answer)
    surface.exit(answer.exit_code)
  })
}
