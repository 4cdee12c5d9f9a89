import { closeSync, openSync, readdirSync, readFileSync, readSync, type Stats, statSync } from 'node:fs'
import { join } from 'node:path'
import { PortcullisError, systemCode } from '../../contract/errors.ts'

/** What stands at a path that somebody wants verified. */
export type EvidencePlace = { readonly kind: 'ledger'; readonly path: string } | { readonly kind: 'directory'; readonly path: string } | { readonly kind: 'bundle'; readonly path: string }

const DATABASE = 'SQLite format 3\u0000'

/** Tells by the content, not by the name. Throws `file_missing` or `file_unreadable`. */
export function placeAt(path: string): EvidencePlace {
  const status = look(path)
  if (status === undefined) throw new PortcullisError('file_missing', { asked: `to verify ${path}`, found: 'no such file or directory, and no id of a run', remedy: 'Name a run, a state directory, a ledger, the directory of a run or its run.intoto.jsonl.' })
  if (!status.isDirectory()) return { kind: beginsWith(path, DATABASE) ? 'ledger' : 'bundle', path }
  const ledger = join(path, 'ledger.db')
  return look(ledger) === undefined ? { kind: 'directory', path } : { kind: 'ledger', path: ledger }
}

function look(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false })
  } catch (error) {
    if (systemCode(error) === 'ENOTDIR') return undefined
    throw unreadable(path, error)
  }
}

function beginsWith(path: string, text: string): boolean {
  const bytes = Buffer.alloc(text.length)
  try {
    const file = openSync(path, 'r')
    try {
      readSync(file, bytes, 0, bytes.length, 0)
    } finally {
      closeSync(file)
    }
  } catch (error) {
    throw unreadable(path, error)
  }
  return bytes.toString('latin1') === text
}

/** Throws `file_missing` or `file_unreadable`. */
export function readText(path: string, asked: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (systemCode(error) === 'ENOENT') throw new PortcullisError('file_missing', { asked: `${asked} ${path}`, found: 'no such file', remedy: 'Check the path.' })
    throw unreadable(path, error)
  }
}

/** The names of the directories of runs below a state directory. */
export function runsIn(stateDirectory: string): readonly string[] {
  const path = join(stateDirectory, 'runs')
  try {
    return readdirSync(path, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map((entry) => entry.name)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return []
    throw unreadable(path, error)
  }
}

const unreadable = (path: string, cause: unknown): PortcullisError =>
  new PortcullisError('file_unreadable', { asked: `to read ${path}`, found: systemCode(cause) ?? 'an unknown failure', remedy: 'Check the permissions of the file and its directory.', cause })
