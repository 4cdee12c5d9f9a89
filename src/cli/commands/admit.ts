import type { Command } from 'commander'
import { parseDuration } from '../../contract/units.ts'
import { PortcullisError } from '../../contract/errors.ts'
import { askFor } from '../ask.ts'
import { type CommonOptions, type Register, type Surface, withCommonOptions, withExamples } from '../command.ts'
import { printRefusal } from '../refusal.ts'
import { printable } from '../terminal.ts'

export const register: Register = (program, surface) => {
  const admit = program.command('admit').description('the records that admit a provider and model: the authority, kept in git')
  registerCreate(admit, surface)
  registerCheck(admit, surface)
  registerList(admit, surface)
  registerRevoke(admit, surface)
  registerStanding(admit, surface)
}

interface CreateOptions extends CommonOptions {
  readonly runtime?: string
  readonly stage?: readonly string[]
  readonly approvedBy?: string
  readonly expires?: string
  readonly condition?: readonly string[]
  readonly servedAs?: readonly string[]
  readonly expects?: readonly string[]
}

function registerCreate(admit: Command, surface: Surface): void {
  const command = admit
    .command('create <pair>')
    .description('write the record for an exact provider/model; at a terminal it asks for what is not given. It admits once it stands there, and is approved by the commit that brings it in')
    .option('--runtime <agent>', 'the agent that may use it')
    .option('--stage <name...>', 'the stages it may be used for, as in work')
    .option('--approved-by <text>', 'who approved it, and where that is written')
    .option('--expires <instant>', 'when it must be reviewed, as in 2027-06-01T00:00:00Z')
    .option('--expects <text...>', 'the evidence that a run on this pair must leave')
    .option('--condition <text...>', 'what else forces a review')
    .option('--served-as <id...>', 'names by which the provider may report the model, if not its own')
  withExamples(
    withCommonOptions(command),
    `admit create anthropic/claude-opus-4-8 --runtime pi --stage work --approved-by "J. Doe, change 4711" --expires 2027-06-01T00:00:00Z --expects "every model call served by this pair"`,
  ).action(async (pair: string, options: CreateOptions) => {
    const terminal = surface.terminal(options.json === true)
    const { createAdmissionRecord } = await import('../../app/admissions.ts')
    const [runtime = '', stage = '', approvalSource = '', expiresAt = '', expects = ''] = await askFor(
      [
        { option: '--runtime', given: options.runtime, ask: 'the agent that may use it, as in pi' },
        { option: '--stage', given: options.stage?.join(' '), ask: 'the stages it may be used for, as in work' },
        { option: '--approved-by', given: options.approvedBy, ask: 'who approved it, and where that is written' },
        { option: '--expires', given: options.expires, ask: 'when it must be reviewed, as in 2027-06-01T00:00:00Z' },
        { option: '--expects', given: options.expects?.join('\n'), ask: 'the evidence that a run on this pair must leave' },
      ],
      terminal,
    )
    const stages = stage.split(/[\s,]+/).filter((each) => each !== '')
    const created = await createAdmissionRecord(surface.app(options), {
      pair, runtime, stages, approvalSource, expiresAt,
      conditions: options.condition ?? [],
      servedModelIds: options.servedAs ?? [],
      evidenceExpectations: expects.split('\n'),
    })
    if (terminal.json) return terminal.emit(`${JSON.stringify(created, null, 2)}\n`)
    terminal.line(`  ${terminal.paint('green', '+')} ${created.path}`)
    terminal.line(`  It admits runtime ${printable(runtime)} for stage ${printable(stages.join(', '))} from now on. Commit it, so that the approval is a reviewed change.`)
  })
}

interface CheckOptions extends CommonOptions {
  readonly purpose: string
  readonly admission?: string
}

function registerCheck(admit: Command, surface: Surface): void {
  const command = admit
    .command('check <profile>')
    .description('say whether a profile would be admitted today; exits 0 only if it would')
    .requiredOption('--purpose <name>', 'what it is to be used for')
    .option('--admission <file>', 'the one admission record that may admit it')
  withExamples(withCommonOptions(command), 'admit check pi_scripted --purpose ticket').action(async (profile: string, options: CheckOptions) => {
    const terminal = surface.terminal(options.json === true)
    const { checkAdmission } = await import('../../app/admissions.ts')
    const answer = await checkAdmission(surface.app(options), { profile, purpose: options.purpose, file: options.admission })
    surface.exit(answer.exitCode)
    if (terminal.json) return terminal.emit(`${JSON.stringify({ case_model_admission_status: answer.status, message: answer.message, refusal: answer.refusal }, null, 2)}\n`)
    terminal.line(`  ${answer.refusal === null ? terminal.paint('green', '✔') : terminal.paint('red', '✘')} ${answer.status}  ${printable(answer.message)}`)
    if (answer.refusal !== null) printRefusal(terminal, answer.refusal)
  })
}

interface ListOptions extends CommonOptions {
  readonly soon?: string
}

function registerList(admit: Command, surface: Surface): void {
  const command = admit.command('list').description('list every record, those that end first at the top').option('--soon <duration>', 'also mark those that end within it, as in 30d')
  withExamples(withCommonOptions(command), 'admit list', 'admit list --soon 30d').action(async (options: ListOptions) => {
    const terminal = surface.terminal(options.json === true)
    const soonMs = options.soon === undefined ? 0 : parseDuration(options.soon)
    if (soonMs === undefined) throw new PortcullisError('usage', { asked: '--soon as a duration', found: JSON.stringify(options.soon), remedy: 'Write it as in 12h or 30d.' })
    const { listAdmissionRecords } = await import('../../app/admissions.ts')
    const rows = await listAdmissionRecords(surface.app(options), soonMs)
    if (terminal.json) return terminal.emit(`${JSON.stringify(rows, null, 2)}\n`)
    if (rows.length === 0) return terminal.line('  No records: nothing is admitted. Write one: npx portcullis admit create --help')
    for (const row of rows) {
      const good = row.problems.length === 0 && row.status === 'admitted' && row.expiry !== 'expired'
      const until = row.expiresAt === null ? 'no date of expiry' : `${row.expiry === 'expired' ? 'EXPIRED' : row.expiry === 'soon' ? 'expires soon,' : 'until'} ${row.expiresAt}`
      terminal.line(`  ${good ? terminal.paint('green', '✔') : terminal.paint('red', '✘')} ${printable(row.pair ?? row.path).padEnd(40)} ${printable(row.status ?? 'invalid_admission').padEnd(18)} ${row.pair === null ? '' : until}`.trimEnd())
      for (const text of [...row.problems, ...row.notes]) terminal.line(`      ${terminal.paint('dim', printable(text))}`)
    }
  })
}

function registerRevoke(admit: Command, surface: Surface): void {
  const command = admit.command('revoke <pair>').description('end every record of an exact provider/model: it stays to be read, and admits nothing from now on')
    .option('--runtime <agent>', 'only the records for this agent')
  withExamples(withCommonOptions(command), 'admit revoke anthropic/claude-opus-4-8', 'admit revoke anthropic/claude-opus-4-8 --runtime pi').action(async (pair: string, options: CommonOptions & { readonly runtime?: string }) => {
    const terminal = surface.terminal(options.json === true)
    const { revokeAdmissionRecords } = await import('../../app/admissions.ts')
    const revoked = await revokeAdmissionRecords(surface.app(options), { pair, runtime: options.runtime })
    if (terminal.json) return terminal.emit(`${JSON.stringify(revoked, null, 2)}\n`)
    for (const { path, changed } of revoked) terminal.line(`  ${changed ? `${terminal.paint('red', '-')} ${path} is revoked` : `  ${path} did not admit, and is left as it is`}`)
    terminal.line('  Commit it, so that the end of the approval is a reviewed change too.')
  })
}

function registerStanding(admit: Command, surface: Surface): void {
  const command = admit
    .command('standing <profile>')
    .description('say whether the work that waits for a pass report is still blocked: the gate and the work item, each by itself; exits 0 only if it is not')
    .requiredOption('--purpose <name>', 'what it is to be used for')
  withExamples(withCommonOptions(command), 'admit standing pi_scripted --purpose ticket').action(async (profile: string, options: CommonOptions & { readonly purpose: string }) => {
    const terminal = surface.terminal(options.json === true)
    const { standingOf } = await import('../../app/standing.ts')
    const { exitCode, ...standing } = await standingOf(surface.app(options), { profile, purpose: options.purpose })
    surface.exit(exitCode)
    if (terminal.json) return terminal.emit(`${JSON.stringify(standing, null, 2)}\n`)
    const { gate, work_item: item } = standing
    const line = (good: boolean, label: string, text: string): void => terminal.line(`  ${good ? terminal.paint('green', '✔') : terminal.paint('red', '✘')} ${label.padEnd(10)} ${printable(text)}`)
    line(gate.status === 'validated', 'gate', `${gate.status}: ${gate.message}`)
    line(item.status === 'unblocked', 'work item', item.status === 'unblocked' ? `unblocked by the pass report of ${item.run_id}` : `blocked, for want of ${item.found}`)
    if (item.status === 'blocked') for (const each of item.considered) terminal.line(`      ${terminal.paint('dim', printable(`${each.run_id}: ${each.because}`))}`)
  })
}
