import type { GateName } from '../../contract/lifecycle.ts'
import { type CommonOptions, type Register, withCommonOptions, withExamples } from '../command.ts'
import { printEnding } from '../ending.ts'
import { RunView } from '../run-view.ts'

interface RunOptions extends CommonOptions {
  readonly profile?: string
  readonly purpose?: string
  readonly backend?: string
  readonly admission?: string
}

export const register: Register = (program, surface) => {
  const command = program
    .command('run <task>')
    .description('take one task through every gate')
    .option('-p, --profile <name>', 'run it with this profile instead of the one the task names')
    .option('--purpose <name>', 'run it for this purpose instead of the one the task names')
    .option('--backend <agent>', 'run it with this agent, as in case; the profile must be one of its')
    .option('--admission <file>', 'the one admission record that may admit it')
  withExamples(withCommonOptions(command), 'run task.yaml', 'run task.yaml --profile claude_opus_1m_medium --json').action(async (task: string, options: RunOptions) => {
    const terminal = surface.terminal(options.json === true)
    const app = (await surface.remote()) ?? (await (await import('../../app.ts')).openApp(surface.app(options)))
    const view = new RunView(terminal)
    try {
      const answer = await app.run(
        { task, profile: options.profile, purpose: options.purpose, backend: options.backend, admissionFile: options.admission, cancelled: surface.cancelled },
        {
          opened: (run) => view.heading(`${run.taskId} · ${run.profile} · for ${run.purpose}`),
          gateBegan: (gate: GateName) => view.began(gate),
          gateDecided: (verdict, elapsedMs) => view.decided(verdict, elapsedMs),
          note: (text) => view.note(text),
        },
      )
      view.close()
      if (terminal.json) terminal.emit(answer.json)
      else printEnding(terminal, answer, options)
      surface.exit(answer.exitCode)
    } finally {
      view.close()
      await app.close()
    }
  })
}
