import type { Command } from 'commander'
import { GIVEN_KINDS } from '../../contract/access.ts'
import { PortcullisError } from '../../contract/errors.ts'
import { exitCodeOf } from '../../contract/reasons.ts'
import { type CommonOptions, placeOptions, type Register, type Surface, withCommonOptions, withExamples } from '../command.ts'
import { printRefusal } from '../refusal.ts'
import { printable } from '../terminal.ts'

export const register: Register = (program, surface) => {
  const tokens = program.command('tokens').description('tokens of the server, and of clients that Portcullis does not start, used at the wire')
  registerCreate(tokens, surface)
  registerRenew(tokens, surface)
  registerList(tokens, surface)
  registerRevoke(tokens, surface)
}

interface CreateOptions extends CommonOptions {
  readonly kind: string
  readonly name?: string
  readonly profile?: string
  readonly purpose?: string
  readonly expires: string
}

function registerCreate(tokens: Command, surface: Surface): void {
  const command = tokens
    .command('create')
    .description('show a new token, once: for the server by its kind, or for model calls of one profile, which passes catalog, admission and health first')
    .requiredOption('--kind <kind>', `${GIVEN_KINDS.join(', ')}: for the server; run: for model calls of one profile`)
    .option('--name <name>', 'who holds it, for every kind but run')
    .option('--profile <name>', 'the profile whose model may be asked, within its limits, for kind run')
    .option('--purpose <name>', 'what it is to be used for, for kind run')
    .requiredOption('--expires <when>', 'a duration or an instant, as in 8h or 2027-06-01T00:00:00Z')
  withExamples(withCommonOptions(command), 'tokens create --kind reader --name dashboard --expires 30d', 'tokens create --kind run --profile pi_scripted --purpose ticket --expires 8h').action(async (options: CreateOptions) =>
    options.kind === 'run' ? createRunToken(options, surface) : createAccessToken(options, surface),
  )
}

async function createAccessToken(options: CreateOptions, surface: Surface): Promise<void> {
  const terminal = surface.terminal(options.json === true)
  const { createAccess, isGivenKind } = await import('../../app/access.ts')
  const { kind, name, expires } = options
  if (!isGivenKind(kind)) throw new PortcullisError('usage', { asked: `--kind of ${GIVEN_KINDS.join(', ')} or run`, found: JSON.stringify(kind), remedy: 'See npx portcullis tokens create --help.' })
  if (name === undefined || options.profile !== undefined || options.purpose !== undefined) throw new PortcullisError('usage', { asked: `--name for a token of kind ${kind}, and nothing that is for kind run`, found: name === undefined ? 'no --name' : '--profile or --purpose', remedy: 'See npx portcullis tokens create --help.' })
  const { token, stored } = await createAccess(surface.app(options), { kind, name, expires })
  if (terminal.json) return terminal.emit(`${JSON.stringify({ id: stored.id, kind, name, token, expires_at: stored.expiresAt }, null, 2)}\n`)
  terminal.line(`  ${terminal.paint('green', '✔')} ${stored.id}: ${kind} for ${printable(name)}, until ${stored.expiresAt}`)
  terminal.line()
  terminal.line(`  ${token}`)
  terminal.line()
  terminal.line('  It is not shown again, and nothing keeps it. A server that runs knows it already.')
}

async function createRunToken(options: CreateOptions, surface: Surface): Promise<void> {
  const terminal = surface.terminal(options.json === true)
  const { profile, purpose, expires } = options
  if (profile === undefined || purpose === undefined || options.name !== undefined) throw new PortcullisError('usage', { asked: '--profile and --purpose for a token of kind run, and no --name', found: options.name === undefined ? `no ${profile === undefined ? '--profile' : '--purpose'}` : '--name', remedy: 'See npx portcullis tokens create --help.' })
  const { createToken } = await import('../../app/wire.ts')
  const answer = await createToken(surface.app(options), { profile, purpose, expires })
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

interface ListOptions extends CommonOptions {
  readonly access?: true
}

function registerList(tokens: Command, surface: Surface): void {
  const command = tokens.command('list').description('list the tokens of runs, newest first, or those of the server; never the token itself').option('--access', 'the tokens of the server')
  withExamples(withCommonOptions(command), 'tokens list', 'tokens list --access').action(async (options: ListOptions) => (options.access === true ? listAccessTokens(options, surface) : listRunTokens(options, surface)))
}

async function listAccessTokens(options: CommonOptions, surface: Surface): Promise<void> {
  const terminal = surface.terminal(options.json === true)
  const { listAccess } = await import('../../app/access.ts')
  const rows = await listAccess(surface.app(options))
  if (terminal.json) return terminal.emit(`${JSON.stringify(rows, null, 2)}\n`)
  if (rows.length === 0) return terminal.line('  No tokens. The first is made when the server starts: npx portcullis serve --help')
  for (const row of rows) terminal.line(`  ${row.state === 'live' ? terminal.paint('green', '✔') : terminal.paint('dim', '-')} ${row.id} ${row.state.padEnd(8)} ${row.kind.padEnd(9)} ${printable(row.name)}, until ${row.expiresAt}, ${row.lastUsedAt === null ? 'never used' : `last used ${row.lastUsedAt}`}`)
}

async function listRunTokens(options: CommonOptions, surface: Surface): Promise<void> {
  const terminal = surface.terminal(options.json === true)
  const { listTokens } = await import('../../app/wire.ts')
  const rows = await listTokens(surface.app(options))
  if (terminal.json) return terminal.emit(`${JSON.stringify(rows, null, 2)}\n`)
  if (rows.length === 0) return terminal.line('  No tokens. Create one: npx portcullis tokens create --help')
  for (const row of rows) {
    const live = row.state === 'live'
    terminal.line(`  ${live ? terminal.paint('green', '✔') : terminal.paint('dim', '-')} ${row.runId.padEnd(32)} ${row.state.padEnd(8)} ${printable(row.profile)} for ${printable(row.purpose)}, until ${row.expiresAt}, ${row.calls} ${row.calls === 1 ? 'call' : 'calls'}`)
  }
}

function registerRevoke(tokens: Command, surface: Surface): void {
  const command = tokens.command('revoke <token>').description('end a token, named by its id or its run: the server refuses its next request, the wire its next call within a second')
  withExamples(withCommonOptions(command), 'tokens revoke tok_0123456789abcdef', 'tokens revoke 20260601T013918Z-wire-7').action(async (token: string, options: CommonOptions) => {
    const terminal = surface.terminal(options.json === true)
    const ofServer = token.startsWith('tok_')
    const changed = ofServer ? await (await import('../../app/access.ts')).revokeAccess(surface.app(options), token) : await (await import('../../app/wire.ts')).revokeToken(surface.app(options), token)
    if (terminal.json) return terminal.emit(`${JSON.stringify({ [ofServer ? 'id' : 'run_id']: token, revoked: true, changed }, null, 2)}\n`)
    terminal.line(changed ? `  ${terminal.paint('red', '-')} the token of ${printable(token)} is revoked` : `  the token of ${printable(token)} had ended before`)
  })
}
