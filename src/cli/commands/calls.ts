import { PortcullisError } from '../../contract/errors.ts'
import { type CommonOptions, type Register, withCommonOptions, withExamples } from '../command.ts'
import { printable, type Terminal } from '../terminal.ts'
import type { SeenCall } from '../../app/wire.ts'

interface CallsOptions extends CommonOptions {
  readonly all?: true
  readonly follow?: true
}

/** `21:39:18 answered  coder-1 → coder-1  1,200 in 300 out  USD 0.0105  820 ms`. What is not known is a dash: unknown is not zero. */
function lineOf(terminal: Terminal, { runId, call }: SeenCall, withRun: boolean): string {
  const model = `${call.requestedModel ?? '-'} → ${call.servedModel ?? '-'}`
  const tokens = call.usage === null ? '-' : `${call.usage.inputTokens.toLocaleString('en-US')} in ${call.usage.outputTokens.toLocaleString('en-US')} out`
  const what = call.outcome === 'answered' ? terminal.paint('green', 'answered') : terminal.paint('red', `${call.outcome} ${call.reason ?? ''}`.trim())
  const parts = [
    call.startedAt.slice(11, 19),
    printable(model).padEnd(40),
    tokens.padEnd(20),
    (call.costUsd === null ? '-' : `USD ${call.costUsd.toFixed(4)}`).padEnd(11),
    `${Math.round(call.durationMs)} ms`.padEnd(9),
    `${what}${call.hops.length === 0 ? '' : ` after ${call.hops.map((hop) => hop.reason).join(', ')}`}`,
  ]
  return `  ${parts.join(' ')}${withRun ? `  ${terminal.paint('dim', runId)}` : ''}`
}

export const register: Register = (program, surface) => {
  const command = program
    .command('calls [run]')
    .description('show the model calls of a run, or of all: model asked, model served, tokens, cost, time, and what became of each')
    .option('--all', 'the calls of every run')
    .option('--follow', 'go on with those to come, until it is ended')
  withExamples(withCommonOptions(command), 'calls 20260601T013918Z-r1-string-slugify-1', 'calls --all --follow').action(async (run: string | undefined, options: CallsOptions) => {
    const terminal = surface.terminal(options.json === true)
    if ((run === undefined) === (options.all === undefined)) throw new PortcullisError('usage', { asked: 'the calls of a run, or of all', found: run === undefined ? 'neither' : 'both', remedy: 'Name a run of npx portcullis runs, or give --all.' })
    let shown = 0
    const asked = {
      runId: run,
      follow: options.follow === true,
      ended: surface.cancelled,
      seen: (seen: SeenCall) => {
        shown += 1
        // A line each, so that a follower can be read by a program while it runs.
        if (terminal.json) terminal.emit(`${JSON.stringify({ run_id: seen.runId, ...seen.call })}\n`)
        else terminal.line(lineOf(terminal, seen, run === undefined))
      },
    }
    const remote = await surface.remote()
    if (remote === undefined) await (await import('../../app/wire.ts')).readCalls(surface.app(options), asked)
    else await remote.readCalls(asked)
    if (shown === 0 && !terminal.json) terminal.line(`  No model call${run === undefined ? '' : ` of run ${printable(run)}`} is recorded.`)
  })
}
