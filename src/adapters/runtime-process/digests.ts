import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir, realpath, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { sha256 } from '../../contract/canonical.ts'
import { systemCode } from '../../contract/errors.ts'

/** One version of a file, as the file system tells it apart: any write to it or replacement of it changes this. */
async function versionOf(path: string): Promise<string> {
  const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true })
  return [dev, ino, size, mtimeNs, ctimeNs].map((part) => part.toString(16)).join(':')
}

const digests = new Map<string, string>()

/** SHA-256 of a file's content, in hex. A version of a file that was read before is not read again. Rejects with the system's error. */
export async function fileDigest(path: string): Promise<string> {
  const version = await versionOf(path)
  const known = digests.get(version)
  if (known !== undefined) return known
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
  const digest = hash.digest('hex')
  // Remembered only if the file stood still while it was read: half of one version and half of another is neither.
  if ((await versionOf(path)) === version) digests.set(version, digest)
  return digest
}

/** SHA-256 over the names and contents of all files below a directory. Links are followed to what they show. */
export async function treeDigest(directory: string): Promise<string> {
  const names = await readdir(directory, { recursive: true })
  const lines: string[] = []
  for (const name of names.sort()) {
    const path = join(directory, name)
    if ((await stat(path)).isFile()) lines.push(`${await fileDigest(path)}  ${name}\n`)
  }
  return sha256(lines.join(''))
}

let ownVersion: Promise<string> | undefined

/**
 * Recognises the file that the kernel runs, also through `/proc/<pid>/exe`. The interpreter that Portcullis itself runs on
 * is recognised by its place on disk: reading its 120 MB before every run would cost a second and prove nothing more,
 * because whoever can write to it runs us too.
 */
export async function executableIdentity(path: string): Promise<string> {
  ownVersion ??= versionOf(process.execPath)
  const version = await versionOf(path)
  return version === (await ownVersion) ? `inode:${version}` : `sha256:${await fileDigest(path)}`
}

/** The path with every link resolved, or undefined if nothing is there or it may not be seen. */
export async function resolvedPath(path: string): Promise<string | undefined> {
  try {
    return await realpath(path)
  } catch (error) {
    if (isAbsent(error)) return undefined
    throw error
  }
}

/** True for the errors that say a file is not there for us; any other is a broken world. */
export const isAbsent = (error: unknown): boolean => ['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'ELOOP', 'ENAMETOOLONG', 'ESRCH', 'EISDIR'].includes(systemCode(error) ?? '')
