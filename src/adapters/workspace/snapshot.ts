import { mkdtemp, readlink, rm, writeFile, lstat } from 'node:fs/promises'
import { join } from 'node:path'
import { git, type GitOptions, quotePath } from './git.ts'
import { pathBelow, type TreeEntry, walk } from './tree.ts'

/** The baseline commit in our own store. */
export const BASELINE_REF = 'refs/heads/baseline'

/**
 * Our own repository of a workspace, beside it. What the agent does to the repository inside (configuration, hooks,
 * filters, index, history) has no say in what we say changed, and cannot make our git start a program.
 */
export const storeOf = (workspace: string): string => `${workspace}.baseline`

/**
 * Writes the files of a workspace, byte for byte, as a tree into our store and gives its id. `everything` takes all files;
 * `work` leaves out what the workspace ignores, unless the baseline has it.
 */
export async function snapshotTree(options: GitOptions, workspace: string, take: 'everything' | 'work'): Promise<string> {
  const store = storeOf(workspace)
  // git takes no path with `.git` in it; what stands there is covered by the digest of the workspace.
  const entries = (await walk(workspace, (path) => /(^|\/)\.git$/i.test(path))).filter(({ type }) => type === 'file' || type === 'link')
  const scratch = await mkdtemp(join(store, 'snapshot-'))
  try {
    const environment = { GIT_DIR: store, GIT_WORK_TREE: workspace, GIT_INDEX_FILE: join(scratch, 'index') }
    const wanted = take === 'everything' ? entries : await withoutIgnored(options, workspace, environment, entries)
    const lines = await hashed(options, workspace, environment, scratch, wanted)
    await git(options, { arguments: ['read-tree', '--empty'], cwd: workspace, environment })
    await git(options, { arguments: ['update-index', '--add', '--index-info'], cwd: workspace, environment, input: lines })
    return (await git(options, { arguments: ['write-tree'], cwd: workspace, environment })).toString('utf8').trim()
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

/** The entries that the baseline has, and those that no ignore file of the workspace names. */
async function withoutIgnored(options: GitOptions, workspace: string, environment: Readonly<Record<string, string>>, entries: readonly TreeEntry[]): Promise<TreeEntry[]> {
  await git(options, { arguments: ['read-tree', BASELINE_REF], cwd: workspace, environment })
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
