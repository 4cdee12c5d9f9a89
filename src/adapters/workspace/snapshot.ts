import { mkdtemp, readlink, rm, writeFile, lstat } from 'node:fs/promises'
import { join } from 'node:path'
import { git, type GitOptions, quotePath } from './git.ts'
import { pathBelow, type TreeEntry, walk } from './tree.ts'

/** The same date and author everywhere, so that the same files give the same baseline commit. */
const BASELINE_AUTHOR = {
  GIT_AUTHOR_NAME: 'Portcullis',
  GIT_AUTHOR_EMAIL: 'portcullis@localhost',
  GIT_AUTHOR_DATE: '2000-01-01T00:00:00Z',
  GIT_COMMITTER_NAME: 'Portcullis',
  GIT_COMMITTER_EMAIL: 'portcullis@localhost',
  GIT_COMMITTER_DATE: '2000-01-01T00:00:00Z',
} as const

/**
 * A repository of our own, beside a workspace, for as long as `use` takes. What the agent does to the repository inside
 * (configuration, hooks, filters, index, history) has no say in it, and between two uses there is none that it could edit.
 */
export async function withStore<Value>(options: GitOptions, workspace: string, use: (store: string) => Promise<Value>): Promise<Value> {
  const store = await mkdtemp(`${workspace}.store-`)
  try {
    await git(options, { arguments: ['init', '--quiet', '--bare', '--template=', store], cwd: store })
    return await use(store)
  } finally {
    await rm(store, { recursive: true, force: true })
  }
}

/** All files of a workspace as one commit in the store: what the work is compared with. */
export async function baselineCommit(options: GitOptions, store: string, workspace: string): Promise<string> {
  const { tree } = await snapshotTree(options, store, workspace, undefined)
  const commit = await git(options, { arguments: ['commit-tree', '-m', 'Baseline', tree], cwd: store, environment: { GIT_DIR: store, ...BASELINE_AUTHOR } })
  return commit.toString('utf8').trim()
}

export interface Snapshot {
  readonly tree: string
  /** The links in it, by their byte paths. */
  readonly links: readonly string[]
  /** How many files and links of the workspace are not in it. */
  readonly leftOut: number
}

/**
 * Writes the files of a workspace, byte for byte, as a tree into the store. With a baseline commit it leaves out what the
 * workspace ignores, unless the baseline has it.
 */
export async function snapshotTree(options: GitOptions, store: string, workspace: string, baseline: string | undefined): Promise<Snapshot> {
  const all = (await walk(workspace, (path) => path === '.git')).filter(({ type }) => type === 'file' || type === 'link')
  // git takes no path with `.git` in it; what stands there is covered by the digest of the workspace.
  const entries = all.filter(({ path }) => !/(^|\/)\.git(\/|$)/i.test(path))
  const scratch = await mkdtemp(join(store, 'snapshot-'))
  try {
    const environment = { GIT_DIR: store, GIT_WORK_TREE: workspace, GIT_INDEX_FILE: join(scratch, 'index') }
    const wanted = baseline === undefined ? entries : await withoutIgnored(options, workspace, environment, entries, baseline)
    const lines = await hashed(options, workspace, environment, scratch, wanted)
    // An index file that does not exist yet is an empty index.
    const inFresh = { ...environment, GIT_INDEX_FILE: join(scratch, 'fresh-index') }
    await git(options, { arguments: ['update-index', '--add', '--index-info'], cwd: workspace, environment: inFresh, input: lines })
    const tree = (await git(options, { arguments: ['write-tree'], cwd: workspace, environment: inFresh })).toString('utf8').trim()
    return { tree, links: wanted.filter(({ type }) => type === 'link').map(({ path }) => path), leftOut: all.length - wanted.length }
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

/** The entries that the baseline has, and those that no ignore file of the workspace names. */
async function withoutIgnored(options: GitOptions, workspace: string, environment: Readonly<Record<string, string>>, entries: readonly TreeEntry[], baseline: string): Promise<TreeEntry[]> {
  await git(options, { arguments: ['read-tree', baseline], cwd: workspace, environment })
  const listed = await git(options, { arguments: ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], cwd: workspace, environment })
  const names = listed.toString('latin1').split('\0').filter((name) => name !== '')
  const files = new Set(names)
  // A repository inside the workspace is listed as one directory: its files are files like others.
  const directories = names.filter((name) => name.endsWith('/'))
  return entries.filter(({ path }) => files.has(path) || directories.some((directory) => path.startsWith(directory)))
}

/** Writes each entry as a blob, without any filter, and gives the lines for the index. */
async function hashed(options: GitOptions, workspace: string, environment: Readonly<Record<string, string>>, scratch: string, entries: readonly TreeEntry[]): Promise<string> {
  const modes: string[] = []
  const sources: string[] = []
  for (const [index, { path, type }] of entries.entries()) {
    if (type === 'link') {
      // git would follow the link: its target goes through a file of ours.
      const file = join(scratch, `link-${index}`)
      await writeFile(file, await readlink(pathBelow(workspace, path), { encoding: 'buffer' }))
      sources.push(Buffer.from(file).toString('latin1'))
      modes.push('120000')
    } else {
      sources.push(path)
      modes.push(((await lstat(pathBelow(workspace, path))).mode & 0o100) === 0 ? '100644' : '100755')
    }
  }
  if (entries.length === 0) return ''
  const input = sources.map((source) => `${quotePath(source)}\n`).join('')
  const ids = (await git(options, { arguments: ['hash-object', '-w', '--no-filters', '--stdin-paths'], cwd: workspace, environment, input })).toString('utf8').split('\n')
  return entries.map(({ path }, index) => `${modes[index]} ${ids[index]}\t${quotePath(path)}\n`).join('')
}
