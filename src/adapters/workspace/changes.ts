import { lstat, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { WorkspaceChanges } from '../../engine/index.ts'
import { git, type GitOptions, quotePath, tryGit } from './git.ts'
import { staysInside } from './links.ts'
import { baselineCommit, snapshotTree, withStore } from './snapshot.ts'
import { printPath } from './tree.ts'

/** The patch that is kept for people is cut here. */
export const PATCH_BYTES = 1_048_576

/** Neither attributes nor settings of the workspace are read: `*.js -diff` hides nothing from us. */
const DIFF = ['diff-tree', '-r', '--no-renames', '--no-ext-diff', '--no-textconv', '--no-color'] as const

/**
 * Compares the files of a workspace with those of the untouched copy, which the caller has compared with its digest. Files
 * that the workspace ignores are not counted, unless the untouched copy has them.
 */
export async function workspaceChanges(options: GitOptions, workspace: string, untouched: string): Promise<WorkspaceChanges> {
  return withStore(options, workspace, async (store) => {
    const baseline = await baselineCommit(options, store, untouched)
    const { tree, links, leftOut } = await snapshotTree(options, store, workspace, baseline)
    const inStore = { cwd: store, environment: { GIT_DIR: store } }
    const counted = await git(options, { arguments: [...DIFF, '--numstat', '-z', `${baseline}^{tree}`, tree], ...inStore })
    const files = counted.toString('utf8').split('\0').flatMap(fileOf)
    const patch = await tryGit(options, { arguments: [...DIFF, '--patch', `${baseline}^{tree}`, tree], ...inStore, outputBytes: PATCH_BYTES })
    const whole = await tryGit(options, { arguments: [...DIFF, '--patch', '--text', `${baseline}^{tree}`, tree], ...inStore })
    return {
      filesChanged: files.length,
      insertions: files.reduce((sum, file) => sum + file.insertions, 0),
      deletions: files.reduce((sum, file) => sum + file.deletions, 0),
      ...(await commitsOf(options, workspace, store, baseline)),
      files,
      linksOut: await linksOutOf(workspace, links),
      filesLeftOut: leftOut,
      patch: patch.stdout.head,
      patchTruncated: patch.stdout.truncated || patch.code !== 0,
      whole: isWhole(whole) ? whole.stdout.head : undefined,
    }
  })
}

const isWhole = ({ code, stdout, readFailure }: Awaited<ReturnType<typeof tryGit>>): boolean => code === 0 && !stdout.truncated && readFailure === null

const LINKS_SHOWN = 100

async function linksOutOf(workspace: string, links: readonly string[]): Promise<string[]> {
  const out: string[] = []
  for (const link of links) {
    if (out.length < LINKS_SHOWN && !(await staysInside(workspace, link))) out.push(printPath(link).slice(0, 1_000).toWellFormed())
  }
  return out
}

function fileOf(line: string): WorkspaceChanges['files'] {
  const match = /^(\d+|-)\t(\d+|-)\t([^]+)$/.exec(line)
  if (match === null) return []
  const count = (text: string | undefined): number => (text === undefined || text === '-' ? 0 : Number(text))
  return [{ path: match[3] ?? '', insertions: count(match[1]), deletions: count(match[2]) }]
}

/** Everything of a commit that somebody wrote, and its changes; a file that was added and taken away again is in there. */
const SHOWN = ['log', '--patch', '--no-renames', '--no-ext-diff', '--no-textconv', '--no-color', '--text', '--diff-merges=separate', '--no-show-signature', '--no-notes', '--no-mailmap', '--format=raw'] as const

/** Reads only objects from the agent's repository; its configuration could name programs to run. */
async function commitsOf(options: GitOptions, workspace: string, store: string, baseline: string): Promise<Pick<WorkspaceChanges, 'commits' | 'history'>> {
  const head = await headOf(join(workspace, '.git'))
  if (head === undefined) return { commits: [], history: Buffer.alloc(0) }
  const objects = quotePath(Buffer.from(join(workspace, '.git', 'objects')).toString('latin1'))
  const call = { cwd: store, environment: { GIT_DIR: store, GIT_ALTERNATE_OBJECT_DIRECTORIES: objects } }
  const range = ['--max-count=1001', head, '--not', baseline]
  const listed = await tryGit(options, { arguments: ['rev-list', ...range], ...call })
  const commits = listed.code === 0 ? listed.stdout.head.toString('utf8').split('\n').filter((line) => line !== '') : []
  const shown = await tryGit(options, { arguments: [...SHOWN, ...range], ...call })
  const whole = listed.code === 0 && isWhole(shown) && commits.length <= MOST_COMMITS
  return { commits: commits.slice(0, MOST_COMMITS), history: whole ? shown.stdout.head : undefined }
}

const MOST_COMMITS = 1_000

const OBJECT_ID = /^[0-9a-f]{40}$/

async function headOf(repository: string): Promise<string | undefined> {
  if (!(await lstat(repository).then((stat) => stat.isDirectory(), () => false))) return undefined
  const head = await smallText(join(repository, 'HEAD'))
  if (head === undefined || OBJECT_ID.test(head)) return head
  const reference = /^ref: (refs\/heads\/[A-Za-z0-9._/-]+)$/.exec(head)?.[1]
  if (reference === undefined || reference.includes('..')) return undefined
  const direct = await smallText(join(repository, reference))
  const packed = direct ?? (await smallText(join(repository, 'packed-refs')))?.split('\n').find((line) => line.endsWith(` ${reference}`))?.slice(0, 40)
  return packed !== undefined && OBJECT_ID.test(packed) ? packed : undefined
}

/** The text of a plain file of at most 1 MiB; undefined for anything else. */
async function smallText(path: string): Promise<string | undefined> {
  const plain = await lstat(path).then((stat) => stat.isFile() && stat.size <= 1_048_576, () => false)
  return plain ? (await readFile(path, 'utf8')).trim() : undefined
}
