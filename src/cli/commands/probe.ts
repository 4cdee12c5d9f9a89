import { type CommonOptions, type Register, withCommonOptions, withExamples } from '../command.ts'
import { printRefusal } from '../refusal.ts'
import { printable } from '../terminal.ts'

interface ProbeOptions extends CommonOptions {
  readonly profile?: readonly string[]
  readonly all?: true
}

export const register: Register = (program, surface) => {
  const command = program
    .command('probe')
    .description('make a real model call through the wire with the credential and the model of a run, and judge the answer')
    .option('-p, --profile <name...>', 'the profiles to probe')
    .option('--all', 'probe every profile')
  withExamples(withCommonOptions(command), 'probe --profile pi_scripted', 'probe --all --json').action(async (options: ProbeOptions) => {
    const terminal = surface.terminal(options.json === true)
    const app = (await surface.remote()) ?? (await (await import('../../app.ts')).openApp(surface.app(options)))
    try {
      const answer = await app.probe({ profiles: options.all === true ? 'all' : (options.profile ?? []), cancelled: surface.cancelled }, (record) => {
        const mark = record.healthy ? terminal.paint('green', '✔') : terminal.paint('red', '✘')
        terminal.line(`  ${mark} ${printable(record.profile).padEnd(26)} ${printable(record.healthy ? record.message : `${record.stage}: ${record.reason ?? ''}`)}`)
        if (record.refusal !== null) printRefusal(terminal, record.refusal)
      })
      if (terminal.json) terminal.emit(`${JSON.stringify(answer.records, null, 2)}\n`)
      surface.exit(answer.exitCode)
    } finally {
      await app.close()
    }
  })
}
