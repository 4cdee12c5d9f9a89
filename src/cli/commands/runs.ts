import { type CommonOptions, type Register, withCommonOptions, withExamples } from '../command.ts'
import { printable } from '../terminal.ts'

const MARKS = { accepted: '✔', checked: '✔', failed: '✘', blocked: '✘', closed: '✔', recorded: '✔', open: '…', started: '…', waiting: '…' } as const
const WORDS = { accepted: 'accepted', checked: 'healthy', failed: 'failed', blocked: 'blocked', closed: 'closed', recorded: 'recorded', open: 'unfinished', started: 'unfinished', waiting: 'waiting' } as const

export const register: Register = (program, surface) => {
  withExamples(withCommonOptions(program.command('runs').description('list the runs of this ledger, newest first')), 'runs', 'runs --json').action(async (options: CommonOptions) => {
    const terminal = surface.terminal(options.json === true)
    const app = (await surface.remote()) ?? (await (await import('../../app.ts')).openApp(surface.app(options)))
    try {
      const runs = await app.runs()
      if (terminal.json) return terminal.emit(`${JSON.stringify(runs, null, 2)}\n`)
      if (runs.length === 0) return terminal.line('No runs yet. Start one: npx portcullis run task.yaml')
      for (const run of runs) {
        const mark = terminal.paint(run.state === 'accepted' || run.state === 'checked' || run.state === 'closed' || run.state === 'recorded' ? 'green' : run.reason === null ? 'yellow' : 'red', MARKS[run.state])
        terminal.line(`  ${mark} ${run.runId.padEnd(52)} ${`${run.kind === 'wire' && run.state === 'open' ? 'live' : WORDS[run.state]}${run.kind === 'task' ? '' : ` (${run.kind})`}`.padEnd(18)} ${printable(run.reason ?? '')}`.trimEnd())
      }
    } finally {
      await app.close()
    }
  })
}
