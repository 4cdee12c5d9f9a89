import { type SpawnSyncReturns, spawnSync } from 'node:child_process'
import { accessSync, chownSync, constants, globSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'

const NEEDED = ['initdb', 'pg_ctl', 'postgres']
const TIMEOUT_MS = 60_000

function binaries(): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(':'), ...globSync('/usr/lib/postgresql/*/bin').toSorted((a, b) => b.localeCompare(a, 'en', { numeric: true })), '/usr/local/pgsql/bin', '/opt/homebrew/bin']
  return folders.find((folder) => folder !== '' && NEEDED.every((name) => isExecutable(join(folder, name))))
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** PostgreSQL refuses to run as root; then it runs as the user that its package made. */
function userOfServer(): { readonly uid: number; readonly gid: number } | undefined {
  const own = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }
  if (own.uid !== 0) return own
  const [uid, gid] = ['-u', '-g'].map((option) => Number.parseInt(spawnSync('id', [option, 'postgres'], { encoding: 'utf8' }).stdout, 10))
  return uid === undefined || gid === undefined || Number.isNaN(uid) || Number.isNaN(gid) ? undefined : { uid, gid }
}

/** Why tests that need PostgreSQL are skipped; false where it is there. */
export const POSTGRES_SKIPPED: string | false =
  binaries() === undefined ? 'no PostgreSQL here: install it, as with apt-get install postgresql' : userOfServer() === undefined ? 'PostgreSQL does not run as root, and there is no user postgres: run the tests as another user' : false

export interface Cluster {
  /** The address of a new database of this cluster: empty, or as another one is. */
  readonly database: (name: string, like?: string) => Promise<string>
  readonly password: string
  readonly stop: () => void
}

/** A PostgreSQL server of this test's own, on a Unix socket, which asks for a password. */
export function startPostgres(test: { after(end: () => void): void }): Cluster {
  const folder = binaries()
  const user = userOfServer()
  if (folder === undefined || user === undefined) throw new Error('Expected PostgreSQL to be here: the test should have been skipped.')
  // The server's own, all the way up: as another user it cannot look into a directory of ours.
  const place = mkdtempSync(join(realpathSync(tmpdir()), 'portcullis-test-pg-'))
  const data = join(place, 'data')
  const password = 'hunter2-of-postgres'
  writeFileSync(join(place, 'password'), password)
  for (const path of [place, join(place, 'password')]) chownSync(path, user.uid, user.gid)
  const run = (program: string, ...args: readonly string[]): SpawnSyncReturns<string> => spawnSync(join(folder, program), args, { ...user, cwd: place, env: { PATH: process.env['PATH'] }, encoding: 'utf8', timeout: TIMEOUT_MS, stdio: ['ignore', 'pipe', 'pipe'] })
  const must = ({ status, stdout, stderr }: SpawnSyncReturns<string>): void => {
    if (status !== 0) throw new Error(`Expected PostgreSQL to start, got ${status}:\n${stdout}\n${stderr}`)
  }
  must(run('initdb', '--pgdata', data, '--username', 'keeper', '--auth', 'scram-sha-256', '--pwfile', join(place, 'password'), '--encoding', 'UTF8', '--locale', 'C', '--no-sync'))
  // What it prints goes to a file: a pipe would stay open for as long as the server lives.
  must(run('pg_ctl', 'start', '--wait', '--pgdata', data, '--log', join(place, 'log'), '--options', `-c listen_addresses='' -c unix_socket_directories='${place}'`))
  const stop = (): void => void run('pg_ctl', 'stop', '--wait', '--mode', 'immediate', '--pgdata', data)
  test.after(() => {
    stop()
    rmSync(place, { recursive: true, force: true, maxRetries: 3 })
  })
  const address = (name: string): string => `postgres://keeper:${password}@localhost/${name}?host=${encodeURIComponent(place)}`
  return {
    password,
    stop,
    database: async (name, like = 'template0') => {
      await asked(address('postgres'), `CREATE DATABASE ${name} TEMPLATE ${like}`)
      return address(name)
    },
  }
}

/** Asks a database as somebody who has nothing to do with Portcullis. */
export async function asked(address: string, ...statements: readonly string[]): Promise<readonly Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: address })
  await client.connect()
  try {
    let rows: readonly Record<string, unknown>[] = []
    for (const statement of statements) rows = (await client.query<Record<string, unknown>>(statement)).rows
    return rows
  } finally {
    await client.end()
  }
}
