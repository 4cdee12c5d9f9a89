import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs'
import { resolve as resolvePath } from 'node:path'
import { X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import { systemCode } from '../contract/errors.ts'
import { usage } from './places.ts'

/** A certificate and its key, by file. */
export interface TlsFiles {
  readonly certificate: string
  readonly key: string
}

/** Where the API listens: an address, with TLS or without, or a Unix socket. */
export type ListeningPlace =
  | { readonly kind: 'address'; readonly host: string; readonly port: number; readonly tls: { readonly certificate: Buffer; readonly key: Buffer } | undefined }
  | { readonly kind: 'socket'; readonly path: string }

/** What says where, of which any may be missing. */
export interface GivenPlace {
  readonly port?: number | undefined
  readonly host?: string | undefined
  readonly socket?: string | undefined
  readonly tls?: TlsFiles | undefined
}

const LOOPBACK = '127.0.0.1'
export const isLoopback = (host: string): boolean => host === LOOPBACK || host === '::1' || host === 'localhost'

/** Options and configuration as one: a socket that is given puts aside an address of the file, and the other way round. Files are looked for beside who named them. */
export function mergedPlace(configured: GivenPlace, given: GivenPlace, directories: { readonly configured: string; readonly given: string }): GivenPlace {
  const [of, by] = [absolute(configured, directories.configured), absolute(given, directories.given)]
  if (by.socket !== undefined) return { socket: by.socket, port: by.port, host: by.host, tls: by.tls }
  const aside = by.port !== undefined || by.host !== undefined || by.tls !== undefined
  return { port: by.port ?? of.port, host: by.host ?? of.host, tls: by.tls ?? of.tls, socket: aside ? undefined : of.socket }
}

function absolute({ port, host, socket, tls }: GivenPlace, directory: string): GivenPlace {
  const at = (path: string): string => resolvePath(directory, path)
  return { port, host, socket: socket === undefined ? undefined : at(socket), tls: tls === undefined ? undefined : { certificate: at(tls.certificate), key: at(tls.key) } }
}

/** The place, with what TLS needs read and tried; undefined if none is named. Throws `usage` for what contradicts itself or cannot be used. */
export function listeningPlace({ port, host, socket, tls }: GivenPlace, now: Date): ListeningPlace | undefined {
  if (socket !== undefined) {
    if (port !== undefined || host !== undefined || tls !== undefined) throw usage('one place to listen', 'a Unix socket, and port, host or tls beside it', 'Leave out either.')
    // Longer ones are cut off by the system, and another file would be listened on.
    if (Buffer.byteLength(socket) > 100) throw usage('a Unix socket', `a path of ${Buffer.byteLength(socket)} bytes, of which a socket can have 100`, 'Name a shorter one.')
    return { kind: 'socket', path: socket }
  }
  if (port === undefined) return undefined
  return { kind: 'address', host: host ?? LOOPBACK, port, tls: tls === undefined ? undefined : readTls(tls, now) }
}

function readTls({ certificate, key }: TlsFiles, now: Date): { readonly certificate: Buffer; readonly key: Buffer } {
  const read = { certificate: readOnly(certificate, 'certificate'), key: readOnly(key, 'key') }
  const leaf = leafOf(read, certificate)
  if (now.getTime() >= Date.parse(leaf.validTo) || now.getTime() < Date.parse(leaf.validFrom)) throw usage('a certificate in force', `${certificate}, from ${leaf.validFrom} to ${leaf.validTo}`, 'Renew it, and start the server again.')
  return read
}

function leafOf({ certificate, key }: { readonly certificate: Buffer; readonly key: Buffer }, path: string): X509Certificate {
  try {
    createSecureContext({ cert: certificate, key })
    return new X509Certificate(certificate)
  } catch (error) {
    // The class of the error alone: what OpenSSL says may quote what it read.
    throw usage('a certificate and its key in PEM', `${path} and the key do not go together (${systemCode(error) ?? 'unknown'})`, 'See server.tls in portcullis.yaml, or --tls-certificate and --tls-key.')
  }
}

/** Of a key also, that nobody else may read it. Mode and bytes are of the same open file, so nothing can be put in its place between. */
function readOnly(path: string, what: 'certificate' | 'key'): Buffer {
  const file = opened(path, what)
  try {
    const { mode, uid } = fstatSync(file)
    const ours = uid === process.getuid?.() || uid === 0
    if (what === 'key' && ((mode & 0o077) !== 0 || !ours)) throw usage('a key that nobody else may read', `${path}, ${ours ? `mode ${(mode & 0o777).toString(8)}` : 'which belongs to somebody else'}`, `chmod 600 ${path}`)
    return readFileSync(file)
  } finally {
    closeSync(file)
  }
}

function opened(path: string, what: string): number {
  try {
    return openSync(path, 'r')
  } catch (error) {
    throw usage(`the ${what} of server.tls`, `${path} cannot be read (${systemCode(error) ?? 'unknown'})`, 'See server.tls in portcullis.yaml, or --tls-certificate and --tls-key.')
  }
}
