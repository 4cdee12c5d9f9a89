import { type CommonOptions, type Register, withCommonOptions, withExamples } from '../command.ts'
import { printRefusal } from '../refusal.ts'
import { printable } from '../terminal.ts'

interface ResolveOptions extends CommonOptions {
  readonly purpose: string
}

export const register: Register = (program, surface) => {
  const command = program.command('resolve <profile>').description('say which exact provider and model a profile means, for a purpose').requiredOption('--purpose <name>', 'what it is to be used for')
  withExamples(withCommonOptions(command), 'resolve pi_scripted --purpose ticket').action(async (profile: string, options: ResolveOptions) => {
    const terminal = surface.terminal(options.json === true)
    const asked = { profile, purpose: options.purpose }
    const answer = (await (await surface.remote())?.resolve(asked)) ?? (await import('../../app.ts')).resolve(surface.app(options), asked)
    surface.exit(answer.exitCode)
    if (terminal.json) return terminal.emit(`${JSON.stringify(answer.value, null, 2)}\n`)
    if (!answer.ok) {
      terminal.line(`  ${terminal.paint('red', '✘')} ${answer.refusal.reason}: ${printable(answer.refusal.message)}`)
      return printRefusal(terminal, answer.refusal)
    }
    terminal.line(`  ${terminal.paint('green', '✔')} ${printable(answer.triple)}`)
    for (const [label, text] of answer.details) terminal.line(`    ${terminal.paint('dim', label.padEnd(12))} ${printable(text)}`)
  })
}
