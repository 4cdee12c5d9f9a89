import type { Command } from 'commander'
import { askFor } from '../ask.ts'
import { type CommonOptions, type Register, subcommandOf, type Surface, withCommonOptions, withExamples } from '../command.ts'
import { printable } from '../terminal.ts'

/** What people approve, one subcommand for each kind of it. An approval is a record of the ledger, with who gave it and why. */
export const register: Register = (program, surface) => {
  const approve = subcommandOf(program, 'approve', 'record that a person approves what a run left, with name and reason, in the ledger')
  registerRender(approve, surface)
}

interface RenderOptions extends CommonOptions {
  readonly probe?: string
  readonly by?: string
  readonly reason?: string
}

function registerRender(approve: Command, surface: Surface): void {
  const command = approve
    .command('render <run-or-probe>')
    .description('approve the picture that a render_hash probe made of the work: later runs must look like it. A probe means its last picture. At a terminal it asks for what is not given')
    .option('--probe <name>', 'which probe of the run, where it has several')
    .option('--by <who>', 'who approves it')
    .option('--reason <text>', 'why, for whoever reads the ledger later')
  withExamples(withCommonOptions(command), 'approve render 20261120T213918Z-r3-page-7 --by "J. Doe" --reason "the price list as in the design of 20 November"').action(async (of: string, options: RenderOptions) => {
    const terminal = surface.terminal(options.json === true)
    const [approvedBy = '', reason = ''] = await askFor([{ option: '--by', given: options.by, ask: 'who approves it' }, { option: '--reason', given: options.reason, ask: 'why' }], terminal)
    const { approveRender } = await import('../../app/approve.ts')
    const { runId, approval } = await approveRender(surface.app(options), { of, probe: options.probe, approvedBy, reason })
    if (terminal.json) return terminal.emit(`${JSON.stringify({ approval_id: runId, ...approval }, null, 2)}\n`)
    terminal.line(`  ${terminal.paint('green', '✔')} ${approval.probe} must look like image ${approval.image.sha256.slice(0, 12)} of ${approval.run_id} from now on`)
    terminal.line(`    ${terminal.paint('dim', `approved by ${printable(approval.approved_by)}: ${printable(approval.reason)}`)}`)
    terminal.line(`    ${terminal.paint('dim', `in the ledger as ${runId}`)}`)
  })
}
