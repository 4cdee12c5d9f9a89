import pg from 'pg'
import { PortcullisError } from '../../contract/errors.ts'

/** How long a server may take to answer at first; one that is there takes milliseconds. */
const CONNECT_TIMEOUT_MS = 10_000

/** Where a database is, and what may be said of it: never its password. */
export interface DatabaseAddress {
  readonly url: string
  readonly shown: string
}

/** Others would say again, and otherwise, what stands in the address already. */
const PARAMETERS = ['host', 'sslmode', 'sslrootcert', 'options']
const LOOPBACK = ['127.0.0.1', '::1', 'localhost']

/**
 * Reads an address such as `postgres://user@host/database`. Nothing of it is filled in from elsewhere, and beyond this machine it must ask for a server
 * that proves who it is. Throws `usage`, without quoting what may hold a password.
 */
export function databaseAddress(text: string): DatabaseAddress {
  const refuse = (found: string): PortcullisError => new PortcullisError('usage', { asked: 'the address of a PostgreSQL database', found, remedy: 'Write it as postgres://<user>@<host>:<port>/<database>, or as postgres://<user>@localhost/<database>?host=<directory> for a Unix socket.' })
  if (!URL.canParse(text)) throw refuse('no address')
  const url = new URL(text)
  if (!['postgres:', 'postgresql:'].includes(url.protocol)) throw refuse(`an address of ${JSON.stringify(url.protocol.replace(/:$/, ''))}`)
  const named = [...url.searchParams.keys()]
  if (named.some((name) => !PARAMETERS.includes(name)) || new Set(named).size < named.length) throw refuse(`more after its "?" than one each of ${PARAMETERS.join(', ')}`)
  const host = url.searchParams.get('host') ?? decodeURIComponent(url.hostname.replaceAll(/[[\]]/g, ''))
  const database = url.pathname.replace(/^\//, '')
  const missing = Object.entries({ user: url.username, host, database }).filter(([, value]) => value === '').map(([name]) => name)
  if (missing.length > 0) throw refuse(`an address without ${missing.join(', ')}`)
  const remote = !host.startsWith('/') && !LOOPBACK.includes(host)
  if (remote && url.searchParams.get('sslmode') !== 'verify-full') throw refuse(`${host} without sslmode=verify-full, so that anybody on the way could answer in its place`)
  return { url: text, shown: `postgres://${url.username}@${host}${url.port === '' ? '' : `:${url.port}`}/${database}` }
}

/** True if an address holds a password, which every process of this machine could read in the arguments of a command. */
export const holdsPassword = (text: string): boolean => /[?&]password=/i.test(text) || /\/\/[^/@]*:[^/@]+@/.test(text) || (URL.canParse(text) && new URL(text).password !== '')

/** Runs `use` in one transaction of its own connection: all of what it did is stored, or nothing. Rejects with `store_failed`. */
export function inTransaction<Result>(address: DatabaseAddress, kind: 'read' | 'write', use: (client: pg.Client) => Promise<Result>): Promise<Result> {
  return guarded(kind, address, async () => {
    const client = new pg.Client({ connectionString: address.url, connectionTimeoutMillis: CONNECT_TIMEOUT_MS, keepAlive: true, application_name: 'portcullis', types: { getTypeParser: parserOf } })
    // A connection that ends between two questions says so once more here; the next question tells its caller.
    client.on('error', () => undefined)
    try {
      await client.connect()
      await client.query(kind === 'read' ? 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY' : 'BEGIN ISOLATION LEVEL SERIALIZABLE')
      // Whatever the server's default is: what was reported as stored is on its disk.
      if (kind === 'write') await client.query('SET LOCAL synchronous_commit = on')
      const result = await use(client)
      // Of a transaction that had failed the server says ROLLBACK here, and calls it no error.
      const { command } = await client.query('COMMIT')
      if (command !== 'COMMIT') throw new Error(`the end of a transaction that was answered with ${command}`)
      return result
    } finally {
      // Ends the transaction too, if it has not ended.
      await client.end()
    }
  })
}

/** The kinds of value that we ask for, by their numbers in PostgreSQL; anything else stays the text that it came as. */
function parserOf(oid: number): (value: string) => unknown {
  switch (oid) {
    case 16:
      return (value) => value === 't'
    case 17:
      return (value) => Buffer.from(value.slice('\\x'.length), 'hex')
    case 20:
      return (value) => {
        const number = Number(value)
        if (!Number.isSafeInteger(number)) throw new Error(`a number that no store of ours writes: ${value}`)
        return number
      }
    default:
      return (value) => value
  }
}

/** One fault for whatever the driver throws, without its cause: an error of the network or of an address may hold all of the address. */
async function guarded<Result>(operation: string, address: DatabaseAddress, act: () => Promise<Result>): Promise<Result> {
  try {
    return await act()
  } catch (error) {
    if (error instanceof PortcullisError) throw error
    throw new PortcullisError('store_failed', { asked: `to ${operation} the ledger in ${address.shown}`, found: withoutPassword(textOf(error), address), remedy: 'Nothing is assumed to be written. Check the server and what its user may do, then try again.' })
  }
}

function textOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(textOf).join('; ')
  return error instanceof Error ? error.message : String(error)
}

function withoutPassword(text: string, { url }: DatabaseAddress): string {
  const { password } = new URL(url)
  const secrets = [url, password, decodeURIComponent(password)].filter((secret) => secret !== '')
  return secrets.reduce((rest, secret) => rest.replaceAll(secret, '…'), text)
}
