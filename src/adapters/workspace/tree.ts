import { createHash } from 'node:crypto'
import { constants, type Dirent } from 'node:fs'
import { lstat, open, readdir, readlink } from 'node:fs/promises'
import { canonicalJson } from '../../contract/canonical.ts'
import { PortcullisError, systemCode } from '../../contract/errors.ts'

/**
 * One entry of a directory tree. `path` is relative and holds one byte in each character: a name that is not UTF-8 is
 * still one name, and no two names become one.
 */
export interface TreeEntry {
  readonly path: string
  readonly type: 'file' | 'directory' | 'link' | 'other'
}

/** A relative byte path below a root, as the file system takes it. */
export const pathBelow = (root: string, path: string): Buffer => Buffer.concat([Buffer.from(`${root}/`), Buffer.from(path, 'latin1')])

/** A byte path as people read it. */
export const printPath = (path: string): string => Buffer.from(path, 'latin1').toString('utf8')

/** Everything below a root, in the order of its bytes, without following a link. `skip` leaves an entry and all below it out. */
export async function walk(root: string, skip: (path: string) => boolean): Promise<TreeEntry[]> {
  const entries: TreeEntry[] = []
  const visit = async (prefix: string): Promise<void> => {
    for (const entry of await list(pathBelow(root, prefix))) {
      const path = `${prefix}${entry.name.toString('latin1')}`
      if (skip(path)) continue
      const type = typeOf(entry)
      entries.push({ path, type })
      if (type === 'directory') await visit(`${path}/`)
    }
  }
  await visit('')
  return entries.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
}

async function list(directory: Buffer): Promise<Dirent<Buffer>[]> {
  try {
    return await readdir(directory, { withFileTypes: true, encoding: 'buffer' })
  } catch (error) {
    throw unreadable(directory, error)
  }
}

function typeOf(entry: Dirent<Buffer>): TreeEntry['type'] {
  if (entry.isFile()) return 'file'
  if (entry.isDirectory()) return 'directory'
  return entry.isSymbolicLink() ? 'link' : 'other'
}

/** How many files are read at the same time. */
const READERS = 8

/**
 * SHA-256 over a manifest of the tree: path, kind, executable bit, size and content of each file, target of each link.
 * Only the `.git` at the top is left out; whatever else is there counts, ignored or not. Times and owners do not count.
 */
export async function workspaceDigest(root: string): Promise<string> {
  const hash = createHash('sha256')
  for (const { line } of await manifestOf(root)) hash.update(line).update('\n')
  return hash.digest('hex')
}

/**
 * Which of the given paths, files or folders, are not in the workspace as they are in the untouched copy: changed, removed,
 * or with something added below, ignored or not. Throws `task_invalid` for a path that the untouched copy does not have:
 * protecting nothing would look like protecting something.
 */
export async function changedBelow(workspace: string, untouched: string, paths: readonly string[]): Promise<string[]> {
  if (paths.length === 0) return []
  const [now, before] = await Promise.all([manifestOf(workspace), manifestOf(untouched)])
  return paths.filter((path) => {
    const prefix = Buffer.from(path, 'utf8').toString('latin1').replace(/\/+$/, '')
    const below = (manifest: readonly ManifestLine[]): string => manifest.filter((line) => line.path === prefix || line.path.startsWith(`${prefix}/`)).map(({ line }) => line).join('\n')
    const expected = below(before)
    if (expected === '') throw new PortcullisError('task_invalid', { asked: `the protected path ${path}`, found: 'nothing of this name in the repository', remedy: 'Name files or folders of the repository, relative to its top.' })
    return below(now) !== expected
  })
}

interface ManifestLine {
  readonly path: string
  readonly line: string
}

async function manifestOf(root: string): Promise<ManifestLine[]> {
  const entries = await walk(root, (path) => path === '.git')
  const lines: ManifestLine[] = []
  let next = 0
  const reader = async (): Promise<void> => {
    for (let index = next++; index < entries.length; index = next++) {
      const entry = entries[index]
      if (entry !== undefined) lines[index] = { path: entry.path, line: canonicalJson(await describe(root, entry)) }
    }
  }
  await Promise.all(Array.from({ length: READERS }, reader))
  return lines
}

async function describe(root: string, { path, type }: TreeEntry): Promise<readonly (string | number | boolean)[]> {
  const absolute = pathBelow(root, path)
  try {
    if (type === 'link') return [path, type, (await readlink(absolute, { encoding: 'buffer' })).toString('latin1')]
    // A pipe, socket or device is never opened: that could wait for ever. Its name and kind are what is known of it.
    if (type !== 'file') return [path, type, (await lstat(absolute)).mode & constants.S_IFMT]
    return [path, type, ...(await contentOf(absolute))]
  } catch (error) {
    throw unreadable(absolute, error)
  }
}

async function contentOf(path: Buffer): Promise<readonly [boolean, number, string]> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    const { mode } = await file.stat()
    const hash = createHash('sha256')
    const buffer = Buffer.allocUnsafe(65_536)
    let size = 0
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length)
      if (bytesRead === 0) return [(mode & 0o100) !== 0, size, hash.digest('hex')]
      hash.update(buffer.subarray(0, bytesRead))
      size += bytesRead
    }
  } finally {
    await file.close()
  }
}

export const unreadable = (path: Buffer | string, cause: unknown): PortcullisError =>
  new PortcullisError('file_unreadable', { asked: `to read ${path.toString()}`, found: systemCode(cause) ?? 'an unknown failure', remedy: 'Check the permissions of the file and its directory.', cause })
