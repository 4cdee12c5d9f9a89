import { lstatSync, type Stats, unlinkSync } from 'node:fs'
import { connect, type Server } from 'node:net'
import { dirname } from 'node:path'
import { PortcullisError, systemCode } from '../contract/errors.ts'

const OWNER_ONLY = 0o600

/**
 * Listens on a Unix socket that nobody but the owner can open. Throws `port_taken` where another server listens, and `usage` where
 * something else stands or somebody else could put something: whoever connects there hands over a token.
 */
export async function bindSocket(server: Server, path: string): Promise<void> {
  refuseFolderOfOthers(path)
  const before = statusOf(path)
  if (before !== undefined) {
    if (!before.isSocket() || before.uid !== ownUser()) throw refused(path, before.isSocket() ? 'a socket of somebody else' : 'something that is no socket')
    if (await answers(path)) throw new PortcullisError('port_taken', { asked: `the API on ${path}`, found: 'another server that listens there', remedy: 'Choose another socket, or end that server.' })
    // Left by a server that could not end in order.
    unlinkSync(path)
  }
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(systemCode(error) === 'EADDRINUSE' ? refused(path, 'something that came there just now') : error))
    // Created with the mode it is to have: set afterwards, it could have been opened before.
    const mask = process.umask(0o177)
    try {
      server.listen(path, resolve)
    } finally {
      process.umask(mask)
    }
  })
  const after = statusOf(path)
  if (after?.isSocket() !== true || after.uid !== ownUser() || (after.mode & 0o777) !== OWNER_ONLY) {
    server.close()
    throw refused(path, `a socket of mode ${((after?.mode ?? 0) & 0o777).toString(8)}`)
  }
}

const ownUser = (): number | undefined => process.getuid?.()

/** In a folder that others may write to, the socket could be taken away and another one put there. */
function refuseFolderOfOthers(path: string): void {
  const folder = statusOf(dirname(path))
  const [writable, sticky] = [((folder?.mode ?? 0o022) & 0o022) !== 0, ((folder?.mode ?? 0) & 0o1000) !== 0]
  const trusted = folder !== undefined && (folder.uid === ownUser() || folder.uid === 0)
  if (folder?.isDirectory() !== true || !trusted || (writable && !sticky)) throw refused(path, folder === undefined ? 'no folder for it' : 'a folder that others may write to')
}

function statusOf(path: string): Stats | undefined {
  try {
    return lstatSync(path)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}

/** Whether anybody listens; what cannot be told counts as somebody, so that no living server loses its socket. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const trial = connect(path)
    trial.once('connect', () => {
      trial.destroy()
      resolve(true)
    })
    trial.once('error', (error) => resolve(systemCode(error) !== 'ECONNREFUSED' && systemCode(error) !== 'ENOENT'))
  })
}

const refused = (path: string, found: string): PortcullisError => new PortcullisError('usage', { asked: `the API on the Unix socket ${path}`, found, remedy: 'Name a socket in a folder that nobody but its owner may write to.' })
