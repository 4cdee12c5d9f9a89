import { existsSync, readFileSync, statSync } from 'node:fs'
import { resolve as resolvePath } from 'node:path'
import { readPublicKey, trustedKeys } from '../adapters/keys/index.ts'
import { type DatabaseAddress, databaseAddress, fillPostgres, freezePostgres, holdsPassword } from '../adapters/store-postgres/index.ts'
import { fillEmbedded, freezeEmbedded, type FrozenStore, keysBeside, type TableDigest } from '../adapters/store-sqlite/index.ts'
import { PortcullisError } from '../contract/errors.ts'
import { parseNote, type Problem, type VerificationKey } from '../engine/index.ts'
import { type AppOptions, stateDirectoryOf, usage } from './places.ts'
import { DATABASE_VARIABLE, databaseUrlOf, embeddedPath } from './store.ts'
import { ledgerProblems } from './verify.ts'

export interface StoreCopyRequest {
  readonly to: 'postgres' | 'embedded'
  /** The address of the database, which may not hold a password; undefined takes the file or the environment. */
  readonly database: string | undefined
  /** A file that only its owner may read, with the address in it. */
  readonly databaseFile: string | undefined
  /** Files with the public keys to believe; none believes those of the state directory. */
  readonly keys: readonly string[]
}

export interface StoreCopyAnswer {
  readonly from: string
  readonly to: string
  /** True if the very same rows were there already, as after a copy that was interrupted when all of it was done. */
  readonly already: boolean
  readonly runs: number
  readonly rows: number
  readonly checkpoint: { readonly size: number; readonly at: string }
  /** The same on both sides, table by table. */
  readonly tables: readonly TableDigest[]
}

interface Side {
  readonly name: string
  freeze(): Promise<FrozenStore>
  /** False if something is there, and then nothing was written. */
  fill(frozen: FrozenStore, check: (written: FrozenStore) => void): Promise<boolean>
}

/**
 * Copies a whole store, verified before it is written, and again in its new place before anybody can see it there. What it comes from is only read.
 * Throws `store_tampered`, `usage`, `key_missing`, `run_not_found` or `store_*`; whatever it throws, the other side holds all or nothing.
 */
export async function copyStore(options: AppOptions, request: StoreCopyRequest): Promise<StoreCopyAnswer> {
  const path = embeddedPath(stateDirectoryOf(options))
  const embedded = embeddedSide(path)
  const postgres = postgresSide(databaseAddress(urlOf(options, request)))
  const [from, to] = request.to === 'postgres' ? [embedded, postgres] : [postgres, embedded]
  const keys = keysOf(options, request, keysBeside(path))
  const source = await from.freeze()
  try {
    await mustVerify(source, from.name, keys)
    const written = await to.fill(source, (copied) => mustEqual(source, copied, to.name))
    if (!written) await mustBeTheSame(source, to)
    const note = parseNote((await source.ledger.head()).note)
    if (note === undefined) throw new Error('a head that was verified cannot be read')
    const count = (table: string): number => source.digests.find(({ name }) => name === table)?.rows ?? 0
    return { from: from.name, to: to.name, already: !written, runs: count('run'), rows: count('entry'), checkpoint: { size: note.checkpoint.size, at: note.checkpoint.at }, tables: source.digests }
  } finally {
    await source.close()
  }
}

function embeddedSide(path: string): Side {
  return {
    name: path,
    freeze: () => {
      if (!existsSync(path)) throw new PortcullisError('run_not_found', { asked: `the ledger ${path}`, found: 'no such file', remedy: 'Name its directory with --state, or the configuration beside it with -c.' })
      return freezeEmbedded(path)
    },
    fill: async (frozen, check) => {
      if (existsSync(path)) return false
      await fillEmbedded(path, frozen, check)
      return true
    },
  }
}

const postgresSide = (address: DatabaseAddress): Side => ({ name: address.shown, freeze: () => freezePostgres(address), fill: (frozen, check) => fillPostgres(address, frozen, check) })

/** One place names the database; a password stands in the environment or in a file, because the arguments of a process are read by every other. */
function urlOf(options: AppOptions, { database, databaseFile }: StoreCopyRequest): string {
  if (database !== undefined && databaseFile !== undefined) throw usage('one address of a database', 'both --database and --database-file', 'Leave one of them away.')
  if (database !== undefined) {
    if (holdsPassword(database)) throw usage('the address of a database', '--database with a password in it, which every process of this machine can read', `Change that password. Then give the address in ${DATABASE_VARIABLE}, or in a file that only you may read: --database-file`)
    return database
  }
  if (databaseFile !== undefined) return fileOf(resolvePath(options.cwd, databaseFile))
  const named = databaseUrlOf(options)
  if (named === undefined) throw usage('the address of a PostgreSQL database', `neither ${DATABASE_VARIABLE} nor --database-file nor --database`, `Set ${DATABASE_VARIABLE} to postgres://<user>:<password>@<host>:<port>/<database>`)
  return named
}

function fileOf(path: string): string {
  const status = statSync(path, { throwIfNoEntry: false })
  if (status === undefined) throw new PortcullisError('file_missing', { asked: `the address of a database in ${path}`, found: 'no such file', remedy: 'Check the path.' })
  if ((status.mode & 0o077) !== 0) throw new PortcullisError('file_unreadable', { asked: `the address of a database in ${path}`, found: `a file that others may open (mode ${(status.mode & 0o777).toString(8)})`, remedy: `chmod 600 ${path}` })
  return readFileSync(path, 'utf8').trim()
}

function keysOf(options: AppOptions, { keys }: StoreCopyRequest, directory: string): readonly VerificationKey[] {
  const trusted = keys.length > 0 ? keys.map((path) => readPublicKey(resolvePath(options.cwd, path))) : trustedKeys(directory)
  if (trusted.length === 0) throw new PortcullisError('key_missing', { asked: 'a public key to verify the ledger with before it is copied', found: `none in ${directory}`, remedy: 'Name one that you were given by somebody you trust: --key portcullis.pub.pem' })
  return trusted
}

/** Rows, chains and verdicts. The directories of the runs are files and stay where they are, so they are not asked about. */
async function mustVerify(frozen: FrozenStore, name: string, keys: readonly VerificationKey[]): Promise<void> {
  const problems = await ledgerProblems(frozen.ledger, { keys, anchors: [] })
  if (problems.length > 0) throw tampered(name, problems)
}

function tampered(name: string, problems: readonly Problem[]): PortcullisError {
  const [first] = problems
  const more = problems.length > 1 ? `, and ${problems.length - 1} more` : ''
  return new PortcullisError('store_tampered', { asked: `the ledger in ${name} as it was signed`, found: `${first?.code ?? ''} at ${first?.where ?? ''}: ${first?.found ?? ''}${more}`, remedy: 'Nothing was copied. See all of it: npx portcullis verify. A copy would only carry it further.' })
}

/** Equal to the last byte of each table, so what was verified of the one side holds for the other. */
function mustEqual(source: FrozenStore, copied: FrozenStore, name: string): void {
  const other = differing(source, copied)
  if (other.length > 0) throw new PortcullisError('store_failed', { asked: `the same rows in ${name}`, found: `others in ${other.join(', ')}`, remedy: 'Nothing was written. Something between here and there changes what passes; see the settings and rules of the database.' })
}

const differing = (one: FrozenStore, other: FrozenStore): readonly string[] =>
  one.digests.filter(({ name, rows, sha256 }) => other.digests.find((each) => each.name === name && each.rows === rows && each.sha256 === sha256) === undefined).map(({ name }) => name)

/** Asked for again after an answer that was lost, it finds its own work; anything else there is somebody's, and stays. */
async function mustBeTheSame(source: FrozenStore, to: Side): Promise<void> {
  const empty = (found: string): PortcullisError => usage(`an empty place for the copy at ${to.name}`, found, 'Name an empty database, or a state directory without a ledger. Nothing was written.')
  const there = await to.freeze().catch((error: unknown) => {
    if (error instanceof PortcullisError && error.code === 'run_not_found') throw empty('tables that are no ledger')
    throw error
  })
  try {
    const other = differing(source, there)
    if (other.length > 0) throw empty(`a ledger with other rows in ${other.join(', ')}`)
  } finally {
    await there.close()
  }
}
