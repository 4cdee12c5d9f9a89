import type { Command } from 'commander'
import { PortcullisError } from '../../contract/errors.ts'
import { exitCodeOf } from '../../contract/reasons.ts'
import { type CommonOptions, placeOptions, type Register, type Surface, withCommonOptions, withExamples } from '../command.ts'
import { printRefusal } from '../refusal.ts'
import { printable } from '../terminal.ts'

export const register: Register = (program, surface) => {
  const tokens = program.command('tokens').description('tokens for clients that Portcullis does not start, used at `portcullis wire`')
  registerCreate(tokens, surface)
  registerRenew(tokens, surface)
  registerList(tokens, surface)
  registerRevoke(tokens, surface)
}

interface CreateOptions extends CommonOptions {
  readonly kind: string
  readonly profile: string
  readonly purpose: string
  readonly expires: string
}

function registerCreate(tokens: Command, surface: Surface): void {
  const command = tokens
    .command('create')
    .description('take a profile through catalog, admission and health, and show a token for it, once')
    .requiredOption('--kind <kind>', 'run: a token for model calls of one profile')
    .requiredOption('--profile <name>', 'the profile whose model may be asked, within its limits')
    .requiredOption('--purpose <name>', 'what it is to be used for')
    .requiredOption('--expires <when>', 'a duration or an instant, as in 8h or 2027-06-01T00:00:00Z')
  withExamples(withCommonOptions(command), 'tokens create --kind run --profile pi_scripted --purpose ticket --expires 8h').action(async (options: CreateOptions) => {
    const terminal = surface.terminal(options.json === true)
    if (options.kind !== 'run') throw new PortcullisError('usage', { asked: '--kind run', found: JSON.stringify(options.kind), remedy: 'run is the only kind of token there is.' })
    const { createToken } = await import('../../app/wire.ts')
    const answer = await createToken(surface.app(options), options)
    if (!answer.ok) {
      surface.exit(exitCodeOf(answer.reason, false))
      if (terminal.json) return terminal.emit(`${JSON.stringify({ allowed: false, run_id: answer.runId, ...answer.refusal }, null, 2)}\n`)
      terminal.line(`  ${terminal.paint('red', '✘')} ${answer.reason}: ${printable(answer.refusal.message)}`)
      return printRefusal(terminal, answer.refusal)
    }
    if (terminal.json) return terminal.emit(`${JSON.stringify({ allowed: true, run_id: answer.runId, token: answer.token, pair: answer.pair, dialect: answer.dialect, expires_at: answer.expiresAt }, null, 2)}\n`)
    terminal.line(`  ${terminal.paint('green', '✔')} ${printable(answer.pair)}, until ${answer.expiresAt}, as run ${answer.runId}`)
    terminal.line()
    terminal.line(`  ${answer.token}`)
    terminal.line()
    terminal.line('  It is not shown again, and nothing keeps it. Start the wire with a port of your choice, and give the client this token as its key:')
    terminal.line(`  $ npx portcullis wire --port 4020${placeOptions(options)}`)
    terminal.line(`  base URL of the client: ${answer.dialect.startsWith('openai') ? 'http://127.0.0.1:4020/v1' : 'http://127.0.0.1:4020'} (${answer.dialect})`)
  })
}

interface RenewOptions extends CommonOptions {
  readonly expires: string
}

function registerRenew(tokens: Command, surface: Surface): void {
  const command = tokens
    .command('renew <run>')
    .description('show a new token for a run, once; the old one opens nothing from the next second on')
    .requiredOption('--expires <when>', 'a duration or an instant, as in 8h or 2027-06-01T00:00:00Z')
  withExamples(withCommonOptions(command), 'tokens renew 20260601T013918Z-wire-7 --expires 8h').action(async (run: string, options: RenewOptions) => {
    const terminal = surface.terminal(options.json === true)
    const { renewToken } = await import('../../app/wire.ts')
    const renewed = await renewToken(surface.app(options), run, options.expires)
    if (terminal.json) return terminal.emit(`${JSON.stringify({ run_id: run, token: renewed.token, generation: renewed.epoch, expires_at: renewed.expiresAt }, null, 2)}\n`)
    terminal.line(`  ${terminal.paint('green', '✔')} ${printable(run)}, generation ${renewed.epoch}, until ${renewed.expiresAt}`)
    terminal.line()
    terminal.line(`  ${renewed.token}`)
    terminal.line()
    terminal.line('  It is not shown again, and nothing keeps it. A wire that runs takes it up by itself.')
  })
}

function registerList(tokens: Command, surface: Surface): void {
  withExamples(withCommonOptions(tokens.command('list').description('list the tokens by their runs, newest first; never the token itself')), 'tokens list').action(async (options: CommonOptions) => {
    const terminal = surface.terminal(options.json === true)
    const { listTokens } = await import('../../app/wire.ts')
    const rows = await listTokens(surface.app(options))
    if (terminal.json) return terminal.emit(`${JSON.stringify(rows, null, 2)}\n`)
    if (rows.length === 0) return terminal.line('  No tokens. Create one: npx portcullis tokens create --help')
    for (const row of rows) {
      const live = row.state === 'live'
      terminal.line(`  ${live ? terminal.paint('green', '✔') : terminal.paint('dim', '-')} ${row.runId.padEnd(32)} ${row.state.padEnd(8)} ${printable(row.profile)} for ${printable(row.purpose)}, until ${row.expiresAt}, ${row.calls} ${row.calls === 1 ? 'call' : 'calls'}`)
    }
  })
}

function registerRevoke(tokens: Command, surface: Surface): void {
  withExamples(withCommonOptions(tokens.command('revoke <run>').description('end the token of a run: the wire refuses its next call within a second')), 'tokens revoke 20260601T013918Z-wire-7').action(async (run: string, options: CommonOptions) => {
    const terminal = surface.terminal(options.json === true)
    const { revokeToken } = await import('../../app/wire.ts')
    const changed = await revokeToken(surface.app(options), run)
    if (terminal.json) return terminal.emit(`${JSON.stringify({ run_id: run, revoked: true, changed }, null, 2)}\n`)
    terminal.line(changed ? `  ${terminal.paint('red', '-')} the token of ${printable(run)} is revoked` : `  the token of ${printable(run)} had ended before`)
  })
}
