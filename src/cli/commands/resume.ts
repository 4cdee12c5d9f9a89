import type { GateName } from '../../contract/lifecycle.ts'
import { type CommonOptions, type Register, withCommonOptions, withExamples } from '../command.ts'
import { printEnding } from '../ending.ts'
import { RunView } from '../run-view.ts'

export const register: Register = (program, surface) => {
  const command = program.command('resume <run>').description('take a run up that was interrupted or waits, through the same gate; one that has ended is told again')
  withExamples(withCommonOptions(command), 'resume 20261120T213918Z-r1-string-slugify-1').action(async (run: string, options: CommonOptions) => {
    const terminal = surface.terminal(options.json === true)
    const app = (await surface.remote()) ?? (await (await import('../../app.ts')).openApp(surface.app(options)))
    const view = new RunView(terminal)
    try {
      const answer = await app.resume(run, { cancelled: surface.cancelled }, {
        opened: () => undefined,
        gateBegan: (gate: GateName) => view.began(gate),
        gateDecided: (verdict, elapsedMs) => view.decided(verdict, elapsedMs),
        note: (text) => view.note(text),
      })
      view.close()
      surface.exit(answer.exitCode)
      if (terminal.json) return terminal.emit(answer.json)
      if (!answer.resumed) terminal.line('  It had ended; nothing was decided again.')
      printEnding(terminal, answer, options)
    } finally {
      view.close()
      await app.close()
    }
  })
}
