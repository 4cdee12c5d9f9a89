import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { readFileSync } from 'node:fs'
import type { TestContext } from 'node:test'
import { openServer, type Server } from '../../src/app/serve.ts'
import { createToken } from '../../src/app/wire.ts'
import type { AppOptions } from '../../src/app.ts'
import { type GivenKind, giveToken } from '../../src/app/access.ts'
import type { AccessKind } from '../../src/contract/access.ts'
import { listen, ROUTES } from '../../src/http/index.ts'
import type { Route } from '../../src/http/route.ts'
import { CONFIGURATION, type Scenario, scenario } from '../e2e/scenario.ts'
import type { ProviderScript } from '../../src/adapters/scripted-provider/index.ts'
import { type ApiAnswer, type Asking, askAt } from './served-api.ts'

export interface InProcess {
  readonly made: Scenario
  readonly server: Server
  readonly options: AppOptions
  readonly address: string
  readonly admin: string
  readonly log: readonly string[]
  /** The ledger's file, as somebody else opens it. */
  database(): DatabaseSync
  /** Moves the server's clock. */
  wait(milliseconds: number): void
  ask(path: string, asking?: Asking): Promise<ApiAnswer>
  /** A token of a kind; for `run` a licence whose gates passed. */
  token(kind: AccessKind, expires?: Date): Promise<string>
}

export const YEARS_MS = 3 * 365 * 86_400_000

/** The server in this process, on a clock of the test. */
export async function inProcessServer(context: Pick<TestContext, 'after'>, routes: readonly Route[] = ROUTES, given: { readonly script?: ProviderScript; readonly pi?: true; readonly configuration?: string } = {}): Promise<InProcess> {
  const made = await scenario(context as TestContext, given)
  if (given.configuration !== undefined) made.write(CONFIGURATION, `${readFileSync(join(made.directory, CONFIGURATION), 'utf8')}\n${given.configuration}\n`)
  let waited = 0
  const options: AppOptions = { cwd: made.directory, configurationPath: undefined, stateDirectory: undefined, environment: { PATH: process.env['PATH'] }, homeDirectory: join(made.directory, 'no-home'), clock: () => new Date(Date.now() + waited) }
  const log: string[] = []
  const server = await openServer(options, { given: { port: 0, wirePort: 0, drain: '1s', adminExpires: '3000d' }, beyondLoopback: false, log: (line) => void log.push(line) })
  const listening = await listen(server, routes)
  context.after(async () => {
    await listening.close(AbortSignal.abort())
    await server.close(AbortSignal.abort())
  })
  const far = (): Date => new Date(options.clock().getTime() + YEARS_MS)
  return {
    made, server, options, log, address: listening.address,
    admin: readFileSync(server.firstTokenPath ?? '', 'utf8').trim(),
    database: () => new DatabaseSync(join(made.directory, '.portcullis/ledger.db')),
    wait: (milliseconds) => void (waited += milliseconds),
    ask: (path, asking) => askAt(listening.address, path, asking),
    token: async (kind, expires = far()) => {
      if (kind !== 'run') return (await giveToken(server.store, { kind: kind satisfies GivenKind, name: kind, expiresAt: expires, now: options.clock() })).token
      const answer = await createToken(options, { profile: 'pi_scripted', purpose: 'ticket', expires: expires.toISOString() })
      if (!answer.ok) throw new Error(`no licence: ${answer.reason}`)
      return answer.token
    },
  }
}
