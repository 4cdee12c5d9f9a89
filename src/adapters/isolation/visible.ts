import { lstat, readlink } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { systemCode } from '../../contract/errors.ts'
import { liesInside } from '../../gates/launch/index.ts'

/** A part of the machine that can be seen through a seal: a file or folder under its own path, or a link as it stands. */
export type Visible = { readonly path: string; readonly target: string | null }

/** What programs of the system need to run at all. Of /etc only what tells where libraries, certificates and the local time are: other files of it can hold a password. */
export const SYSTEM_PATHS: readonly string[] = [
  '/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32', '/nix/store', '/gnu/store',
  '/etc/ld.so.cache', '/etc/ld.so.conf', '/etc/ld.so.conf.d', '/etc/alternatives', '/etc/localtime', '/etc/timezone', '/etc/protocols', '/etc/services',
  // Not all of /etc/ssl and /etc/pki: they have folders of private keys.
  '/etc/ssl/certs', '/etc/ssl/cert.pem', '/etc/ssl/openssl.cnf', '/etc/ca-certificates', '/etc/pki/ca-trust/extracted', '/etc/pki/tls/certs', '/etc/pki/tls/openssl.cnf',
]

/** What a program needs beside that to find names, where it has the network of the machine. */
export const NETWORK_PATHS: readonly string[] = ['/etc/resolv.conf', '/etc/hosts']

/** As many links in one path as the kernel follows. */
const MOST_LINKS = 40

/** Each path with every link on the way to it, without what another one brings already. What is not there is left out. */
export async function visibleOf(paths: readonly string[]): Promise<Visible[]> {
  const found = new Map<string, Visible>()
  for (const path of paths) await follow(resolve(path), found, 0)
  const all = [...found.values()]
  const shown = all.filter(({ target }) => target === null)
  return all.filter(({ path }) => !shown.some((other) => liesInside(other.path, path)))
}

async function follow(path: string, found: Map<string, Visible>, links: number): Promise<void> {
  const parts = path.split('/').filter((part) => part !== '')
  let at = '/'
  for (const [index, part] of parts.entries()) {
    const next = join(at, part)
    const target = await linkTarget(next)
    if (target === undefined) return
    if (target !== null) {
      found.set(next, { path: next, target })
      if (links < MOST_LINKS) await follow(resolve(at, target, ...parts.slice(index + 1)), found, links + 1)
      return
    }
    at = next
  }
  found.set(at, { path: at, target: null })
}

/** The target of a link, null for anything else, undefined if nothing is there for us. */
async function linkTarget(path: string): Promise<string | null | undefined> {
  try {
    return (await lstat(path)).isSymbolicLink() ? await readlink(path) : null
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes(systemCode(error) ?? '')) return undefined
    throw error
  }
}
