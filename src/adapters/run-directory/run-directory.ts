import { closeSync, constants, type Dirent, fsyncSync, lstatSync, mkdirSync, openSync, readdirSync, readFileSync, readlinkSync, readSync, renameSync, rmSync, writeSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { PortcullisError, systemCode } from '../../contract/errors.ts'
import { makeDirectory } from '../directories/index.ts'
import { sha256 } from '../../contract/canonical.ts'
import type { LeftFile, RunDirectory, StoredFile } from '../../engine/index.ts'

/** Directories that serve the run and are gone after it; what is left is what people read. */
const SCRATCH = ['agent', 'untouched', 'fake', 'reference', 'staging', 'kept', 'delivery', 'workspace.baseline'] as const

/** What a run that waits needs to go on. Its raw output has been scanned and put where people read it. */
const NEEDED_LATER: readonly string[] = ['untouched', 'kept', 'delivery']

/** Creates the directory of a run, readable by its owner only. Throws if it exists: a run never writes into another's. */
export function createRunDirectory(stateDirectory: string, runId: string): RunDirectory {
  const path = join(stateDirectory, 'runs', runId)
  makeDirectory(join(stateDirectory, 'runs'), 0o700)
  mkdirSync(path, { mode: 0o700 })
  for (const part of ['backend', 'staging', 'workspace', 'agent/home', 'agent/configuration', 'agent/temporary']) mkdirSync(join(path, part), { recursive: true, mode: 0o700 })
  return openRunDirectory(stateDirectory, runId)
}

/** The directory of a run that exists already. */
export const openRunDirectory = (stateDirectory: string, runId: string): RunDirectory => runDirectoryAt(join(stateDirectory, 'runs', runId))

/** The directory of a run that was taken elsewhere. */
export function runDirectoryAt(path: string): RunDirectory {
  return {
    path,
    workspace: join(path, 'workspace'),
    untouched: join(path, 'untouched'),
    fake: join(path, 'fake'),
    reference: join(path, 'reference'),
    home: join(path, 'agent', 'home'),
    configuration: join(path, 'agent', 'configuration'),
    temporary: join(path, 'agent', 'temporary'),
    staging: join(path, 'staging'),
    read: (name) => readIfThere(join(path, name)),
    write: (name, content) => writeDurably(join(path, name), content),
    files: () => listFiles(path),
    leftByAgent: (area) => leftFiles(join(path, 'agent', area)),
    dropScratch: (waiting) => {
      for (const part of SCRATCH) if (waiting === undefined || !NEEDED_LATER.includes(part)) rmSync(join(path, part), { recursive: true, force: true })
    },
    dropAttempt: () => {
      for (const part of ['fake', 'reference']) rmSync(join(path, part), { recursive: true, force: true })
      for (const name of readdirSync(path)) if (/^(?:workspace|untouched|fake|reference)\.(?:store|patch)-/.test(name)) rmSync(join(path, name), { recursive: true, force: true })
    },
    remove: (name) => rmSync(join(path, name), { force: true }),
  }
}

/** Undefined for what is no plain file too: a link shows what nobody judged, and a pipe in its place would be read for ever. */
function readIfThere(path: string): Buffer | undefined {
  try {
    return lstatSync(path).isFile() ? readFileSync(path) : undefined
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return undefined
    throw unreadable(path, error)
  }
}

/** Writes beside the file, waits for the disk, then renames: a reader sees the old bytes or the new ones, never half. */
function writeDurably(path: string, content: string | Buffer): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const beside = `${path}.part`
  const file = openSync(beside, 'w', 0o600)
  try {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content
    let written = 0
    while (written < bytes.length) written += writeSync(file, bytes, written)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(beside, path)
}

/** The files that a run left for people, by their names in the run's directory; the workspace is not among them. */
function listFiles(path: string): readonly StoredFile[] {
  const files: StoredFile[] = []
  for (const part of ['.', 'backend']) {
    for (const entry of entriesOf(join(path, part))) {
      if (entry.isDirectory()) continue
      const file = join(path, part, entry.name)
      // A link or a pipe has a name here and no content that could be the one the run left.
      const content = readIfThere(file) ?? Buffer.alloc(0)
      files.push({ name: relative(path, file), bytes: content.length, sha256: sha256(content) })
    }
  }
  return files.sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** None if the directory is gone: then each file of the run is missing, and is told by its name. */
function entriesOf(directory: string): Dirent[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return []
    throw unreadable(directory, error)
  }
}

const unreadable = (path: string, cause: unknown): PortcullisError =>
  new PortcullisError('file_unreadable', { asked: `to read ${path}`, found: systemCode(cause) ?? 'an unknown failure', remedy: 'Check the permissions of the file and its directory.', cause })

/** So much of a file is in memory at a time. */
const CHUNK_BYTES = 262_144

/**
 * All that has a name below a directory: of a link its target is the content, and what is neither that nor a plain file has
 * none. A directory that cannot be read is a fault: what it holds would go unseen.
 */
function* leftFiles(directory: string): Iterable<LeftFile> {
  for (const entry of entriesOf(directory)) {
    const { name } = entry
    const path = join(directory, name)
    if (entry.isFile()) {
      yield { name, bytes: lstatSync(path).size, chunks: () => chunksOf(path) }
    } else if (entry.isSymbolicLink()) {
      const target = readlinkSync(path, { encoding: 'buffer' })
      yield { name, bytes: target.length, chunks: () => [target] }
    } else {
      yield { name, bytes: 0, chunks: () => [] }
      if (entry.isDirectory()) for (const file of leftFiles(path)) yield { ...file, name: join(name, file.name) }
    }
  }
}

function* chunksOf(path: string): Iterable<Uint8Array> {
  const file = openForReading(path)
  try {
    const chunk = Buffer.alloc(CHUNK_BYTES)
    for (let read = readSync(file, chunk); read > 0; read = readSync(file, chunk)) yield chunk.subarray(0, read)
  } finally {
    closeSync(file)
  }
}

function openForReading(path: string): number {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  } catch (error) {
    throw unreadable(path, error)
  }
}
