import { readFile, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { systemCode } from '../../contract/errors.ts'
import { type GitOptions, tryGit } from './git.ts'

const COMMIT = /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/
const BRANCH = /^ref: (refs\/[\w./+@-]+)$/

/**
 * The commit that a directory is at; null if it is no repository, has no commit, or git cannot say. It is read from the files of an
 * ordinary repository: a process for it would cost every start of an agent more the larger the server is. Git is asked wherever
 * they do not say it in so many words.
 */
export async function headCommit(options: GitOptions, directory: string): Promise<string | null> {
  try {
    const repository = await repositoryOf(directory)
    if (repository === undefined) return null
    return (await readHead(repository)) ?? (await askGit(options, directory))
  } catch {
    // It is told beside what was found, and decides nothing.
    return null
  }
}

async function askGit(options: GitOptions, directory: string): Promise<string | null> {
  const { code, stdout } = await tryGit(options, { arguments: ['rev-parse', '--verify', '--quiet', 'HEAD'], cwd: directory })
  const commit = stdout.head.toString('utf8').trim()
  return code === 0 && COMMIT.test(commit) ? commit : null
}

/** The `.git` of a directory or of the nearest one above it: a directory, or the file that a worktree has. */
async function repositoryOf(directory: string): Promise<string | undefined> {
  for (let at = directory; ; at = dirname(at)) {
    const found = join(at, '.git')
    if ((await unlessMissing(stat(found))) !== undefined) return found
    if (at === dirname(at)) return undefined
  }
}

/** What HEAD names, itself or by the branch; undefined where that is not plain (a worktree, another way to store branches, no commit yet). */
async function readHead(repository: string): Promise<string | undefined> {
  const head = await textOf(join(repository, 'HEAD'))
  if (head === undefined || COMMIT.test(head)) return head
  const branch = BRANCH.exec(head)?.[1]
  if (branch === undefined || branch.includes('..')) return undefined
  const loose = await textOf(join(repository, branch))
  if (loose !== undefined) return COMMIT.test(loose) ? loose : undefined
  const packed = (await textOf(join(repository, 'packed-refs')))?.split('\n').find((line) => line.endsWith(` ${branch}`))?.split(' ')[0]
  return packed !== undefined && COMMIT.test(packed) ? packed : undefined
}

const textOf = async (path: string): Promise<string | undefined> => (await unlessMissing(readFile(path, 'utf8')))?.trim()

async function unlessMissing<Value>(read: Promise<Value>): Promise<Value | undefined> {
  try {
    return await read
  } catch (error) {
    const code = systemCode(error)
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR') return undefined
    throw error
  }
}
