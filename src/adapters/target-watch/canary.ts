import { randomBytes } from 'node:crypto'
import { lstat, lutimes, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PortcullisError, systemCode } from '../../contract/errors.ts'

/** A canary is a decoy of a few files; whoever names a whole repository here means something else. */
const ENTRIES_AT_MOST = 2_000

/** What of an entry no reader and no writer leaves as it was. */
export type Marks = ReadonlyMap<string, string>

/**
 * Makes every later look at a canary visible, and gives what to compare with. The time of the last access of each entry is
 * set far back: then the kernel moves it at the next read of a file and at the next listing of a directory, also where the
 * file system is mounted with `relatime`, because it lies before the last change. Whoever sets it back moves the time of the
 * last change of the entry, which nobody can set. Where reads are not recorded at all (`noatime`), that is found out by a
 * read of our own, and refused: a canary that cannot sing proves nothing. What stays invisible is a program that asks the
 * kernel not to record it (`O_NOATIME`), as git does for the objects of a repository, though not for its index or directories.
 */
export async function armCanary(root: string): Promise<Marks> {
  await proveThatReadsShow(root)
  const entries = await entriesOf(root)
  // To list them was a look at each directory; nothing is listed after this.
  for (const path of entries) await forget(path)
  return marksOf(entries)
}

/** Entries that are not as they were when the canary was armed, by their path below it; `.` is the canary itself. Looks at nothing that leaves a mark. */
export async function touchedIn(root: string, before: Marks): Promise<string[]> {
  const now = await marksOf([...before.keys()])
  return [...before].filter(([path, mark]) => now.get(path) !== mark).map(([path]) => (path === root ? '.' : path.slice(root.length + 1)))
}

export async function marksOf(paths: readonly string[]): Promise<Marks> {
  return new Map(await Promise.all(paths.map(async (path) => [path, await markOf(path)] as const)))
}

async function markOf(path: string): Promise<string> {
  try {
    const { atimeNs, mtimeNs, ctimeNs, ino, size, mode } = await lstat(path, { bigint: true })
    return [atimeNs, mtimeNs, ctimeNs, ino, size, mode].join(' ')
  } catch (error) {
    // Gone, or behind a directory that may no longer be entered: both differ from what was there.
    return systemCode(error) ?? 'unreadable'
  }
}

async function entriesOf(root: string): Promise<string[]> {
  const found = [root]
  for (const directory of found) {
    if (!(await lstat(directory)).isDirectory()) continue
    found.push(...(await readdir(directory)).map((name) => join(directory, name)))
    if (found.length > ENTRIES_AT_MOST) throw unwatchable(root, `more than ${ENTRIES_AT_MOST} entries`, 'Name a small decoy as the canary, and the repository itself without `canary`.')
  }
  return found
}

async function forget(path: string): Promise<void> {
  const { mtime } = await lstat(path)
  await lutimes(path, new Date(0), mtime)
}

/** Reads a file and lists a directory of our own beside the canary's entries: if that leaves no mark, no other read will. */
async function proveThatReadsShow(root: string): Promise<void> {
  const control = join(root, `.portcullis-control-${randomBytes(8).toString('hex')}`)
  await mkdir(control).catch((error: unknown) => {
    throw unwatchable(root, `a directory that cannot be prepared (${systemCode(error) ?? 'unknown error'})`, 'Make the canary a directory that Portcullis may write to.')
  })
  try {
    const file = join(control, 'read')
    await writeFile(file, 'x')
    for (const path of [file, control]) await forget(path)
    const before = await marksOf([file, control])
    await readdir(control)
    await readFile(file)
    if ((await touchedIn(control, before)).length !== 2) throw unwatchable(root, 'a file system that does not record reads (mounted with noatime)', 'Put the canary on a file system that records them; relatime is enough.')
  } finally {
    await rm(control, { recursive: true, force: true })
  }
}

const unwatchable = (root: string, found: string, remedy: string): PortcullisError => new PortcullisError('configuration_invalid', { asked: `a canary at ${root}, every read of which shows`, found, remedy })
