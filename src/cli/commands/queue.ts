import { type CommonOptions, type Register, type Surface, withCommonOptions, withExamples } from '../command.ts'
import { printable, type Terminal } from '../terminal.ts'
import type { QueueCommands, QueuedRun } from '../../app/run-queue.ts'

/** So many are shown. */
const MOST = 1_000

function print(terminal: Terminal, entry: QueuedRun): void {
  const what = entry.state === 'ended' ? `${entry.outcome ?? ''}${entry.result === null ? '' : ` by ${entry.result}`}` : entry.worker === null ? 'waits' : `${entry.worker}, epoch ${entry.epoch}`
  terminal.line(`  ${entry.id}  ${entry.state.padEnd(8)} ${printable(entry.order.task)}  ${printable(what)}`)
  // Every attempt, also those that count for nothing: what their agents did outside cannot be taken back.
  for (const { run, epoch, state, reason } of entry.runs) terminal.line(`    epoch ${epoch}  ${run}  ${state}${reason === null ? '' : ` (${reason})`}`)
}

/** The queue of this machine, or of the server that was named. */
export async function queueOf(options: CommonOptions, surface: Surface): Promise<QueueCommands> {
  const remote = await surface.remote()
  return remote === undefined ? (await import('../../app/run-queue.ts')).localQueue(surface.app(options)) : remote.queue()
}

export const register: Register = (program, surface) => {
  const command = program.command('queue [entry]').description('show the runs that wait, go on or have ended in the queue, with every attempt of each')
  withExamples(withCommonOptions(command), 'queue', 'run task.yaml --queue --attempts 2').action(async (id: string | undefined, options: CommonOptions) => {
    const terminal = surface.terminal(options.json === true)
    const queue = await queueOf(options, surface)
    const entries = id === undefined ? await queue.list(MOST) : [await queue.find(id)]
    if (terminal.json) return terminal.emit(`${JSON.stringify(id === undefined ? entries : entries[0])}\n`)
    if (entries.length === 0) return terminal.line('  The queue is empty. Add to it: npx portcullis run <task> --queue --attempts <number>')
    for (const entry of entries) print(terminal, entry)
  })
}
