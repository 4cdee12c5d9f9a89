import type { GateName } from '../../contract/lifecycle.ts'
import { PortcullisError } from '../../contract/errors.ts'
import { type CommonOptions, type Register, type Surface, withCommonOptions, withExamples } from '../command.ts'
import { printEnding } from '../ending.ts'
import { RunView } from '../run-view.ts'
import { printable, type Terminal } from '../terminal.ts'
import { queueOf } from './queue.ts'

interface RunOptions extends CommonOptions {
  readonly profile?: string
  readonly purpose?: string
  readonly backend?: string
  readonly admission?: string
  readonly queue?: true
  readonly attempts?: string
  readonly key?: string
}

export const register: Register = (program, surface) => {
  const command = program
    .command('run <task>')
    .description('take one task through every gate')
    .option('-p, --profile <name>', 'run it with this profile instead of the one the task names')
    .option('--purpose <name>', 'run it for this purpose instead of the one the task names')
    .option('--backend <agent>', 'run it with this agent, as in case; the profile must be one of its')
    .option('--admission <file>', 'the one admission record that may admit it')
    .option('--queue', 'leave it to the next worker that is free (npx portcullis worker)')
    .option('--attempts <number>', 'how often workers may try it, with --queue')
    .option('--key <key>', 'the same key twice is one entry, with --queue')
  withExamples(withCommonOptions(command), 'run task.yaml', 'run task.yaml --profile claude_opus_1m_medium --json').action(async (task: string, options: RunOptions) => {
    const terminal = surface.terminal(options.json === true)
    if (options.queue === true) return enqueue(task, options, surface, terminal)
    if (options.attempts !== undefined || options.key !== undefined) throw new PortcullisError('usage', { asked: 'a run at once', found: options.attempts === undefined ? '--key' : '--attempts', remedy: 'Add --queue, or leave it out.' })
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

const MOST_ATTEMPTS = 100

async function enqueue(task: string, options: RunOptions, surface: Surface, terminal: Terminal): Promise<void> {
  const attempts = Number(options.attempts)
  if (!/^\d{1,3}$/.test(options.attempts ?? '') || attempts < 1 || attempts > MOST_ATTEMPTS) throw new PortcullisError('usage', { asked: `how often workers may try it, from 1 to ${MOST_ATTEMPTS}`, found: options.attempts ?? 'no --attempts', remedy: 'Add --attempts <number>; nobody else says it.' })
  const queue = await queueOf(options, surface)
  const entry = await queue.add({ task, profile: options.profile, purpose: options.purpose, backend: options.backend, admissionFile: options.admission, attempts, key: options.key })
  if (terminal.json) return terminal.emit(`${JSON.stringify(entry)}\n`)
  terminal.line(`  ${entry.id} waits for a worker: ${printable(entry.order.task)}. See it: npx portcullis queue ${entry.id}`)
}
