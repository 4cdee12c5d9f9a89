import { constants } from 'node:fs'
import { appendFile, chmod, copyFile, cp, lstat, mkdir, mkdtemp, readdir, readlink, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { isAbsolute, join, relative, resolve } from 'node:path'
import { PortcullisError, systemCode } from '../../contract/errors.ts'
import type { PrepareRequest } from '../../engine/index.ts'
import { git, type GitOptions, reaching, tryGit } from './git.ts'
import { staysInside } from './links.ts'
import { baselineCommit, withStore } from './snapshot.ts'
import { pathBelow, printPath, unreadable, walk } from './tree.ts'


/**
 * Copies a source and makes the copy a fresh repository with one commit: no remote, hook or configuration of the original
 * comes along. Throws `task_invalid` for a source that cannot be copied safely.
 */
export async function prepareWorkspace(options: GitOptions, request: PrepareRequest): Promise<void> {
  const source = await realDirectory(request.source)
  await refuseOverlap(source, request.into)
  await refuseBranchName(options, request.branch)
  await mkdir(request.into, { recursive: true, mode: 0o700 })
  if ((await readdir(request.into)).length > 0) throw invalid('an empty directory for the workspace', `${request.into} is not empty`, 'Give each run a directory of its own.')
  await withStore(options, request.into, async (store) => {
    if (await isRepository(source)) await takeCommitted(options, source, store, request)
    else await takeFiles(source, request.into)
    await refuseLinksOut(request.into)
    await makeRepository(options, store, request)
  })
}

/** A copy of a workspace with its repository, file by file, links as links. `to` must be empty or missing. */
export async function copyWorkspace(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true, mode: 0o700 })
  if ((await readdir(to)).length > 0) throw invalid('an empty directory for the copy', `${to} is not empty`, 'Give each copy a directory of its own.')
  await cp(from, to, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true, mode: constants.COPYFILE_FICLONE })
}

/** Applies a patch to the files of a workspace; false if it does not apply. Git reads no repository here, so nothing in it can have a say. */
export async function applyPatch(options: GitOptions, workspace: string, patch: Buffer): Promise<boolean> {
  const scratch = await mkdtemp(`${workspace}.patch-`)
  try {
    const file = join(scratch, 'reference.patch')
    await writeFile(file, patch, { mode: 0o600 })
    const exit = await tryGit(options, { arguments: ['apply', '--whitespace=nowarn', file], cwd: workspace, environment: { GIT_DIR: '/dev/null' } })
    return exit.code === 0
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

async function realDirectory(path: string): Promise<string> {
  try {
    const real = await realpath(path)
    await readdir(real)
    return real
  } catch (error) {
    throw invalid(`the repository ${path}`, `it cannot be read as a directory (${systemCode(error) ?? 'unknown'})`, 'Give the path of a directory, relative to the task file.')
  }
}

/** A copy inside its source would copy itself; a source inside the copy would be written. */
async function refuseOverlap(source: string, into: string): Promise<void> {
  let target = resolve(into)
  for (let above = target; ; above = resolve(above, '..')) {
    const real = await realpath(above).catch(() => undefined)
    if (real === undefined) continue
    target = join(real, relative(above, target))
    break
  }
  for (const [outer, inner] of [[source, target], [target, source]] as const) {
    const path = relative(outer, inner)
    if (path === '' || (!path.startsWith('..') && !isAbsolute(path))) {
      if (outer === source && (await isRepository(source))) continue
      throw invalid('a workspace apart from the repository', `${into} and ${source} lie in each other`, 'Keep the state directory outside the repository of the task, or make the repository a git repository.')
    }
  }
}

async function refuseBranchName(options: GitOptions, branch: string): Promise<void> {
  const exit = await tryGit(options, { arguments: ['check-ref-format', `refs/heads/${branch}`], cwd: '/' })
  if (exit.code !== 0 || branch.startsWith('-')) throw invalid(`the branch ${JSON.stringify(branch)}`, 'git takes no such branch name', 'Name a branch of the repository.')
}

const isRepository = (directory: string): Promise<boolean> =>
  lstat(join(directory, '.git')).then(
    () => true,
    () => false,
  )

/** The committed tree of the branch. The files on disk, committed or not, are not looked at. */
async function takeCommitted(options: GitOptions, source: string, store: string, { branch, into }: PrepareRequest): Promise<void> {
  const found = await tryGit(options, { arguments: ['rev-parse', '--verify', '--quiet', '--end-of-options', `refs/heads/${branch}^{tree}`], cwd: source })
  const tree = found.stdout.head.toString('utf8').trim().split('\n').at(-1) ?? ''
  if (found.code !== 0 || !/^[0-9a-f]{40,64}$/.test(tree)) throw invalid(`the branch ${branch} of ${source}`, 'the repository has no such branch, or git cannot read it', 'Name a branch that exists there; `git branch` lists them.')
  const objects = resolve(source, (await git(options, { arguments: ['rev-parse', '--git-path', 'objects'], cwd: source })).toString('utf8').trim())
  const environment = { GIT_DIR: store, GIT_WORK_TREE: into, GIT_INDEX_FILE: join(store, 'checkout-index'), GIT_ALTERNATE_OBJECT_DIRECTORIES: objects }
  const listed = await git(options, { arguments: ['ls-tree', '-r', '-z', tree], cwd: into, environment })
  if (/(^|\0)160000 /.test(listed.toString('latin1'))) throw invalid(`the branch ${branch} of ${source}`, 'it holds a submodule, whose files are not in this repository', 'Use a repository without submodules.')
  await git(options, { arguments: ['read-tree', tree], cwd: into, environment })
  await git(options, { arguments: ['checkout-index', '--all', '--quiet'], cwd: into, environment })
}

/** The files on disk, less every `.git`: a repository inside would bring its hooks and remotes along. */
async function takeFiles(source: string, into: string): Promise<void> {
  for (const { path, type } of await walk(source, isGit)) {
    const from = pathBelow(source, path)
    const to = pathBelow(into, path)
    if (type === 'other') throw invalid(`the repository ${source}`, `${printPath(path)} is a pipe, socket or device`, 'Remove it; only files, directories and links can be copied.')
    try {
      if (type === 'directory') await mkdir(to, { mode: 0o700 })
      else if (type === 'link') await symlink(await readlink(from, { encoding: 'buffer' }), to)
      else {
        await copyFile(from, to, constants.COPYFILE_FICLONE)
        // The original may be read-only; its copy is there to be written.
        await chmod(to, ((await lstat(from)).mode & 0o100) === 0 ? 0o644 : 0o755)
      }
    } catch (error) {
      throw unreadable(from, error)
    }
  }
}

const isGit = (path: string): boolean => path === '.git' || path.endsWith('/.git')

async function refuseLinksOut(root: string): Promise<void> {
  for (const { path, type } of await walk(root, isGit)) {
    if (type === 'link' && !(await staysInside(root, path))) {
      throw invalid('a repository that is complete in itself', `the symbolic link ${printPath(path)} points out of it`, 'Replace the link by a relative one inside the repository, or by the file.')
    }
  }
}

/** What the repository inside is fetched from. */
const BASELINE_REF = 'refs/heads/baseline'

/** One commit in our own store, and the same commit in a fresh repository that the agent may do with as it likes. */
async function makeRepository(options: GitOptions, store: string, { branch, into }: PrepareRequest): Promise<void> {
  const commit = await baselineCommit(options, store, into)
  await git(options, { arguments: ['update-ref', BASELINE_REF, commit], cwd: store, environment: { GIT_DIR: store } })
  await git(options, { arguments: ['init', '--quiet', '--template=', `--initial-branch=${branch}`, '.'], cwd: into })
  await git(options, { arguments: ['fetch', '--quiet', '--no-tags', '--no-write-fetch-head', '--update-head-ok', store, `${BASELINE_REF}:refs/heads/${branch}`], cwd: into, environment: reaching('file') })
  await git(options, { arguments: ['reset', '--quiet'], cwd: into })
  // Without a name of its own the agent could not commit: it sees no configuration of the user.
  await appendFile(join(into, '.git', 'config'), '[user]\n\tname = Agent\n\temail = agent@localhost\n')
}

const invalid = (asked: string, found: string, remedy: string): PortcullisError => new PortcullisError('task_invalid', { asked, found, remedy })
